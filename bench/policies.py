"""Policies of any number of rules for the generated bills, and the organization they charge.

The same values of the world are dealt to few rules or to many, so that policies of different size meet about the same
rows: what differs is the number of rules. 35 % of the rules name sub accounts, 40 % one or two tags, 20 % a service
with an account, or with a region and a tag, 5 % are patterns of names; 10 % begin or end inside the month.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any, TypeVar

import yaml

from apportion.allocate.basis import Cost, Even, Fixed
from apportion.allocate.policy import CostBasis, NegativeBasis, Policy, Pool, Recipients
from apportion.allocate.rule import (
    And,
    Condition,
    Equals,
    Field,
    Glob,
    Holder,
    Matches,
    Or,
    Prefix,
    Rule,
    Target,
)
from apportion.organization.cost_group import CostGroup, Organization
from bench.data import PERIOD
from bench.world import ENVIRONMENTS, ROLES, world

COMPANIES, DIVISIONS, GROUPS, POOLS = 2, 15, 10, 60
LEAVES = tuple(
    f"c{company}-d{division:02d}-g{group}"
    for company in range(COMPANIES)
    for division in range(DIVISIONS)
    for group in range(GROUPS)
)
_ACCOUNT, _SERVICE, _REGION, _NAME = (
    Field(name) for name in ("SubAccountId", "ServiceName", "RegionId", "ResourceName")
)
_APP, _ENV, _TEAM, _COST_CENTER = (Field(key, is_tag=True) for key in ("app", "env", "team", "cost_center"))
_Value = TypeVar("_Value")
_DAYS = tuple(date(PERIOD.year, PERIOD.month, day) for day in (8, 15, 22))


@cache
def policy(rules: int, *, variant: int = 0) -> Policy:
    """A policy of so many rules (20 or more). Variants have the same conditions in another order, for other targets."""
    chance = random.Random(rules * 1_000 + variant)
    conditions = sorted(_conditions(rules), key=lambda _: chance.random())
    pools = _pools(min(POOLS, len(conditions) // 5))
    made = Policy(
        name=f"{len(conditions)} rules, variant {variant}",
        cost_basis=CostBasis.BILLED,
        rules=tuple(_rule(place, condition, len(pools), variant) for place, condition in enumerate(conditions)),
        pools=pools,
        digest="",
    )
    return replace(made, digest=hashlib.sha256(policy_text(made).encode()).hexdigest())


def organization() -> Organization:
    """300 cost groups in 30 divisions of two companies."""
    groups = []
    for company in range(COMPANIES):
        groups.append(CostGroup(f"c{company}", f"Company {company}"))
        for division in range(DIVISIONS):
            above = f"c{company}-d{division:02d}"
            groups.append(CostGroup(above, f"Division {division}", f"c{company}"))
            groups += [CostGroup(f"{above}-g{group}", f"Group {group}", above) for group in range(GROUPS)]
    return Organization(tuple(groups), hashlib.sha256(repr(groups).encode()).hexdigest())


def _conditions(rules: int) -> list[Condition]:
    """The conditions of a policy, kind by kind."""
    known = world()
    others = [
        *_joined((_APP, [app.name for app in known.apps[::2]]), rules=rules // 10),
        *_joined((_COST_CENTER, [f"cc{number}" for number in range(300) if number % 3 < 2]), rules=rules // 10),
        *_joined((_ENV, ENVIRONMENTS), (_TEAM, [f"team{number}" for number in range(100)]), rules=rules // 5),
        *_of_services(rules // 10),
        *_of_accounts_and_services(rules // 10),
        *_patterns(rules // 20),
    ]
    accounts = [place for app in known.apps if int(app.name[3:]) % 5 < 3 for place in app.accounts]
    ids = [known.accounts[place].id for place in accounts[:1_050]]
    return others + _joined((_ACCOUNT, ids), rules=rules - len(others))


def _joined(*axes: tuple[Field, Sequence[str]], rules: int) -> list[Condition]:
    """So many conditions, or a few less, that hold all combinations of the axes' values between them."""
    found: list[tuple[Condition, ...]] = [()]
    for field, values in axes:
        parts = max(1, min(len(values), rules // len(found)))
        chunks = [values[part * len(values) // parts : (part + 1) * len(values) // parts] for part in range(parts)]
        found = [(*others, Equals(field, tuple(chunk))) for others in found for chunk in chunks]
    return [And(parts) if len(parts) > 1 else parts[0] for parts in found[:rules]]


def _of_services(rules: int) -> list[Condition]:
    first, second, _ = world().providers
    most = rules * 3 // 5
    return [
        *_joined((_SERVICE, first.services[4:10]), (_REGION, first.regions[:5]), (_ENV, ENVIRONMENTS), rules=most),
        *_joined(
            (_SERVICE, second.services[2:6]), (_REGION, second.regions[:5]), (_ENV, ENVIRONMENTS), rules=rules - most
        ),
    ]


def _of_accounts_and_services(rules: int) -> list[Condition]:
    known = world()
    apps = [app for app in known.apps if int(app.name[3:]) % 5 == 4][: min(10, rules)]
    return [
        condition
        for app in apps
        for condition in _joined(
            (_SERVICE, app.services[:10]),
            (_ACCOUNT, [known.accounts[place].id for place in app.accounts[:2]]),
            rules=rules // len(apps),
        )
    ]


def _patterns(rules: int) -> list[Condition]:
    """Beginnings of names mostly; of 25, two globs and two regular expressions, half of them beside a tag."""
    names = [app.name for app in world().apps if int(app.name[3:]) % 5 == 3]
    beginnings = [f"{name}-{role}-" for name in names[:21] for role in ROLES]
    globs = [Glob(_NAME, f"{name}-*7") for name in names[21:29]]
    regexes = [Matches(_NAME, f"^{name}-(db|batch)-.*[05]$") for name in names[29:37]]
    few = max(1, rules * 2 // 25) if rules > 2 else 0
    return [
        *(Prefix(_NAME, tuple(chunk)) for chunk in _chunks(beginnings, rules - 2 * few)),
        *(_any(chunk) for chunk in _chunks(globs, few)),
        *(
            And((Equals(_ENV, ENVIRONMENTS[:1]), _any(chunk))) if place % 2 else _any(chunk)
            for place, chunk in enumerate(_chunks(regexes, few))
        ),
    ]


def _any(parts: Sequence[Condition]) -> Condition:
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def _chunks(values: Sequence[_Value], count: int) -> Iterator[Sequence[_Value]]:
    count = min(count, len(values))
    for part in range(count):
        yield values[part * len(values) // count : (part + 1) * len(values) // count]


def _rule(place: int, condition: Condition, pools: int, variant: int) -> Rule:
    if place % 5 == 4:
        target = Target(Holder.POOL, f"pool-{(place // 5 + variant) % pools:02d}")
    else:
        target = Target(Holder.COST_GROUP, LEAVES[((place - place // 5) * 7 + variant) % len(LEAVES)])
    day = _DAYS[place // 10 % len(_DAYS)]
    starts, ends = place % 20 == 0, place % 20 == 10
    return Rule(f"rule-{place}", f"Rule {place}", condition, target, day if starts else None, day if ends else None)


def _pools(count: int) -> tuple[Pool, ...]:
    """Pools in proportion to direct cost, even ones, and some that pass a part on to the pool after them."""
    return tuple(_pool(place, count) for place in range(count))


def _pool(place: int, count: int) -> Pool:
    name, title = f"pool-{place:02d}", f"Pool {place}"
    division = f"c{place % COMPANIES}-d{place % DIVISIONS:02d}"
    if place % 4 == 1:
        return Pool(name, title, Even(), Recipients(under=(division,)))
    if place % 4 == 2:
        last = f"pool-{place + 1:02d}" if place + 1 < count else f"{division}-g8"
        return Pool(name, title, Fixed((*((f"{division}-g{group}", 1) for group in range(8)), (last, 2))))
    under = ("c0", "c1") if place % 4 == 0 else (f"c{place % COMPANIES}",)
    return Pool(name, title, Cost(), Recipients(under=under), negative_basis=NegativeBasis.ZERO)


# As the files that a workspace holds.

# Written out in each place where it stands: the library's files take no anchors.
_DUMPER: Any = type("_Dumper", (getattr(yaml, "CSafeDumper", yaml.SafeDumper),), {"ignore_aliases": lambda *_: True})


def policy_text(made: Policy) -> str:
    """The policy file."""
    return _yaml(
        {
            "policy": made.name,
            "cost_basis": str(made.cost_basis),
            "rules": [_rule_document(rule) for rule in made.rules],
            "pools": [_pool_document(pool) for pool in made.pools],
        }
    )


def organization_text(made: Organization) -> str:
    """The organization file."""
    groups = [
        {"code": group.code, "name": group.name}
        | ({"parent": group.parent} if group.parent else {"coding": {"company": group.code, "ledger_account": "6001"}})
        for group in made.versions
    ]
    return _yaml({"groups": groups})


def _yaml(document: dict[str, object]) -> str:
    text: str = yaml.dump(document, Dumper=_DUMPER, sort_keys=False)
    return text


def _rule_document(rule: Rule) -> dict[str, object]:
    if rule.when is None or not isinstance(rule.target, Target):
        raise ValueError(f"{rule.id} is no rule of this module")
    kind = "pool" if rule.target.holder is Holder.POOL else "cost_group"
    dates = {"from": rule.valid_from, "until": rule.valid_until}
    return {"id": rule.id, "when": _when(rule.when), "charge_to": {kind: rule.target.code}} | {
        name: day for name, day in dates.items() if day
    }


def _when(condition: Condition) -> dict[str, object]:
    match condition:
        case And(parts):
            return {name: value for part in parts for name, value in _when(part).items()}
        case Or(parts):
            return {"any": [_when(part) for part in parts]}
        case Equals(field, values, _):
            return {str(field): list(values)}
        case Prefix(field, values):
            return {str(field): {"prefix": list(values)}}
        case Glob(field, pattern):
            return {str(field): {"glob": pattern}}
        case Matches(field, pattern):
            return {str(field): {"matches": pattern}}
    raise ValueError(f"{condition} is no condition of this module")


def _pool_document(pool: Pool) -> dict[str, object]:
    document: dict[str, object] = {"id": pool.id, "name": pool.name}
    if isinstance(pool.basis, Fixed):
        whole = sum(weight for _, weight in pool.basis.shares)
        return document | {"share": {"fixed": {code: f"{weight}/{whole}" for code, weight in pool.basis.shares}}}
    document["share"] = "even" if pool.basis == Even() else "proportional to direct cost"
    document["recipients"] = {"under": list(pool.recipients.under)}
    if pool.negative_basis is NegativeBasis.ZERO:
        document["negative_basis"] = "zero"
    return document
