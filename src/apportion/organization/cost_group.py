"""Cost groups: the dated tree of who pays.

A `CostGroup` is one dated version of a node: a move, a new owner or new coding starts a new version with the
same code. An `Organization` holds all versions; `Organization.on(day)` gives the `Tree` in force that day,
with owners and coding already inherited from above.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from apportion.errors import NotFoundError
from apportion.organization.coding import FIELDS, Coding
from apportion.organization.ownership import Owners


@dataclass(frozen=True, slots=True)
class CostGroup:
    """One version of a node, in force from `valid_from` up to, not including, `valid_until` (None: no end).

    `attributes` are the company's own, such as a region. Statements are in `currency`; empty: in that of the charges.
    """

    code: str
    name: str
    parent: str | None = None
    owners: Owners = field(default_factory=Owners)
    coding: Coding = field(default_factory=Coding)
    valid_from: date | None = None
    valid_until: date | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    currency: str = ""

    def attribute(self, name: str) -> str:
        """A field of the coding, or an attribute of the company's own; empty where the group has none."""
        if name in FIELDS:
            return str(getattr(self.coding, name) or "")
        return dict(self.attributes).get(name, "")

    def in_force_on(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day < self.valid_until
        )


class Tree:
    """The cost groups of one day in the order of the file, owners and coding inherited from above."""

    def __init__(self, groups: Iterable[CostGroup]) -> None:
        """`groups`: at most one version of each code, without a loop of parents (the reader has checked)."""
        own = {group.code: group for group in groups}
        self._children: dict[str | None, list[str]] = {}
        for group in own.values():
            self._children.setdefault(group.parent, []).append(group.code)
        self._groups: dict[str, CostGroup] = {}
        for code in self._walk(None):
            group = own[code]
            above = self._groups.get(group.parent or "")
            if above is not None:
                group = replace(
                    group,
                    owners=group.owners.or_else(above.owners),
                    coding=group.coding.or_else(above.coding),
                    attributes=tuple({**dict(above.attributes), **dict(group.attributes)}.items()),
                    currency=group.currency or above.currency,
                )
            self._groups[code] = group

    def _walk(self, parent: str | None) -> Iterator[str]:
        for code in self._children.get(parent, ()):
            yield code
            yield from self._walk(code)

    def __contains__(self, code: object) -> bool:
        return code in self._groups

    def __iter__(self) -> Iterator[str]:
        """Codes, each parent before what is below it."""
        return iter(self._groups)

    def __len__(self) -> int:
        return len(self._groups)

    def __getitem__(self, code: str) -> CostGroup:
        """The group with inherited owners and coding. Raises `NotFoundError`."""
        try:
            return self._groups[code]
        except KeyError:
            raise NotFoundError(
                f"There is no cost group '{code}' in the tree on that date.",
                advice="Look at the organization file: its code, and its from and until dates.",
            ) from None

    def path(self, code: str) -> tuple[str, ...]:
        """Codes from the top down to `code` itself."""
        group = self[code]
        return (*(self.path(group.parent) if group.parent else ()), code)

    def below(self, code: str) -> tuple[str, ...]:
        """`code` and everything under it, in order."""
        self[code]
        return (code, *self._walk(code))

    def leaves(self) -> tuple[str, ...]:
        """The groups with nothing below them, in order: who takes part in a pool that names nobody."""
        return tuple(code for code in self._groups if not self._children.get(code))


@dataclass(frozen=True, slots=True)
class Organization:
    """All versions of all cost groups, as read from one file, and the digest of what was read."""

    versions: tuple[CostGroup, ...]
    digest: str

    def on(self, day: date) -> Tree:
        """The tree in force on `day`."""
        return Tree(version for version in self.versions if version.in_force_on(day))

    def during(self, first: date, after: date) -> Tree:
        """The tree of a period: every group in force on some day from `first` up to, not including, `after`.

        Each as it was last in those days, so that a team moved inside the period is where it ended.
        """
        last: dict[str, CostGroup] = {}
        for version in sorted(self.versions, key=lambda version: version.valid_from or date.min):
            starts, ends = version.valid_from or date.min, version.valid_until or date.max
            if starts < after and first < ends:
                last[version.code] = version
        return Tree(last[code] for code in self.codes if code in last)

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code that is in the tree on some day, in the order of the file."""
        return tuple(dict.fromkeys(version.code for version in self.versions))
