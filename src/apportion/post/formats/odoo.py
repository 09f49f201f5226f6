"""Odoo: journal entries (`account.move`) as CSV for its import, and as JSON with the commands that create lines.

Debit and credit are in the currency of the company's books, the amount of another currency beside them. In JSON,
accounts, journals, currencies and analytic accounts are named by their codes; a push replaces them by their ids.
"""

from __future__ import annotations

from apportion.post.formats.tables import Csv
from apportion.post.formats.target import Column, Setting, Shape, Target, fixed
from apportion.post.formats.trees import LINES, Json, Tree, leaves

_SETTINGS = (Setting("journal", "the journal, by its name or code", "MISC"),)
_SHAPE = Shape(per_company=True, in_books=True)

CSV = Target(
    name="odoo-csv",
    title="Odoo's import",
    extension="csv",
    carrier=Csv(),
    columns=fixed(
        Column("ref", "document", first=True),
        Column("date", "posting_on", day="yyyy-mm-dd", first=True),
        Column("journal_id", setting="journal", first=True),
        Column("narration", "entry_text", first=True),
        Column("line_ids/account_id", "account", required=True),
        Column("line_ids/name", "text"),
        Column("line_ids/debit", "debit", number=True, zero=True),
        Column("line_ids/credit", "credit", number=True, zero=True),
        Column("line_ids/amount_currency", "amount", number=True),
        Column("line_ids/currency_id", "currency"),
        Column("line_ids/partner_id", "partner"),
        Column("line_ids/analytic_distribution", "cost_center"),
    ),
    shape=_SHAPE,
    settings=_SETTINGS,
    file_per=("company",),
    sheet=True,
)

_HEAD: Tree = {
    "move_type": "entry",
    "ref": Column("ref", "document"),
    "date": Column("date", "posting_on", day="yyyy-mm-dd"),
    "journal_id": Column("journal_id", setting="journal"),
    "company_id": Column("company_id", "company"),
    "narration": Column("narration", "entry_text"),
    "line_ids": LINES,
}
_LINE: Tree = {
    "account_id": Column("account_id", "account", required=True),
    "name": Column("name", "text"),
    "debit": Column("debit", "debit", number=True, zero=True),
    "credit": Column("credit", "credit", number=True, zero=True),
    "amount_currency": Column("amount_currency", "amount", number=True),
    "currency_id": Column("currency_id", "currency"),
    "partner_id": Column("partner_id", "partner"),
    "analytic_distribution": Column("analytic_distribution", "cost_center"),
}
JSON = Target(
    name="odoo-json",
    title="Odoo's API",
    extension="jsonl",
    carrier=Json(_HEAD, _LINE, commands=True),
    columns=fixed(*leaves(_HEAD, _LINE)),
    shape=_SHAPE,
    settings=_SETTINGS,
)
TARGETS = (CSV, JSON)
