"""The frame around every page: refusals that help, forged and expired forms, headers, looks and languages."""

from __future__ import annotations

import json
import re

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from apportion.actions.access import people as acts
from apportion.actions.acting import actor_of
from apportion.records.audit import AuditEntry
from apportion.records.people import Person
from apportion.review.permission import Role
from apportion.web.frame import refusals
from apportion.web.templatetags import apportion as tags
from apportion.web.words import figures

pytestmark = pytest.mark.django_db


@pytest.fixture(name="ada")
def ada_fixture() -> Person:
    return acts.first_administrator("ada@example.com", "Ada <script>alert(1)</script>", None)


@pytest.fixture(name="carl")
def carl_fixture(ada: Person) -> Person:
    carl = acts.add_person(actor_of(ada, "web"), "carl@example.com", "Carl Controller")
    acts.grant_role(actor_of(ada, "web"), carl.pk, Role.CONTROLLER)
    return carl


def signed_in(person: Person, **more: object) -> Client:
    client = Client(**more)  # type: ignore[arg-type]
    client.force_login(person, "allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_an_address_that_leads_nowhere(client: Client) -> None:
    response = client.get("/nowhere/")
    page = response.content.decode()
    assert response.status_code == 404
    assert "There is nothing at this address." in page
    assert response.headers["X-Request-ID"] in page


def test_what_somebody_may_not_do_is_said_and_an_attempt_is_noted(carl: Person, ada: Person) -> None:
    client = signed_in(carl)
    assert client.get("/people/").status_code == 403
    assert not AuditEntry.objects.filter(act__startswith="refused").exists()
    response = client.post(f"/people/{ada.pk}/deactivate/", {"reason": "mine now"})
    assert response.status_code == 403
    assert "You may not do this" in response.content.decode()
    entry = AuditEntry.objects.latest("number")
    assert (entry.act, entry.person, entry.subject) == ("refused: open page", carl, f"/people/{ada.pk}/deactivate/")
    assert entry.request_id == response.headers["X-Request-ID"]
    assert Person.objects.get(pk=ada.pk).is_active


def test_a_part_of_a_page_gets_only_the_sentence(carl: Person) -> None:
    response = signed_in(carl).post("/people/1/deactivate/", headers={"HX-Request": "true"})
    assert response.headers["HX-Retarget"] == "#messages"
    assert "<html" not in response.content.decode()
    away = Client().get("/me/", headers={"HX-Request": "true"})
    assert (away.status_code, away.headers["HX-Redirect"]) == (401, "/sign-in/?next=%2Fme%2F")


def test_a_form_of_another_site_is_refused_noted_and_not_offered_again(carl: Person) -> None:
    client = signed_in(carl, enforce_csrf_checks=True)
    text = "a text that somebody else has written"
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {}):
        response = client.post("/me/deputies/", {"deputy-reason": text}, headers=headers)
        assert response.status_code == 403
        assert text not in response.content.decode()
    assert AuditEntry.objects.filter(act="refused: send form", person=carl).count() == 3


def test_a_form_that_had_expired_is_shown_again_with_what_was_typed(carl: Person) -> None:
    client = signed_in(carl, enforce_csrf_checks=True)
    client.get("/me/")
    sent = {"deputy-reason": "a long reason", "deputy-until_on": "2026-11-27", "csrfmiddlewaretoken": "x" * 64}
    headers = {"Origin": "http://testserver", "Referer": "http://testserver/me/"}
    response = client.post("/me/deputies/", sent, headers=headers)
    page = response.content.decode()
    assert response.status_code == 403
    assert "a long reason</textarea>" in page
    assert 'name="deputy-until_on" value="2026-11-27"' in page
    token = re.findall(
        r'action="/me/deputies/"[^>]*>\s*<input type="hidden" name="csrfmiddlewaretoken" value="(\w+)"', page
    )
    again = client.post("/me/deputies/", {**sent, "csrfmiddlewaretoken": token[0]}, headers=headers)
    assert again.status_code == 400, "it has arrived, and lacks a deputy"
    assert "a long reason" in again.content.decode()


def test_names_are_text_and_never_markup(ada: Person) -> None:
    page = signed_in(ada).get("/people/").content.decode()
    assert "<script>alert(1)</script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_every_answer_is_guarded_and_not_kept(ada: Person, client: Client) -> None:
    for response in (client.get("/sign-in/"), signed_in(ada).get("/people/"), client.get("/nowhere/")):
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert response.headers["Cache-Control"] in {
            "no-store, private",
            "max-age=0, no-cache, no-store, must-revalidate, private",
        }
        assert response.headers["X-Frame-Options"] == "DENY"
        page = response.content.decode()
        assert not re.search(r"<script(?![^>]* src=)|<style| style=|javascript:| on\w+=", page)
        assert not re.search(r"(?:src|href)=\"https?://", page)


def test_the_page_of_a_mistake_of_ours_needs_nothing() -> None:
    request: HttpRequest = RequestFactory().get("/")
    request.request_id = "0123456789abcdef"  # type: ignore[attr-defined]
    response: HttpResponse = refusals.failed(request)
    assert response.status_code == 500
    assert "0123456789abcdef" in response.content.decode()


def test_look_and_language_are_chosen(carl: Person) -> None:
    client = signed_in(carl)
    assert "data-bs-theme" not in client.get("/me/").content.decode()
    client.post("/me/look/", {"language": "de", "theme": "dark"})
    page = client.get("/me/").content.decode()
    assert '<html lang="de" data-bs-theme="dark">' in page
    assert Person.objects.get(pk=carl.pk).language == "de"
    client.post("/me/look/", {"language": "", "theme": ""})
    assert '<html lang="en">' in client.get("/me/").content.decode()
    assert client.post("/me/look/", {"language": "xx", "theme": "pink"}).status_code == 400
    client.cookies["theme"] = '"><script>'
    assert "data-bs-theme" not in client.get("/me/").content.decode()


def test_the_navigation_shows_what_one_may_open(ada: Person, carl: Person) -> None:
    assert 'href="/people/"' in signed_in(ada).get("/me/").content.decode()
    assert 'href="/people/"' not in signed_in(carl).get("/me/").content.decode()
    assert 'href="/people/"' not in Client().get("/sign-in/").content.decode()


@pytest.mark.parametrize(
    ("minor", "currency", "language", "said"),
    [
        (123456, "EUR", "en", "1,234.56 EUR"),
        (-123456, "EUR", "de", "-1.234,56 EUR"),
        (5, "JPY", "en", "5 JPY"),
        (-5, "KWD", "en", "-0.005 KWD"),
        (10**20 + 1, "USD", "en", "1,000,000,000,000,000,000.01 USD"),
        (None, "USD", "en", "–"),
    ],
)
def test_amounts_are_exact(minor: int | None, currency: str, language: str, said: str) -> None:
    from django.utils import translation

    with translation.override(language):
        assert figures.money(minor, currency).replace("\N{NO-BREAK SPACE}", " ") == said


def test_parts_of_a_whole_and_months() -> None:
    assert figures.signed_money(5, "EUR").replace("\N{NO-BREAK SPACE}", " ") == "+0.05 EUR"
    assert figures.percent_ppm(973_400).replace("\N{NO-BREAK SPACE}", " ") == "97.3 %"
    assert figures.percent_of(5, 0) == "–"
    assert figures.period_name("2026-10") == "October 2026"


def test_pictures_are_drawn_of_whole_numbers() -> None:
    line = tags.sparkline([100, None, 300, 200], 'Cost "of" <Red>')
    assert line.count("<polyline") == 1
    assert "&lt;Red&gt;" in line
    assert tags.sparkline([5]) == ""
    columns = tags.bars([100, -50, None], ["Aug", "Sep", "Oct"], "EUR", "Cost")
    assert "Sep: -0.50" in columns
    assert json.dumps(re.findall(r'height="(-?[\d.]+)"', columns)) == '["80", "40", "1"]'


def test_what_no_browser_sends_is_refused_with_a_page(client: Client, ada: Person) -> None:
    assert client.get("/sign-in/", HTTP_HOST="evil.example").status_code == 400
    assert client.post("/sign-in/", {f"field{number}": "x" for number in range(6000)}).status_code == 400
    inside = signed_in(ada)
    for address in (
        "/people/99999999999999999999999/",
        "/people/?q=%00&page=-3&role=king",
        "/people/?page=10000000000",
    ):
        assert inside.get(address).status_code in {200, 404}, address
    response = inside.post("/people/99999999999999999999999/deactivate/", {"reason": "a\x00b"})
    assert response.status_code == 404
    assert AuditEntry.objects.latest("number").act == "refused: open page"
