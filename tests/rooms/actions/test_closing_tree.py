"""The tree in the books: moves, ends, and the roles that follow from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from apportion import organization as organization_file
from apportion.actions.access import organization
from apportion.organization.cost_group import Tree
from apportion.periods import BillingPeriod
from apportion.records.audit import AuditEntry
from apportion.records.groups import CostGroup
from apportion.records.people import Grant
from apportion.records.rights import ForbiddenError, rights_of
from apportion.review.permission import Permission
from tests.books import OCTOBER, ORGANIZATION, SEPTEMBER, Books, books

pytestmark = pytest.mark.django_db

MOVED = """\
organization: Northwind
groups:
  - code: blue
    name: Blue
    owners: {finance: blue@example.com}
    coding: {company: "2000", cost_center: "5000", ledger_account: "600150"}
    groups:
      - code: teams
        name: Teams
        owners: {finance: finance@example.com}
        groups:
          - {code: red, name: Red, owners: {technical: green@example.com}}
"""


@pytest.fixture(name="northwind")
def northwind_fixture(tmp_path: Path, settings: Settings) -> Books:
    return books(tmp_path / "northwind", settings)


def _tree(northwind: Books, text: str, period: BillingPeriod = OCTOBER) -> Tree:
    northwind.write("organization.yaml", text)
    found = organization_file.read(northwind.workspace.root / "organization.yaml")
    return found.during(period.starts_on, period.ends_on)


def _sync(northwind: Books, text: str, period: BillingPeriod = OCTOBER) -> organization.Synced:
    return organization.sync_tree(northwind.actor("analyst"), _tree(northwind, text, period), period)


def _paths() -> dict[str, list[str]]:
    codes = {str(group.pk): group.code for group in CostGroup.objects.all()}
    return {
        group.code: [codes[pk] for pk in group.path.strip("/").split("/")]
        for group in CostGroup.objects.filter(is_current=True).order_by("number")
    }


def test_the_tree_and_its_owners_come_into_the_books(northwind: Books) -> None:
    synced = _sync(northwind, ORGANIZATION)
    assert _paths() == {
        "teams": ["teams"],
        "red": ["teams", "red"],
        "green": ["teams", "green"],
        "blue": ["blue"],
    }
    # Red inherits its finance owner, who has the role once, above.
    assert synced.granted == [
        "finance@example.com: finance owner of teams",
        "red@example.com: technical owner of red",
        "green@example.com: technical owner of green",
        "blue@example.com: finance owner of blue",
    ]
    red = CostGroup.objects.get(code="red")
    assert (red.cost_center, red.owners["finance"], red.depth) == ("4000", "finance@example.com", 1)
    assert AuditEntry.objects.get().act == "sync tree"
    assert _sync(northwind, ORGANIZATION).is_nothing
    assert AuditEntry.objects.count() == 1


def test_a_group_that_moves_takes_along_what_is_below_it(northwind: Books) -> None:
    _sync(northwind, ORGANIZATION)
    red = CostGroup.objects.get(code="red")
    owner = northwind.actor("red").person
    assert owner is not None
    assert rights_of(owner).may(Permission.ACCEPT, red.path)
    synced = _sync(northwind, MOVED)
    assert (synced.added, synced.changed, synced.ended) == ([], ["teams", "red"], ["green"])
    assert _paths() == {"blue": ["blue"], "teams": ["blue", "teams"], "red": ["blue", "teams", "red"]}
    red.refresh_from_db()
    green = CostGroup.objects.get(code="green")
    assert not green.is_current
    assert not rights_of(owner).may(Permission.ACCEPT, red.path)
    above = northwind.actor("blue")
    assert above.rights.may(Permission.ACCEPT, red.path)
    assert sorted(synced.withdrawn) == [
        "green@example.com: technical owner of green",
        "red@example.com: technical owner of red",
    ]
    entry = AuditEntry.objects.order_by("-number")[0]
    assert '"parent":null' in entry.before


def test_an_earlier_month_does_not_move_the_tree_back(northwind: Books) -> None:
    northwind.allocated(OCTOBER)
    before = _paths()
    synced = _sync(northwind, MOVED.replace("code: teams", "code: former"), SEPTEMBER)
    assert synced.added == ["former"]
    assert _paths() == before
    assert not CostGroup.objects.get(code="former").is_current


def test_a_role_that_a_person_gave_stays_when_the_tree_changes(northwind: Books) -> None:
    _sync(northwind, ORGANIZATION)
    given = Grant.objects.create(
        person_id=Grant.objects.filter(cost_group__code="red")[0].person_id,
        role="owner",
        owner_kind="business",
        cost_group=CostGroup.objects.get(code="green"),
    )
    _sync(northwind, MOVED)
    given.refresh_from_db()
    assert given.ended_at is None


def test_an_owner_who_is_added_later_has_the_roles(northwind: Books) -> None:
    person = northwind.actor("red").person
    assert person is not None
    person.is_active = False
    person.save()
    assert "red@example.com" not in str(_sync(northwind, ORGANIZATION).granted)
    person.is_active = True
    person.save()
    assert organization.sync_owners(northwind.actor("administrator"), [person]).granted == [
        "red@example.com: technical owner of red"
    ]
    assert Grant.objects.filter(ended_at__isnull=True, source="organization").count() == 4


def test_the_tree_needs_a_right(northwind: Books) -> None:
    with pytest.raises(ForbiddenError):
        organization.sync_tree(northwind.actor("red"), _tree(northwind, ORGANIZATION), OCTOBER)
    assert not CostGroup.objects.exists()
