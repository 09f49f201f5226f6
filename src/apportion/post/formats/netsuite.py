"""NetSuite: journal entries as CSV for the import assistant, lines of one entry sharing an External ID."""

from __future__ import annotations

from apportion.post.formats.spelling import DAYS
from apportion.post.formats.tables import Csv
from apportion.post.formats.target import Column, Setting, Shape, Target, fixed

CSV = Target(
    name="netsuite-csv",
    title="NetSuite's CSV import",
    extension="csv",
    carrier=Csv(),
    columns=fixed(
        Column("External ID", "document"),
        Column("Date", "posting_on", day="@day"),
        Column("Subsidiary", "company"),
        Column("Currency", "currency"),
        Column("Exchange Rate", "direct_rate", number=True),
        Column("Memo", "entry_text"),
        Column("Account", "account", required=True),
        Column("Debit", "debit", number=True),
        Column("Credit", "credit", number=True),
        Column("Line Memo", "text"),
        Column("Department", "department"),
        Column("Class", "cost_center"),
    ),
    shape=Shape(per_company=True, per_currency=True, most_lines=25_000, least_lines=2),
    settings=(Setting("day", "how days are written, as in the account's settings", "mm/dd/yyyy", one_of=DAYS),),
    whole=10,
    decimals=2,
    lines_per_file=25_000,
    free=True,
    sheet=True,
)
TARGETS = (CSV,)
