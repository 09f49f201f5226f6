"""Whether a policy means something: every name it uses exists, and every rule and pool can do its work.

Takes a policy and the organization, gives mistakes with the place of the rule or value; never changes either.
What is called a mistake is one for certain; what only looks odd is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from apportion.allocate.commitment_checks import check_commitments
from apportion.allocate.policy import Policy
from apportion.allocate.pool_checks import check_pools
from apportion.allocate.rule import ByTag, Holder, Rule
from apportion.allocate.spots import Listed, Spots
from apportion.allocate.unreachable import covered, never_met
from apportion.errors import Mistake, Place
from apportion.organization.cost_group import Organization
from apportion.organization.life import Life, covers, life_text, lives
from apportion.periods import BillingPeriod
from apportion.yamlfile import in_file_order, suggestion


def check(
    policy: Policy,
    organization: Organization,
    period: BillingPeriod | None = None,
    *,
    today: date | None = None,
) -> tuple[Mistake, ...]:
    """Every mistake in the policy, in the order of its file; nothing where there is none.

    With a `period`, names must be in the tree while rules are in force within it. Without one they must be there
    on `today` (UTC, if not given) and for as long as the dates of a rule say.
    """
    today = today or datetime.now(UTC).date()
    first, after = (period.starts_on, period.ends_on) if period else (today, today + timedelta(days=1))
    tree = organization.during(first, after)
    found = [
        *_doubles(policy, ("rules",)),
        *_doubles(policy, ("consumers",)),
        *_doubles(policy, ("pools", "commitments", "uplifts")),
    ]
    for listed in _RULES:
        found += _targets(policy, listed, organization, (first, after), fixed=period is not None)
        found += _dates(policy, listed)
        found += _reach(policy, listed)
    found += _aliases(policy, organization)
    found += check_pools(policy, organization, tree)
    found += check_commitments(policy, organization, tree)
    return tuple(in_file_order(found))


_RULES: tuple[Listed, ...] = ("rules", "consumers")
_ONE: Mapping[Listed, str] = {
    "rules": "rule",
    "consumers": "consumer rule",
    "pools": "pool",
    "commitments": "commitment",
    "uplifts": "uplift",
}


def _rules(policy: Policy, listed: Listed) -> tuple[Rule, ...]:
    return policy.rules if listed == "rules" else policy.consumers


def _doubles(policy: Policy, lists: Iterable[Listed]) -> Iterator[Mistake]:
    """Entries of one id. Lists that are checked together share theirs: statements name what stands in them."""
    spots = Spots(policy)
    seen: dict[str, tuple[Listed, str, Place]] = {}
    for listed in lists:
        for position, thing in enumerate(getattr(policy, listed)):
            first = seen.get(thing.id.casefold())
            if first is None:
                seen[thing.id.casefold()] = (listed, thing.id, thing.place)
                continue
            other, code, place = first
            where = f" on line {place.line}" if place.line else ""
            alike = "" if code == thing.id else f", where it is written '{code}'"
            sentence = f"The {_ONE[listed]} '{thing.id}' stands a second time; the first is{where}{alike}."
            if other != listed:
                sentence = f"The {_ONE[listed]} '{thing.id}' has the id of the {_ONE[other]}{where}{alike}."
            yield Mistake("DUPLICATE_ID", sentence, spots.at(listed, position, "id"), "Give one of them another id.")


def _targets(
    policy: Policy, listed: Listed, organization: Organization, span: tuple[date, date], *, fixed: bool
) -> Iterator[Mistake]:
    """Cost groups and pools that rules name."""
    spots = Spots(policy)
    pools = {pool.id for pool in policy.pools}
    spans = lives(organization.versions)
    for position, rule in enumerate(_rules(policy, listed)):
        target = rule.target
        if isinstance(target, ByTag):
            continue
        if target.holder is Holder.POOL and target.code not in pools:
            place = spots.at(listed, position, "charge_to", "pool")
            advice = suggestion(target.code, pools)
            if target.code in spans:
                advice = f"It is a cost group: write {{cost_group: {target.code}}}."
            yield Mistake("UNKNOWN_POOL", f"There is no pool '{target.code}'.", place, advice)
        if target.holder is not Holder.COST_GROUP:
            continue
        place = spots.at(listed, position, "charge_to", "cost_group")
        if target.code not in spans:
            advice = suggestion(target.code, spans)
            if target.code in pools:
                advice = f"It is a pool: write {{pool: {target.code}}}."
            yield Mistake("UNKNOWN_COST_GROUP", f"There is no cost group '{target.code}'.", place, advice)
            continue
        needed = _needed(rule, span, fixed=fixed)
        if needed is not None and not covers(spans[target.code], needed):
            sentence = (
                f"The cost group '{target.code}' is in the tree only {life_text(spans[target.code])}, but the rule "
                f"'{rule.id}' is in force {_when(rule, needed, fixed=fixed)}."
            )
            advice = "Give the rule 'from' and 'until' dates, or the cost group a longer life."
            yield Mistake("NOT_IN_FORCE", sentence, place, advice)


def _needed(rule: Rule, span: tuple[date, date], *, fixed: bool) -> Life | None:
    """The days on which the target of the rule has to be in the tree; None where the rule is not in force.

    Within a fixed span the rule's dates cut it. Otherwise they say the days themselves, and a side that they
    leave open ends with the span.
    """
    first, after = span
    start, end = rule.valid_from, rule.valid_until
    if start is not None and end is not None and start >= end:
        return None
    if fixed:
        first, after = max(first, start or first), min(after, end or after)
        return (first, after) if first < after else None
    if start is None:
        start = first if end is None else min(first, end - timedelta(days=1))
    return (start, end or max(after, start + timedelta(days=1)))


def _when(rule: Rule, needed: Life, *, fixed: bool) -> str:
    if not fixed and (rule.valid_from or rule.valid_until):
        return life_text([(rule.valid_from, rule.valid_until)])
    first, after = needed
    one_day = first is not None and after == first + timedelta(days=1)
    return f"on {first}" if one_day else life_text([needed])


def _aliases(policy: Policy, organization: Organization) -> Iterator[Mistake]:
    """Aliases of nobody, and aliases that mean two things where case does not matter."""
    spots = Spots(policy)
    known = organization.codes
    pools = {pool.id for pool in policy.pools}
    rules = (*policy.rules, *policy.consumers)
    folding = {rule.target.aliases for rule in rules if isinstance(rule.target, ByTag) and rule.target.fold}
    for name, table in policy.alias_tables:
        first: dict[str, tuple[str, str]] = {}
        for value, code in table:
            place = spots.alias(name, value)
            if code not in known:
                advice = (
                    "It is a pool, and a tag can only name a cost group." if code in pools else suggestion(code, known)
                )
                yield Mistake("UNKNOWN_COST_GROUP", f"There is no cost group '{code}'.", place, advice)
            other = first.setdefault(value.casefold(), (value, code))
            if table in folding and other[1] != code:
                sentence = (
                    f"'{value}' stands for '{code}', but '{other[0]}' for '{other[1]}', and case does not matter."
                )
                advice = "Write one of them, or ignore_case: false where the table is used."
                yield Mistake("ALIASES_ALIKE", sentence, place, advice)


def _dates(policy: Policy, listed: Listed) -> Iterator[Mistake]:
    spots = Spots(policy)
    for position, rule in enumerate(_rules(policy, listed)):
        if rule.valid_from and rule.valid_until and rule.valid_from >= rule.valid_until:
            sentence = (
                f"The rule '{rule.id}' is never in force: from {rule.valid_from} until before {rule.valid_until}."
            )
            advice = "'until' is the first day on which it is no longer in force."
            yield Mistake("EMPTY_DATES", sentence, spots.at(listed, position, "until"), advice)


def _reach(policy: Policy, listed: Listed) -> Iterator[Mistake]:
    spots, rules = Spots(policy), _rules(policy, listed)
    nothing = "No charge" if listed == "rules" else "No usage"
    for position in never_met(rules):
        rule = rules[position]
        if rule.valid_from and rule.valid_until and rule.valid_from >= rule.valid_until:
            continue
        sentence = f"{nothing} can meet the rule '{rule.id}': what it asks for can never hold at once."
        advice = "Look for two values of one column, or dates that do not meet."
        yield Mistake("NEVER_MET", sentence, spots.at(listed, position, "when"), advice)
    for position, earlier in covered(rules):
        rule, taker = rules[position], rules[earlier]
        where = f" on line {taker.place.line}" if taker.place.line else ""
        sentence = f"{nothing} reaches the rule '{rule.id}': the rule '{taker.id}'{where} takes all of them first."
        advice = "Move it further up, or delete it."
        yield Mistake("UNREACHABLE_RULE", sentence, spots.at(listed, position), advice)
