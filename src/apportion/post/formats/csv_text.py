"""The journal as a machine file: CSV beside a control file that proves it arrived whole.

RFC 4180 in UTF-8 without byte order mark: comma, CRLF, one header, quotes where needed. Codes are text with their
zeros, days are ISO 8601, amounts have a point and the currency's decimals. A machine file takes no apostrophes:
text that a spreadsheet would run as a formula is refused (OWASP ASVS 1.2.10, CWE-1236). Statistical quantities are a
file of their own, so that nobody loads them as money.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any

from apportion.errors import BadValueError, Place
from apportion.ledger.account import Dimensions
from apportion.ledger.entry import Entry, EntryKind, Posting
from apportion.ledger.local import Local
from apportion.ledger.statistical import StatisticalEntry, StatisticalLine
from apportion.money.currency import minor_text
from apportion.periods import BillingPeriod
from apportion.post.control import control_text
from apportion.post.formats.reading import minor, refusing
from apportion.post.journal import Journal

COLUMNS = (
    "journal entry line period document_date posting_date company account cost_center department partner currency "
    "amount text ref entry_text reverses kind belongs_to tax_code local_currency local_amount rate inverted rate_on "
    "rate_source"
).split()
STATISTICAL_COLUMNS = (
    "journal entry line period document_date posting_date company account cost_center department unit quantity text "
    "ref entry_text reverses"
).split()
DIMENSION = "dimension."  # what the column of a company's own dimension begins with

_NUMBERS = {"amount", "local_amount", "quantity"}
_STARTS_A_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class MachineFile:
    """The lines, the control file that goes with them, and the statistical lines, empty where there are none."""

    lines: str
    control: str
    statistical: str = ""


def render(journal: Journal) -> MachineFile:
    """All texts. Raises `BadValueError`, with row and column, for text that begins like a formula."""
    names = sorted({name for entry in journal.entries for each in entry.postings for name, _ in each.dimensions})
    lines = _table([*COLUMNS, *(DIMENSION + name for name in names)], _rows(journal, names))
    statistical = ""
    if journal.statistical:
        names = sorted({name for entry in journal.statistical for each in entry.lines for name, _ in each.dimensions})
        columns = [*STATISTICAL_COLUMNS, *(DIMENSION + name for name in names)]
        statistical = _table(columns, _statistical_rows(journal, names))
    files = dict(zip(file_names(journal.period), (lines, statistical), strict=True))
    return MachineFile(
        lines,
        control_text(journal, {name: text.encode("utf-8") for name, text in files.items() if text}),
        statistical,
    )


def file_names(period: BillingPeriod) -> tuple[str, str]:
    """What the two files are called: lines, and statistical lines."""
    return f"journal-{period}.csv", f"journal-{period}.statistical.csv"


def parse(file: MachineFile) -> Journal:
    """Read what `render` wrote. Raises `BadValueError` for a changed, cut or reordered file."""
    with refusing("a journal file"):
        journal = _journal(file)
    if render(journal) != file:
        raise BadValueError(
            "The journal file and its control file do not belong together, or one of them was changed.",
            advice="Write the journal again.",
        )
    return journal


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for number, cells in enumerate(rows, start=1):
        _refuse_formulas(columns, cells, number)
        writer.writerow(cells)
    return text.getvalue()


def _refuse_formulas(columns: Sequence[str], cells: Sequence[str], row: int) -> None:
    for column, cell in zip(columns, cells, strict=True):
        if cell.startswith(_STARTS_A_FORMULA) and column not in _NUMBERS:
            raise BadValueError(
                f"'{cell}' begins like a spreadsheet formula and cannot stand in a machine file.",
                place=Place(row=row, field=column),
                advice="Change the name or code in the organization file or the settings.",
            )


def _rows(journal: Journal, names: Sequence[str]) -> Iterator[list[str]]:
    for entry in journal.entries:
        for line, posting in enumerate(entry.postings, start=1):
            own = dict(posting.dimensions)
            yield [
                *(journal.id, entry.id, str(line), str(journal.period)),
                *(entry.document_on.isoformat(), entry.posting_on.isoformat()),
                *(posting.company, posting.account, posting.cost_center, posting.department, posting.partner),
                *(posting.currency, minor_text(posting.amount_minor, posting.currency), posting.text, posting.ref),
                *(entry.text, entry.reverses, str(entry.kind), str(entry.belongs_to or ""), posting.tax_code),
                *_local(posting.local),
                *(own.get(name, "") for name in names),
            ]


def _local(local: Local | None) -> list[str]:
    if local is None:
        return [""] * 6
    amount = minor_text(local.amount_minor, local.currency)
    inverted = "true" if local.inverted else "false"
    return [local.currency, amount, local.rate, inverted, local.rate_on.isoformat(), local.source]


def _statistical_rows(journal: Journal, names: Sequence[str]) -> Iterator[list[str]]:
    for entry in journal.statistical:
        for number, line in enumerate(entry.lines, start=1):
            own = dict(line.dimensions)
            yield [
                *(journal.id, entry.id, str(number), str(journal.period)),
                *(entry.document_on.isoformat(), entry.posting_on.isoformat()),
                *(line.company, line.account, line.cost_center, line.department),
                *(line.unit, minor_text(line.quantity_minor, line.unit), line.text, line.ref),
                *(entry.text, entry.reverses),
                *(own.get(name, "") for name in names),
            ]


def _journal(file: MachineFile) -> Journal:
    control = json.loads(file.control)
    period = BillingPeriod.parse(control["period"])
    texts = dict(zip(file_names(period), (file.lines, file.statistical), strict=True))
    for each in control["files"]:
        if sha256(texts[each["file"]].encode("utf-8")).hexdigest() != each["sha256"]:
            raise BadValueError(
                "The journal file is not the one that its control file was written for.",
                advice="Write the journal again.",
            )
    return Journal(
        control["journal"],
        period,
        control["source_hash"],
        tuple(_entry(rows) for rows in _by_entry(file.lines, COLUMNS)),
        tuple(_statistical_entry(rows) for rows in _by_entry(file.statistical, STATISTICAL_COLUMNS)),
    )


def _by_entry(text: str, columns: Sequence[str]) -> Iterator[list[dict[str, str]]]:
    """The lines of each entry in turn, by column."""
    if not text:
        return
    header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    if header[: len(columns)] != columns or not all(name.startswith(DIMENSION) for name in header[len(columns) :]):
        raise BadValueError("The columns are not those of a journal file.", advice="Write the journal again.")
    for _, lines in groupby(rows, key=itemgetter(columns.index("entry"))):
        yield [dict(zip(header, row, strict=True)) for row in lines]


def _entry(lines: Sequence[dict[str, str]]) -> Entry:
    first = lines[0]
    return Entry(
        **_head(first),
        postings=tuple(
            Posting(
                account=line["account"],
                company=line["company"],
                cost_center=line["cost_center"],
                department=line["department"],
                currency=line["currency"],
                amount_minor=minor(line["amount"], line["currency"]),
                text=line["text"],
                ref=line["ref"],
                partner=line["partner"],
                tax_code=line["tax_code"],
                dimensions=_dimensions(line),
                local=_read_local(line),
            )
            for line in lines
        ),
        kind=EntryKind(first["kind"]),
        belongs_to=BillingPeriod.parse(first["belongs_to"]) if first["belongs_to"] else None,
    )


def _head(first: dict[str, str]) -> dict[str, Any]:
    return {
        "id": first["entry"],
        "document_on": date.fromisoformat(first["document_date"]),
        "posting_on": date.fromisoformat(first["posting_date"]),
        "text": first["entry_text"],
        "reverses": first["reverses"],
    }


def _read_local(line: dict[str, str]) -> Local | None:
    if not line["local_currency"]:
        return None
    return Local(
        currency=line["local_currency"],
        amount_minor=minor(line["local_amount"], line["local_currency"]),
        rate=line["rate"],
        rate_on=date.fromisoformat(line["rate_on"]),
        source=line["rate_source"],
        inverted=line["inverted"] == "true",
    )


def _statistical_entry(lines: Sequence[dict[str, str]]) -> StatisticalEntry:
    return StatisticalEntry(
        **_head(lines[0]),
        lines=tuple(
            StatisticalLine(
                account=line["account"],
                company=line["company"],
                cost_center=line["cost_center"],
                department=line["department"],
                unit=line["unit"],
                quantity_minor=minor(line["quantity"], line["unit"]),
                text=line["text"],
                ref=line["ref"],
                dimensions=_dimensions(line),
            )
            for line in lines
        ),
    )


def _dimensions(line: dict[str, str]) -> Dimensions:
    found = ((name, code) for name, code in line.items() if name.startswith(DIMENSION) and code)
    return tuple((name.removeprefix(DIMENSION), code) for name, code in found)
