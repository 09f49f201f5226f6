"""What a target's ledger has: its accounts, cost centers, dimensions and periods; and the check of a journal by it.

Takes a folder of CSV files, a JSON file, or values that a target's API gave; gives `MasterData` and, for a journal,
every line that the ledger would refuse. What the master data do not speak of is not checked.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from apportion.errors import ApportionError, BadValueError, DocumentError, Mistake, Place, UnreadableFileError
from apportion.money.currency import CODES
from apportion.periods import BillingPeriod

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "accounts": ("company", "account", "opens_on", "closes_on", "currencies", "statistical"),
    "cost_centers": ("company", "cost_center", "opens_on", "closes_on"),
    "dimensions": ("company", "dimension", "code", "opens_on", "closes_on"),
    "periods": ("company", "period", "open"),
}
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "accounts": ("account",),
    "cost_centers": ("cost_center",),
    "dimensions": ("dimension", "code"),
    "periods": ("period", "open"),
}
_FLAGS = {"": False, "false": False, "no": False, "0": False, "true": True, "yes": True, "1": True}

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Open:
    """When something can be posted on: from `opens_on` up to, not including, `closes_on` (None: no end)."""

    opens_on: date | None = None
    closes_on: date | None = None

    def on(self, day: date) -> bool:
        """Is it open on that day?"""
        return (self.opens_on is None or self.opens_on <= day) and (self.closes_on is None or day < self.closes_on)


@dataclass(frozen=True, slots=True)
class AccountData:
    """An account: when it is open, in which currencies (empty: in any), and whether it counts instead of money."""

    open: Open = Open()
    currencies: frozenset[str] = frozenset()
    statistical: bool = False


@dataclass(frozen=True, slots=True)
class MasterData:
    """What the ledger has, by company and code; an empty company stands for every company. None: nothing is known.

    `periods` says of each period that the ledger has whether it is open.
    """

    accounts: Mapping[tuple[str, str], AccountData] | None = None
    cost_centers: Mapping[tuple[str, str], Open] | None = None
    dimensions: Mapping[tuple[str, str, str], Open] | None = None
    periods: Mapping[tuple[str, BillingPeriod], bool] | None = None

    def account(self, company: str, account: str) -> AccountData | None:
        """The account of a company, else that of every company."""
        return _in(self.accounts or {}, (company, account), ("", account))

    def cost_center(self, company: str, code: str) -> Open | None:
        """The cost center of a company, else that of every company."""
        return _in(self.cost_centers or {}, (company, code), ("", code))

    def dimension(self, company: str, name: str, code: str) -> Open | None:
        """The code of a dimension in a company, else that of every company."""
        return _in(self.dimensions or {}, (company, name, code), ("", name, code))

    def is_open(self, company: str, period: BillingPeriod) -> bool | None:
        """Is the period open in the company? None where the ledger has no such period."""
        return _in(self.periods or {}, (company, period), ("", period))


def _in(found: Mapping[Any, V], own: object, shared: object) -> V | None:
    return found[own] if own in found else found.get(shared)


def load(path: Path) -> MasterData:
    """Read a folder of CSV files (``accounts.csv`` and so on), or one JSON file with the same sections.

    Every section may be missing; other columns and keys are left alone. Raises `UnreadableFileError`, and
    `DocumentError` that lists every value that cannot be used, with its file, line and column name.
    """
    if path.is_dir():
        sections = {
            name: rows for name in SECTIONS if (rows := _csv(path / f"{name}.csv", _REQUIRED[name])) is not None
        }
        if not sections:
            raise UnreadableFileError(
                "There are no master data in this folder.",
                place=Place(str(path)),
                advice=f"Put {', '.join(f'{name}.csv' for name in SECTIONS)} there, or some of them.",
            )
        return _made(sections)
    return of_records(_json(path), str(path))


def of_records(data: object, file: str = "") -> MasterData:
    """Master data from plain values, as a target's API gives them: sections of objects with the columns of the files.

    Raises `BadValueError` for another shape and `DocumentError` as `load` does; rows count from 1.
    """
    if not isinstance(data, Mapping) or not all(
        isinstance(data.get(name, []), list) and all(isinstance(row, Mapping) for row in data.get(name, []))
        for name in SECTIONS
    ):
        raise BadValueError(
            "These are no master data of a ledger.",
            place=Place(file),
            advice=f"Write an object with lists named {', '.join(SECTIONS)}, or some of them.",
        )
    return _made(
        {
            name: [
                (Place(file, row=number, field=name), {key: _text(value) for key, value in row.items()})
                for number, row in enumerate(data[name], start=1)
            ]
            for name in SECTIONS
            if name in data
        }
    )


Row = tuple[Place, Mapping[str, str]]


def _csv(path: Path, required: tuple[str, ...]) -> list[Row] | None:
    if not path.is_file():
        return None
    reader = csv.reader(io.StringIO(_read(path), newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise UnreadableFileError(f"This is not CSV: {error}.", place=Place(str(path), reader.line_num)) from error
    missing = [name for name in required if name not in header]
    if missing:
        raise BadValueError(
            f"There is no column {', '.join(missing)}.", place=Place(str(path), 1), advice="Add it to the header."
        )
    for line, row in rows:
        if len(row) != len(header):
            raise BadValueError(
                f"The line has {len(row)} values and the header {len(header)}.", place=Place(str(path), line)
            )
    return [
        (Place(str(path), line), {name: cell.strip() for name, cell in zip(header, row, strict=True)})
        for line, row in rows
    ]


def _json(path: Path) -> object:
    try:
        return json.loads(_read(path), parse_float=str, parse_int=str)
    except json.JSONDecodeError as error:
        raise UnreadableFileError(
            f"This is not JSON: {error.msg}.", place=Place(str(path), error.lineno, error.colno)
        ) from error


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFileError(
            "The master data cannot be read.", place=Place(str(path)), advice="Write them as text in UTF-8."
        ) from error


def _text(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value).strip()


def _made(sections: Mapping[str, list[Row]]) -> MasterData:
    mistakes: list[Mistake] = []

    def read(name: str, keys: Sequence[str], value: Callable[[Mapping[str, str]], V]) -> Any:
        """The rows of a section by their key; what is wrong goes to the mistakes."""
        if name not in sections:
            return None
        found: dict[Any, V] = {}
        for place, row in sections[name]:
            missing = [column for column in _REQUIRED[name] if not row.get(column)]
            if missing:
                mistakes.extend(
                    Mistake("MISSING_VALUE", f"The {column} is missing.", _at(place, column)) for column in missing
                )
                continue
            try:
                at = tuple(_period(row) if key == "period" else row.get(key, "") for key in keys)
                if at in found:
                    said = " ".join(str(part) for part in at if str(part))
                    mistakes.append(Mistake("DUPLICATE_ROW", f"{said} stands here a second time.", place))
                found[at] = value(row)
            except _RefusedCellError as error:
                mistakes.append(Mistake("BAD_VALUE", error.sentence, _at(place, error.column), error.advice))
        return found

    made = MasterData(
        accounts=read("accounts", ("company", "account"), _account),
        cost_centers=read("cost_centers", ("company", "cost_center"), _open),
        dimensions=read("dimensions", ("company", "dimension", "code"), _open),
        periods=read("periods", ("company", "period"), lambda row: _flag(row, "open")),
    )
    if mistakes:
        raise DocumentError(mistakes)
    return made


def _account(row: Mapping[str, str]) -> AccountData:
    return AccountData(_open(row), frozenset(_currencies(row)), _flag(row, "statistical"))


class _RefusedCellError(Exception):
    """A value that cannot be used, and its column."""

    def __init__(self, column: str, sentence: str, advice: str) -> None:
        super().__init__(sentence)
        self.column, self.sentence, self.advice = column, sentence, advice


def _at(place: Place, column: str) -> Place:
    """In a file of several sections the section is said too."""
    return Place(place.file, place.line, None, place.row, f"{place.field}.{column}" if place.field else column)


def _open(row: Mapping[str, str]) -> Open:
    return Open(_day(row, "opens_on"), _day(row, "closes_on"))


def _day(row: Mapping[str, str], column: str) -> date | None:
    text = row.get(column, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise _RefusedCellError(column, f"'{text}' is not a day.", "Write it as YYYY-MM-DD.") from None


def _period(row: Mapping[str, str]) -> BillingPeriod:
    try:
        return BillingPeriod.parse(row.get("period", ""))
    except ApportionError as error:
        raise _RefusedCellError("period", error.sentence, error.advice) from None


def _flag(row: Mapping[str, str], column: str) -> bool:
    text = row.get(column, "")
    try:
        return _FLAGS[text.lower()]
    except KeyError:
        raise _RefusedCellError(column, f"'{text}' is neither true nor false.", "Write true or false.") from None


def _currencies(row: Mapping[str, str]) -> Iterator[str]:
    for code in row.get("currencies", "").replace(",", " ").split():
        if code not in CODES:
            raise _RefusedCellError(
                "currencies", f"'{code}' is not an ISO 4217 currency.", "Write for example EUR USD."
            )
        yield code
