"""Rules that no charge can ever reach: their condition never holds, or one earlier rule takes all they ask for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from apportion.allocate.implication import (
    IN_FORCE,
    Conjunction,
    Formula,
    Literal,
    alternatives,
    formula_of,
    implies,
)
from apportion.allocate.pattern import plain_text
from apportion.allocate.rule import Equals, Field, Glob, Matches, Prefix, Rule, Target

_Key = tuple[str, Field | None, str]
_ALWAYS: _Key = ("always", None, "")


@dataclass(frozen=True, slots=True)
class _Known:
    rule: Rule
    formula: Formula
    ways: list[Conjunction] | None


def never_met(rules: Sequence[Rule]) -> list[int]:
    """The positions of rules whose own condition and dates surely exclude each other."""
    return [place for place, known in enumerate(_known(rules)) if known.ways == []]


def covered(rules: Sequence[Rule]) -> list[tuple[int, int]]:
    """Positions (rule, earlier rule) where every charge that meets the rule surely meets the earlier one.

    The earlier rule must also keep what meets it: one that looks up a tag passes on what it cannot find, so it
    covers only rules that look up the same. Rules that are never met are left out.
    """
    known = _known(rules)
    index = _Index(known)
    found = []
    for place, later in enumerate(known):
        if not later.ways:
            continue
        for earlier in sorted(candidate for candidate in index.candidates(later.ways[0]) if candidate < place):
            if _keeps(known[earlier].rule, later.rule) and implies(later.ways, known[earlier].formula):
                found.append((place, earlier))
                break
    return found


def _known(rules: Sequence[Rule]) -> list[_Known]:
    formulas = [formula_of(rule) for rule in rules]
    return [_Known(rule, formula, alternatives(formula)) for rule, formula in zip(rules, formulas, strict=True)]


def _keeps(earlier: Rule, later: Rule) -> bool:
    return isinstance(earlier.target, Target) or earlier.target == later.target


class _Index:
    """Finds the few earlier rules that a conjunction might imply, so that 2,000 rules are not 2 million proofs.

    Each alternative of a rule is filed under its rarest test: whatever implies it has to hold a test of the same
    field and, for equalities and prefixes, a value that leads there.
    """

    def __init__(self, known: Sequence[_Known]) -> None:
        self._filed: dict[_Key, set[int]] = {}
        often: Counter[_Key] = Counter(
            key for one in known for way in one.ways or () for literal in way for key in _keys(literal)
        )
        for place, one in enumerate(known):
            for way in [()] if one.ways is None else one.ways:
                choices = [_keys(literal) for literal in way]
                rarest = min(choices, key=lambda keys: max(often[key] for key in keys), default=[_ALWAYS])
                for key in rarest:
                    self._filed.setdefault(key, set()).add(place)

    def candidates(self, conjunction: Conjunction) -> set[int]:
        """Positions of every rule that the conjunction might imply."""
        found = set(self._filed.get(_ALWAYS, ()))
        for literal in conjunction:
            for key in _leads(literal):
                found |= self._filed.get(key, set())
        return found


def _keys(literal: Literal) -> list[_Key]:
    """Where an alternative with this test is filed."""
    atom = literal.atom
    if literal.holds and isinstance(atom, Equals):
        return [("equals", atom.field, value.lower()) for value in atom.values]
    if literal.holds and isinstance(atom, Prefix):
        return [("prefix", atom.field, value) for value in atom.values]
    if literal.holds and isinstance(atom, Matches) and plain_text(atom.pattern) is None:
        return [("pattern", atom.field, atom.pattern)]  # nothing but itself is known to imply it
    return [("other", atom.field, "")]


def _leads(literal: Literal) -> Iterator[_Key]:
    """Where an alternative may be filed that this test implies; one value is enough, as all must lead there."""
    atom = literal.atom
    yield ("other", atom.field, "")
    if atom.field == Field("ChargePeriodStart"):
        yield ("other", IN_FORCE, "")
    if not literal.holds:
        return
    beginning = ""
    if isinstance(atom, Equals):
        yield ("equals", atom.field, atom.values[0].lower())
        beginning = atom.values[0]
    elif isinstance(atom, Prefix):
        beginning = atom.values[0]
    elif isinstance(atom, Glob):
        beginning = atom.pattern
    elif isinstance(atom, Matches):
        yield ("pattern", atom.field, atom.pattern)
    for length in range(1, len(beginning) + 1):
        yield ("prefix", atom.field, beginning[:length])
