"""What a policy may look at: FOCUS columns by their Column ID, ``x_`` columns, tags as ``tags.KEY``, and usage."""

from __future__ import annotations

from collections.abc import Iterable

from apportion.allocate.rule import Field
from apportion.focus.columns import COST_AND_USAGE, DATASETS, VALUES, DataType
from apportion.yamlfile import Refusal, refuse, suggestion

TAG = "tags."

COLUMNS = DATASETS[COST_AND_USAGE]

_WORDS = ("all", "any", "not")
# Columns whose every value FOCUS fixes and which loading insists on: another value could never be met.
_FIXED = ("ChargeCategory", "ChargeClass", "CommitmentDiscountStatus")
_ON_INSTANTS = frozenset(("from", "until", "exists"))


def field_of(key: str) -> Field:
    """The field that a checked key of a condition names."""
    return Field(key.removeprefix(TAG), is_tag=True) if key.startswith(TAG) else Field(key)


def check_key(key: str) -> str:
    """A key of a condition: ``tags.KEY`` or a column. Refuses what is neither, with the name it resembles."""
    if key.startswith(TAG):
        if key == TAG:
            raise refuse(
                "UNKNOWN_COLUMN", "After 'tags.' the key of the tag is missing.", "Write for example tags.team."
            )
        return key
    if key.casefold().startswith(TAG):
        raise refuse("UNKNOWN_COLUMN", f"'{key}' is no column.", f"Did you mean '{TAG}{key[len(TAG) :]}'?")
    return check_column(key, _WORDS)


def check_column(name: str, words: Iterable[str] = ()) -> str:
    """A FOCUS column of any version, or one that begins with ``x_``."""
    if name in COLUMNS or (name.startswith("x_") and len(name) > 2):
        return name
    advice = suggestion(name, [*COLUMNS, *words])
    raise refuse(
        "UNKNOWN_COLUMN",
        f"'{name}' is no FOCUS column.",
        advice or "Columns of your own begin with x_, and a tag is written tags.KEY.",
    )


def check_followed(name: str) -> str:
    """A column or tag by whose values charges can be told to belong together."""
    check_key(name)
    if name in ("Tags", "AllocatedTags") or (name in COLUMNS and COLUMNS[name].type == DataType.DECIMAL):
        advice = "Name what it shares with them, such as ResourceId, SubAccountId or ServiceName."
        raise refuse("MISFIT", f"'{name}' does not tell which charges one belongs to.", advice)
    return name


def check_usage_key(name: str) -> str:
    """``consumer``, ``metric`` or a dimension of usage: any name but those of the columns that are neither."""
    if not name.strip():
        raise refuse("UNKNOWN_COLUMN", "The name is empty.", "Write consumer, metric, or the name of a dimension.")
    if name.casefold() in ("consumer", "metric") and name not in ("consumer", "metric"):
        raise refuse("UNKNOWN_COLUMN", f"'{name}' is no dimension of usage.", f"Did you mean '{name.casefold()}'?")
    if name.casefold() in ("period", "value"):
        sentence = f"'{name}' is no dimension of usage: a rule cannot look at it."
        raise refuse("UNKNOWN_COLUMN", sentence, "It can look at consumer, metric, and the names of dimensions.")
    return name


def misfits(key: str, tests: Iterable[str]) -> list[Refusal]:
    """The tests that ask for something which the column cannot hold; each refused at its place."""
    found = []
    for test in tests:
        sentence, advice = _misfit(key, test)
        if sentence:
            found.append(Refusal("MISFIT", sentence, advice, (key, test)))
    return found


def _misfit(key: str, test: str) -> tuple[str, str]:
    if test == "exists" or key.startswith("x_"):
        return "", ""
    if key.startswith(TAG):
        return ("A tag is a text: it has no dates to compare.", "") if test in ("from", "until") else ("", "")
    kind = COLUMNS[key].type
    if kind == DataType.INSTANT:
        if test in _ON_INSTANTS:
            return "", ""
        return f"'{key}' is an instant, not a text.", "Write {from: 2026-01-01, until: 2026-02-01}."
    if test in ("from", "until"):
        return f"'{key}' is no instant: 'from' and 'until' go with columns such as ChargePeriodStart.", ""
    if kind == DataType.DECIMAL:
        return (
            f"'{key}' is a number: rules compare texts and instants only.",
            "Ask for {exists: true}, or another column.",
        )
    if key in ("Tags", "AllocatedTags"):
        return f"'{key}' holds all tags at once.", "Ask for one of them: tags.KEY."
    return "", ""


def strange_values(key: str, values: str | tuple[str, ...], at: tuple[str, ...], *, fold: bool) -> list[Refusal]:
    """Values that the column cannot hold; `at` is the path from the condition to what is compared."""
    if key not in _FIXED:
        return []
    allowed = VALUES[key]
    known = {value.casefold() for value in allowed} if fold else set(allowed)
    each = [((), values)] if isinstance(values, str) else [((place,), value) for place, value in enumerate(values)]
    return [
        Refusal(
            "STRANGE_VALUE",
            f"'{key}' is never '{value}'.",
            suggestion(value, allowed) or f"It can be {', '.join(allowed)}.",
            (*at, *place),
        )
        for place, value in each
        if (value.casefold() if fold else value) not in known
    ]
