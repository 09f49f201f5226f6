"""Single sign-on against a real provider on loopback: there and back, strangers, unproven mails, and replays."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.test import Client
from pytest_django.fixtures import Settings

from apportion.actions.access import people as acts
from apportion.actions.acting import actor_of
from apportion.records.audit import AuditEntry
from apportion.records.people import Person
from apportion.settings import SingleSignOnSettings
from tests.openid import Provider, came_back, provider

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
BACK = "/sign-in/company/back/"
PASSWORD = "correct horse battery"  # noqa: S105 - of people who do not exist


@pytest.fixture(name="running", scope="module")
def running_fixture() -> Iterator[Provider]:
    with provider(BACK) as running:
        yield running


@pytest.fixture(name="ada")
def ada_fixture() -> Person:
    return acts.first_administrator("ada@example.com", "Ada Admin", PASSWORD)


@pytest.fixture(name="olivia")
def olivia_fixture(ada: Person) -> Person:
    return acts.add_person(actor_of(ada, "web"), "Olivia@Example.com", "Olivia Owner")


@pytest.fixture(autouse=True)
def _company(running: Provider, settings: Settings) -> None:
    found = SingleSignOnSettings(name="Northwind", issuer=running.issuer, client_id=running.client_id)
    settings.APPORTION_SINGLE_SIGN_ON = found
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    app = {
        "provider_id": "company",
        "name": found.name,
        "client_id": running.client_id,
        "secret": running.client_secret,
        "settings": {"server_url": found.issuer},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}


@pytest.fixture(name="visitor")
def visitor_fixture() -> Client:
    return Client(SERVER_NAME="127.0.0.1", SERVER_PORT="8000")


def sent_to(client: Client, **more: str) -> str:
    """Press the button; where the page goes on to."""
    response = client.post("/sign-in/company/", more)
    assert response.status_code == 200, "a page of ours, since a form may not lead to another site"
    return response.headers["Refresh"].removeprefix("0; url=")


def back(client: Client, running: Provider, address: str, subject: str, act: str = "enter") -> str:
    """Through the provider; the path of ours to which it sends the person."""
    parts = urlsplit(came_back(running, address, running.account(subject), act=act))
    assert parts.path == BACK
    return f"{parts.path}?{parts.query}"


def test_there_and_back(visitor: Client, running: Provider, olivia: Person) -> None:
    assert "Sign in with Northwind" in visitor.get("/sign-in/").content.decode()
    there = sent_to(visitor, next="/me/")
    asked = parse_qs(urlsplit(there).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["state"][0]) >= 16
    response = visitor.get(back(visitor, running, there, "olivia"))
    assert response.headers["Location"] == "/me/"
    assert "Olivia Owner" in visitor.get("/me/").content.decode()
    entry = AuditEntry.objects.latest("number")
    assert (entry.act, entry.person, entry.after) == ("sign in", olivia, '{"by":"socialaccount"}')
    assert SocialAccount.objects.get().user == olivia
    assert not SocialToken.objects.exists()


def test_the_second_time_the_provider_s_own_name_counts(visitor: Client, running: Provider, olivia: Person) -> None:
    visitor.get(back(visitor, running, sent_to(visitor), "olivia"))
    Person.objects.filter(pk=olivia.pk).update(email="olivia.married@example.com")
    again = Client(SERVER_NAME="127.0.0.1", SERVER_PORT="8000")
    again.get(back(again, running, sent_to(again), "olivia"))
    assert "olivia.married@example.com" in again.get("/me/").content.decode()


def test_a_stranger_is_refused_and_noted(visitor: Client, running: Provider, ada: Person) -> None:
    response = visitor.get(back(visitor, running, sent_to(visitor), "carl"))
    assert response.status_code == 403
    assert "Nobody here has the mail address carl@example.com" in response.content.decode()
    assert visitor.get("/me/").status_code == 302
    assert Person.objects.count() == 1
    entry = AuditEntry.objects.latest("number")
    assert (entry.act, entry.subject) == ("refused: sign in", "carl@example.com")


def test_a_stranger_is_added_without_a_role_where_the_settings_say_so(
    visitor: Client, running: Provider, ada: Person, settings: Settings
) -> None:
    known = settings.APPORTION_SINGLE_SIGN_ON
    settings.APPORTION_SINGLE_SIGN_ON = known.model_copy(update={"unknown": "add"})
    visitor.get(back(visitor, running, sent_to(visitor), "carl"))
    assert "You have no role yet" in visitor.get("/me/").content.decode()
    carl = Person.objects.get(email="carl@example.com")
    assert (carl.name, carl.has_usable_password(), carl.grants.count()) == ("Carl Controller", False, 0)


def test_an_unproven_mail_address_opens_nothing(visitor: Client, running: Provider, ada: Person) -> None:
    acts.add_person(actor_of(ada, "web"), "una@example.com", "Una")
    response = visitor.get(back(visitor, running, sent_to(visitor), "una"))
    assert "has not verified your mail address" in response.content.decode()
    assert visitor.get("/me/").status_code == 302


def test_whoever_is_deactivated_stays_out(visitor: Client, running: Provider, ada: Person, olivia: Person) -> None:
    acts.deactivate_person(actor_of(ada, "web"), olivia.pk)
    response = visitor.get(back(visitor, running, sent_to(visitor), "olivia"))
    assert response.headers["Location"] == "/sign-in/inactive/"
    assert visitor.get("/me/").status_code == 302


def test_turning_back_at_the_provider(visitor: Client, running: Provider, olivia: Person) -> None:
    response = visitor.get(back(visitor, running, sent_to(visitor), "olivia", act="cancel"))
    assert response.headers["Location"] == "/sign-in/company/cancelled/"
    assert "Nothing has happened" in visitor.get("/sign-in/company/cancelled/").content.decode()


def test_an_answer_of_somebody_else_or_from_before_opens_nothing(
    visitor: Client, running: Provider, olivia: Person
) -> None:
    answer = back(visitor, running, sent_to(visitor), "olivia")
    lured = Client(SERVER_NAME="127.0.0.1", SERVER_PORT="8000")
    assert lured.get(answer).status_code == 403
    assert lured.get("/me/").status_code == 302
    visitor.get(answer)
    visitor.post("/sign-out/")
    assert visitor.get(answer).status_code == 403
    assert visitor.get("/me/").status_code == 302


def test_somebody_who_is_in_cannot_tie_another_account_to_themselves(
    visitor: Client, running: Provider, olivia: Person, ada: Person
) -> None:
    visitor.force_login(ada, "allauth.account.auth_backends.AuthenticationBackend")
    response = visitor.post("/sign-in/company/?process=connect")
    there = response.headers.get("Refresh", "").removeprefix("0; url=")
    answered = visitor.get(back(visitor, running, there, "olivia"))
    assert answered.status_code == 403
    assert not SocialAccount.objects.exists()


def test_a_provider_that_is_away_is_said(visitor: Client, settings: Settings, olivia: Person) -> None:
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    app["settings"] = {"server_url": "http://127.0.0.1:1"}
    response = visitor.post("/sign-in/company/")
    assert response.status_code == 403
    assert "Signing in with Northwind did not work" in response.content.decode()


def test_without_a_provider_there_is_no_such_way(visitor: Client, settings: Settings) -> None:
    settings.APPORTION_SINGLE_SIGN_ON = None
    assert visitor.post("/sign-in/company/").status_code == 404
    assert visitor.get(BACK).status_code == 404
    assert "Northwind" not in visitor.get("/sign-in/").content.decode()
