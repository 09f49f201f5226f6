"""A policy as YAML, in the forms that a person may write: the opposite of reading it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import yaml

from apportion.allocate.basis import (
    Amount,
    Basis,
    Cost,
    Even,
    Fixed,
    Follow,
    Greater,
    KeptCentral,
    Metered,
    Mix,
    Part,
    Priced,
    Quantity,
    Rate,
    Rest,
    Summed,
    Weight,
)
from apportion.allocate.policy import Cap, Commitment, Limits, Policy, Pool, Recipients, Uplift
from apportion.allocate.rule import (
    KEPT_CENTRAL,
    And,
    Between,
    ByTag,
    Condition,
    Equals,
    Exists,
    Glob,
    Holder,
    Matches,
    Not,
    Or,
    Prefix,
    Rule,
)
from apportion.money.amount import plain


def dumped(policy: Policy) -> str:
    """The policy as YAML; texts are quoted where YAML would take them for something else, dates are not."""
    tables = dict(policy.alias_tables)
    document = {
        "policy": policy.name,
        "cost_basis": str(policy.cost_basis),
        "pool_order": str(policy.pool_order),
        "rules": [_rule(rule, tables) for rule in policy.rules],
        "consumers": [_rule(rule, tables) for rule in policy.consumers],
        "aliases": {name: dict(table) for name, table in policy.alias_tables},
        "pools": [_pool(pool) for pool in policy.pools],
        "commitments": [_commitment(commitment) for commitment in policy.commitments],
        "uplifts": [_uplift(uplift) for uplift in policy.uplifts],
    }
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False)


def _said(**values: object) -> dict[str, Any]:
    """What is not empty."""
    return {key: value for key, value in values.items() if value}


def _rule(rule: Rule, aliases: Mapping[str, object]) -> dict[str, Any]:
    found: dict[str, Any] = {"id": rule.id, "name": rule.name}
    if rule.when is not None:
        found["when"] = _condition(rule.when)
    target = rule.target
    if isinstance(target, ByTag):
        found["charge_to"] = {"tag" if target.field.is_tag else "column": target.field.name, "ignore_case": target.fold}
        if target.aliases:
            found["charge_to"]["aliases"] = next(name for name, table in aliases.items() if table == target.aliases)
    else:
        found["charge_to"] = "kept_central" if target == KEPT_CENTRAL else {str(target.holder): target.code}
    return found | {key: day for key, day in (("from", rule.valid_from), ("until", rule.valid_until)) if day}


def _condition(condition: Condition) -> dict[str, Any]:
    match condition:
        case And(parts):
            return {"all": [_condition(part) for part in parts]}
        case Or(parts):
            return {"any": [_condition(part) for part in parts]}
        case Not(part):
            return {"not": _condition(part)}
    test: dict[str, Any] = {}
    match condition:
        case Equals(_, values, fold):
            test = {"equals": list(values)} | ({"ignore_case": True} if fold else {})
        case Prefix(_, values):
            test = {"prefix": list(values)}
        case Glob(_, pattern):
            test = {"glob": pattern}
        case Matches(_, pattern):
            test = {"matches": pattern}
        case Exists(_):
            test = {"exists": True}
        case Between(_, start, end):
            test = {key: day for key, day in (("from", start), ("until", end)) if day}
    return {str(condition.field): test}


def share(basis: Basis) -> object:
    """A way of sharing."""
    match basis:
        case Even():
            return "even"
        case KeptCentral():
            return "kept_central"
        case Cost(so_far=True):
            return "proportional to cost so far"
        case Cost(_, services, categories, under):
            some = _said(services=list(services), categories=list(categories), under=list(under))
            return {"direct_cost": some} if some else "proportional to direct cost"
        case Fixed(shares):
            whole = sum(weight for _, weight in shares)
            return {"fixed": {code: f"{weight}/{whole}" for code, weight in shares}}
        case Mix(parts):
            return {"mix": [_part(part, parts) for part in parts]}
        case Priced(quantity, prices, currency):
            steps = [
                ({"from": price.valid_from} if price.valid_from else {}) | {"price": _amount((price.price, currency))}
                for price in prices
            ]
            return {"price": {"per": _quantity(quantity), "prices": steps}}
        case Follow(by):
            return {"follow": [list(columns) for columns in by]}
    return _quantity(basis)


def _quantity(quantity: Quantity) -> dict[str, Any]:
    if isinstance(quantity, Greater):
        return {"greater_of": [_meter(meter) for meter in quantity.of]}
    if isinstance(quantity, Summed):
        return {"sum_of": [_meter(meter) | {"times": plain(factor)} for meter, factor in quantity.of]}
    return {"metered": _meter(quantity) if quantity.where or quantity.tiers else quantity.metric}


def _meter(meter: Metered) -> dict[str, Any]:
    tiers = [
        ({} if tier.up_to is None else {"up_to": plain(tier.up_to)}) | {"factor": plain(tier.factor)}
        for tier in meter.tiers
    ]
    where = {name: values[0] if len(values) == 1 else list(values) for name, values in meter.where}
    return {"metric": meter.metric} | _said(where=where, tiers=tiers)


def _part(part: Part, parts: Sequence[Part]) -> dict[str, Any]:
    by = share(part.basis)
    match part.size:
        case Weight(weight):
            return {"share": f"{weight}/{sum(p.size.weight for p in parts if isinstance(p.size, Weight))}", "by": by}
        case Rate(units, currency, quantity):
            return {"rate": _amount((units, currency)), "per": _quantity(quantity), "by": by}
        case Rest():
            return {"share": "rest", "by": by}
        case Amount():
            return {"amount": _amount(part.size), "by": by}


def _amount(amount: tuple[int, str]) -> str:
    return f"{plain(amount[0])} {amount[1]}"


def _percent(part: Fraction) -> str:
    return f"{part * 100}%"


def _limit(limit: Amount | Fraction) -> str:
    return _percent(limit) if isinstance(limit, Fraction) else _amount(limit)


def _recipients(asked: Recipients) -> dict[str, Any]:
    found = _said(
        groups=list(asked.groups),
        under=list(asked.under),
        charged_by=list(asked.charged_by),
        pools=list(asked.pools),
        **{"with": {name: list(values) for name, values in asked.having}, "except": list(asked.excluded)},
    )
    return {"recipients": found} if found else {}


def _pool(pool: Pool) -> dict[str, Any]:
    found: dict[str, Any] = {"id": pool.id, "name": pool.name, "share": share(pool.basis)}
    found |= _said(otherwise=[share(basis) for basis in pool.otherwise]) | _recipients(pool.recipients)
    if pool.limits is not None:
        found["limits"] = _limits(pool.limits)
    if pool.cap is not None:
        found["cap"] = _cap(pool.cap)
    return found | ({"negative_basis": "zero"} if pool.negative_basis == "zero" else {})


def _limits(limits: Limits) -> dict[str, Any]:
    sides = (("at_least", limits.at_least), ("at_most", limits.at_most))
    found: dict[str, Any] = {key: _limit(limit) for key, limit in sides if limit is not None}
    return found | ({"beyond": str(limits.beyond)} if limits.at_most is not None else {})


def _cap(cap: Cap) -> dict[str, Any]:
    rest = "kept_central" if cap.rest.holder is Holder.KEPT_CENTRAL else {str(cap.rest.holder): cap.rest.code}
    return {"most": _amount(cap.most), "rest": rest}


def _commitment(commitment: Commitment) -> dict[str, Any]:
    return {
        "id": commitment.id,
        "name": commitment.name,
        "when": _condition(commitment.eligible),
        "share": str(commitment.method).replace("_", " "),
        "unused": str(commitment.unused),
    } | _said(buyer=commitment.buyer, priority=list(commitment.priority))


def _uplift(uplift: Uplift) -> dict[str, Any]:
    found: dict[str, Any] = {"id": uplift.id, "name": uplift.name} | _recipients(uplift.recipients)
    found |= {} if uplift.percent is None else {"percent": _percent(uplift.percent)}
    return found | ({} if uplift.fixed is None else {"amount": _amount(uplift.fixed)})
