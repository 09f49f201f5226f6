"""A statement as CSV for people and their spreadsheets: one row a line.

RFC 4180: comma, CRLF, a header, quotes where needed; UTF-8. This is a file for people, so text that a spreadsheet
would run as a formula gets an apostrophe in front (OWASP ASVS 1.2.10, CWE-1236). Amounts are written as they are,
negative ones too.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from apportion.invoice.rates import rate_dates, rate_source
from apportion.invoice.statement import Charged, Statement
from apportion.money.amount import plain
from apportion.money.currency import minor_text
from apportion.money.exchange import exact_text

COLUMNS = (
    "statement period holder cost_group name line kind invoice_issuer invoice_id billing_account_id service "
    "charge_category corrects pool pool_name reason currency amount exact_amount "
    "charged_currency charged_amount rate rate_dates rate_source"
).split()

_STARTS_A_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "\0")


def render(statement: Statement) -> str:
    """The lines of a statement. `amount` is settled, `exact_amount` exact to 10⁻¹⁸; the last columns are empty where a
    line is charged in its own currency.
    """
    return table(
        COLUMNS,
        (
            [
                *map(
                    guarded,
                    (
                        str(statement.number),
                        str(statement.period),
                        str(statement.holder.holder),
                        statement.holder.code,
                        statement.name,
                        str(line.number),
                        str(line.kind),
                        line.scope.invoice_issuer,
                        line.scope.invoice_id,
                        line.scope.billing_account_id,
                        line.service,
                        line.charge_category,
                        line.corrects,
                        line.pool_id,
                        line.pool_name,
                        line.reason,
                        line.scope.currency,
                    ),
                ),
                minor_text(line.minor, line.scope.currency),
                plain(line.units),
                *_charged(line.charged),
            ]
            for line in statement.lines
        ),
    )


def _charged(charged: Charged | None) -> list[str]:
    if charged is None:
        return [""] * 5
    rate = charged.rate
    amount = minor_text(charged.minor, charged.currency)
    return [charged.currency, amount, exact_text(rate.value), rate_dates(rate), guarded(rate_source(rate))]


def guarded(text: str) -> str:
    """Text that no spreadsheet takes for a formula; an apostrophe goes in front where it would."""
    return f"'{text}" if text.lstrip(" ").startswith(_STARTS_A_FORMULA) else text


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows as RFC 4180 text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
