"""Conditions as SQL over the columns of a scan; every one is true or false, never unknown."""

from __future__ import annotations

import re
from collections.abc import Callable

from apportion.warehouse.condition import (
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
)
from apportion.warehouse.duckdb import literal, literals

Name = Callable[[Field], str]


def fields(condition: Condition) -> set[Field]:
    """Every field that the condition looks at."""
    if isinstance(condition, And | Or):
        return {field for part in condition.parts for field in fields(part)}
    if isinstance(condition, Not):
        return fields(condition.part)
    return {condition.field}


def predicate(condition: Condition, name: Name) -> str:
    """SQL for the condition; `name` gives the scan's column for a field."""
    match condition:
        case And(parts):
            return "(" + " AND ".join(predicate(part, name) for part in parts) + ")" if parts else "true"
        case Or(parts):
            return "(" + " OR ".join(predicate(part, name) for part in parts) + ")" if parts else "false"
        case Not(part):
            return f"(NOT {predicate(part, name)})"
        case Exists(field):
            return f"({name(field)} IS NOT NULL)"
        case Equals(field, values, fold):
            shown = f"lower({name(field)})" if fold else name(field)
            wanted = [value.lower() for value in values] if fold else values
            return f"coalesce({shown} IN {literals(wanted)}, false)"
        case Prefix(field, values):
            tests = " OR ".join(f"starts_with({name(field)}, {literal(value)})" for value in values)
            return f"coalesce({tests}, false)"
        case Glob(field, pattern):
            return f"coalesce(regexp_full_match({name(field)}, {literal(_expression(pattern))}), false)"
        case Matches(field, pattern):
            return f"coalesce(regexp_matches({name(field)}, {literal(pattern)}), false)"
        case Between(field, start, end):
            instant = f"TRY_CAST({name(field)} AS TIMESTAMP)"
            since = [f"{instant} >= TIMESTAMP '{start}'"] if start else []
            before = [f"{instant} < TIMESTAMP '{end}'"] if end else []
            return f"coalesce({' AND '.join(since + before) or 'true'}, false)"


def _expression(glob: str) -> str:
    """A glob as a regular expression over characters; the engine's own globs work on bytes.

    A set is taken as it stands, but for backslashes: ``[!...]`` is not known, ``[^...]`` is what it looks like.
    """
    parts = re.findall(r"\[\^?\]?[^\]]*\]|.", glob, re.DOTALL)
    kinds = {"*": ".*", "?": "."}
    shown = (part.replace("\\", "\\\\") if len(part) > 1 else kinds.get(part) or re.escape(part) for part in parts)
    return "(?s)" + "".join(shown)
