"""Requests that no page of the site would send: refused or taken for what they are, and never a failure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from apportion.records import chain
from apportion.records.audit import AuditEntry
from apportion.records.disputes import Comment
from apportion.records.documents import Document
from apportion.review.permission import PERMISSIONS, Role
from tests.company import PASSWORD, Company
from tests.web.api_calls import Caller, key_of, operations
from tests.web.forms_found import Form, forms_of
from tests.web.test_rights import ROUTES, Route, Things, by_address, things_fixture

__all__ = ["things_fixture"]

pytestmark = [pytest.mark.django_db, pytest.mark.thorough]
BASE = [each for each in ROUTES if each.rule]
READ = [each for each in BASE if "GET" in each.rule.methods]
WITH_NUMBERS = [each for each in BASE if set(each.names) - {"period", "format", "uidb36", "key"}]
WITH_WORDS = [each for each in BASE if set(each.names) & {"period", "format"}]
BIG = ("0", str(2**31), str(2**63 - 1), str(2**63), "9" * 40)
WORDS = (
    "..%2f..%2fetc",
    "0000-00",
    "0000-01",
    "2026-13",
    "9999-12",
    "10000-01",
    "exe",
    "%2e%2e",
    "2026-10%0ax",
    "x" * 3000,
    "٢٠٢٦-١٠",
)
TEXTS = (
    "-1",
    "9" * 19,
    "9" * 40,
    "1e999",
    "NaN",
    "٣",
    "²",
    "0000-00",
    "9999-12-31",
    "0001-01-01",
    "=1+1",
    "%_",
    "<b>",
    "../x",
)
NAMES = (
    "q page period kind state group view resource from under currency line about amount outcome settle settle_to until "
    "until_on from_on person act subject subject_id role journal before after channel reason text parent limit next"
).split()


def client_of(company: Company, name: str) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(company.person(name))
    return client


@contextmanager
def undone() -> Iterator[None]:
    """Whatever happens in the block is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def opened(client: Client, method: str, address: str, data: Any = None, **more: Any) -> Any:
    with undone():
        answer = getattr(client, method)(address, data, **more)
        if getattr(answer, "streaming", False):
            b"".join(answer.streaming_content)
    assert answer.status_code < 500, address
    return answer


def spoilt(route: Route, things: Things, name: str, value: str) -> str:
    ids = {**things.ids, name: "@@"}
    if name == "format":
        address = "/" + re.sub(r"<str:format>", "@@", route.address)
        return Things(things.ids).address(Route(address[1:], route.view, route.names)).replace("@@", value)
    return Things(ids).address(route).replace("@@", value)


# Addresses.


@pytest.mark.parametrize("route", WITH_NUMBERS, ids=by_address)
def test_numbers_that_nothing_has_lead_nowhere(route: Route, things: Things, company: Company) -> None:
    for name in set(route.names) - {"period", "format", "uidb36", "key"}:
        for who in ("controller", "administrator"):
            client = client_of(company, who)
            for number in BIG:
                method = "get" if "GET" in route.rule.methods else "post"
                answer = opened(client, method, spoilt(route, things, name, number), {"reason": "Why not."})
                assert answer.status_code in {302, 403, 404}, (number, answer.status_code)
                if answer.status_code == 302:  # an act that was refused goes back to its page, which is not there
                    assert opened(client, "get", answer["Location"]).status_code == 404


@pytest.mark.parametrize("route", WITH_WORDS, ids=by_address)
def test_periods_and_formats_that_are_none_are_refused(route: Route, things: Things, company: Company) -> None:
    client = client_of(company, "controller")
    for name in set(route.names) & {"period", "format"}:
        for word in WORDS:
            method = "get" if "GET" in route.rule.methods else "post"
            answer = opened(client, method, spoilt(route, things, name, word), {"reason": "Why not."})
            ok = {400, 403, 404, 409} | ({302} if method == "post" else set())
            assert answer.status_code in ok, (word, answer.status_code)


@pytest.mark.slow
@pytest.mark.parametrize("route", READ, ids=by_address)
def test_what_is_asked_beside_the_address_never_fails(route: Route, things: Things, company: Company) -> None:
    person = "administrator" if "people" in str(route.rule.permission) else "controller"
    client = client_of(company, person)
    for text in TEXTS:
        query = "&".join(f"{name}={quote(text)}" for name in NAMES)
        opened(client, "get", f"{things.address(route)}?{query}")
        if text in {"9999-12-31", "9" * 19, "0001-01-01"}:  # one at a time too: a first mistake may hide others
            for name in NAMES:
                opened(client, "get", f"{things.address(route)}?{name}={quote(text)}")


@pytest.mark.parametrize("address", ["/documents/", "/groups/", "/disputes/", "/people/", "/audit/", "/messages/"])
def test_a_page_of_a_list_that_is_not_there_shows_one_that_is(address: str, company: Company) -> None:
    who = "administrator" if address in {"/people/", "/messages/"} else "auditor"
    for number in ("-1", "0", str(10**18), "1e3", "NaN", "last", "x" * 5000):
        assert opened(client_of(company, who), "get", address, {"page": number}).status_code == 200


def test_a_wildcard_is_a_letter_like_any_other(company: Company) -> None:
    client = client_of(company, "controller")
    for text in ("%", "_", "__", "%%", "\\", "re_ web", "Red%"):
        for address in ("/documents/", "/search/", "/groups/"):
            body = opened(client, "get", address, {"q": text, "period": "all"}).content.decode().partition("<main")[2]
            assert "Red web shop</a>" not in body, (address, text)


# Bodies.


@pytest.mark.parametrize(
    "charset", ["utf-7", "utf-16", "rot13", "base64", "idna", "zlib", "undefined", "nope", "latin-1"]
)
def test_only_utf_8_is_read(charset: str, company: Company) -> None:
    """Some names of encodings are known to Python and make it fail, or let half a letter through."""
    client, address = client_of(company, "red"), f"/documents/{company.document('red-app').pk}/comment/"
    parts = b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n+2AA-abc\r\n--b--\r\n'
    for kind, body in ((f"multipart/form-data; boundary=b; charset={charset}", parts),
                       (f"application/x-www-form-urlencoded; charset={charset}", b"text=+2AA-abc")):  # fmt: skip
        answer = client.generic("POST", address, body, kind)
        assert answer.status_code == 400
        assert "Content-Security-Policy" in answer.headers
    assert (
        client.generic("GET", "/search/?q=%2B2AA-x", content_type=f"text/plain; charset={charset}").status_code == 200
    )


def test_nul_reaches_no_database(company: Company) -> None:
    """PostgreSQL takes none: it is left out of what is asked, and of what is said."""
    client, number = client_of(company, "red"), company.document("red-web").pk
    for address in (
        "/search/?q=Red%00",
        "/documents/?group=%00",
        "/groups/?q=%00",
        "/me/?x%00=1",
    ):
        assert opened(client, "get", address).status_code == 200, address
    assert "Red web shop" in client.get("/search/?q=Red%00%20web").content.decode()
    for address in ("/%00", "/close/2026-10%00/", "/documents/%00/"):
        assert client.get(address).status_code in {403, 404}, address
    with undone():
        assert client.post(f"/documents/{number}/comment/", {"text": "One\x00 word", "\x00": "\x00"}).status_code == 302
        assert Comment.objects.latest("pk").text == "One word"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="te'),
        ("application/json", b'{"text": "\\ud800"}'),
        ("text/xml", b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><text>&a;</text>"),
        ("application/x-www-form-urlencoded", b"text=" + b"a" * 3_000_000),
        ("application/x-www-form-urlencoded", b"&".join([b"text=a"] * 6_000)),
        ("application/x-www-form-urlencoded", b"text=a&text="),
        ("application/x-www-form-urlencoded", b""),
    ],
)  # fmt: skip
def test_a_broken_body_says_nothing(kind: str, body: bytes, company: Company) -> None:
    client, number = client_of(company, "red"), company.document("red-app").pk
    before = AuditEntry.objects.count()
    assert client.generic("POST", f"/documents/{number}/comment/", body, kind).status_code == 400
    assert AuditEntry.objects.count() == before


def found_forms(company: Company, things: Things, name: str) -> dict[str, Form]:
    """Every form that somebody is offered, by where it goes and its fields."""
    client = client_of(company, name)
    found: dict[str, Form] = {}
    for route in READ:
        answer = client.get(things.address(route))
        if answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html"):
            for form in forms_of(answer.content.decode(), things.address(route)):
                if form.method == "post" and "sign-out" not in form.action:
                    found.setdefault(f"{re.sub('[0-9]+', 'N', form.action)} {sorted(form.fields)}", form)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["red", "controller", "analyst", "administrator", "auditor"])
def test_every_field_of_every_form_can_be_tampered_with(name: str, company: Company, things: Things) -> None:
    forms = found_forms(company, things, name)
    assert len(forms) > 4
    client = client_of(company, name)
    for form in forms.values():
        opened(client, "post", form.action, {})
        for field in form.fields:
            for text in (*TEXTS, "x" * 50_000, "\ud800".encode("utf-8", "replace").decode(), "a\nb\r\nX: y", "\u202e"):
                opened(client, "post", form.action, {**form.fields, field: text})
            opened(client, "post", form.action, {**form.fields, field: [form.fields[field], "x"]})
        for field in form.files:
            for file in ("a\nb.txt", "../../x.yaml", "x.svg", "\u202egnp.exe", "x" * 500 + ".pdf", "y.yaml", "z.xlsx"):
                for content in (b"", b"a: &a [*a]\n", b"\xff\xfe\x00", b"PK\x03\x04"):
                    upload = SimpleUploadedFile(file, content, "text/plain")
                    opened(client, "post", form.action, {**form.fields, field: upload})


# Forged and replayed.


@pytest.mark.parametrize("route", [each for each in BASE if "POST" in each.rule.methods], ids=by_address)
def test_no_form_is_taken_without_the_token_of_its_session(route: Route, things: Things, company: Company) -> None:
    address = things.address(route)
    client = Client(enforce_csrf_checks=True)
    client.force_login(company.person("controller"))
    forged = re.search('csrfmiddlewaretoken" value="([^"]+)', client.get("/me/").content.decode())
    assert forged is not None
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Referer": "https://evil.example/"}):
        data = {"csrfmiddlewaretoken": forged[1] if headers.get("Origin") else "x" * 64, "reason": "Forged."}
        before = Document.objects.values_list("pk", "issue_state", "review_state").order_by("pk")
        was, entries = list(before), AuditEntry.objects.exclude(act__startswith="refused").count()
        assert client.post(address, data, headers=headers).status_code == 403
        assert AuditEntry.objects.exclude(act__startswith="refused").count() == entries
        assert list(before.all()) == was


def test_a_forged_form_is_noted(company: Company) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(company.person("red"))
    with undone():
        client.post(f"/documents/{company.document('red-web').pk}/accept/", {"remark": "Forged."})
        entry = AuditEntry.objects.latest("number")
    assert (entry.act, entry.person) == ("refused: send form", company.person("red"))


ELSEWHERE = ("//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "\t//evil.example",
             "http:///evil.example", "https:evil.example")  # fmt: skip


@pytest.mark.parametrize("target", ELSEWHERE)
def test_signing_in_leads_to_no_other_site(target: str, company: Company) -> None:
    with undone():
        client = Client()
        said = {"login": "red@example.com", "password": PASSWORD, "next": target}
        answer = client.post(f"/sign-in/?next={quote(target)}", said)
    assert answer.status_code == 302
    assert answer["Location"] == "/"


def test_a_session_begins_anew_when_somebody_signs_in(company: Company) -> None:
    with undone():
        client = Client()
        client.cookies["sessionid"] = "a" * 32
        client.post("/sign-in/", {"login": "red@example.com", "password": PASSWORD})
        session = client.cookies["sessionid"]
        assert session.value != "a" * 32
        assert session["httponly"]
        assert session["samesite"] == "Lax"
        old = session.value
        client.post("/sign-out/")
        client.cookies["sessionid"] = old
        assert client.get("/documents/").status_code == 302


@pytest.mark.parametrize("host", ["evil.example", "a b", "127.0.0.1:9x", "[::1", "localhost\\@evil.example"])
def test_a_foreign_host_is_refused_without_a_word_of_it(host: str, company: Company) -> None:
    for address in ("/", "/sign-in/", "/api/v1/me", "/no-such-page/"):
        answer = client_of(company, "red").get(address, headers={"Host": host})
        assert answer.status_code == 400
        assert b"evil" not in answer.content
        assert "Content-Security-Policy" in answer.headers


# Whoever may only read.


def test_an_auditor_changes_nothing(company: Company, things: Things) -> None:
    """Of all forms, an auditor may send those that note that they looked, and those about themselves."""
    assert not {each for each in PERMISSIONS[Role.AUDITOR] if not each.startswith("see_")}
    client = client_of(company, "auditor")
    own = ("/me/", "/sign-", "/audit/", "/language/")
    for route in BASE:
        address = things.address(route)
        if "POST" in route.rule.methods and not address.startswith(own):
            with undone():
                entries = AuditEntry.objects.exclude(act__startswith="refused").count()
                assert client.post(address, {"reason": "No."}).status_code in {403, 404}, address
                assert AuditEntry.objects.exclude(act__startswith="refused").count() == entries
                assert AuditEntry.objects.latest("number").act == "refused: open page"


# What is others'.


def test_nothing_that_an_owner_opens_names_a_colleague_s_cost_group(company: Company, things: Things) -> None:
    """But for the methodology, which is the same for everybody."""
    client, caller = client_of(company, "red"), Caller(key_of(company.person("red")))
    documents = [company.document("red-web").pk, company.document("red-app").pk]
    pages = {things.address(route) for route in READ if "methodology" not in route.address}
    lines = [f"/documents/{number}/lines/{line}/" for number in documents for line in (1, 2, 3)]
    pages |= {f"{line}?view={view}" for line in lines for view in ("working", "resources", "days")}
    pages |= {f"{page}?group=green" for page in ("/summary/", "/documents/", "/groups/")}
    for page in sorted(pages):
        answer: Any = client.get(page)
        parts = answer.streaming_content if getattr(answer, "streaming", False) else [answer.content]
        said = b"".join(parts).decode(errors="replace")
        assert "Division Green" not in said, page
        assert "480.00" not in said, page
    ids = {**things.ids, "work": 1, "webhook": 1, "code": "NOT_FOUND"}
    paths = [
        re.sub(r"\{(\w+)\}", lambda found: str(ids[found[1]]), each.path)
        for each in operations()
        if each.method == "GET"
    ]
    assert len(paths) > 30
    for path in [*paths, *(f"{line}{part}" for line in lines for part in ("resources", "days"))]:
        answer = caller.get(f"{path.rstrip('/')}?group={company.group('green').pk}")
        parts = answer.streaming_content if getattr(answer, "streaming", False) else [answer.content]
        assert b"Division Green" not in b"".join(parts), path


def test_the_resources_of_a_pool_are_for_those_who_see_the_whole_close(company: Company) -> None:
    """A pool holds what is others', too. Pages and API say the same."""
    row = company.document("red-web")
    share, own = row.lines.get(kind="share").number, row.lines.filter(kind="direct").earliest("number").number
    for line, name, status in ((share, "red", 403), (own, "red", 200), (share, "controller", 200)):
        caller = Caller(key_of(company.person(name)))
        answer = caller.get(f"/documents/{row.pk}/lines/{line}/resources")
        assert answer.status_code == status, (line, name)
        token = answer.json()["items"][0]["token"] if status == 200 else "x"
        assert caller.get(f"/documents/{row.pk}/lines/{line}/rows?token={quote(token)}").status_code == status
        page = client_of(company, name).get(f"/documents/{row.pk}/lines/{line}/?view=resources").content.decode()
        assert ("&amp;resource=" in page or "resource=" in page) == (status == 200)


def test_the_chain_holds_after_all_of_it(company: Company) -> None:
    assert chain.verify().breaks == ()
