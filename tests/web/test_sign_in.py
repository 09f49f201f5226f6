"""Ways in and out: passwords, rate limits, second factors, sessions that end, and forms that survive it."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from apportion.actions.access import people as acts
from apportion.actions.acting import actor_of
from apportion.records.audit import AuditEntry
from apportion.records.people import Person
from apportion.review.permission import Role

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"  # noqa: S105 - of people who do not exist
ANOTHER = "staple of batteries"


@pytest.fixture(name="ada")
def ada_fixture() -> Person:
    return acts.first_administrator("ada@example.com", "Ada Admin", PASSWORD)


@pytest.fixture(name="carl")
def carl_fixture(ada: Person) -> Person:
    carl = acts.add_person(actor_of(ada, "web"), "carl@example.com", "Carl Controller", PASSWORD)
    acts.grant_role(actor_of(ada, "web"), carl.pk, Role.CONTROLLER)
    return carl


def sign_in(client: Client, email: str = "carl@example.com", password: str = PASSWORD, **more: str) -> object:
    return client.post("/sign-in/", {"login": email, "password": password, **more})


def acts_noted() -> list[str]:
    return [*AuditEntry.objects.order_by("number").values_list("act", flat=True)]


def code_of(secret: str, later: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time())) + later)))


def test_in_and_out(client: Client, carl: Person) -> None:
    response = client.post("/sign-in/", {"login": "Carl@Example.com", "password": PASSWORD, "next": "/me/"})
    assert response.headers["Location"] == "/me/"
    assert b"Carl Controller" in client.get("/me/").content
    entry = AuditEntry.objects.latest("number")
    assert (entry.act, entry.person, entry.address) == ("sign in", carl, "127.0.0.1")
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").status_code == 302
    assert acts_noted()[-1] == "sign out"
    assert client.get("/me/").headers["Location"] == "/sign-in/?next=%2Fme%2F"


def test_signing_in_makes_a_new_session(client: Client, carl: Person) -> None:
    client.post("/me/look/", {"language": "de", "theme": ""})  # keeps the form in an anonymous session
    before = client.session.session_key
    sign_in(client)
    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


def test_nobody_is_sent_to_another_site(client: Client, carl: Person) -> None:
    for elsewhere in ("https://evil.example/", "//evil.example/", "/\\evil.example"):
        response = client.post("/sign-in/", {"login": carl.email, "password": PASSWORD, "next": elsewhere})
        assert response.headers["Location"] == "/", elsewhere
        client.post("/sign-out/")


def test_a_wrong_password_and_an_unknown_person_are_told_the_same(client: Client, carl: Person) -> None:
    said = []
    for email in ("carl@example.com", "nobody@example.com"):
        response = client.post("/sign-in/", {"login": email, "password": "wrong"})
        page = response.content.decode().replace(email, "…")
        said.append(re.sub(r'(value|request) "?[\w-]{16,}"?|name="csrf.*?>', "", page))
        assert "is not right" in page
    assert said[0] == said[1]
    entries = AuditEntry.objects.filter(act="refused: sign in")
    assert [entry.subject for entry in entries] == ["carl@example.com", "nobody@example.com"]
    assert not any(entry.person for entry in entries)
    assert "wrong" not in str([*AuditEntry.objects.values_list("subject", "before", "reason")])


def test_too_many_attempts_have_to_wait_even_with_the_right_password(client: Client, carl: Person) -> None:
    for _ in range(5):
        client.post("/sign-in/", {"login": carl.email, "password": "wrong"})
    response = client.post("/sign-in/", {"login": carl.email, "password": PASSWORD})
    assert "too many attempts" in response.content.decode()
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert (
        "too many attempts" in elsewhere.post("/sign-in/", {"login": carl.email, "password": PASSWORD}).content.decode()
    )


def test_many_accounts_from_one_address_have_to_wait(client: Client, carl: Person) -> None:
    for number in range(20):
        client.post("/sign-in/", {"login": f"p{number}@example.com", "password": "wrong"})
    assert "too many attempts" in client.post("/sign-in/", {"login": carl.email, "password": PASSWORD}).content.decode()
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert elsewhere.post("/sign-in/", {"login": carl.email, "password": PASSWORD}).status_code == 302


def test_only_the_company_s_own_proxies_are_believed(client: Client, carl: Person, settings: Settings) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9, 198.51.100.4"}
    client.post("/sign-in/", {"login": carl.email, "password": "wrong"}, headers=forged)
    assert AuditEntry.objects.latest("number").address == "127.0.0.1"
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    client.post("/sign-in/", {"login": carl.email, "password": "wrong"}, headers=forged)
    assert AuditEntry.objects.latest("number").address == "198.51.100.4"


def test_a_deactivated_person_loses_the_session_at_once(client: Client, ada: Person, carl: Person) -> None:
    sign_in(client)
    acts.deactivate_person(actor_of(ada, "web"), carl.pk)
    assert client.get("/me/").status_code == 302
    assert (
        client.post("/sign-in/", {"login": carl.email, "password": PASSWORD}).headers["Location"]
        == "/sign-in/inactive/"
    )
    assert "deactivated" in client.get("/sign-in/inactive/").content.decode()


def test_changing_the_password_ends_other_sessions(client: Client, carl: Person) -> None:
    other = Client()
    sign_in(client)
    sign_in(other)
    page = client.get("/me/password/").content.decode()
    assert "at least 12 characters" in page
    refused = client.post("/me/password/", {"oldpassword": PASSWORD, "password1": "short", "password2": "short"})
    assert "too short" in refused.content.decode()
    wrong = client.post("/me/password/", {"oldpassword": "wrong", "password1": ANOTHER, "password2": ANOTHER})
    assert "not your present password" in wrong.content.decode()
    done = client.post("/me/password/", {"oldpassword": PASSWORD, "password1": ANOTHER, "password2": ANOTHER})
    assert done.headers["Location"] == "/me/"
    assert client.get("/me/").status_code == 200
    assert other.get("/me/").status_code == 302
    assert acts_noted()[-1] == "change password"
    assert [each.subject for each in mail.outbox] == ["Your way into Apportion was changed"]


def test_a_forgotten_password_is_chosen_anew_by_mail(client: Client, carl: Person) -> None:
    assert (
        client.post("/sign-in/password/", {"email": "nobody@example.com"}).headers["Location"]
        == "/sign-in/password/sent/"
    )
    assert mail.outbox == []
    assert client.post("/sign-in/password/", {"email": carl.email}).headers["Location"] == "/sign-in/password/sent/"
    text = str(mail.outbox[0].body)
    assert "Good day Carl Controller" in text
    link = urlsplit(re.findall(r"http://\S+", text)[0]).path
    form = client.get(link).headers["Location"]
    assert "at least 12 characters" in client.get(form).content.decode()
    assert client.post(form, {"password1": ANOTHER, "password2": ANOTHER}).status_code == 302
    assert client.get("/me/").status_code == 302, "the link alone signs nobody in"
    assert sign_in(client, password=ANOTHER).status_code == 302  # type: ignore[attr-defined]
    assert "used already" in Client().get(link).content.decode()
    assert "change password" in acts_noted()


def test_a_mail_that_cannot_be_sent_tells_nobody_who_exists(
    client: Client, carl: Person, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert client.post("/sign-in/password/", {"email": carl.email}).headers["Location"] == "/sign-in/password/sent/"
    assert "could not be sent" in caplog.text


def test_without_passwords_there_is_no_form_for_one(client: Client, carl: Person, settings: Settings) -> None:
    settings.APPORTION_PASSWORDS = False
    assert 'name="password"' not in client.get("/sign-in/").content.decode()
    assert sign_in(client).status_code == 404  # type: ignore[attr-defined]
    assert client.get("/sign-in/password/").status_code == 404


def set_up_second_factor(client: Client) -> tuple[str, list[str]]:
    """Its secret, and the recovery codes."""
    again = client.get("/me/second-factor/").headers["Location"]
    client.post(again, {"password": PASSWORD})
    page = client.get("/me/second-factor/").content.decode()
    secret = re.findall(r'id="totp-secret">(\w+)<', page)[0]
    assert client.post("/me/second-factor/", {"code": "000000"}).status_code == 200
    assert (
        client.post("/me/second-factor/", {"code": code_of(secret)}).headers["Location"] == "/me/second-factor/codes/"
    )
    codes = re.findall(r"<li>(\d+)</li>", client.get("/me/second-factor/codes/").content.decode())
    return secret, codes


def test_a_second_factor_from_beginning_to_end(client: Client, carl: Person) -> None:
    sign_in(client)
    secret, codes = set_up_second_factor(client)
    assert len(codes) == 10
    assert codes[0] not in client.get("/me/second-factor/codes/").content.decode(), "shown once"
    kept = str([*Authenticator.objects.values_list("data", flat=True)])
    assert secret not in kept
    client.post("/sign-out/")
    assert sign_in(client).headers["Location"] == "/sign-in/code/"  # type: ignore[attr-defined]
    assert client.get("/me/").status_code == 302, "the password alone is not enough"
    assert "is not right" in client.post("/sign-in/code/", {"code": "123456"}).content.decode()
    assert client.post("/sign-in/code/", {"code": code_of(secret, later=1)}).headers["Location"] == "/"
    assert client.get("/me/").status_code == 200
    client.post("/sign-out/")
    for _ in range(2):  # a recovery code works once
        sign_in(client)
        client.post("/sign-in/code/", {"code": codes[0]})
        assert client.get("/me/").status_code == (200 if _ == 0 else 302)
        client.post("/sign-out/")
    sign_in(client)
    client.post("/sign-in/code/", {"code": codes[1]})
    again = client.get("/me/second-factor/off/").headers["Location"]
    client.post(again, {"password": PASSWORD})
    assert client.post("/me/second-factor/off/").headers["Location"] == "/me/"
    assert not Authenticator.objects.exists()
    noted = acts_noted()
    for act in ("set up second factor", "remove second factor", "refused: sign in"):
        assert act in noted


def test_codes_cannot_be_guessed_at_leisure(client: Client, carl: Person) -> None:
    sign_in(client)
    secret, _ = set_up_second_factor(client)
    client.post("/sign-out/")
    sign_in(client)
    for _ in range(5):
        client.post("/sign-in/code/", {"code": "123456"})
    assert "too many attempts" in client.post("/sign-in/code/", {"code": code_of(secret, later=1)}).content.decode()


def test_a_role_that_asks_for_a_second_factor_gets_nowhere_without(
    client: Client, carl: Person, settings: Settings
) -> None:
    settings.APPORTION_SECOND_FACTOR_FOR = frozenset({"controller"})
    sign_in(client)
    assert client.get("/me/").headers["Location"] == "/me/second-factor/"
    assert client.post("/me/tokens/", {}).headers["Location"] == "/me/second-factor/"
    assert client.get("/me/confirm/").status_code == 200
    set_up_second_factor(client)
    assert client.get("/me/").status_code == 200


def _session_ends(client: Client) -> None:
    """While a page is open in the browser."""
    sign_in(client)
    assert client.get("/me/").status_code == 200
    del client.cookies["sessionid"]


def test_a_form_survives_the_end_of_the_session(client: Client, carl: Person) -> None:
    _session_ends(client)
    text = "A long reason with <b>angle brackets</b> & more,\nover two lines."
    sent = {"deputy-reason": text, "deputy-from_on": "2026-11-23", "password": "secret", "csrfmiddlewaretoken": "x"}
    response = client.post("/me/deputies/", sent, headers={"Referer": "http://testserver/me/"})
    where = response.headers["Location"]
    assert parse_qs(urlsplit(where).query)["next"] == ["/sign-in/again/"]
    assert (
        client.post(where, {"login": carl.email, "password": PASSWORD, "next": "/sign-in/again/"}).headers["Location"]
        == "/sign-in/again/"
    )
    page = client.get("/sign-in/again/").content.decode()
    assert "A long reason with &lt;b&gt;angle brackets&lt;/b&gt; &amp; more,\nover two lines." in page
    assert 'action="/me/deputies/"' in page
    assert "secret" not in page
    assert not carl.delegations.exists(), "nothing is sent by itself"
    assert client.post("/sign-in/again/").headers["Location"] == "/me/"
    assert client.get("/sign-in/again/").status_code == 302


@pytest.mark.parametrize("cookie", [None, "", "1", "1:forged"])
def test_what_one_person_typed_is_not_shown_to_the_next(
    client: Client, carl: Person, ada: Person, cookie: str | None
) -> None:
    _session_ends(client)
    if cookie is not None:  # another browser, or one that says what it likes
        client.cookies["writer"] = cookie
    where = client.post("/me/deputies/", {"deputy-reason": "what only Carl may read"}).headers["Location"]
    assert ("again" in where) == (cookie is None)
    who = ada if cookie is None else carl
    client.post("/sign-in/", {"login": who.email, "password": PASSWORD})
    answer = client.get("/sign-in/again/", follow=True)
    assert "what only Carl may read" not in answer.content.decode()
    assert client.get("/sign-in/again/").status_code == 302


def test_a_kept_form_is_forgotten_after_an_hour(client: Client, carl: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    _session_ends(client)
    client.post("/me/deputies/", {"deputy-reason": "a reason"})
    sign_in(client)
    later = timezone.now() + timedelta(hours=2)
    monkeypatch.setattr("apportion.web.frame.typed.time.time", later.timestamp)
    assert client.get("/sign-in/again/").status_code == 302


def test_an_old_session_is_over(client: Client, carl: Person) -> None:
    sign_in(client)
    assert client.session.get_expiry_age() == 12 * 60 * 60
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert client.get("/me/").status_code == 302
