"""The file of budgets: CSV with the columns cost_group, period, currency and amount, one row for each planned amount.

UTF-8, comma or semicolon, the columns in any order; blank lines and lines that begin with ``#`` say nothing. Every
mistake is found in one reading, each with its line and column.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from apportion.budgets.budget import Budget, Budgets
from apportion.errors import DocumentError, InputRefusedError, Mistake, Place
from apportion.money.currency import CODES, exponent
from apportion.periods import BillingPeriod
from apportion.yamlfile import read_bytes, suggestion

COLUMNS = ("cost_group", "period", "currency", "amount")
_MOST_BYTES = 50_000_000  # five thousand cost groups and a hundred months have room in it
_MOST_MISTAKES = 100  # nobody reads on, and looking for the nearest name takes time
_AMOUNT = re.compile(r"(\d{1,15})(?:\.(\d+))?", re.ASCII)
_LINE_ADVICE = f"The columns are {', '.join(COLUMNS)}."


def read(path: Path, cost_groups: Collection[str]) -> Budgets:
    """The budgets in a file. `cost_groups` are all codes that there are on any day.

    Raises `UnreadableFileError`, and `DocumentError` with every mistake: a column, cost group, period, currency or
    amount that cannot be used, or a second amount for the same cost group, period and currency.
    """
    content = read_bytes(path, _MOST_BYTES)
    mistakes: list[Mistake] = []
    found: dict[tuple[str, BillingPeriod, str], tuple[int, Budget]] = {}
    for line, row in _rows(content, str(path), mistakes):
        if len(mistakes) >= _MOST_MISTAKES:
            break
        budget = _budget(row, Place(str(path), line), cost_groups, mistakes)
        if budget is None:
            continue
        key = (budget.cost_group, budget.period, budget.currency)
        if key in found:
            mistakes.append(
                Mistake(
                    "DUPLICATE_BUDGET",
                    f"'{budget.cost_group}' has a second budget in {budget.currency} for {budget.period}; "
                    f"the first is on line {found[key][0]}.",
                    Place(str(path), line),
                    "Keep one of the rows, with the whole amount.",
                )
            )
            continue
        found[key] = line, budget
    if mistakes:
        raise DocumentError(mistakes)
    return Budgets(tuple(sorted(budget for _, budget in found.values())), hashlib.sha256(content).hexdigest())


def _rows(content: bytes, file: str, mistakes: list[Mistake]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Each row with its line, by column."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        mistakes.append(
            Mistake("NOT_UTF8", "The file is not UTF-8 text from here on.", Place(file, line), "Save it as UTF-8.")
        )
        return
    header: list[str] | None = None
    for line, values in _records(text, file, mistakes):
        if header is None:
            header = values
            if not _header_is_good(header, Place(file, line), mistakes):
                return
        elif len(values) != len(header):
            sentence = f"The row has {len(values)} values, the header {len(header)} columns."
            advice = "A value that holds the separator must stand in double quotes."
            mistakes.append(Mistake("BAD_ROW", sentence, Place(file, line), advice))
        else:
            yield line, dict(zip(header, values, strict=True))
    if header is None and not mistakes:
        mistakes.append(Mistake("EMPTY_FILE", "The file of budgets says nothing.", Place(file), _LINE_ADVICE))


def _records(text: str, file: str, mistakes: list[Mistake]) -> Iterator[tuple[int, list[str]]]:
    """Rows that say something, with the line that each begins on."""
    first = next((line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")), "")
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for values in reader:
            if any(value.strip() for value in values) and not values[0].lstrip().startswith("#"):
                yield line, [value.strip() for value in values]
            line = reader.line_num + 1
    except csv.Error as error:
        mistakes.append(
            Mistake(
                "NOT_CSV", f"The file is not CSV: {error}.", Place(file, line), "Look for a quote that is not closed."
            )
        )


def _header_is_good(header: list[str], place: Place, mistakes: list[Mistake]) -> bool:
    before = len(mistakes)
    for name in dict.fromkeys(header):
        where = Place(place.file, place.line, field=name)
        if name not in COLUMNS:
            advice = suggestion(name, COLUMNS) or _LINE_ADVICE
            mistakes.append(Mistake("UNKNOWN_COLUMN", f"There is no column '{name}'.", where, advice))
        elif header.count(name) > 1:
            mistakes.append(Mistake("DUPLICATE_COLUMN", f"The column '{name}' stands twice.", where, "Delete one."))
    mistakes += [
        Mistake("NO_COLUMN", f"The column '{name}' is missing.", place, _LINE_ADVICE)
        for name in COLUMNS
        if name not in header
    ]
    return len(mistakes) == before


def _budget(
    row: Mapping[str, str], place: Place, cost_groups: Collection[str], mistakes: list[Mistake]
) -> Budget | None:
    before = len(mistakes)

    def refuse(field: str, code: str, sentence: str, advice: str) -> None:
        mistakes.append(Mistake(code, sentence, Place(place.file, place.line, field=field), advice))

    group = row["cost_group"]
    if group not in cost_groups:
        near = suggestion(group, cost_groups) or "Write the code of a cost group, as the organization file has it."
        refuse("cost_group", "UNKNOWN_COST_GROUP", f"There is no cost group '{group}'.", near)
    period = None
    try:
        period = BillingPeriod.parse(row["period"])
    except InputRefusedError as error:
        refuse("period", "BAD_PERIOD", error.sentence, error.advice)
    currency, minor = row["currency"], None
    if currency not in CODES:
        sentence = f"'{currency}' is not an ISO 4217 currency."
        refuse("currency", "BAD_CURRENCY", sentence, "Use a code such as USD, EUR or JPY.")
    else:
        minor = _minor(row["amount"], currency)
        if minor is None:
            places = exponent(currency)
            example = "125000." + "0" * places if places else "125000"
            refuse(
                "amount",
                "BAD_AMOUNT",
                f"'{row['amount']}' is not an amount of {currency}.",
                f"Write digits, with a point and up to {places} decimals: {example}."
                if places
                else f"Write digits alone: {currency} has no decimals, as in {example}.",
            )
    if len(mistakes) > before or period is None or minor is None:
        return None
    return Budget(group, period, currency, minor)


def _minor(text: str, currency: str) -> int | None:
    """Minor units of a plain decimal, zeros behind the currency's decimals allowed; None for anything else."""
    found = _AMOUNT.fullmatch(text)
    if not found:
        return None
    places, fraction = exponent(currency), found[2] or ""
    if fraction[places:].strip("0"):
        return None
    return int(found[1] + fraction[:places].ljust(places, "0"))
