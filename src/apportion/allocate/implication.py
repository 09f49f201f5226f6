"""What can be proved about conditions without looking at a charge: that one implies another, or never holds.

Sound and not complete: what is claimed is true for every charge that could be delivered; what cannot be proved
is not claimed. A condition is taken apart into alternatives of conjunctions; a conjunction implies another
condition if its single tests do, one by one, on the same field.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from apportion.allocate.pattern import glob_matches, plain_text
from apportion.allocate.rule import (
    And,
    Between,
    Condition,
    Equals,
    Exists,
    Field,
    Glob,
    Matches,
    Not,
    Or,
    Prefix,
    Rule,
)

MOST_ALTERNATIVES = 64

IN_FORCE = Field("the date of the rule")
"""Stands for the dates of a rule, which look at where the charge starts also where ChargePeriodStart is missing."""

Atom = Equals | Prefix | Glob | Matches | Exists | Between

_START = Field("ChargePeriodStart")


@dataclass(frozen=True, slots=True)
class Literal:
    """One test of one field, or its opposite."""

    atom: Atom
    holds: bool = True


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Some:
    parts: tuple[Formula, ...]


Formula = Literal | All | Some
Conjunction = tuple[Literal, ...]


def formula_of(rule: Rule) -> Formula:
    """The rule's condition and its dates as one formula."""
    parts = [_normal(rule.when, holds=True)] if rule.when is not None else []
    if rule.valid_from is not None or rule.valid_until is not None:
        parts.append(Literal(Between(IN_FORCE, rule.valid_from, rule.valid_until)))
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _normal(condition: Condition, *, holds: bool) -> Formula:
    """Negations pushed down to the single tests; patterns that are plain text made what they are."""
    if isinstance(condition, Not):
        return _normal(condition.part, holds=not holds)
    if isinstance(condition, And | Or):
        parts = tuple(_normal(part, holds=holds) for part in condition.parts)
        return All(parts) if isinstance(condition, And) == holds else Some(_merged(parts))
    return Literal(_plain(condition), holds)


def _plain(atom: Atom) -> Atom:
    if isinstance(atom, Glob):
        head = atom.pattern.rstrip("*")
        if any(sign in head for sign in "*?["):
            return atom
        if head == atom.pattern:
            return Equals(atom.field, (head,))
        return Prefix(atom.field, (head,)) if head else Exists(atom.field)
    if isinstance(atom, Matches):
        text = plain_text(atom.pattern)
        if text and text[0] and text[1] and not text[2]:
            return Prefix(atom.field, (text[1],))
    return atom


def _merged(parts: tuple[Formula, ...]) -> tuple[Formula, ...]:
    """Alternatives with equalities on the same field made into one."""
    values: dict[tuple[Field, bool], list[str]] = {}
    others: list[Formula] = []
    for part in parts:
        if isinstance(part, Literal) and part.holds and isinstance(part.atom, Equals):
            values.setdefault((part.atom.field, part.atom.fold), []).extend(part.atom.values)
        else:
            others.append(part)
    return (*(Literal(Equals(field, tuple(found), fold)) for (field, fold), found in values.items()), *others)


def alternatives(formula: Formula) -> list[Conjunction] | None:
    """The formula as alternatives of conjunctions, without those that never hold; None where they are too many."""
    found = _alternatives(formula)
    return None if found is None else [one for one in found if not contradictory(one)]


def _alternatives(formula: Formula) -> list[Conjunction] | None:
    if isinstance(formula, Literal):
        return [(formula,)]
    parts = [_alternatives(part) for part in formula.parts]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    if isinstance(formula, Some):
        found = [one for part in known for one in part]
        return found if len(found) <= MOST_ALTERNATIVES else None
    if math.prod(len(part) for part in known) > MOST_ALTERNATIVES:
        return None
    return [tuple(itertools.chain(*choice)) for choice in itertools.product(*known)]


def implies(conjunctions: Iterable[Conjunction], formula: Formula) -> bool:
    """Whether every charge that meets one of the conjunctions surely meets the formula."""
    return all(_conjunction_implies(one, formula) for one in conjunctions)


def _conjunction_implies(conjunction: Conjunction, formula: Formula) -> bool:
    if isinstance(formula, All):
        return all(_conjunction_implies(conjunction, part) for part in formula.parts)
    if isinstance(formula, Some):
        return any(_conjunction_implies(conjunction, part) for part in formula.parts)
    return any(_literal_implies(literal, formula) for literal in conjunction)


def _literal_implies(given: Literal, wanted: Literal) -> bool:
    if given.holds:
        return _implies(given.atom, wanted.atom) if wanted.holds else _excludes(given.atom, wanted.atom)
    return not wanted.holds and _implies(wanted.atom, given.atom)


def contradictory(conjunction: Conjunction) -> bool:
    """Whether no charge can ever meet all of the conjunction."""
    by_field: dict[Field, list[Literal]] = {}
    for literal in conjunction:
        by_field.setdefault(literal.atom.field, []).append(literal)
    return any(_contradictory(literals) for literals in by_field.values() if len(literals) > 1) or any(
        literal.holds and isinstance(literal.atom, Between) and _empty(literal.atom) for literal in conjunction
    )


def _contradictory(literals: list[Literal]) -> bool:
    """The same for tests of one field."""
    for one, other in itertools.permutations(literals, 2):
        if one.holds and other.holds and _excludes(one.atom, other.atom):
            return True
        if one.holds and not other.holds and _implies(one.atom, other.atom):
            return True
    exact = [literal.atom for literal in literals if literal.holds and isinstance(literal.atom, Equals)]
    ranges = [literal.atom for literal in literals if literal.holds and isinstance(literal.atom, Between)]
    if len(ranges) > 1 and _empty(_intersection(ranges)):
        return True
    return any(
        not atom.fold and all(any(_rules_out(literal, value) for literal in literals) for value in atom.values)
        for atom in exact
    )


def _rules_out(literal: Literal, value: str) -> bool:
    met = _meets(literal.atom, value)
    return met is not None and met != literal.holds


def _intersection(ranges: list[Between]) -> Between:
    starts = [one.start for one in ranges if one.start is not None]
    ends = [one.end for one in ranges if one.end is not None]
    return Between(ranges[0].field, max(starts, default=None), min(ends, default=None))


def _empty(one: Between) -> bool:
    return one.start is not None and one.end is not None and one.start >= one.end


def _meets(atom: Atom, value: str) -> bool | None:
    """Whether the value meets the test; None where that is not certain for every engine."""
    match atom:
        case Equals(values=values, fold=False):
            return value in values
        case Equals(values=values):
            if value in values or (value.isascii() and value.lower() in _folded(values)):
                return True
            return False if value.isascii() and all(one.isascii() for one in values) else None
        case Prefix(values=values):
            return value.startswith(values)
        case Exists():
            return True
        case Glob(pattern=pattern):
            return glob_matches(pattern, value) if value.isascii() else None
        case Matches(pattern=pattern) if (text := plain_text(pattern)) and "\n" not in value:
            at_start, words, at_end = text
            if at_start and at_end:
                return value == words
            return value.startswith(words) if at_start else value.endswith(words) if at_end else words in value
    return None


def _folded(values: tuple[str, ...]) -> set[str]:
    return {value.lower() for value in values if value.isascii()}


def _implies(given: Atom, wanted: Atom) -> bool:
    """Whether every value that meets `given` surely meets `wanted`."""
    if given.field != wanted.field:
        started = given.field == _START and wanted.field == IN_FORCE
        return started and isinstance(given, Between) and isinstance(wanted, Between) and _within(given, wanted)
    if given == wanted or isinstance(wanted, Exists):
        return True
    match given:
        case Equals(values=values, fold=False):
            return all(_meets(wanted, value) is True for value in values)
        case Equals(values=values):
            if not isinstance(wanted, Equals) or not wanted.fold:
                return False
            same = set(wanted.values)
            return all(
                value in same or (value.isascii() and value.lower() in _folded(wanted.values)) for value in values
            )
        case Prefix(values=values):
            return all(_beginning_implies(value, wanted) for value in values)
        case Glob(pattern=pattern):
            return _beginning_implies(_head(pattern), wanted)
        case Between():
            return isinstance(wanted, Between) and _within(given, wanted)
    return False


def _beginning_implies(beginning: str, wanted: Atom) -> bool:
    """Whether every value with this beginning surely meets `wanted`."""
    if isinstance(wanted, Prefix):
        return beginning.startswith(wanted.values)
    if isinstance(wanted, Matches) and (text := plain_text(wanted.pattern)) and not text[2]:
        return beginning.startswith(text[1]) if text[0] else text[1] in beginning
    return False


def _head(pattern: str) -> str:
    return "".join(itertools.takewhile(lambda sign: sign not in "*?[", pattern))


def _within(given: Between, wanted: Between) -> bool:
    after = wanted.start is None or (given.start is not None and wanted.start <= given.start)
    before = wanted.end is None or (given.end is not None and given.end <= wanted.end)
    return after and before


def _excludes(one: Atom, other: Atom) -> bool:
    """Whether surely no value meets both."""
    if one.field != other.field:
        return False
    if isinstance(one, Equals) and not one.fold:
        return all(_meets(other, value) is False for value in one.values)
    if isinstance(other, Equals) and not other.fold:
        return _excludes(other, one)
    if isinstance(one, Equals) and isinstance(other, Equals):
        every = one.values + other.values
        return all(value.isascii() for value in every) and not _folded(one.values) & _folded(other.values)
    if isinstance(one, Between) and isinstance(other, Between):
        return _empty(_intersection([one, other]))
    heads, others = list(_beginnings(one)), list(_beginnings(other))
    if not heads or not others:
        return False
    return not any(a.startswith(b) or b.startswith(a) for a in heads for b in others)


def _beginnings(atom: Atom) -> Iterator[str]:
    """One of these begins every value that meets the test; nothing where that is not known."""
    if isinstance(atom, Prefix):
        yield from atom.values
    elif isinstance(atom, Glob):
        yield _head(atom.pattern)
