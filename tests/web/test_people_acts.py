"""Acts about people: who may give what to whom, deputies on their days, and keys that are kept as digests."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from django.utils import timezone

from apportion.actions.access import people as acts
from apportion.actions.acting import Actor, SamePersonError, actor_of
from apportion.errors import NotFoundError
from apportion.records.audit import AuditEntry
from apportion.records.chain import verify
from apportion.records.groups import CostGroup
from apportion.records.people import ApiToken, Grant, GrantSource, Person
from apportion.records.rights import ForbiddenError, rights_of
from apportion.review.permission import Permission, Role

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"  # noqa: S105 - of people who do not exist


@pytest.fixture(name="ada")
def ada_fixture() -> Person:
    return acts.first_administrator("Ada@Example.com", "Ada Admin", PASSWORD)


@pytest.fixture(name="carl")
def carl_fixture(ada: Person) -> Person:
    carl = acts.add_person(by(ada), "carl@example.com", "Carl Controller")
    acts.grant_role(by(ada), carl.pk, Role.CONTROLLER)
    return carl


@pytest.fixture(name="red")
def red_fixture() -> CostGroup:
    top = CostGroup.objects.create(code="top", name="Top", path="/1/")
    return CostGroup.objects.create(code="red", name="Red", path=f"/1/{top.pk + 1}/", parent=top)


def by(person: Person) -> Actor:
    return actor_of(person, "web")


def last_entry() -> AuditEntry:
    return AuditEntry.objects.latest("number")


def test_the_first_administrator_is_the_only_one_to_come_without_another(ada: Person) -> None:
    assert ada.email == "ada@example.com"
    assert ada.check_password(PASSWORD)
    assert rights_of(ada).may(Permission.MANAGE_PEOPLE)
    with pytest.raises(acts.LastAdministratorError):
        acts.first_administrator("eve@example.com", "Eve", PASSWORD)
    assert not Person.objects.filter(email="eve@example.com").exists()


def test_the_first_administrators_password_follows_the_rules() -> None:
    with pytest.raises(acts.PersonRefusedError, match="too short") as refusal:
        acts.first_administrator("ada@example.com", "Ada", "short")
    assert refusal.value.place is not None
    assert refusal.value.place.field == "password"
    assert not Person.objects.exists()


def test_nor_does_anybody_else_s_escape_them(ada: Person) -> None:
    with pytest.raises(acts.PersonRefusedError, match="too common"):
        acts.add_person(by(ada), "bo@example.com", "Bo", "password1234")
    assert not Person.objects.filter(email="bo@example.com").exists()


@pytest.mark.parametrize(
    ("email", "name", "field"),
    [
        ("no address", "Bo", "email"),
        ("ADA@example.com", "Bo", "email"),
        ("bo@example.com", "  ", "name"),
        ("bo@example.com", "x" * 301, "name"),
        ("bo@example.com", "Bo\u202eevil", "name"),
    ],
)
def test_a_person_that_cannot_be_is_refused_at_its_field(ada: Person, email: str, name: str, field: str) -> None:
    entries = AuditEntry.objects.count()
    with pytest.raises(acts.PersonRefusedError) as refusal:
        acts.add_person(by(ada), email, name)
    assert refusal.value.place is not None
    assert refusal.value.place.field == field
    assert AuditEntry.objects.count() == entries


def test_only_an_administrator_adds_people(carl: Person) -> None:
    with pytest.raises(ForbiddenError):
        acts.add_person(by(carl), "bo@example.com", "Bo")


def test_whom_the_organization_names_as_owner_has_the_role_at_once(ada: Person, red: CostGroup) -> None:
    CostGroup.objects.filter(pk=red.pk).update(owners={"technical": "olivia@example.com"})
    olivia = acts.add_person(by(ada), "Olivia@example.com", "Olivia")
    assert rights_of(olivia).may(Permission.ACCEPT, red.path)
    assert olivia.grants.get().source == GrantSource.ORGANIZATION
    with pytest.raises(acts.PersonRefusedError, match="follows from the organization file"):
        acts.end_grant(by(ada), olivia.grants.get().pk)


def test_nobody_gives_themselves_a_role(ada: Person) -> None:
    with pytest.raises(SamePersonError):
        acts.grant_role(by(ada), ada.pk, Role.CONTROLLER)
    assert Grant.objects.filter(person=ada).count() == 1


def test_a_role_twice_is_one(ada: Person, carl: Person) -> None:
    entries = AuditEntry.objects.count()
    acts.grant_role(by(ada), carl.pk, Role.CONTROLLER)
    assert carl.grants.count() == 1
    assert AuditEntry.objects.count() == entries


def test_owners_answer_for_a_part_of_the_tree_and_others_for_the_whole(
    ada: Person, carl: Person, red: CostGroup
) -> None:
    acts.grant_role(by(ada), carl.pk, Role.OWNER, red.pk, "finance", "Red's new finance partner")
    entry = last_entry()
    assert json.loads(entry.after) == {
        "role": "owner",
        "source": "person",
        "cost_group": "red",
        "cost_group_name": "Red",
        "owner_kind": "finance",
    }
    assert entry.reason == "Red's new finance partner"
    for role, group, kind, field in (
        (Role.OWNER, None, "finance", "cost_group"),
        (Role.OWNER, 10**9, "finance", "cost_group"),
        (Role.OWNER, red.pk, "cook", "owner_kind"),
        (Role.AUDITOR, red.pk, "", "cost_group"),
    ):
        with pytest.raises(acts.PersonRefusedError) as refusal:
            acts.grant_role(by(ada), carl.pk, role, group, kind)
        assert refusal.value.place is not None
        assert refusal.value.place.field == field


def test_a_role_that_ended_is_gone_and_told(ada: Person, carl: Person) -> None:
    acts.end_grant(by(ada), carl.grants.get().pk, "moved")
    assert not rights_of(carl).may_somewhere(Permission.ISSUE)
    assert (last_entry().act, last_entry().reason) == ("end role", "moved")
    acts.end_grant(by(ada), carl.grants.get().pk)
    assert last_entry().reason == "moved"


def test_the_last_administrator_stays(ada: Person) -> None:
    bea = acts.add_person(by(ada), "bea@example.com", "Bea")
    with pytest.raises(acts.LastAdministratorError):
        acts.end_grant(by(ada), ada.grants.get().pk)
    acts.grant_role(by(ada), bea.pk, Role.ADMINISTRATOR)
    with pytest.raises(SamePersonError):
        acts.deactivate_person(by(ada), ada.pk)
    acts.deactivate_person(by(bea), ada.pk)
    with pytest.raises(acts.LastAdministratorError):
        acts.end_grant(by(bea), bea.grants.get().pk)


def test_who_leaves_may_do_nothing_and_their_keys_end(ada: Person, carl: Person) -> None:
    _, text = acts.create_token(by(carl), "robot", [Permission.SEE_CLOSE], timezone.localdate())
    assert acts.person_of_token(text) is not None
    acts.deactivate_person(by(ada), carl.pk, "left the company")
    assert rights_of(Person.objects.get(pk=carl.pk)).everywhere == frozenset()
    assert acts.person_of_token(text) is None
    acts.reactivate_person(by(ada), carl.pk)
    assert rights_of(Person.objects.get(pk=carl.pk)).may(Permission.ISSUE)
    assert acts.person_of_token(text) is None


def test_a_deputy_acts_on_the_days_and_is_told_to_act_for_somebody(ada: Person, carl: Person) -> None:
    bo = acts.add_person(by(ada), "bo@example.com", "Bo")
    first, last = date(2026, 11, 23), date(2026, 11, 27)
    acts.delegate(
        by(carl), bo.pk, max(first, timezone.localdate()), timezone.localdate() + timedelta(days=5), "holiday"
    )

    carl.delegations.update(from_on=first, until_on=last)
    for day, may in (
        (first - timedelta(days=1), False),
        (first, True),
        (last, True),
        (last + timedelta(days=1), False),
    ):
        assert rights_of(bo, day).may(Permission.ISSUE) is may, day
    today = timezone.localdate()
    carl.delegations.update(from_on=today, until_on=today)
    acts.set_language(by(bo), "de")
    assert last_entry().person_name == "Bo (for Carl Controller)"
    acts.revoke_delegation(by(carl), carl.delegations.get().pk)
    assert not rights_of(bo).may(Permission.ISSUE)


def test_a_deputy_of_an_administrator_gives_no_rights(ada: Person) -> None:
    bo = acts.add_person(by(ada), "bo@example.com", "Bo")
    acts.delegate(by(ada), bo.pk, timezone.localdate(), timezone.localdate())
    with pytest.raises(ForbiddenError):
        acts.grant_role(by(bo), bo.pk, Role.CONTROLLER)


def test_deputies_that_cannot_be(ada: Person, carl: Person) -> None:
    today = timezone.localdate()
    bo = acts.add_person(by(ada), "bo@example.com", "Bo")
    for deputy, from_on, until_on, field in (
        (carl.pk, today, today, "deputy"),
        (10**9, today, today, "deputy"),
        (bo.pk, today, today - timedelta(days=1), "until_on"),
        (bo.pk, today - timedelta(days=9), today - timedelta(days=1), "until_on"),
        (bo.pk, today, today + timedelta(days=400), "until_on"),
    ):
        with pytest.raises(acts.PersonRefusedError) as refusal:
            acts.delegate(by(carl), deputy, from_on, until_on)
        assert refusal.value.place is not None
        assert refusal.value.place.field == field
    with pytest.raises(ForbiddenError):
        acts.delegate(by(bo), bo.pk, today, today, pk=carl.pk)
    with pytest.raises(SamePersonError):
        acts.delegate(by(ada), ada.pk, today, today, pk=carl.pk)
    given = acts.delegate(by(ada), bo.pk, today, today, "ill", pk=carl.pk)
    assert acts.delegate(by(ada), bo.pk, today, today, "ill", pk=carl.pk) == given
    assert given.person == carl
    eve = acts.add_person(by(ada), "eve@example.com", "Eve")
    with pytest.raises(NotFoundError):
        acts.revoke_delegation(by(eve), given.pk)


def test_a_key_is_told_once_and_kept_as_a_digest(carl: Person) -> None:
    token, text = acts.create_token(by(carl), "robot", [Permission.POST, Permission.SEE_CLOSE], timezone.localdate())
    assert text.startswith(f"apn_{token.prefix}_")
    assert text not in json.dumps([*ApiToken.objects.values(), *AuditEntry.objects.values()], default=str)
    found = acts.person_of_token(text)
    assert found is not None
    assert found[0] == carl
    assert acts.person_of_token(text[:-1] + ("A" if text[-1] != "A" else "B")) is None
    narrowed = rights_of(carl).narrowed(found[1].scopes)
    assert narrowed.may(Permission.POST)
    assert not narrowed.may(Permission.ISSUE)


def test_a_key_ends_with_its_last_day(carl: Person) -> None:
    token, text = acts.create_token(by(carl), "robot", [Permission.POST], timezone.localdate() + timedelta(days=3))
    assert timezone.localtime(token.expires_at) == timezone.localtime(token.expires_at).replace(hour=0, minute=0)
    assert timezone.localtime(token.expires_at).date() == timezone.localdate() + timedelta(days=4)
    ApiToken.objects.update(expires_at=timezone.now())
    assert acts.person_of_token(text) is None


def test_keys_that_cannot_be(ada: Person, carl: Person) -> None:
    today = timezone.localdate()
    for name, scopes, until, field in (
        ("", [Permission.POST], today, "name"),
        ("robot", [], today, "scopes"),
        ("robot", [Permission.MANAGE_PEOPLE], today, "scopes"),
        ("robot", ["anything"], today, "scopes"),
        ("robot", [Permission.POST], today - timedelta(days=1), "expires_on"),
        ("robot", [Permission.POST], today + timedelta(days=400), "expires_on"),
    ):
        with pytest.raises(acts.PersonRefusedError) as refusal:
            acts.create_token(by(carl), name, scopes, until)
        assert refusal.value.place is not None
        assert refusal.value.place.field == field
    token, text = acts.create_token(by(carl), "robot", [Permission.POST], today)
    bo = acts.add_person(by(ada), "bo@example.com", "Bo")
    with pytest.raises(NotFoundError):
        acts.revoke_token(by(bo), token.pk)
    acts.revoke_token(by(ada), token.pk)
    assert acts.person_of_token(text) is None


def test_every_act_hangs_in_the_chain(ada: Person, carl: Person) -> None:
    acts.rename_person(by(ada), carl.pk, "Carla Controller")
    acts.rename_person(by(ada), carl.pk, "Carla Controller")
    found = [*AuditEntry.objects.order_by("number").values_list("act", flat=True)]
    assert found == ["add first administrator", "add person", "grant role", "rename person"]
    assert not verify().breaks
