"""The organization file as CSV: one row for each version of a cost group."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from pydantic_core import PydanticCustomError

from apportion.errors import Mistake, Place
from apportion.organization.attribute import check_attribute, check_currency
from apportion.organization.coding import Coding
from apportion.organization.cost_group import CostGroup
from apportion.organization.document import Written, attributes_of
from apportion.organization.ownership import Owners
from apportion.yamlfile.fields import check_code, parse_day, refusals_of, suggestion

COLUMNS = (
    "code", "name", "parent", "company", "cost_center", "department", "ledger_account",
    "finance_owner", "technical_owner", "business_owner", "valid_from", "valid_until", "currency",
)  # fmt: skip

ATTRIBUTE = "attributes."

T = TypeVar("T")


def written_rows(content: bytes, file: str) -> tuple[list[Written], list[Mistake]]:
    """Every version in the order of the rows, and the mistakes of single rows. Comma or semicolon, UTF-8."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return [], [
            Mistake("NOT_UTF8", "The file is not UTF-8 text from here on.", Place(file, line), "Save it as UTF-8.")
        ]
    mistakes: list[Mistake] = []
    rows = _records(text, file, mistakes)
    header = next(rows, None)
    if header is None:
        return [], mistakes
    names = _columns(header[1], Place(file, header[0]), mistakes)
    found: list[Written] = []
    if mistakes:
        return found, mistakes
    for line, values in rows:
        place = Place(file, line)
        if len(values) != len(names):
            sentence = f"The row has {len(values)} values, the header {len(names)} columns."
            advice = "A value that holds the separator must stand in double quotes."
            mistakes.append(Mistake("BAD_ROW", sentence, place, advice))
            continue
        row = _Row(dict(zip(names, (value.strip() for value in values), strict=True)), place, mistakes)
        version = row.version()
        if version is not None:
            found.append(version)
    return found, mistakes


def _records(text: str, file: str, mistakes: list[Mistake]) -> Iterator[tuple[int, list[str]]]:
    """The records that are not blank, each with its first line."""
    first_line = text.lstrip("\r\n").partition("\n")[0]
    delimiter = ";" if first_line.count(";") > first_line.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for record in reader:
            if any(value.strip() for value in record):
                yield line, record
            line = reader.line_num + 1
    except csv.Error as error:
        advice = "Look for a double quote that is not closed."
        mistakes.append(Mistake("BAD_ROW", f"This row is not CSV: {error}.", Place(file, line), advice))


def _columns(header: list[str], place: Place, mistakes: list[Mistake]) -> list[str]:
    names = [_column(name.strip()) for name in header]
    for position, name in enumerate(names):
        here = Place(place.file, place.line, field=name or f"column {position + 1}")
        if name.startswith(ATTRIBUTE):
            _checked(check_attribute, name.removeprefix(ATTRIBUTE), here, mistakes)
        if name not in COLUMNS and not name.startswith(ATTRIBUTE):
            advice = suggestion(name, COLUMNS) or f"It can be {', '.join(COLUMNS)}, or {ATTRIBUTE}NAME."
            mistakes.append(Mistake("UNKNOWN_COLUMN", f"There is no column '{name}' in an organization.", here, advice))
        elif name in names[:position]:
            mistakes.append(Mistake("DUPLICATE_COLUMN", f"The column '{name}' stands twice.", here, "Keep one."))
    if "code" not in names:
        mistakes.append(
            Mistake("MISSING_COLUMN", "The column 'code' is missing.", place, f"Columns: {', '.join(COLUMNS)}.")
        )
    return names


def _column(name: str) -> str:
    """The name of a column, where case does not matter but for what an attribute is called."""
    if name.lower().startswith(ATTRIBUTE):
        return ATTRIBUTE + name[len(ATTRIBUTE) :].strip()
    return name.lower()


def _checked(check: Callable[[str], T], text: str, place: Place, mistakes: list[Mistake]) -> T | None:
    """What a text means; None, and a mistake, where it means nothing."""
    try:
        return check(text)
    except PydanticCustomError as error:
        mistakes += [Mistake(refusal.code, refusal.sentence, place, refusal.advice) for refusal in refusals_of(error)]
        return None


class _Row:
    def __init__(self, values: Mapping[str, str], place: Place, mistakes: list[Mistake]) -> None:
        self._values = values
        self._place = place
        self._mistakes = mistakes

    def version(self) -> Written | None:
        """The row's version; None where its code or its dates cannot be read, which is a mistake."""
        before = len(self._mistakes)
        code = self._read(check_code, "code")
        parent = self._read(check_code, "parent") if self._text("parent") else None
        valid_from, valid_until = (
            self._read(parse_day, name) if self._text(name) else None for name in ("valid_from", "valid_until")
        )
        currency = self._read(check_currency, "currency")
        attributes = {
            name.removeprefix(ATTRIBUTE): value for name, value in self._values.items() if name.startswith(ATTRIBUTE)
        }
        if len(self._mistakes) > before or code is None:
            return None
        group = CostGroup(
            code=code,
            name=self._text("name") or code,
            parent=parent,
            owners=Owners(*(self._text(f"{owner}_owner") for owner in ("finance", "technical", "business"))),
            coding=Coding(*(self._text(name) for name in ("company", "cost_center", "department", "ledger_account"))),
            valid_from=valid_from,
            valid_until=valid_until,
            attributes=attributes_of({}, attributes),
            currency=currency or "",
        )
        ends = "valid_until" if valid_until else "valid_from" if valid_from else "code"
        return Written(group, self._at("code"), self._at("parent"), self._at(ends))

    def _text(self, name: str) -> str:
        return self._values.get(name, "")

    def _at(self, name: str) -> Place:
        return Place(self._place.file, self._place.line, field=name)

    def _read(self, check: Callable[[str], T], name: str) -> T | None:
        return _checked(check, self._text(name), self._at(name), self._mistakes)
