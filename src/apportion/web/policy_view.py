"""What the pages of a policy show, as plain values: differences in words, a simulation with reasons, mistakes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from apportion.actions.policy import policy_text
from apportion.close.compare import Why
from apportion.errors import ApportionError, DocumentError, Mistake
from apportion.methodology.difference import Change, Kind, Part, differences, sentence
from apportion.records.policies import PolicyState, PolicyVersion
from apportion.web.words.badges import Badge

STATES: Mapping[str, Badge] = {
    PolicyState.DRAFT: Badge(gettext_noop("Draft"), "edit", "quiet"),
    PolicyState.PROPOSED: Badge(gettext_noop("Proposed"), "hourglass", "wait"),
    PolicyState.ACTIVE: Badge(gettext_noop("In use"), "circle-check", "good"),
    PolicyState.REPLACED: Badge(gettext_noop("Replaced"), "history", "quiet"),
    PolicyState.REJECTED: Badge(gettext_noop("Rejected"), "circle-x", "bad"),
}
_PARTS = {
    Part.POLICY: gettext_noop("The policy"),
    Part.RULES: gettext_noop("Rules"),
    Part.ALIASES: gettext_noop("Tables of spellings"),
    Part.CONSUMERS: gettext_noop("Whose usage it is"),
    Part.COMMITMENTS: gettext_noop("Commitments"),
    Part.POOLS: gettext_noop("Pools"),
    Part.UPLIFTS: gettext_noop("Uplifts"),
}
_ICONS = {Kind.ADDED: "plus", Kind.REMOVED: "minus", Kind.CHANGED: "edit", Kind.MOVED: "sort-ascending"}


@dataclass(frozen=True, slots=True)
class Element:
    """One rule, pool or the like that differs, and in what."""

    kind: str
    icon: str
    words: str
    label: str
    code: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """The differences of one part of the policy."""

    title: str
    elements: tuple[Element, ...]


def between(old: PolicyVersion, new: PolicyVersion) -> list[Section]:
    """What changed from one version to the other; nothing where both say the same."""
    return [
        Section(_(_PARTS[part]), tuple(_elements([each for each in found if each.part is part])))
        for found in (_differences(old.text, new.text),)
        for part in dict.fromkeys(each.part for each in found)
    ]


@lru_cache(maxsize=64)
def _differences(old: str, new: str) -> tuple[Change, ...]:
    return differences(policy_text.parsed(old), policy_text.parsed(new))


def _elements(changes: Sequence[Change]) -> Iterable[Element]:
    words = {Kind.ADDED: _("new"), Kind.REMOVED: _("removed"), Kind.CHANGED: _("changed"), Kind.MOVED: _("moved")}
    for code, name in dict.fromkeys((change.id, change.name) for change in changes):
        told = [change for change in changes if (change.id, change.name) == (code, name)]
        kind = told[0].kind
        yield Element(
            str(kind),
            _ICONS[kind],
            words[kind],
            name or code,
            code if name not in ("", code) else "",
            tuple(filter(None, map(sentence, told))),
        )


@dataclass(frozen=True, slots=True)
class Reason:
    """A part of a difference, in words."""

    words: str
    minor: int


@dataclass(frozen=True, slots=True)
class Moved:
    """Somebody who would pay more or less: minor units, and why."""

    name: str
    code: str
    currency: str
    before: int
    after: int
    reasons: tuple[Reason, ...]

    @property
    def minor(self) -> int:
        """How much more; below zero, less."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a version would change in a period. `is_current`: it was compared with the policy that is in use."""

    period: str
    at: datetime | None
    totals: tuple[tuple[str, int, int], ...]
    moved: tuple[Moved, ...]
    changed: int
    unchanged: int
    before: str


def simulation(kept: Mapping[str, Any]) -> Simulation | None:
    """From what is kept with a version; None where nothing is."""
    if not kept:
        return None
    return Simulation(
        kept["period"],
        datetime.fromisoformat(kept["at"]),
        tuple((each["currency"], each["before"], each["after"]) for each in kept["totals"]),
        tuple(_moved(change) for change in kept["changes"]),
        kept["changed"],
        kept["unchanged"],
        kept["before"]["digest"],
    )


def _moved(change: Mapping[str, Any]) -> Moved:
    reasons = [Reason(_reason(part), part["minor"]) for part in change["parts"]]
    if change["more"]["count"]:
        words = ngettext("%d smaller reason", "%d smaller reasons", change["more"]["count"]) % change["more"]["count"]
        reasons.append(Reason(words, change["more"]["minor"]))
    return Moved(change["name"], change["code"], change["currency"], change["before"], change["after"], tuple(reasons))


def _reason(part: Mapping[str, Any]) -> str:
    code = str(part["code"])
    if part["why"] == Why.MOVED and part["other"]:
        return _charges(part)
    words: dict[str, str] = {
        Why.COST_BASIS: _("the same charges on the other cost basis"),
        Why.POOL_SIZE: _("pool %s holds more") % code if part["minor"] > 0 else _("pool %s holds less") % code,
        Why.POOL_SHARE: _("another share of pool %s") % code,
        Why.AGREED: _("agreement %s") % code,
        Why.OTHER: _("corrections of earlier months"),
        Why.CENTS: _("cents settled"),
    }
    return words.get(part["why"], str(part["why"]))


def _charges(part: Mapping[str, Any]) -> str:
    count = ngettext("%d charge", "%d charges", part["rows"]) % part["rows"]
    other = part["other"]
    where = {
        "pool": _("pool %s") % other["code"],
        "kept_central": _("what is kept central"),
        "unallocated": _("what has no owner"),
    }.get(other["holder"], other["code"])
    named = {"count": count, "where": where, "rule": part["rule_after"] or part["rule_before"]}
    if part["came"]:
        if part["rule_after"]:
            return _("%(count)s from %(where)s, now by rule %(rule)s") % named
        return _("%(count)s from %(where)s, no longer by rule %(rule)s") % named
    if part["rule_after"]:
        return _("%(count)s to %(where)s, now by rule %(rule)s") % named
    return _("%(count)s to %(where)s, no longer by rule %(rule)s") % named


def mistakes(error: ApportionError) -> list[Mistake]:
    """What is wrong, each with its place."""
    if isinstance(error, DocumentError):
        return list(error.mistakes)
    from apportion.errors import Place

    return [Mistake(error.code, error.sentence, error.place or Place(), error.advice)]


def lines(text: str, wrong: Iterable[int] = (), old: str | None = None) -> list[tuple[int, str, bool, bool]]:
    """A text line by line: number, text, whether it is wrong, and whether the old text has no such line."""
    bad = set(wrong)
    before = set(old.splitlines()) if old is not None else None
    return [
        (number, line, number in bad, before is not None and bool(line.strip()) and line not in before)
        for number, line in enumerate(text.splitlines(), start=1)
    ]
