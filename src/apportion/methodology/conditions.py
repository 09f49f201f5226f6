"""Conditions as sentences: ``whose service name begins with “AWS Support” and whose tag team is missing``.

A condition of a few simple parts is one sentence; anything deeper becomes a list, with lists below it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apportion.allocate.rule import And, Between, Condition, Equals, Exists, Field, Glob, Matches, Not, Or, Prefix
from apportion.methodology.document import Inline, Item, Value, Words, joined
from apportion.methodology.words import column, days, series

MOST_VALUES = 6  # in a sentence; longer lists stand in the annex

Leaf = Equals | Prefix | Glob | Matches | Exists | Between
Shorten = Callable[[Field, Sequence[str]], Words]


@dataclass(frozen=True, slots=True)
class Told:
    """A condition in words, to stand behind what it is about; `below` is the list that the words announce."""

    words: Words
    below: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells conditions over charges, or over usage. `shorten` gives the words for a long list of values."""

    shorten: Shorten
    of_usage: bool = False

    def told(self, condition: Condition | None) -> Told:
        """What must hold: ``whose service name is “X”``, or ``for which all of these are true``; nothing for always."""
        if condition is None or condition == And(()):
            return Told(())
        parts = condition.parts if isinstance(condition, And) else (condition,)
        if len(parts) <= 3 and all(_is_simple(part) for part in parts):
            return Told(series(joined("whose ", self._clause(part)) for part in parts))
        if isinstance(condition, And):
            return Told(("for which all of these are true",), tuple(self.item(part) for part in parts))
        if isinstance(condition, Or) and condition.parts:
            return Told(("for which at least one of these is true",), self._items(condition.parts))
        return Told(("for which this is true",), (self.item(condition),))

    def item(self, condition: Condition) -> Item:
        """A condition as an entry of a list."""
        if _is_simple(condition):
            return Item(joined("the ", self._clause(condition)))
        match condition:
            case And(parts):
                return Item(("all of these are true",), self._items(parts)) if parts else Item(("nothing is asked",))
            case Or(parts):
                if not parts:
                    return Item(("nothing meets this",))
                return Item(("at least one of these is true",), self._items(parts))
            case Not(And(parts)) if parts:
                return Item(("not all of these are true",), self._items(parts))
            case Not(Or(parts)) if parts:
                return Item(("none of these is true",), self._items(parts))
            case Not(inner):
                return Item(("this is not true",), (self.item(inner),))
        return Item(self._clause(condition))

    def _items(self, parts: Sequence[Condition]) -> tuple[Item, ...]:
        return tuple(self._inline(part) for part in parts)

    def _inline(self, part: Condition) -> Item:
        """Several simple things together read better on one line than as a list of their own."""
        if isinstance(part, And) and 1 < len(part.parts) <= 3 and all(_is_simple(each) for each in part.parts):
            return Item(series(joined("the ", self._clause(each)) for each in part.parts))
        return self.item(part)

    def _clause(self, condition: Condition) -> Words:
        """``service name is “X”``, of a simple condition."""
        if isinstance(condition, Or):  # of the same column, each in its own way
            leaves = [part for part in condition.parts if not isinstance(part, And | Or | Not)]
            verbs = [self._verb(leaf) for leaf in leaves]
            if len({type(leaf) for leaf in leaves}) == 1 and isinstance(leaves[0], Glob | Matches):
                patterns = [leaf.pattern for leaf in leaves if isinstance(leaf, Glob | Matches)]
                verbs = [joined(_PATTERN[type(leaves[0])][0], self._values(leaves[0].field, patterns))]
            return joined(column(_field(leaves[0]), of_usage=self.of_usage), " ", series(verbs, "or"))
        if isinstance(condition, Not) and not isinstance(condition.part, And | Or | Not):
            return joined(column(_field(condition.part), of_usage=self.of_usage), " ", self._denied(condition.part))
        if isinstance(condition, And | Or | Not):
            return ()
        return joined(column(_field(condition), of_usage=self.of_usage), " ", self._verb(condition))

    def _verb(self, leaf: Leaf) -> Words:
        match leaf:
            case Equals(field, values, fold):
                case = ", in capitals or not" if fold else ""
                return joined("is ", "one of " if len(values) > MOST_VALUES else "", self._values(field, values), case)
            case Prefix(field, values):
                return joined(
                    "begins with ", "one of " if len(values) > MOST_VALUES else "", self._values(field, values)
                )
            case Glob(_, pattern) | Matches(_, pattern):
                return joined(_PATTERN[type(leaf)][0], Value(pattern))
            case Exists():
                return ("is present",)
            case Between(_, start, end):
                return (f"lies in the days {said}" if (said := days(start, end)) else "is a date",)

    def _denied(self, leaf: Leaf) -> Words:
        missing = ", or is missing"
        match leaf:
            case Equals(field, values, fold):
                case = ", in capitals or not" if fold else ""
                some = "none of " if len(values) > 1 else "not "
                return joined("is ", some, self._values(field, values, "and"), case, missing)
            case Prefix(field, values):
                return joined("does not begin with ", self._values(field, values), missing)
            case Glob(_, pattern) | Matches(_, pattern):
                return joined(_PATTERN[type(leaf)][1], Value(pattern), missing)
            case Exists():
                return ("is missing",)
            case Between(_, start, end):
                said = days(start, end)
                return (f"does not lie in the days {said}{missing}" if said else "is missing",)

    def _values(self, field: Field, values: Sequence[str], last: str = "or") -> Words:
        if len(values) > MOST_VALUES:
            return self.shorten(field, values)
        if not values:
            return ("nothing at all",)
        return series((Value(value) for value in values), last)


_PATTERN: dict[type[Leaf], tuple[Inline, Inline]] = {
    Glob: ("fits the pattern ", "does not fit the pattern "),
    Matches: ("meets the regular expression ", "does not meet the regular expression "),
}


def _is_simple(condition: Condition) -> bool:
    match condition:
        case And():
            return False
        case Or(parts):
            leaves = [part for part in parts if not isinstance(part, And | Or | Not)]
            return len(leaves) == len(parts) > 0 and len({_field(leaf) for leaf in leaves}) == 1
        case Not(part):
            return not isinstance(part, And | Or | Not)
    return True


def _field(leaf: Leaf) -> Field:
    return leaf.field


def fields(condition: Condition | None) -> tuple[Field, ...]:
    """Every field that a condition looks at, in order."""
    match condition:
        case None:
            return ()
        case And(parts) | Or(parts):
            return tuple(field for part in parts for field in fields(part))
        case Not(part):
            return fields(part)
    return (condition.field,)
