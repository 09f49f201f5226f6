"""Who is told of what, in which language; and how mail, channels and signed webhooks reach real servers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from apportion.actions import configured
from apportion.actions.notices import addresses, hooks, sending, telling
from apportion.actions.notices.addresses import AddressError
from apportion.actions.review import accepting, disputing
from apportion.actions.words import one_line
from apportion.errors import InputRefusedError
from apportion.records.audit import AuditEntry
from apportion.records.documents import Document
from apportion.records.people import Person
from apportion.records.rights import ForbiddenError
from apportion.records.work import Message, MessageState, WebhookEndpoint
from apportion.review.states import StateError
from tests.mail_server import MailServer, mail_server
from tests.rooms.actions import review_world
from tests.rooms.actions.review_world import World
from tests.web_server import WebServer, web_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return review_world.build()


@pytest.fixture
def mail(settings: Any) -> Iterator[MailServer]:
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", server.port, False
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "apportion", "secret"
        settings.DEFAULT_FROM_EMAIL = "Apportion <bills@brightwater.example>"
        yield server


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as server:
        yield server


def _set(settings: Any, folder: Path, text: str) -> None:
    """Write the workspace's settings."""
    (folder / "apportion.yaml").write_text(f"company: Brightwater Group\n{text}", encoding="utf-8")
    settings.APPORTION_WORKSPACE = folder


def _issued(world: World, *codes: str) -> None:
    telling.issued([world.documents[code] for code in codes], world.actor("cora"))


def test_each_owner_gets_one_mail_about_all_of_theirs(world: World) -> None:
    _issued(world, "shop", "checkout", "search", "labs")
    mails = {message.person.name: message for message in Message.objects.select_related("person") if message.person}
    # Chet answers for Checkout, so those above are not asked about it.
    assert sorted(mails) == ["Ada", "Chet", "Lea", "Stan", "Tom"]
    assert mails["Ada"].subject == "To review: Shop, 2026-10"
    assert "Total: 180.01 USD" in mails["Ada"].body
    assert f"http://127.0.0.1:8000/documents/{world.documents['shop'].pk}/" in mails["Ada"].body
    _issued(world, "shop", "checkout", "search", "labs")
    assert Message.objects.count() == 5


def test_groups_without_an_owner_are_the_next_ones_business(world: World) -> None:
    world.people["chet"].grants.update(ended_at=timezone.now())
    _issued(world, "shop", "checkout")
    subjects = dict(Message.objects.values_list("person__name", "subject"))
    assert subjects == dict.fromkeys(("Ada", "Tom"), "To review: 2 documents of 2026-10")


def test_a_mail_is_in_its_readers_language(world: World) -> None:
    Person.objects.filter(name="Ada").update(language="de")
    _issued(world, "shop")
    body = Message.objects.get(person__name="Ada").body
    assert "180,01 USD" in body
    assert "180.01 USD" in Message.objects.get(person__name="Tom").body


def test_amounts_stay_out_of_mails_if_the_settings_say_so(world: World, settings: Any, tmp_path: Path) -> None:
    _set(settings, tmp_path, "mail:\n  amounts: false\n")
    _issued(world, "shop")
    disputing.dispute(world.actor("ada"), world.documents["shop"].pk, line=1, reason="not_ours", text="No")
    assert Message.objects.count() > 2
    assert not [body for body in Message.objects.values_list("body", flat=True) if "USD" in body]


def test_reminders_escalations_and_silence(world: World) -> None:
    shop = [world.documents["shop"]]
    telling.reminded(shop, 1)
    telling.reminded(shop, 1)
    telling.reminded(shop, 0)
    telling.escalated(shop, 1)
    telling.deemed(shop)
    found = sorted(Message.objects.values_list("person__name", "subject"))
    assert found == [
        ("Ada", "1 working day left: Shop, 2026-10"),
        ("Ada", "Counts as accepted: Shop, 2026-10"),
        ("Ada", "Last day: Shop, 2026-10"),
        ("Eva", "Nobody answered: Shop, 2026-10"),
        ("Tom", "1 working day left: Shop, 2026-10"),
        ("Tom", "Counts as accepted: Shop, 2026-10"),
        ("Tom", "Last day: Shop, 2026-10"),
    ]


def test_telling_of_many_documents_asks_no_more_often(world: World, django_assert_max_num_queries: Any) -> None:
    more = [review_world.issue(world, f"2026-{month:02d}") for month in range(1, 10)]
    fresh = Document.objects.filter(pk__in=[each.pk for month in more for each in month.values()])
    documents = list(fresh)
    with django_assert_max_num_queries(9):
        telling.issued(documents, world.actor("cora"))
    assert "9 documents" in Message.objects.get(person__name="Lea").subject


def test_a_refused_act_tells_nobody(world: World) -> None:
    with pytest.raises(Exception, match="cannot be claimed"):
        disputing.dispute(
            world.actor("ada"), world.documents["shop"].pk, line=1, reason="not_ours", text="No", claimed_minor=10**9
        )
    assert not Message.objects.exists()


def test_mail_reaches_a_real_server_once(world: World, mail: MailServer) -> None:
    disputing.dispute(world.actor("ada"), world.documents["shop"].pk, line=1, reason="not_ours", text="Größe, 漢字\n.")
    assert sending.send_waiting() == sending.Sent(sent=3)
    assert sending.send_waiting() == sending.Sent()
    assert mail.logins == 1
    letter = next(each for each in mail.letters if each["To"] == "cora@brightwater.example")
    assert letter["From"] == "Apportion <bills@brightwater.example>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Subject"].startswith("Disputed: Shop, line 1 of Invoice KES-1000-FY2026-000001")
    assert "> Größe, 漢字\n> ." in letter.get_content().replace("\r\n", "\n")
    assert letter["Message-ID"] == sending.message_id(Message.objects.get(recipient="cora@brightwater.example"))
    assert set(Message.objects.values_list("state", flat=True)) == {"sent"}


def test_what_a_server_refuses_is_tried_again_or_given_up(world: World, mail: MailServer) -> None:
    _issued(world, "shop")
    mail.refuse = {"ada@brightwater.example": "550 unknown", "tom@brightwater.example": "451 later"}
    assert sending.send_waiting() == sending.Sent(later=1, failed=1)
    given_up, waits = Message.objects.get(person__name="Ada"), Message.objects.get(person__name="Tom")
    assert (given_up.state, given_up.error) == ("failed", "The mail server does not take this address (550).")
    assert (waits.state, waits.attempts) == ("waiting", 1)
    assert sending.send_waiting() == sending.Sent()
    mail.refuse = {}
    assert sending.send_waiting(now=timezone.now() + timedelta(minutes=2)) == sending.Sent(sent=1)
    with pytest.raises(ForbiddenError):
        sending.send_again(world.actor("cora"), given_up.pk)
    sending.send_again(world.actor("adam"), given_up.pk)
    assert AuditEntry.objects.order_by("-number")[0].act == "send again"
    assert sending.send_waiting() == sending.Sent(sent=1)
    with pytest.raises(StateError):
        sending.send_again(world.actor("adam"), given_up.pk)


def test_a_server_that_is_down_is_tried_later_and_later_and_then_no_more(world: World, settings: Any) -> None:
    _issued(world, "labs")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_HOST_PASSWORD = "127.0.0.1", 9, "hush"
    at, waits = timezone.now(), []
    for _ in range(7):
        sending.send_waiting(now=at)
        message = Message.objects.get()
        if message.state == MessageState.WAITING:
            assert message.next_attempt_at is not None
            waits.append(round((message.next_attempt_at - at).total_seconds() / 60))
            at = message.next_attempt_at
    assert waits == [1, 5, 15, 60, 240, 720]
    assert (message.state, message.error) == ("failed", "The mail server did not take it: ConnectionRefusedError.")


def test_without_a_mail_server_mail_waits_and_then_grows_stale(world: World, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    _issued(world, "labs")
    assert sending.send_waiting() == sending.Sent()
    assert Message.objects.get().state == "waiting"
    sending.send_waiting(now=timezone.now() + timedelta(days=4))
    assert "three days" in Message.objects.get().error


def test_a_message_whose_sender_died_is_sent_again_after_its_lease(world: World, mail: MailServer) -> None:
    _issued(world, "labs")
    Message.objects.update(attempts=1, next_attempt_at=timezone.now() + sending.LEASE)
    assert sending.send_waiting() == sending.Sent()
    assert sending.send_waiting(now=timezone.now() + sending.LEASE) == sending.Sent(sent=1)


def test_no_name_becomes_a_header(world: World, mail: MailServer) -> None:
    nasty = "Shop\r\nBcc: all@evil.example\r\n\r\n<b>x</b>\u202e\x00"
    Person.objects.filter(name="Lea").update(name=nasty.replace("\x00", ""))
    world.people["lea"].refresh_from_db()
    disputing.dispute(world.actor("lea"), world.documents["labs"].pk, line=1, reason="not_ours", text=nasty)
    world.documents["search"].name = nasty
    telling.issued([world.documents["search"]], world.actor("cora"))
    Message.objects.create(
        channel="mail", recipient="a@b.example\nBcc: c@d.example", subject="x\nBcc: y@z.example", body="", key="k"
    )
    result = sending.send_waiting()
    assert (result.failed, result.later) == (1, 0)
    assert result.sent == len(mail.letters) > 2
    for letter in mail.letters:
        assert letter["Bcc"] is None
        assert "\n" not in letter["Subject"]
    assert one_line(nasty, 300) == "Shop Bcc: all@evil.example <b>x</b>"


def test_a_webhook_is_signed_and_a_changed_or_late_call_is_not_genuine(
    world: World, web: WebServer, settings: Any, tmp_path: Path
) -> None:
    _set(settings, tmp_path, "webhooks:\n  allow_private: true\n  allow_http: true\n")
    endpoint = hooks.add_endpoint(world.actor("adam"), f"{web.url}/in?x=1", ["accepted", "disputed"])
    assert AuditEntry.objects.order_by("-number")[0].subject == "127.0.0.1"
    assert endpoint.secret not in "".join(AuditEntry.objects.values_list("after", flat=True))
    accepting.accept(world.actor("ada"), world.documents["shop"].pk)
    made = disputing.dispute(world.actor("stan"), world.documents["search"].pk, line=1, reason="unclear", text="?")
    telling.posted([world.documents["shop"]])
    sending.send_waiting()
    assert [path for path, _, _ in web.calls] == ["/in?x=1"] * 2
    first, second = (json.loads(body) for _, _, body in web.calls)
    assert (first["event"], first["document"]["label"], first["document"]["totals"]) == (
        "accepted", world.documents["shop"].label, [{"currency": "USD", "amount_minor": 18_001}],
    )  # fmt: skip
    assert (second["event"], second["dispute"]["id"], second["dispute"]["claimed_minor"]) == (
        "disputed",
        made.pk,
        2_000,
    )
    _, headers, body = web.calls[0]
    header, now = headers["Apportion-Signature"], int(time.time())
    assert hooks.is_genuine(endpoint.secret, header, body, now)
    assert not hooks.is_genuine(endpoint.secret, header, body + b" ", now)
    assert not hooks.is_genuine("other", header, body, now)
    assert not hooks.is_genuine(endpoint.secret, header, body, now + 301)
    for forged in ("", "t=1", "t=x,v1=y", header.replace("t=", "t=9"), f"t={now},v1=é"):
        assert not hooks.is_genuine(endpoint.secret, forged, body, now)


def test_the_page_about_webhooks_says_what_is_sent_and_how_to_check_it(
    world: World, settings: Any, tmp_path: Path
) -> None:
    page = (Path(__file__).parents[3] / "docs/reference/webhooks.md").read_text(encoding="utf-8")
    sample = json.loads(page.partition("```json\n")[2].partition("```")[0])
    _set(settings, tmp_path, "webhooks:\n  allow_private: true\n  allow_http: true\n")
    hooks.add_endpoint(world.actor("adam"), "http://127.0.0.1:9/", ["disputed"])
    disputing.dispute(world.actor("ada"), world.documents["shop"].pk, line=1, reason="not_ours", text="No")
    sent = json.loads(Message.objects.get(channel="webhook").body)
    for at in ((), ("document",), ("dispute",)):
        said, real = sample, sent
        for key in at:
            said, real = said[key], real[key]
        assert list(said) == list(real)
    named: dict[str, Any] = {}
    exec(page.partition("```python\n")[2].partition("```")[0], named)  # noqa: S102 - our own page
    header = hooks.signature("secret", int(time.time()), b"{}")
    assert named["is_genuine"]("secret", header, b"{}")
    assert not named["is_genuine"]("secret", header, b"{} ")
    assert not named["is_genuine"]("secret", hooks.signature("secret", 1, b"{}"), b"{}")


def test_a_webhook_that_fails_is_called_again_with_the_same_delivery_number(
    world: World, web: WebServer, settings: Any, tmp_path: Path
) -> None:
    _set(settings, tmp_path, "webhooks:\n  allow_private: true\n  allow_http: true\n")
    endpoint = hooks.add_endpoint(world.actor("adam"), web.url, ["accepted"])
    accepting.accept(world.actor("ada"), world.documents["shop"].pk)
    web.status = 503
    assert sending.send_waiting().later == 1
    web.status, web.location = 302, "http://127.0.0.1:1/elsewhere"
    assert sending.send_waiting(now=timezone.now() + timedelta(minutes=2)).later == 1
    web.status = 200
    assert sending.send_waiting(now=timezone.now() + timedelta(hours=1)).sent == 1
    assert len({headers["Apportion-Delivery"] for _, headers, _ in web.calls}) == 1
    assert len(web.calls) == 3
    accepting.accept(world.actor("stan"), world.documents["search"].pk)
    hooks.remove_endpoint(world.actor("adam"), endpoint.pk)
    sending.send_waiting()
    assert len(web.calls) == 3
    assert Message.objects.get(channel="webhook", state="failed").error == "The webhook was removed."
    with pytest.raises(StateError):
        sending.send_again(world.actor("adam"), Message.objects.get(state="failed", channel="webhook").pk)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com", "https://", "https://user:word@example.com/", "https://a b/", "x",
        "https://127.0.0.1/", "https://[::1]/", "https://10.1.2.3/", "https://169.254.169.254/latest", "https://0/",
        "https://2130706433/", "https://0x7f.1/", "https://localhost/", "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/", "https://100.64.0.1/", "https://example.com:99999/", "https://exa\nmple.com/",
        "https://nobody.invalid/", "https://exämple.example/", "https://example.com\\@127.0.0.1/", "https://224.0.0.1/",
        "https://[::127.0.0.1]/", "https://[2002:7f00:1::]/", "https://[fec0::1]/", "https://[64:ff9b:1::a00:1]/",
        "https://[::ffff:0:127.0.0.1]/", "https://[3fff::1]/", "https://[5f00::1]/", "https://192.168.0.1#@example.com/",
    ],
)  # fmt: skip
def test_webhooks_go_to_public_https_addresses_only(world: World, url: str) -> None:
    with pytest.raises(AddressError):
        hooks.add_endpoint(world.actor("adam"), url, ["issued"])
    assert not WebhookEndpoint.objects.exists()


def test_an_address_that_turns_private_later_is_not_called(
    world: World, web: WebServer, settings: Any, tmp_path: Path
) -> None:
    _set(settings, tmp_path, "webhooks:\n  allow_private: true\n  allow_http: true\n")
    hooks.add_endpoint(world.actor("adam"), web.url, ["accepted"])
    accepting.accept(world.actor("ada"), world.documents["shop"].pk)
    _set(settings, tmp_path, "webhooks:\n  allow_private: false\n  allow_http: true\n# no more\n")
    assert sending.send_waiting().later == 1
    assert web.calls == []
    assert "not a public address" in Message.objects.get(channel="webhook").error


def test_the_connection_goes_to_the_address_that_was_checked(web: WebServer) -> None:
    target = addresses.parse(f"http://name.invalid:{web.port}/x", allow_http=True)
    assert addresses.send(target, "127.0.0.1", b"{}", {}) == 200
    assert web.calls[0][1]["Host"] == f"name.invalid:{web.port}"


@pytest.mark.parametrize("events", [[], ["deleted"], ["issued", "x"]])
def test_only_administrators_add_webhooks_for_events_that_there_are(world: World, events: list[str]) -> None:
    with pytest.raises(InputRefusedError, match="events"):
        hooks.add_endpoint(world.actor("adam"), "https://example.com/", events)
    with pytest.raises(ForbiddenError):
        hooks.add_endpoint(world.actor("cora"), "https://example.com/", ["issued"])
    with pytest.raises(ForbiddenError):
        hooks.remove_endpoint(world.actor("cora"), 1)


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # a library that apprise asks for
def test_a_channel_is_told_and_its_address_stays_secret(
    world: World, web: WebServer, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    (tmp_path / "slack").write_text(f"json://127.0.0.1:{web.port}/T000SECRET\n", encoding="utf-8")
    (tmp_path / "slack").chmod(0o600)
    _set(settings, tmp_path, "chat:\n  slack_file: slack\n")
    monkeypatch.setenv("APPORTION_TEAMS_URL", "json://127.0.0.1:9/T111SECRET")
    disputing.dispute(world.actor("ada"), world.documents["shop"].pk, line=1, reason="not_ours", text="No")
    rows = Message.objects.exclude(channel="mail")
    assert {(row.channel, row.recipient) for row in rows} == {("slack", "slack"), ("teams", "teams")}
    sending.send_waiting()
    path, _, body = web.calls[0]
    assert path == "/T000SECRET"
    assert "Disputed: line 1 of Invoice" in body.decode()
    assert "USD" not in body.decode()
    teams = Message.objects.get(channel="teams")
    assert (teams.state, teams.error) == ("waiting", "teams did not take it.")
    stored = "".join(str(value) for row in Message.objects.values() for value in row.values())
    assert "SECRET" not in stored + caplog.text


def test_the_settings_are_read_again_when_they_change(settings: Any, tmp_path: Path) -> None:
    settings.APPORTION_WORKSPACE = tmp_path
    assert configured.current().company == "Apportion"
    _set(settings, tmp_path, "")
    assert configured.current().company == "Brightwater Group"
