"""The elements of a policy, each in one line of text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Any

from apportion.allocate.basis import (
    Amount,
    Cost,
    Even,
    Fixed,
    Follow,
    Greater,
    KeptCentral,
    Metered,
    Mix,
    Price,
    Priced,
    Rate,
    Rest,
    Summed,
    Tier,
    Weight,
)
from apportion.allocate.rule import (
    And,
    Between,
    Equals,
    Exists,
    Field,
    Glob,
    Matches,
    Not,
    Or,
    Prefix,
    Target,
)
from apportion.methodology.words import money, part, price, shown, weight
from apportion.money.amount import plain

LABELS: Mapping[str, str] = {
    "name": "name",
    "cost_basis": "cost basis",
    "pool_order": "order of pools",
    "when": "condition",
    "eligible": "condition",
    "target": "goes to",
    "valid_from": "in force from",
    "valid_until": "in force until (not included)",
    "basis": "shared",
    "otherwise": "otherwise shared",
    "recipients": "recipients",
    "limits": "limits",
    "cap": "cap",
    "negative_basis": "a basis below zero",
    "method": "benefit",
    "buyer": "buyer",
    "priority": "order of coverage",
    "unused": "the unused part",
    "percent": "per cent",
    "fixed": "fixed amount",
    "aliases": "spellings",
    "table": "table of spellings",
    "groups": "cost groups",
    "under": "at or below",
    "excluded": "except",
    "having": "with attribute",
    "charged_by": "charged by rules",
    "pools": "pools",
    "at_least": "at least",
    "at_most": "at most",
    "beyond": "beyond the most",
    "most": "most that is shared",
    "rest": "the rest of the pool",
    "so_far": "counts parts of earlier pools",
    "services": "services",
    "categories": "charge categories",
    "field": "named by",
    "fold": "capitals do not matter",
    "shares": "share of",
    "metric": "metric",
    "where": "where",
    "tiers": "tiers",
    "prices": "prices",
    "quantity": "quantity",
    "currency": "currency",
    "parts": "parts",
    "by": "columns that agree",
    "of": "metrics",
    "values": "values",
}


@dataclass(frozen=True, slots=True)
class Tagged:
    """A target that a tag names, with the table of spellings by its name in place of what is in it."""

    field: Field
    table: str
    aliases: tuple[tuple[str, str], ...]
    fold: bool


# Elements that are pairs of a name and what it has: a change of one of them is told by itself.
BY_NAME = frozenset(("shares", "aliases", "having", "where"))


def told(name: str, value: Any) -> str:
    """An element of a policy as text; different values give different texts. Empty for nothing."""
    if value is None or value in ((), ""):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, StrEnum):
        return str(value).replace("_", " ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Target):
        return (
            f"{value.holder} {value.code}".replace("_", " ", 1).strip() if value.code else str(value).replace("_", " ")
        )
    if name in BY_NAME and are_pairs(value):
        return ", ".join(
            f"{quoted(key)} {'→' if name == 'aliases' else ''} {told('values', each)}".replace("  ", " ")
            for key, each in value
        )
    if isinstance(value, Fraction):
        return part(value)
    if isinstance(value, str):
        return quoted(value)
    found = _of_condition(value) or _of_basis(value)
    if found:
        return found
    if isinstance(value, tuple):
        return ", ".join(told(name, each) or "nothing" for each in value)
    return _by_fields(value)


def quoted(text: object) -> str:
    """A text in quotes; codes, ids and plain words without."""
    plain_text = shown(str(text))
    is_code = plain_text.isascii() and plain_text.replace("-", "").replace("_", "").replace(".", "").isalnum()
    return plain_text if is_code else f"“{plain_text}”"


def _by_fields(value: Any) -> str:
    if not is_dataclass(value) or isinstance(value, type):
        return quoted(value)
    texts = [
        f"{LABELS.get(field.name, field.name)} {text}"
        for field in fields(value)
        if (text := told(field.name, getattr(value, field.name)))
    ]
    return "; ".join(texts) or "everybody"


def _of_condition(value: Any) -> str:
    match value:
        case Field(name, is_tag):
            return f"tag {quoted(name)}" if is_tag else quoted(name)
        case Tagged(field, table, aliases, fold):
            named = f"the cost group that {told('field', field)} names"
            named += f", by way of table {quoted(table)}" if table else ""
            named += f", by way of {told('aliases', aliases)}" if aliases else ""
            return named if fold else f"{named}, capitals matter"
        case Equals(field, values, fold):
            return f"{told('field', field)} is {_any_of(values)}{', in capitals or not' if fold else ''}"
        case Prefix(field, values):
            return f"{told('field', field)} begins with {_any_of(values)}"
        case Glob(field, pattern):
            return f"{told('field', field)} fits “{shown(pattern)}”"
        case Matches(field, pattern):
            return f"{told('field', field)} meets the regular expression “{shown(pattern)}”"
        case Exists(field):
            return f"{told('field', field)} is present"
        case Between(field, start, end):
            days = [f"from {start}"] if start else []
            days += [f"before {end}"] if end else []
            return f"{told('field', field)} is {' and '.join(days) or 'a date'}"
        case And(parts):
            return f"all of ({'; '.join(told('when', each) for each in parts)})"
        case Or(parts):
            return f"one of ({'; '.join(told('when', each) for each in parts)})"
        case Not(inner):
            return f"not ({told('when', inner)})"
    return ""


def _any_of(values: tuple[str, ...]) -> str:
    return " or ".join(quoted(value) for value in values) or "nothing"


def _of_basis(value: Any) -> str:
    match value:
        case Even():
            return "even"
        case KeptCentral():
            return "kept central"
        case Fixed(shares):
            total = sum(share for _, share in shares)
            return f"fixed shares: {', '.join(f'{code} {weight(share, total)}' for code, share in shares)}"
        case Cost(so_far):
            only = [
                f"{LABELS[name]} {told(name, getattr(value, name))}"
                for name in ("services", "categories", "under")
                if getattr(value, name)
            ]
            text = "in proportion to cost so far" if so_far else "in proportion to direct cost"
            return f"{text} ({'; '.join(only)})" if only else text
        case Metered(metric, where, tiers):
            notes = [f"where {told('where', where)}"] if where else []
            notes += [f"tiers {told('tiers', tiers)}"] if tiers else []
            return f"by {quoted(metric)}{' (' + '; '.join(notes) + ')' if notes else ''}"
        case Tier(up_to, factor):
            return f"{'up to ' + plain(up_to) if up_to is not None else 'beyond'} × {plain(factor)}"
        case Greater(of):
            return f"by the greatest of ({'; '.join(told('of', each) for each in of)})"
        case Summed(of):
            return f"by the sum of ({'; '.join(plain(factor) + ' × ' + told('of', each) for each, factor in of)})"
        case Priced(quantity, prices, currency):
            listed = ", ".join(_price(each, currency) for each in prices)
            return f"at internal prices {told('quantity', quantity)}: {listed}"
        case Price():
            return _price(value, "")
        case Follow(by):
            return f"following charges with the same {' or else '.join(' and '.join(map(quoted, each)) for each in by)}"
    return _of_size(value)


def _of_size(value: Any) -> str:
    match value:
        case Mix(parts):
            total = sum(each.size.weight for each in parts if isinstance(each.size, Weight))
            return ", ".join(
                f"{weight(each.size.weight, total) if isinstance(each.size, Weight) else told('size', each.size)} "
                f"{told('basis', each.basis)}"
                for each in parts
            )
        case Amount():
            return money(value)
        case Rate(units, currency, quantity):
            return f"{price(units, currency)} for each unit {told('quantity', quantity)},"
        case Rest():
            return "the rest"
    return ""


def _price(each: Price, currency: str) -> str:
    since = f"from {each.valid_from}" if each.valid_from else "from the beginning"
    return f"{since} {price(each.price, currency) if currency else plain(each.price)}"


def are_pairs(value: object) -> bool:
    """Whether a value is made of pairs of a name and what it has."""
    return isinstance(value, tuple) and all(isinstance(each, tuple) and len(each) == 2 for each in value)
