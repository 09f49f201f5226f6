"""Queries that are put into words once give what Django's own give, and what has ended is over at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.backends import db as django_sessions
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apportion.records.documents import Document
from apportion.records.groups import CostGroup
from apportion.records.people import Delegation, Grant, Person
from apportion.records.rights import NOBODY, Rights, person_with_rights, rights_of
from apportion.records.sessions import SessionStore
from apportion.records.surroundings import surrounded
from apportion.review.permission import Permission, Role
from tests.company import Company

pytestmark = pytest.mark.django_db
RELATIONS = ("cost_group", "body", "issued_by", "reviewed_by")


def _values(row: object) -> dict[str, object]:
    return {
        name: value for name, value in vars(row).items() if not name.startswith(("_", "any_", "held_", "is_deputy"))
    }


def test_a_document_comes_with_the_same_values_and_relations_as_by_django(company: Company) -> None:
    expected = {row.pk: row for row in Document.objects.select_related(*RELATIONS)}
    for pk, wanted in expected.items():
        with CaptureQueriesContext(connection) as captured:
            found = surrounded(pk)
            assert found is not None
            row = found[0]
            for name in RELATIONS:
                one, other = getattr(row, name), getattr(wanted, name)
                assert (one is None) == (other is None), name
                assert one is None or _values(one) == _values(other)
        assert len(captured) == 1
        assert _values(row) == _values(wanted)
    assert any(row.reviewed_by for row in expected.values())
    assert any(row.cost_group is None for row in expected.values())


def test_what_is_around_a_document_is_what_there_is(company: Company) -> None:
    for row in Document.objects.all():
        found = surrounded(row.pk)
        assert found is not None
        there = found[1]
        assert there.disputes == row.disputes.exists()
        assert there.notes == row.notes.exists()
        assert not there.is_sealed
    kinds = {surrounded(pk)[1].disputes for pk in Document.objects.values_list("pk", flat=True)}  # type: ignore[index]
    assert kinds == {True, False}
    assert surrounded(0) is None


def test_everybody_has_the_same_rights_by_one_query(company: Company) -> None:
    for person in Person.objects.all():
        with CaptureQueriesContext(connection) as captured:
            found = person_with_rights(person.pk)
        assert len(captured) == 1
        assert found == (person, rights_of(person))
        assert found is not None
        assert _values(found[0]) == _values(person)
    assert person_with_rights(0) is None


def test_a_right_that_ended_is_over_at_the_next_question(company: Company) -> None:
    grant = Grant.objects.filter(role=Role.OWNER, ended_at=None).select_related("person").first()
    assert grant is not None
    assert _rights(grant.person).may_somewhere(Permission.SEE_DOCUMENTS)
    Grant.objects.filter(person=grant.person).update(ended_at=timezone.now())  # without any entry in the audit chain
    assert _rights(grant.person) == NOBODY


def test_who_leaves_has_no_rights(company: Company) -> None:
    grant = Grant.objects.filter(role=Role.CONTROLLER).select_related("person").first()
    assert grant is not None
    Person.objects.filter(pk=grant.person.pk).update(is_active=False)
    assert _rights(grant.person) == NOBODY


@pytest.mark.parametrize(("first", "last", "counts"), [(0, 0, True), (1, 2, False), (-2, -1, False)])
def test_a_deputy_has_the_rights_of_whom_they_stand_in_for_on_the_days(
    company: Company, first: int, last: int, *, counts: bool
) -> None:
    grant = Grant.objects.filter(role=Role.CONTROLLER).select_related("person").first()
    assert grant is not None
    deputy = Person.objects.create(email="deputy@example.com", name="Deputy")
    today = timezone.localdate()
    days = {"from_on": today + timedelta(days=first), "until_on": today + timedelta(days=last)}
    delegation = Delegation.objects.create(person=grant.person, deputy=deputy, **days)
    assert _rights(deputy) == rights_of(deputy)
    assert (Permission.ISSUE in _rights(deputy).everywhere) is counts
    Delegation.objects.filter(pk=delegation.pk).update(revoked_at=timezone.now())
    assert _rights(deputy) == NOBODY


def test_a_person_with_many_roles_has_all_of_them(company: Company) -> None:
    person = Person.objects.create(email="many@example.com", name="Many")
    assert _rights(person) == NOBODY
    groups = list(CostGroup.objects.order_by("-depth")[:2])
    Grant.objects.create(person=person, role=Role.AUDITOR)
    for group in groups:
        Grant.objects.create(person=person, role=Role.OWNER, cost_group=group, owner_kind="finance")
    assert _rights(person) == rights_of(person)
    assert _rights(person).roles == {Role.AUDITOR, Role.OWNER}
    assert all(_rights(person).may(Permission.ACCEPT, group.path) for group in groups)


def _rights(person: Person) -> Rights:
    found = person_with_rights(person.pk)
    assert found is not None
    return found[1]


def test_a_session_is_read_as_django_writes_it_and_ends_at_once() -> None:
    written = django_sessions.SessionStore()
    written["who"] = "anna"
    written.create()
    key = str(written.session_key)
    assert SessionStore(key)["who"] == "anna"
    again = SessionStore(key)
    again["who"] = "berta"
    again.save()
    assert SessionStore(key)["who"] == "berta"
    changed = SessionStore(key)
    changed["who"] = "carl"  # and not saved: what others get is not this one's
    assert SessionStore(key)["who"] == "berta"
    SessionStore(key).delete()
    ended = SessionStore(key)
    assert "who" not in ended
    assert ended.session_key is None


def test_a_session_that_ran_out_or_was_written_by_somebody_else_is_empty() -> None:
    written = SessionStore()
    written["who"] = "anna"
    written.create()
    key = str(written.session_key)
    rows = written.model.objects.filter(session_key=key)
    text = rows.get().session_data
    rows.update(session_data=f"{text[:-3]}abc")
    assert "who" not in SessionStore(key)
    rows.update(session_data=text, expire_date=timezone.now() - timedelta(seconds=1))
    assert "who" not in SessionStore(key)


@pytest.mark.parametrize("number", [2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**30])
def test_a_number_that_no_column_holds_finds_nothing(company: Company, number: int) -> None:
    assert surrounded(number) is None
