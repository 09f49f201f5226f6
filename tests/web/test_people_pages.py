"""The pages about people and about oneself: what they show, what they refuse, and how few queries they need."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apportion.actions.access import people as acts
from apportion.actions.acting import Actor, actor_of
from apportion.records.groups import CostGroup
from apportion.records.people import ApiToken, Person
from apportion.review.permission import Permission, Role

pytestmark = pytest.mark.django_db


@pytest.fixture(name="ada")
def ada_fixture() -> Person:
    return acts.first_administrator("ada@example.com", "Ada Admin", None)


@pytest.fixture(name="carl")
def carl_fixture(ada: Person) -> Person:
    carl = acts.add_person(by(ada), "carl@example.com", "Carl Controller")
    acts.grant_role(by(ada), carl.pk, Role.CONTROLLER)
    return carl


@pytest.fixture(name="red")
def red_fixture() -> CostGroup:
    return CostGroup.objects.create(code="red", name="Red", path="/1/")


def by(person: Person) -> Actor:
    return actor_of(person, "web")


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person, "allauth.account.auth_backends.AuthenticationBackend")
    return client


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_people_are_found_by_name_role_and_state(ada: Person, carl: Person) -> None:
    gone = acts.add_person(by(ada), "gone@example.com", "Gerda Gone")
    acts.deactivate_person(by(ada), gone.pk)
    acts.add_person(by(ada), "new@example.com", "Nina New")
    client = signed_in(ada)
    for query, seen, unseen in (
        ("", ("Ada", "Carl", "Nina"), ("Gerda",)),
        ("?q=CARL", ("Carl",), ("Nina",)),
        ("?role=controller", ("Carl",), ("Nina", "Ada A</a>")),
        ("?state=left", ("Gerda",), ("Carl",)),
        ("?state=none", ("Nina",), ("Carl",)),
    ):
        page = text(client, f"/people/{query}").partition("<table")[2]
        assert all(name in page for name in seen), query
        assert not any(name in page for name in unseen), query
    assert "Nobody is like this" in text(client, "/people/?q=zzz")


def test_many_people_come_on_pages(ada: Person, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    Person.objects.bulk_create(Person(email=f"p{n}@example.com", name=f"Person {n:03}") for n in range(120))
    client = signed_in(ada)
    with django_assert_max_num_queries(15):
        assert "51 to 100 of 121" in text(client, "/people/?page=2&q=")
    assert "?page=1&amp;q=e" in text(client, "/people/?page=2&q=e")


def test_a_person_is_added_and_given_a_role(ada: Person, red: CostGroup) -> None:
    client = signed_in(ada)
    refused = client.post("/people/add/", {"name": "Olivia Owner", "email": "ADA@example.com"})
    assert refused.status_code == 400
    assert "There is a person with the mail address ada@example.com already" in refused.content.decode()
    assert 'value="Olivia Owner"' in refused.content.decode()
    client.post("/people/add/", {"name": "Olivia Owner", "email": "olivia@example.com"})
    olivia = Person.objects.get(email="olivia@example.com")
    page = f"/people/{olivia.pk}/"
    assert "No role yet" in text(client, page)
    asked = {"role": "owner", "owner_kind": "technical", "reason": "asked by Red"}
    for code in ("", "nowhere"):
        answer = client.post(f"{page}roles/", {**asked, "cost_group": code})
        assert answer.status_code == 400
        assert 'id="id_cost_group_error"' in answer.content.decode()
        assert "asked by Red" in answer.content.decode()
    assert client.post(f"{page}roles/", {**asked, "cost_group": "red"}).headers["Location"] == page
    shown = text(client, page)
    assert "Owner (technical)" in shown
    assert "by Ada Admin" in shown
    grant = olivia.grants.get()
    client.post(f"/people/roles/{grant.pk}/end/", {"reason": "moved"})
    assert "No role yet" in text(client, page)


def test_one_s_own_page_offers_no_role(ada: Person) -> None:
    client = signed_in(ada)
    page = text(client, f"/people/{ada.pk}/")
    assert "Give a role" not in page
    assert "Deactivate" not in page
    forged = client.post(f"/people/{ada.pk}/roles/", {"role": "controller"})
    assert forged.status_code == 409
    assert "Nobody gives themselves a role" in forged.content.decode()


def test_a_page_of_a_person_needs_few_queries(
    ada: Person, carl: Person, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(5):
        acts.create_token(by(carl), f"robot {number}", [Permission.POST], timezone.localdate())
    for client, address in ((signed_in(ada), f"/people/{carl.pk}/"), (signed_in(carl), "/me/")):
        with django_assert_max_num_queries(15):
            assert "robot 4" in text(client, address)


def test_a_deputy_is_named_and_ended(carl: Person, ada: Person) -> None:
    bo = acts.add_person(by(ada), "bo@example.com", "Bo Bakker")
    client = signed_in(carl)
    today = timezone.localdate()
    asked = {"deputy-deputy": bo.pk, "deputy-from_on": today, "deputy-until_on": today - timedelta(days=1)}
    answer = client.post("/me/deputies/", asked)
    assert answer.status_code == 400
    assert 'id="id_deputy-until_on_error"' in answer.content.decode()
    client.post("/me/deputies/", {**asked, "deputy-until_on": today, "deputy-reason": "holiday"})
    assert "Bo Bakker stands in for me" in text(client, "/me/")
    theirs = text(signed_in(bo), "/me/")
    assert "Carl Controller, from" in theirs
    assert "standing in for Carl Controller" in theirs
    client.post(f"/me/deputies/{carl.delegations.get().pk}/end/")
    mine = text(client, "/me/").partition('id="deputies"')[2].partition("<form")[0]
    assert "Nobody stands in for you" in mine


def test_a_key_is_shown_once(carl: Person) -> None:
    client = signed_in(carl)
    answer = client.post(
        "/me/tokens/",
        {"token-name": "robot", "token-scopes": ["see_close"], "token-expires_on": timezone.localdate()},
    ).content.decode()
    token = ApiToken.objects.get()
    assert f"apn_{token.prefix}_" in answer
    later = text(client, "/me/")
    assert f"apn_{token.prefix}<" in later
    assert f"apn_{token.prefix}_" not in later
    client.post(f"/me/tokens/{token.pk}/revoke/")
    assert f"apn_{token.prefix}" not in text(client, "/me/")


def test_nobody_makes_a_key_for_what_they_may_not(carl: Person) -> None:
    answer = signed_in(carl).post(
        "/me/tokens/",
        {"token-name": "robot", "token-scopes": ["manage_people"], "token-expires_on": timezone.localdate()},
    )
    assert answer.status_code == 400
    assert not ApiToken.objects.exists()


def test_others_keys_and_deputies_do_not_exist_for_somebody(carl: Person, ada: Person) -> None:
    token, _ = acts.create_token(by(carl), "robot", [Permission.POST], timezone.localdate())
    bo = acts.add_person(by(ada), "bo@example.com", "Bo")
    eve = acts.add_person(by(ada), "eve@example.com", "Eve")
    given = acts.delegate(by(carl), bo.pk, timezone.localdate(), timezone.localdate())
    client = signed_in(eve)
    assert client.post(f"/me/tokens/{token.pk}/revoke/").status_code == 404
    assert client.post(f"/me/deputies/{given.pk}/end/").status_code == 404
    assert client.post(f"/people/tokens/{token.pk}/revoke/").status_code == 403
    token.refresh_from_db()
    assert token.revoked_at is None
