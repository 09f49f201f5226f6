"""How two values of one element of a policy differ, taken apart as far as it helps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from apportion.allocate.basis import (
    Cost,
    Fixed,
    Metered,
    Priced,
)
from apportion.allocate.policy import Cap, Limits, Recipients
from apportion.allocate.rule import (
    And,
    Condition,
    Equals,
    Or,
    Prefix,
)
from apportion.methodology.elements import BY_NAME, LABELS, Tagged, are_pairs, quoted, told
from apportion.methodology.words import weight

NO_LONGER, NEW = ", no longer", ", new"


class Said(NamedTuple):
    """What differs, and how it was and is; empty for nothing there."""

    about: str
    before: str
    after: str


_Mapping = tuple[tuple[Any, Any], ...]
_SETS = frozenset(("values", "groups", "under", "excluded", "charged_by", "pools", "services", "categories"))


@dataclass(frozen=True, slots=True)
class Told:
    """One element that differs, taken apart where both sides have the same form."""

    name: str
    was: Any
    now: Any
    above: str = ""

    def said(self) -> Iterator[Said]:
        """The differences inside the element; nothing where it is best told as a whole."""
        if self.name in BY_NAME and are_pairs(self.was) and are_pairs(self.now):
            yield from self._by_name()
        elif self.name in _SETS and self._are_sets():
            yield from self._sets()
        elif isinstance(self.was, And | Or) and type(self.was) is type(self.now):
            yield from self._conditions()
        elif isinstance(self.was, Equals | Prefix) and self._same_but("values"):
            yield from Told(
                "values", self.was.values, self.now.values, f"values of {told('field', self.was.field)}"
            ).said()
        elif _opens(self.was) and type(self.was) is type(self.now):
            for field in fields(self.now):
                was, now = getattr(self.was, field.name), getattr(self.now, field.name)
                if was != now:
                    yield from Told(field.name, was, now)._one()

    def _one(self) -> Iterator[Said]:
        """The differences inside, or else the element as a whole."""
        inside = list(self.said())
        if inside:
            yield from inside
        else:
            before, after = told(self.name, self.was), told(self.name, self.now)
            yield Said(self._about(), before, after if after != before else f"{after} (written in another way)")

    def _about(self) -> str:
        return self.above or LABELS.get(self.name, self.name)

    def _same_but(self, name: str) -> bool:
        return type(self.was) is type(self.now) and all(
            getattr(self.was, field.name) == getattr(self.now, field.name)
            for field in fields(self.now)
            if field.name != name
        )

    def _are_sets(self) -> bool:
        both = (self.was, self.now)
        return all(isinstance(each, tuple) and len(set(each)) == len(each) for each in both) and set(self.was) != set(
            self.now
        )

    def _sets(self) -> Iterator[Said]:
        gone = tuple(value for value in self.was if value not in self.now)
        came = tuple(value for value in self.now if value not in self.was)
        if (gone and len(gone) == len(self.was)) or (came and len(came) == len(self.now)):
            yield Said(self._about(), told(self.name, self.was), told(self.name, self.now))
            return
        if gone:
            yield Said(f"{self._about()}{NO_LONGER}", told(self.name, gone), "")
        if came:
            yield Said(f"{self._about()}{NEW}", "", told(self.name, came))
        if [each for each in self.was if each in self.now] != [each for each in self.now if each in self.was]:
            yield Said(f"order of {self._about()}", told(self.name, self.was), told(self.name, self.now))

    def _by_name(self) -> Iterator[Said]:
        was, now = dict(self.was), dict(self.now)
        if len(was) != len(self.was) or len(now) != len(self.now):
            return
        totals = [sum(each.values()) if self.name == "shares" else 0 for each in (was, now)]
        whole = _whole_shares(self.name, self.was, self.now)
        if whole is not None:
            yield whole
            return
        count = 0
        for key in dict.fromkeys((*was, *now)):
            sides = [
                _value(self.name, each[key], total) if key in each else ""
                for each, total in zip((was, now), totals, strict=True)
            ]
            if sides[0] != sides[1] or (was.get(key) != now.get(key) and self.name != "shares"):
                count += 1
                yield Said(f"{self._about()} {quoted(key)}".replace("spellings ", "spelling "), sides[0], sides[1])
        if [key for key in was if key in now] != [key for key in now if key in was]:
            yield Said(f"order of {self._about()}", told(self.name, self.was), told(self.name, self.now))

    def _conditions(self) -> Iterator[Said]:
        """Parts of a condition: those on the same field in the same form are compared, others came or went."""
        gone = [each for each in self.was.parts if each not in self.now.parts]
        came = [each for each in self.now.parts if each not in self.was.parts]
        for each in list(gone):
            twin = next((other for other in came if _alike(each, other)), None)
            if twin is not None:
                gone.remove(each)
                came.remove(twin)
                yield from Told(self.name, each, twin)._one()
        common = [
            [each for each in side if each in other]
            for side, other in ((self.was.parts, self.now.parts), (self.now.parts, self.was.parts))
        ]
        if common[0] != common[1]:
            yield Said("order of the conditions", *(told("when", And(tuple(side))) for side in common))
        yield from (Said(f"{LABELS['when']}{NO_LONGER}", told("when", each), "") for each in gone)
        yield from (Said(f"{LABELS['when']}{NEW}", "", told("when", each)) for each in came)


def _whole_shares(name: str, was: _Mapping, now: _Mapping) -> Said | None:
    """Shares whose weights differ although every share of the whole is the same."""
    if name != "shares" or [key for key, _ in was] != [key for key, _ in now]:
        return None
    before, after = (sum(value for _, value in pairs) for pairs in (was, now))
    if all(one * after == other * before for (_, one), (_, other) in zip(was, now, strict=True)):
        texts = (", ".join(f"{key} {value}" for key, value in pairs) for pairs in (was, now))
        return Said("parts that shares are written in, the shares being the same", *texts)
    return None


def _opens(value: object) -> bool:
    """Whether a value is told by its fields."""
    return isinstance(value, Recipients | Limits | Cap | Fixed | Cost | Metered | Priced | Tagged)


def _alike(one: Condition, other: Condition) -> bool:
    if isinstance(one, Equals | Prefix) and isinstance(other, Equals | Prefix):
        return type(one) is type(other) and one.field == other.field and _fold(one) == _fold(other)
    return isinstance(one, And | Or) and type(one) is type(other)


def _fold(condition: Equals | Prefix) -> bool:
    return isinstance(condition, Equals) and condition.fold


def _value(name: str, value: Any, total: int) -> str:
    return weight(value, total) if name == "shares" else told("values", value)
