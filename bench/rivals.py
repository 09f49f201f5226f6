"""What a user would otherwise write: one SQL statement with a CASE of all rules, and a Polars script.

Both read the same policy, and neither shares code with the library, so that equal totals prove something.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apportion.allocate.rule import And, Condition, Equals, Field, Glob, Matches, Or, Prefix, Rule

if TYPE_CHECKING:
    import polars as pl

Totals = dict[int, tuple[int, Decimal]]
"""Rows and billed cost by the place of the rule that met them; one past the last: no rule did."""

_GROUPS = ("InvoiceIssuerName", "InvoiceId", "BillingCurrency", "ServiceName", "ChargeCategory")


def case_statement(rules: Sequence[Rule], paths: Sequence[Path], *, exact: bool) -> str:
    """Classification and aggregation as one SQL statement; `exact` adds decimals instead of doubles."""
    cases = " ".join(f"WHEN {_sql_rule(rule)} THEN {place}" for place, rule in enumerate(rules))
    cost = "BilledCost::VARCHAR::DECIMAL(38,18)" if exact else "BilledCost"
    files = ", ".join(f"'{path}'" for path in paths)
    return (
        f"SELECT CASE {cases} ELSE {len(rules)} END AS outcome, {', '.join(_GROUPS)}, "
        f"count(*) AS charges, sum({cost}) AS cost FROM read_parquet([{files}]) GROUP BY ALL"
    )


def polars_query(rules: Sequence[Rule], paths: Sequence[Path], *, exact: bool) -> pl.LazyFrame:
    """The same as a lazy Polars frame, to be collected by the streaming engine."""
    import polars as pl

    if not rules:
        raise ValueError("a policy has rules")
    chain: Any = pl
    for place, rule in enumerate(rules):
        chain = chain.when(_polars_rule(rule)).then(pl.lit(place, pl.Int32))
    cost = pl.col("BilledCost")
    if exact:
        cost = cost.cast(pl.String).str.to_decimal(scale=18)
    return (
        pl.scan_parquet(list(paths))
        .with_columns(outcome=chain.otherwise(pl.lit(len(rules), pl.Int32)))
        .group_by("outcome", *_GROUPS)
        .agg(charges=pl.len(), cost=cost.sum())
    )


def totals(rows: Sequence[tuple[Any, ...]]) -> Totals:
    """The rows of either query, (outcome, groups…, charges, cost), added up by outcome."""
    found: Totals = {}
    for outcome, *_, charges, cost in rows:
        before = found.get(outcome, (0, Decimal(0)))
        found[outcome] = (before[0] + charges, before[1] + Decimal(str(cost)))
    return found


# SQL, as a user writes it.


def _sql_rule(rule: Rule) -> str:
    if rule.when is None:
        raise ValueError(f"{rule.id} has no condition")
    dates = [f"ChargePeriodStart >= '{rule.valid_from}'"] if rule.valid_from else []
    dates += [f"ChargePeriodStart < '{rule.valid_until}'"] if rule.valid_until else []
    return " AND ".join([_sql(rule.when), *dates])


def _sql(condition: Condition) -> str:
    match condition:
        case And(parts):
            return "(" + " AND ".join(_sql(part) for part in parts) + ")"
        case Or(parts):
            return "(" + " OR ".join(_sql(part) for part in parts) + ")"
        case Equals(field, values, _):
            shown = ", ".join(_quoted(value) for value in values)
            return f"{_sql_field(field)} IN ({shown})"
        case Prefix(field, values):
            tests = (f"starts_with({_sql_field(field)}, {_quoted(value)})" for value in values)
            return "(" + " OR ".join(tests) + ")"
        case Glob(field, pattern):
            return f"{_sql_field(field)} GLOB {_quoted(pattern)}"
        case Matches(field, pattern):
            return f"regexp_matches({_sql_field(field)}, {_quoted(pattern)})"
    raise ValueError(f"{condition} is not in these policies")


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _sql_field(field: Field) -> str:
    return f"Tags['{field.name}']" if field.is_tag else field.name


# Polars.


def _polars_rule(rule: Rule) -> pl.Expr:
    import polars as pl

    if rule.when is None:
        raise ValueError(f"{rule.id} has no condition")
    test = _polars(rule.when)
    if rule.valid_from:
        test &= pl.col("ChargePeriodStart") >= pl.lit(rule.valid_from).cast(pl.Datetime("us"))
    if rule.valid_until:
        test &= pl.col("ChargePeriodStart") < pl.lit(rule.valid_until).cast(pl.Datetime("us"))
    return test


def _polars(condition: Condition) -> pl.Expr:
    match condition:
        case And(parts):
            return _all_of([_polars(part) for part in parts], lambda one, other: one & other)
        case Or(parts):
            return _all_of([_polars(part) for part in parts], lambda one, other: one | other)
        case Equals(field, values, _):
            return _polars_field(field).is_in(list(values))
        case Prefix(field, values):
            tests = [_polars_field(field).str.starts_with(value) for value in values]
            return _all_of(tests, lambda one, other: one | other)
        case Glob(field, pattern):
            regex = ".*".join(re.escape(part) for part in pattern.split("*"))
            return _polars_field(field).str.contains(f"^{regex}$")
        case Matches(field, pattern):
            return _polars_field(field).str.contains(pattern)
    raise ValueError(f"{condition} is not in these policies")


def _all_of(tests: Sequence[pl.Expr], join: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> pl.Expr:
    found = tests[0]
    for test in tests[1:]:
        found = join(found, test)
    return found


def _polars_field(field: Field) -> pl.Expr:
    import polars as pl

    if not field.is_tag:
        return pl.col(field.name)
    tags: Any = pl.col("Tags")
    value: pl.Expr = tags.map.get(field.name)
    return value
