"""The organization file in YAML: what may stand in it, and its groups as dated versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from apportion.errors import Mistake, Place
from apportion.organization.attribute import check_attribute, check_currency
from apportion.organization.coding import Coding
from apportion.organization.cost_group import CostGroup
from apportion.organization.ownership import Owners
from apportion.yamlfile import Code, Day, Key, Places, Text, refuse


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OwnersDocument(_Section):
    """Who answers: mail addresses or names. What is left out is inherited from the group above."""

    finance: Text | None = None
    technical: Text | None = None
    business: Text | None = None


class CodingDocument(_Section):
    """Codes of the general ledger. What is left out is inherited from the group above."""

    company: Text | None = None
    cost_center: Text | None = None
    department: Text | None = None
    ledger_account: Text | None = None


Attributes = dict[Annotated[Text, AfterValidator(check_attribute)], Text | None]
_ATTRIBUTES = "The company's own, such as region: emea. What is left out is inherited from the group above."

Currency = Annotated[Text, AfterValidator(check_currency)]
_CURRENCY = "The currency of the group's statements; left out, that of the group above, or else of its charges."


class ChangeDocument(_Section):
    """What changes on a day; everything else stays as it was."""

    valid_from: Day = Field(alias="from", description="The first day on which the change holds.")
    name: Text | None = None
    parent: Code | None = Field(None, description="The code of the new group above; empty: moved to the top.")
    owners: OwnersDocument = OwnersDocument()
    coding: CodingDocument = CodingDocument()
    attributes: Attributes = Field({}, description=_ATTRIBUTES)
    currency: Currency | None = Field(None, description=_CURRENCY)

    @model_validator(mode="after")
    def _changes_something(self) -> ChangeDocument:
        if self.model_fields_set <= {"valid_from"}:
            raise refuse(
                "EMPTY_CHANGE",
                "The change changes nothing.",
                "Name what is new: parent, owners, coding, attributes, currency, name.",
            )
        return self


class GroupDocument(_Section):
    """A cost group, with the groups below it and what changes in its life."""

    code: Code = Field(description="What rules, statements and ledgers call the group; it never changes.")
    name: Text | None = Field(None, description="What people call the group.")
    parent: Code | None = Field(
        None, description="The code of the group above, where groups are written as a flat list."
    )
    owners: OwnersDocument = OwnersDocument()
    coding: CodingDocument = CodingDocument()
    attributes: Attributes = Field({}, description=_ATTRIBUTES)
    currency: Currency | None = Field(None, description=_CURRENCY)
    valid_from: Day | None = Field(None, alias="from", description="The first day on which the group is in the tree.")
    valid_until: Day | None = Field(None, alias="until", description="The first day on which it is no longer there.")
    changes: tuple[ChangeDocument, ...] = ()
    groups: tuple[GroupDocument, ...] = Field((), description="The groups below this one.")


class OrganizationDocument(_Section):
    """The organization: the tree of cost groups, each with owners, coding and dates."""

    organization: Text | None = Field(None, description="The name of the organization.")
    groups: tuple[GroupDocument, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Written:
    """One version and where it is written: its code, its parent, and the date it begins or (else) ends with."""

    group: CostGroup
    at_code: Place
    at_parent: Place
    at_dates: Place


@dataclass(frozen=True, slots=True)
class _Above:
    """The group that a nested group stands in."""

    code: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None


def written_versions(document: OrganizationDocument, places: Places) -> tuple[list[Written], list[Mistake]]:
    """Every version of every group in the order of the file, and the mistakes of single groups."""
    mistakes: list[Mistake] = []
    found = [
        version
        for position, group in enumerate(document.groups)
        for version in _group(group, ("groups", position), _Above(), places, mistakes)
    ]
    return found, mistakes


def _group(
    group: GroupDocument, path: tuple[Key, ...], above: _Above, places: Places, mistakes: list[Mistake]
) -> Iterator[Written]:
    parent = group.parent or above.code
    if group.parent and above.code and group.parent != above.code:
        mistakes.append(
            Mistake(
                "TWO_PARENTS",
                f"'{group.code}' stands below '{above.code}', but names '{group.parent}' as its parent.",
                places.at(*path, "parent"),
                "Leave out 'parent', or move the group.",
            )
        )
    changes = _ordered_changes(group, path, places, mistakes)
    ends_below = not changes or all("parent" not in change.model_fields_set for _, change in changes)
    valid_from = group.valid_from or above.valid_from
    valid_until = group.valid_until or (above.valid_until if ends_below else None)
    version = CostGroup(
        code=group.code,
        name=group.name or group.code,
        parent=parent,
        owners=_owners(Owners(), group.owners),
        coding=_coding(Coding(), group.coding),
        valid_from=valid_from,
        attributes=attributes_of({}, group.attributes),
        currency=group.currency or "",
    )
    at_code = places.at(*path, "code")
    at_dates = places.at(*path, "until" if group.valid_until else "from") if group.model_fields_set & {
        "valid_from", "valid_until"
    } else at_code  # fmt: skip
    at_parent = places.at(*path, "parent") if group.parent else at_code
    ends = [change.valid_from for _, change in changes] + [valid_until]
    for end, step in zip(ends, [None, *changes], strict=True):
        if step is not None:
            where, change = step
            version = _changed(version, change)
            at_dates = places.at(*where, "from")
            at_parent = places.at(*where, "parent") if "parent" in change.model_fields_set else at_parent
        yield Written(replace(version, valid_until=end), at_code, at_parent, at_dates)
    inner = _Above(group.code, valid_from, valid_until)
    for position, below in enumerate(group.groups):
        yield from _group(below, (*path, "groups", position), inner, places, mistakes)


def _ordered_changes(
    group: GroupDocument, path: tuple[Key, ...], places: Places, mistakes: list[Mistake]
) -> list[tuple[tuple[Key, ...], ChangeDocument]]:
    """The changes that follow each other within the group's life; the others are mistakes."""
    found: list[tuple[tuple[Key, ...], ChangeDocument]] = []
    last = group.valid_from
    for position, change in enumerate(group.changes):
        where = (*path, "changes", position)
        if last is not None and change.valid_from <= last:
            sentence = f"The change on {change.valid_from} does not come after {last}."
            advice = "Write changes in the order of their dates, the first after the group's own 'from'."
            mistakes.append(Mistake("CHANGE_OUT_OF_ORDER", sentence, places.at(*where, "from"), advice))
        elif group.valid_until is not None and change.valid_from >= group.valid_until:
            sentence = f"The change on {change.valid_from} comes when the group is gone: until {group.valid_until}."
            mistakes.append(Mistake("CHANGE_OUT_OF_ORDER", sentence, places.at(*where, "from")))
        else:
            found.append((where, change))
            last = change.valid_from
    return found


def _changed(version: CostGroup, change: ChangeDocument) -> CostGroup:
    return CostGroup(
        code=version.code,
        name=change.name or version.name,
        parent=change.parent if "parent" in change.model_fields_set else version.parent,
        owners=_owners(version.owners, change.owners),
        coding=_coding(version.coding, change.coding),
        valid_from=change.valid_from,
        attributes=attributes_of(dict(version.attributes), change.attributes),
        currency=(change.currency or "") if "currency" in change.model_fields_set else version.currency,
    )


def attributes_of(before: Mapping[str, str], written: Mapping[str, str | None]) -> tuple[tuple[str, str], ...]:
    """The attributes before, with those that are written, by name; an empty value is inherited again."""
    found = {**before, **{name: value or "" for name, value in written.items()}}
    return tuple(sorted((name, value) for name, value in found.items() if value))


def _owners(before: Owners, document: OwnersDocument) -> Owners:
    """The owners before, with those that the document names; an empty value is inherited again."""
    named = {name: getattr(document, name) or "" for name in document.model_fields_set}
    return Owners(
        named.get("finance", before.finance),
        named.get("technical", before.technical),
        named.get("business", before.business),
    )


def _coding(before: Coding, document: CodingDocument) -> Coding:
    named = {name: getattr(document, name) or "" for name in document.model_fields_set}
    return Coding(
        named.get("company", before.company),
        named.get("cost_center", before.cost_center),
        named.get("department", before.department),
        named.get("ledger_account", before.ledger_account),
    )
