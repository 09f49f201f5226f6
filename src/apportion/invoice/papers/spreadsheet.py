"""Documents as XLSX: typed cells to calculate with, on four sheets, the same bytes for the same paper and locale.

Numbers are shown in the habits of the reader's spreadsheet; the locale decides about words.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime, time

from apportion.invoice.paper import Paper, PaperLine
from apportion.invoice.papers import content, wording
from apportion.invoice.papers.sheet import Cell, Money, Month, Percent, Sheet, Styles
from apportion.invoice.papers.words import Words, clean, words
from apportion.money.amount import half_even
from apportion.periods import BillingPeriod

_LINE_COLUMNS = (
    ("No.", 6), ("Kind", 14), ("Service", 26), ("Charge category", 15), ("Pool", 22), ("Method", 20), ("Reason", 60),
    ("Provider", 22), ("Provider invoice", 22), ("Billing account", 20), ("Charges", 10), ("Corrects", 11),
    ("Of line", 20), ("Billed currency", 10), ("Billed amount", 16), ("Rate of exchange", 40), ("Currency", 10),
    ("Amount", 16),
)  # fmt: skip


def xlsx(paper: Paper, locale: str = "en") -> bytes:
    """The workbook. Raises `BadValueError` for a locale that does not exist."""
    import xlsxwriter  # type: ignore[import-untyped]  # only here: other formats do without

    said = words(locale)
    file = io.BytesIO()
    book = xlsxwriter.Workbook(
        file,
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    made_on = paper.issued_on or BillingPeriod.parse(paper.period).ends_on
    book.set_properties(
        {
            "title": clean(wording.title(paper, said))[:255],
            "author": clean(paper.company)[:255],
            "created": datetime.combine(made_on, time()),
        }
    )
    styles, foot = Styles(book), f"{paper.label} · {paper.name}"
    _summary(Sheet(book, styles, said.say("Summary"), (26, 40, *[17] * 9), foot), paper, said)
    _lines(Sheet(book, styles, said.say("Lines"), [width for _, width in _LINE_COLUMNS], foot), paper, said)
    _why(Sheet(book, styles, said.say("Why it changed"), (10, 24, 70, 18, 18), foot), paper, said)
    _history(Sheet(book, styles, said.say("History"), (12, 10, 18), foot), paper, said)
    book.close()
    return file.getvalue()


def _summary(sheet: Sheet, paper: Paper, said: Words) -> None:
    sheet.add(paper.company, size=14, bold=True)
    sheet.add(wording.kind(paper, said), size=14)
    if paper.issued_on is None:
        sheet.add(said.say("DRAFT"), size=14, bold=True)
    sheet.skip()
    for name, value in _facts(paper, said):
        if value:
            sheet.add(said.say(name), value)
    sheet.skip()
    sheet.add(
        *map(said.say, ("Currency", "Total", "Direct cost", "Shared cost", "Adjustments")),
        *map(said.say, ("Month before", "Change", "Change in %")),
        *map(said.say, ("Budget", "Against budget", "Against budget in %")),
        bold=True,
    )
    for total in paper.totals:
        currency = total.currency
        sheet.add(
            currency,
            *(
                Money(minor, currency)
                for minor in (total.minor, total.direct_minor, total.shared_minor, total.adjusted_minor)
            ),
            *_compared(content.against_before(paper, currency, total.minor), currency),
            *_compared(content.against_budget(paper, currency, total.minor), currency),
        )


def _facts(paper: Paper, said: Words) -> Iterator[tuple[str, Cell]]:
    yield "Number", paper.label
    yield "About", paper.about
    yield "Reason", paper.note
    yield "Cost group", paper.name
    yield "Path", " › ".join(f"{name} ({code})" for code, name in paper.path)
    yield "Period", said.month(paper.period)
    yield "Issued on", paper.issued_on or said.say("not issued")
    yield "Review until", paper.review_until
    for notice in wording.notices(paper, said):
        yield "", notice
    yield "Finance", paper.owners.finance
    yield "Technical", paper.owners.technical
    yield "Business", paper.owners.business
    yield "Company", paper.coding.company
    yield "Cost center", paper.coding.cost_center
    yield "Department", paper.coding.department
    yield "Ledger account", paper.coding.ledger_account
    yield "Cost basis", wording.basis(paper, said)
    yield "Policy", paper.policy_name
    yield "Policy digest", paper.policy_digest
    yield "Organization digest", paper.organization_digest
    yield "Cost data digest", paper.snapshot_digest
    yield "Run digest", paper.run_digest


def _compared(found: content.Comparison | None, currency: str) -> list[Cell]:
    if found is None:
        return [None, None, None]
    whole = abs(found.before_minor)
    percent = Percent(half_even(found.change_minor * 1000, whole)) if whole else None
    return [Money(found.before_minor, currency), Money(found.change_minor, currency, signed=True), percent]


def _lines(sheet: Sheet, paper: Paper, said: Words) -> None:
    sheet.head([said.say(name) for name, _ in _LINE_COLUMNS])
    for line in paper.lines:
        sheet.add(*_line(line, said))
    sheet.filtered()


def _line(line: PaperLine, said: Words) -> list[Cell]:
    return [
        line.number,
        wording.line_kind(line.kind, said),
        line.service,
        wording.category(line, said),
        line.pool_name or line.pool_id,
        wording.method(line, said),
        line.reason,
        line.invoice_issuer,
        line.invoice_id,
        line.billing_account_id,
        line.rows,
        line.corrects,
        line.of_line,
        line.billed_currency,
        Money(line.billed_minor, line.billed_currency),
        line.rate,
        line.currency,
        Money(line.minor, line.currency),
    ]


def _why(sheet: Sheet, paper: Paper, said: Words) -> None:
    """The parts sum to the change; drivers stand in a column of their own, so that a sum counts nothing twice."""
    sheet.head([said.say(name) for name in ("Currency", "Part", "What it is about", "Amount", "Of which")])
    for change in paper.changes:
        currency = change.currency
        month = said.month(content.month_before(paper.period))
        sheet.add(currency, month, None, Money(change.before_minor, currency), bold=True)
        for part, minor in change.parts:
            name, about = (said.say(text) for text in wording.PARTS[part])
            sheet.add(currency, name, about, Money(minor, currency, signed=True))
            for driver in change.drivers:
                if driver.part is part:
                    sheet.add(currency, name, driver.about, None, Money(driver.minor, currency, signed=True))
        sheet.add(currency, said.month(paper.period), None, Money(change.after_minor, currency), bold=True)


def _history(sheet: Sheet, paper: Paper, said: Words) -> None:
    sheet.head([said.say(name) for name in ("Month", "Currency", "Amount")])
    for month in content.history(paper):
        first_on = BillingPeriod.parse(month.period).starts_on
        sheet.add(Month(first_on), month.currency, Money(month.minor, month.currency))
    sheet.filtered()
