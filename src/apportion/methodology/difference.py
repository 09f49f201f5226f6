"""What changed from one policy to another: every element that differs, named once, in plain words.

Two policies are the same if all they hold is the same, whatever their files look like; exactly then there is no
change. Rules, pools and the like are told apart by their ids.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from apportion.allocate.policy import Commitment, Policy, Pool, Uplift
from apportion.allocate.rule import ByTag, Rule
from apportion.methodology.difference_words import NEW, NO_LONGER, Said, Told
from apportion.methodology.elements import LABELS, Tagged, told

Element = Rule | Pool | Commitment | Uplift


class Kind(StrEnum):
    """What happened to an element."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


class Part(StrEnum):
    """Which part of a policy an element belongs to, in the order in which they are told."""

    POLICY = "policy"
    RULES = "rules"
    ALIASES = "aliases"
    CONSUMERS = "consumers"
    COMMITMENTS = "commitments"
    POOLS = "pools"
    UPLIFTS = "uplifts"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `about` says what of the element it is, `before` and `after` in words; empty for nothing there.

    The order of rules and the like: `about` is ``place``, and before and after are places from 1 up.
    """

    part: Part
    kind: Kind
    id: str
    name: str
    about: str = ""
    before: str = ""
    after: str = ""


def sentence(change: Change) -> str:
    """A difference as it is read out, without the element's name: ``condition: “a” instead of “b”``."""
    if change.kind is Kind.MOVED:
        return f"moved from place {change.before} to place {change.after}"
    about = f"{change.about}: " if change.about else ""
    one_sided = change.kind is not Kind.CHANGED or change.about.endswith((NO_LONGER, NEW))
    if one_sided:
        return f"{about}{change.before or change.after}"
    return f"{about}{change.before or 'nothing'} → {change.after or 'nothing'}"


_LISTS: Mapping[Part, Callable[[Policy], tuple[Element, ...]]] = {
    Part.RULES: lambda policy: policy.rules,
    Part.CONSUMERS: lambda policy: policy.consumers,
    Part.COMMITMENTS: lambda policy: policy.commitments,
    Part.POOLS: lambda policy: policy.pools,
    Part.UPLIFTS: lambda policy: policy.uplifts,
}
_NOT_TOLD = frozenset(("id", "place"))


def differences(old: Policy, new: Policy) -> tuple[Change, ...]:
    """Every difference from `old` to `new`, by part; empty exactly where both hold the same."""
    found = [
        Change(Part.POLICY, Kind.CHANGED, "", "", LABELS[name], *_both(told(name, before), told(name, after)))
        for name in ("name", "cost_basis", "pool_order")
        if (before := getattr(old, name)) != (after := getattr(new, name))
    ]
    old, new = _by_table(old), _by_table(new)
    for part in Part:
        if part is Part.ALIASES:
            found += _tables(old.alias_tables, new.alias_tables)
        elif part in _LISTS:
            found += _listed(part, _LISTS[part](old), _LISTS[part](new))
    return tuple(found)


def _by_table(policy: Policy) -> Policy:
    """The same, with tables of spellings by name in rules: what changes in a table is then told once."""
    tables = {pairs: name for name, pairs in reversed(policy.alias_tables) if pairs}

    def named(rule: Rule) -> Rule:
        if not isinstance(rule.target, ByTag):
            return rule
        found = tables.get(rule.target.aliases, "")
        pairs = () if found else rule.target.aliases
        target: Any = Tagged(rule.target.field, found, pairs, rule.target.fold)
        return replace(rule, target=target)

    return replace(policy, rules=tuple(map(named, policy.rules)), consumers=tuple(map(named, policy.consumers)))


_Key = tuple[str, int]  # an id, and which of those with that id


def _listed(part: Part, old: Sequence[Element], new: Sequence[Element]) -> Iterator[Change]:
    before, after = _keyed(old), _keyed(new)
    for key, each in before.items():
        if key not in after:
            yield Change(part, Kind.REMOVED, each.id, each.name, before=_whole(each))
    for key, each in after.items():
        if key not in before:
            yield Change(part, Kind.ADDED, each.id, each.name, after=_whole(each))
        else:
            yield from _changed(part, before[key], each)
    places_before, places_after = ({key: at for at, key in enumerate(keyed, start=1)} for keyed in (before, after))
    for key in _moved([key for key in before if key in after], [key for key in after if key in before]):
        each = after[key]
        places = f"{places_before[key]}", f"{places_after[key]}"
        yield Change(part, Kind.MOVED, each.id, each.name, "place", *places)


def _keyed(elements: Sequence[Element]) -> dict[_Key, Element]:
    seen: Counter[str] = Counter()
    found: dict[_Key, Element] = {}
    for each in elements:
        found[each.id, seen[each.id]] = each
        seen[each.id] += 1
    return found


def _changed(part: Part, before: Element, after: Element) -> Iterator[Change]:
    for field in fields(after):
        was, now = getattr(before, field.name), getattr(after, field.name)
        if field.name in _NOT_TOLD or was == now:
            continue
        for said in _particulars(field.name, was, now):
            yield Change(part, Kind.CHANGED, after.id, after.name, *said)


def _particulars(name: str, was: Any, now: Any) -> Iterator[Said]:
    """A difference, taken apart as far as it goes: into single values, shares, tiers or recipients."""
    said = list(Told(name, was, now).said())
    if said:
        yield from said
    else:
        yield Said(LABELS.get(name, name), *_both(told(name, was), told(name, now)))


def _both(before: str, after: str) -> tuple[str, str]:
    """Two different values must not read the same."""
    return (before, after) if before != after else (before, f"{after} (written in another way)")


def _whole(each: Element) -> str:
    """An element in one line, for what is there on one side only."""
    texts = [
        f"{LABELS.get(field.name, field.name)}: {text}"
        for field in fields(each)
        if field.name not in (*_NOT_TOLD, "name") and (text := told(field.name, getattr(each, field.name)))
    ]
    return "; ".join(texts)


_Pairs = tuple[tuple[str, str], ...]


def _tables(old: Sequence[tuple[str, _Pairs]], new: Sequence[tuple[str, _Pairs]]) -> Iterator[Change]:
    before, after = dict(old), dict(new)
    for name, pairs in before.items():
        if name not in after:
            yield Change(Part.ALIASES, Kind.REMOVED, name, name, before=told("aliases", pairs))
    for name, pairs in after.items():
        if name not in before:
            yield Change(Part.ALIASES, Kind.ADDED, name, name, after=told("aliases", pairs))
        elif pairs != before[name]:
            for said in _particulars("aliases", before[name], pairs):
                yield Change(Part.ALIASES, Kind.CHANGED, name, name, *said)
    for name in _moved([name for name in before if name in after], [name for name in after if name in before]):
        places = f"{list(before).index(name) + 1}", f"{list(after).index(name) + 1}"
        yield Change(Part.ALIASES, Kind.MOVED, name, name, "place", *places)


def _moved(before: Sequence[Hashable], after: Sequence[Any]) -> list[Any]:
    """Those that have to move to bring one order into the other: all but a longest run that keeps its order.

    Method: longest increasing subsequence by patience sorting. Both hold the same, each once.
    """
    places = {key: at for at, key in enumerate(before)}
    order = [places[key] for key in after]
    ends: list[int] = []  # of the best run of each length, where in `order` it ends
    above: list[int] = [-1] * len(order)
    for at, place in enumerate(order):
        low, high = 0, len(ends)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if order[ends[middle]] < place else (low, middle)
        above[at] = ends[low - 1] if low else -1
        ends[low : low + 1] = [at]
    kept: set[int] = set()
    at = ends[-1] if ends else -1
    while at >= 0:
        kept.add(at)
        at = above[at]
    return [key for at, key in enumerate(after) if at not in kept]
