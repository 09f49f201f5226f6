"""Documents as CSV for other programs: one row a line, the same columns for ever, nothing by locale.

RFC 4180: comma, CRLF, a header, quotes where needed; UTF-8. Amounts are plain decimals with the decimals of their
currency, days are ISO 8601. People open such files too, so text that a spreadsheet would run as a formula gets an
apostrophe in front (OWASP ASVS 1.2.10, CWE-1236); amounts never do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from apportion.invoice.paper import Paper, PaperLine
from apportion.invoice.render.csv_text import guarded, table
from apportion.money.currency import minor_text

COLUMNS = (
    "document kind about statement company holder cost_group name period issued_on review_until "
    "line line_kind service charge_category pool pool_name method reason "
    "invoice_issuer invoice_id billing_account_id charges corrects of_line "
    "billed_currency billed_amount rate currency amount "
    "coding_company cost_center department ledger_account cost_basis policy policy_digest run_digest"
).split()


def csv(papers: Paper | Sequence[Paper]) -> bytes:
    """The lines of one document, or of several below each other."""
    several = [papers] if isinstance(papers, Paper) else papers
    rows = (row for paper in several for row in _rows(paper))
    return table(COLUMNS, rows).encode("utf-8", "replace")


def _rows(paper: Paper) -> Iterator[list[str]]:
    coding = paper.coding
    before = [
        *map(guarded, (paper.label, paper.kind, paper.about, paper.statement, paper.company, paper.holder)),
        *map(guarded, (paper.code, paper.name, paper.period)),
        _day(paper.issued_on),
        _day(paper.review_until),
    ]
    codes = (coding.company, coding.cost_center, coding.department, coding.ledger_account)
    after = [*map(guarded, (*codes, paper.cost_basis, paper.policy_name, paper.policy_digest, paper.run_digest))]
    for line in paper.lines:
        yield [*before, *_line(line), *after]


def _line(line: PaperLine) -> list[str]:
    return [
        str(line.number),
        line.kind,
        *map(guarded, (line.service, line.charge_category, line.pool_id, line.pool_name, line.method, line.reason)),
        *map(guarded, (line.invoice_issuer, line.invoice_id, line.billing_account_id)),
        str(line.rows),
        *map(guarded, (line.corrects, line.of_line)),
        line.billed_currency,
        minor_text(line.billed_minor, line.billed_currency),
        guarded(line.rate),
        line.currency,
        minor_text(line.minor, line.currency),
    ]


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
