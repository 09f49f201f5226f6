"""Compile rules into the warehouse's plan: hash joins wherever a condition can be one.

A rule's condition is written as alternatives of conjunctions. Equalities (and the first letters of prefixes)
of a conjunction become rows of the lookup for exactly that set of fields; whatever else it asks is checked only
on the rows that the lookup lets through. So cost hardly grows with the number of rules. The first rule that
meets a charge wins, because outcomes are numbered in the order of the rules and the smallest number wins.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from apportion.allocate.alternatives import Conjunction, conjunctions
from apportion.allocate.rule import (
    UNALLOCATED,
    And,
    ByTag,
    Condition,
    Equals,
    Field,
    Holder,
    Prefix,
    Rule,
    Target,
)
from apportion.organization.cost_group import Organization
from apportion.organization.life import Life, lives
from apportion.warehouse.plan import Heads, Hit, Key, Lookup, Plan

MOST_LOOKUP_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an outcome number means: the rule that decided (None: no rule met the charge) and the target."""

    rule: Rule | None
    target: Target

    @property
    def key(self) -> tuple[str | None, Target]:
        return (self.rule.id if self.rule else None, self.target)


@dataclass(frozen=True, slots=True)
class Matching:
    """A compiled policy for charges that start within a span of time."""

    plan: Plan
    outcomes: tuple[Outcome, ...]


def compile_rules(rules: Sequence[Rule], organization: Organization, first: date, last: date) -> Matching:
    """The plan for charges that start on days from `first` to `last`, both included."""
    entries = list(_entries(rules, organization))
    outcomes = list({outcome.key: outcome for outcome, _, _ in entries}.values())
    numbers = {outcome.key: number for number, outcome in enumerate(outcomes)}
    outcomes.append(Outcome(None, UNALLOCATED))
    builder = _Builder(_boundaries(entries, first, last), first, _heads(entries))
    for outcome, conjunction, window in entries:
        builder.add(numbers[outcome.key], conjunction, window)
    return Matching(builder.plan(otherwise=len(outcomes) - 1), tuple(outcomes))


Entry = tuple[Outcome, Conjunction, Life]


def _entries(rules: Sequence[Rule], organization: Organization) -> Iterator[Entry]:
    """One entry for each rule, target and alternative, with the time it is in force; in the order of the rules."""
    found = lives(organization.versions)
    known = {code: found[code] for code in organization.codes}
    for rule in rules:
        alternatives = conjunctions(rule.when)
        if isinstance(rule.target, Target):
            for conjunction in alternatives:
                yield Outcome(rule, rule.target), conjunction, (rule.valid_from, rule.valid_until)
            continue
        for code, values in _tag_values(rule.target, known).items():
            named = Equals(rule.target.field, values, rule.target.fold)
            for life in known[code]:
                window = _overlap((rule.valid_from, rule.valid_until), life)
                for conjunction in alternatives:
                    yield Outcome(rule, Target(Holder.COST_GROUP, code)), (*conjunction, named), window


def _tag_values(target: ByTag, codes: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """The tag values that name each cost group: its code, unless that is an alias of another, and its aliases."""
    named = {_folded(code, target.fold): code for code in codes}
    named.update((_folded(alias, target.fold), code) for alias, code in target.aliases if code in codes)
    values: dict[str, list[str]] = {}
    for value, code in named.items():
        values.setdefault(code, []).append(value)
    return {code: tuple(values[code]) for code in codes if code in values}


def _overlap(one: Life, other: Life) -> Life:
    starts = [start for start in (one[0], other[0]) if start is not None]
    ends = [end for end in (one[1], other[1]) if end is not None]
    return (max(starts, default=None), min(ends, default=None))


def _folded(value: str, fold: bool) -> str:
    return value.lower() if fold else value


def _boundaries(entries: Iterable[Entry], first: date, last: date) -> tuple[date, ...]:
    days = {day for _, _, window in entries for day in window if day is not None}
    return tuple(sorted(day for day in days if first < day <= last))


def _heads(entries: Iterable[Entry]) -> dict[Field, Heads]:
    """For each field, how the prefixes are found that some conjunction has to be found by."""
    prefixes: dict[Field, set[str]] = {}
    for _, conjunction, _ in entries:
        if (part := _found_by(conjunction)) is not None:
            prefixes.setdefault(part.field, set()).update(part.values)
    heads = {}
    for field, values in prefixes.items():
        length = min(len(value) for value in values)
        lengths: dict[str, int] = {}
        for value in sorted(values):
            head = value[:length]
            lengths[head] = min(lengths.get(head, len(value)), len(value))
        heads[field] = Heads(field, length, lengths)
    return heads


def _found_by(conjunction: Conjunction) -> Prefix | None:
    """The prefix that a conjunction is found by: the first one."""
    return next((part for part in conjunction if isinstance(part, Prefix) and all(part.values)), None)


def _keyed(conjunction: Conjunction) -> tuple[dict[Key, set[str]], list[Condition]] | None:
    """The values to join by, and what is left to check; None where two equalities exclude each other."""
    keyed: dict[Key, set[str]] = {}
    rest: list[Condition] = []
    for part in conjunction:
        if isinstance(part, Equals):
            key = Key(part.field, part.fold)
            values = {_folded(value, part.fold) for value in part.values}
            keyed[key] = keyed[key] & values if key in keyed else values
            if not keyed[key]:
                return None
        else:
            rest.append(part)
    return keyed, rest


class _Builder:
    """Collects lookup rows by the set of keys they are found by."""

    def __init__(self, boundaries: tuple[date, ...], first: date, heads: Mapping[Field, Heads]) -> None:
        self._boundaries = boundaries
        self._epoch_days = (first, *boundaries)
        self._heads = heads
        self._rows: dict[tuple[Key, ...], list[tuple[int, tuple[str, ...], tuple[int, ...] | None, Condition | None]]]
        self._rows = {}
        self._plain: list[tuple[int, Condition]] = []
        self._otherwise: int | None = None

    def add(self, outcome: int, conjunction: Conjunction, window: Life) -> None:
        epochs = tuple(epoch for epoch, day in enumerate(self._epoch_days) if _holds(window, day))
        if not epochs:
            return
        always = len(epochs) == len(self._epoch_days)
        found = _keyed(conjunction)
        if found is None:
            return
        keyed, rest = found
        if math.prod(len(values) for values in keyed.values()) > MOST_LOOKUP_ROWS:
            keyed, rest = {}, list(conjunction)
        prefix = _found_by(conjunction)
        if prefix is not None:
            rest = [part for part in rest if part is not prefix]
        if prefix is not None:
            self._add_prefix(outcome, keyed, prefix, rest, None if always else epochs)
        elif not keyed and not rest and always:
            self._otherwise = outcome if self._otherwise is None else min(self._otherwise, outcome)
        else:
            self._add_rows(outcome, keyed, rest, None if always else epochs)

    def _add_prefix(
        self,
        outcome: int,
        keyed: Mapping[Key, set[str]],
        prefix: Prefix,
        rest: list[Condition],
        epochs: tuple[int, ...] | None,
    ) -> None:
        """Each prefix is looked up by the shortest one that begins as it does; the longer ones are then checked."""
        heads = self._heads[prefix.field]
        for value in prefix.values:
            cut = value[: heads.lengths[value[: heads.length]]]
            left = rest if cut == value else [Prefix(prefix.field, (value,)), *rest]
            self._add_rows(outcome, {**keyed, Key(prefix.field, headed=True): {cut}}, left, epochs)

    def _add_rows(
        self,
        outcome: int,
        keyed: Mapping[Key, set[str]],
        rest: list[Condition],
        epochs: tuple[int, ...] | None,
    ) -> None:
        condition = (And(tuple(rest)) if len(rest) > 1 else rest[0]) if rest else None
        keys = tuple(sorted(keyed))
        rows = self._rows.setdefault(keys, [])
        for values in itertools.product(*(sorted(keyed[key]) for key in keys)):
            rows.append((outcome, values, epochs, condition))

    def plan(self, otherwise: int) -> Plan:
        lookups = []
        every = range(len(self._epoch_days))
        if self._otherwise is not None:
            otherwise = self._otherwise
        for keys, rows in self._rows.items():
            dated = any(epochs is not None for _, _, epochs, _ in rows)
            hits: dict[tuple[str | int, ...], Hit] = {}
            for outcome, values, epochs, condition in rows:
                if outcome > otherwise:
                    continue
                places: Iterable[tuple[str | int, ...]] = (
                    ((*values, epoch) for epoch in (every if epochs is None else epochs)) if dated else (values,)
                )
                for place in places:
                    hit = hits.setdefault(place, Hit())
                    if condition is not None:
                        hit.guarded.append((outcome, condition))
                    elif hit.outcome is None or outcome < hit.outcome:
                        hit.outcome = outcome
            for hit in hits.values():
                if hit.outcome is not None:
                    hit.guarded = [guard for guard in hit.guarded if guard[0] < hit.outcome]
            if keys or dated:
                lookups.append(Lookup(keys, dated, hits))
            else:
                self._plain.extend((outcome, condition) for outcome, condition in hits.pop((), Hit()).guarded)
        return Plan(tuple(self._heads.values()), tuple(lookups), tuple(self._plain), self._boundaries, otherwise)


def _holds(window: Life, day: date) -> bool:
    return (window[0] is None or window[0] <= day) and (window[1] is None or day < window[1])
