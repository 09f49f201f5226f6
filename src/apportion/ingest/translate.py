"""Delivered columns understood: which FOCUS column each is, what is missing, and what the user gives in its place.

Takes names and engine types as delivered, the user's assumptions and the values of hive folders; gives the columns as
they are to be read, and findings. Never looks at a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from apportion.errors import BadValueError, NotFocusError, Place
from apportion.focus import checks
from apportion.focus.columns import (
    BILLING_PERIOD,
    CONTRACT_COMMITMENT,
    COST_AND_USAGE,
    COSTS,
    DATASETS,
    ESSENTIAL,
    INVOICE_DETAIL,
    DataType,
    Level,
)
from apportion.focus.finding import Example, Finding
from apportion.focus.versions import Recognition, column_id, recognise
from apportion.money.amount import units
from apportion.money.currency import CODES
from apportion.warehouse.intake_translate import translated_type
from apportion.warehouse.record import Dataset
from apportion.warehouse.snapshot import Column

_ESSENTIAL: Mapping[str, tuple[str, ...]] = {
    COST_AND_USAGE: ESSENTIAL,
    CONTRACT_COMMITMENT: ("ContractCommitmentId",),
    INVOICE_DETAIL: ("BilledCost", "BillingCurrency", "BillingPeriodStart", "InvoiceId", "InvoiceIssuerName"),
    BILLING_PERIOD: ("BillingPeriodStart", "BillingPeriodStatus", "InvoiceIssuerName"),
}
_STARTS = {"BillingPeriodStart": "ChargePeriodStart", "ChargePeriodStart": "BillingPeriodStart"}


@dataclass(frozen=True, slots=True)
class Delivered:
    """The columns of one file as it came: names, the names they have in the table that is read, and engine types."""

    file: str
    names: tuple[str, ...]
    physical: tuple[str, ...]
    types: tuple[str, ...]
    is_csv: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """How the columns of one file are read. `made_from` names, for each, the CSV column that it is made from."""

    dataset: Dataset
    version: str
    columns: tuple[Column, ...]
    made_from: tuple[str, ...]
    findings: tuple[Finding, ...]


def assumptions(assume: Mapping[str, str]) -> dict[str, str]:
    """What the user assumes, by FOCUS Column ID where the name is one however it is spelled."""
    return {column_id(name) or name.strip(): value for name, value in assume.items()}


def read_columns(
    delivered: Delivered,
    assume: Mapping[str, str],
    partition: Sequence[tuple[str, str | None]] = (),
    currency: str = "",
) -> Reading:
    """Understand the columns of a file. `assume` is that of `assumptions`, `currency` what charges without one are in.

    Raises `NotFocusError` naming every essential column that is missing, or one to be taken that is not there, and
    `BadValueError` for a value that the column cannot have.
    """
    given = {column_id(name) or name: value for name, value in partition}
    known = {column_id(name) for name in (*delivered.names, *assume, *given)}
    if currency and "BilledCost" in known and "BillingCurrency" not in known:
        assume = {**assume, "BillingCurrency": currency}
    there = {column_id(name) or name for name in delivered.names}
    added = dict.fromkeys(name for name in (*assume, *given) if name not in there)
    recognition = recognise((*delivered.names, *added))
    if recognition is None:
        raise _not_focus(delivered.file, ESSENTIAL, delivered.names)
    _refuse_repeated(delivered.file, recognition)
    columns, made_from = _columns(delivered, recognition)
    findings: list[Finding] = []
    for name, value in assume.items():
        if any(column.name == name for column in columns):
            findings.append(_of_file(checks.ASSUMPTION_UNUSED, delivered.file, name, value))
            continue
        column, origin = _assumed(delivered, name, value, recognition.dataset)
        columns.append(column)
        made_from.append(origin)
        findings.append(_of_file(checks.COLUMN_ASSUMED, delivered.file, name, value))
    for name, folder in given.items():
        if not any(column.name == name for column in columns):
            columns.append(Column(name, constant=None if folder is None else _constant(delivered.file, name, folder)))
            made_from.append("")
    findings += _missing(delivered, recognition, columns)
    return Reading(Dataset(recognition.dataset), recognition.version, tuple(columns), tuple(made_from), tuple(findings))


def _columns(delivered: Delivered, recognition: Recognition) -> tuple[list[Column], list[str]]:
    columns = []
    for place, physical in enumerate(delivered.physical):
        identity = recognition.ids[place]
        kind = translated_type(identity, recognition.dataset) if delivered.is_csv else delivered.types[place]
        columns.append(Column(identity or delivered.names[place] or physical, physical, kind))
    return columns, list(delivered.physical)


def _assumed(delivered: Delivered, name: str, value: str, dataset: str) -> tuple[Column, str]:
    """The column that an assumption makes, and the CSV column behind it (empty for a constant)."""
    if not value.startswith("="):
        return Column(name, constant=_constant(delivered.file, name, value)), ""
    wanted = value[1:].strip()
    places = [place for place, other in enumerate(delivered.names) if other == wanted] or [
        place for place, other in enumerate(delivered.names) if column_id(other) == (column_id(wanted) or wanted)
    ]
    if not places:
        raise NotFocusError(
            f"{name} is to be taken from '{wanted}', and the file has no such column.",
            place=Place(delivered.file),
            advice=f"Its columns are: {_listed(delivered.names)}.",
        )
    physical = delivered.physical[places[0]]
    if not delivered.is_csv:
        return Column(name, physical, delivered.types[places[0]]), ""
    taken = {other.casefold() for other in delivered.physical}
    own = name if name.casefold() not in taken else f"assumed_{name}"
    return Column(name, own, translated_type(name, dataset)), physical


def _constant(file: str, name: str, value: str) -> str:
    """The text of a value that the user or a folder gives, as every query can read it. Raises `BadValueError`."""
    facts = DATASETS[COST_AND_USAGE].get(name)
    wrong = "\0" in value
    if name in COSTS:
        wrong = not _is_number(value)
    elif name == "BillingCurrency":
        wrong = value not in CODES
    elif facts is not None and facts.type is DataType.INSTANT:
        instant = _instant(value)
        if instant is not None:
            return instant.strftime("%Y-%m-%d %H:%M:%S")
        wrong = True
    if wrong:
        raise BadValueError(
            f"'{value}' cannot be the value of {name}.",
            place=Place(file, field=name),
            advice="Give a number, an ISO 4217 code, or a date such as 2026-10-01, as the column needs; "
            "=OTHER takes the value of another column.",
        )
    return value


def _is_number(value: str) -> bool:
    try:
        return abs(units(value)) < 10**38 and "+" not in value
    except ValueError:
        return False


def _instant(value: str) -> datetime | None:
    text = f"{value.strip()}-01" if len(value.strip()) == 7 else value.strip()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def _missing(delivered: Delivered, recognition: Recognition, columns: Sequence[Column]) -> list[Finding]:
    """Findings for columns that FOCUS demands and nobody needs. Raises `NotFocusError` for those that all need."""
    there = {column.name for column in columns}
    is_charges = recognition.dataset == COST_AND_USAGE
    essential = [
        name
        for name in _ESSENTIAL[recognition.dataset]
        if name not in there and not (is_charges and _STARTS.get(name) in there)
    ]
    if essential:
        raise _not_focus(delivered.file, essential, delivered.names)
    missing = set(recognition.missing(Level.MANDATORY)) - there
    findings = [
        _of_file(checks.COLUMN_MISSING, delivered.file, name, "")
        for name in sorted(missing)
        if not (is_charges and name in _STARTS)
    ]
    if is_charges:
        for name, check in (
            ("BillingPeriodStart", checks.BILLING_PERIOD_DERIVED),
            ("ChargePeriodStart", checks.CHARGE_PERIOD_DERIVED),
        ):
            if name not in there:
                findings.append(_of_file(check, delivered.file, name, ""))
    return findings


def _of_file(check: checks.Check, file: str, column: str, value: str) -> Finding:
    """A finding about a file as a whole: no row, and the value if there is one."""
    return check.finding(file=file, column=column, rows=0, examples=[Example(0, value)] if value else [])


def _refuse_repeated(file: str, recognition: Recognition) -> None:
    if recognition.repeated:
        names = ", ".join(recognition.repeated)
        raise NotFocusError(
            f"Several columns could be {names}.",
            place=Place(file),
            advice="Rename all but one, so that one has the name that FOCUS gives it.",
        )


def _not_focus(file: str, missing: Sequence[str], names: Sequence[str]) -> NotFocusError:
    return NotFocusError(
        f"Without {'this column' if len(missing) == 1 else 'these columns'} nothing can be charged: "
        f"{', '.join(missing)}.",
        place=Place(file),
        advice=f"Export them, or say what to assume, for example --assume {_example(missing[0])}. "
        f"The file has: {_listed(names)}.",
    )


def _example(name: str) -> str:
    if name == "BillingCurrency":
        return "BillingCurrency=USD"
    if name in DATASETS[COST_AND_USAGE] and DATASETS[COST_AND_USAGE][name].type is DataType.INSTANT:
        return f"{name}=2026-10-01"
    return f"{name}==OtherColumn" if name in COSTS else f"{name}=Usage" if name == "ChargeCategory" else f"{name}=..."


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:12])
    return f"{shown} and {len(names) - 12} more" if len(names) > 12 else shown or "no columns"
