"""For people: the journal as a workbook to read and calculate with, codes as text and amounts as numbers.

A cell that holds text is never run, whatever it begins with, so this file carries what machine files refuse.
"""

from __future__ import annotations

from apportion.post.formats.spelling import SERIAL
from apportion.post.formats.target import Column, Shape, Target, fixed
from apportion.post.formats.workbook import DIGITS, Workbook

XLSX = Target(
    name="xlsx",
    title="a workbook for people",
    extension="xlsx",
    carrier=Workbook(),
    columns=fixed(
        Column("Entry", "entry"),
        Column("Line", "line", number=True),
        Column("Kind", "kind"),
        Column("Document date", "document_on", day=SERIAL, number=True),
        Column("Posting date", "posting_on", day=SERIAL, number=True),
        Column("Entry text", "entry_text"),
        Column("Company", "company"),
        Column("Account", "account"),
        Column("Cost center", "cost_center"),
        Column("Department", "department"),
        Column("Partner", "partner"),
        Column("Currency", "currency"),
        Column("Debit", "debit", number=True),
        Column("Credit", "credit", number=True),
        Column("Own currency", "local_currency"),
        Column("Own debit", "local_debit", number=True),
        Column("Own credit", "local_credit", number=True),
        Column("Rate", "rate"),
        Column("Rate of", "rate_on", day=SERIAL, number=True),
        Column("Rate source", "rate_source"),
        Column("Tax code", "tax_code"),
        Column("Text", "text"),
        Column("Reference", "ref"),
        Column("Reverses", "reverses"),
    ),
    shape=Shape(per_company=False),
    digits=DIGITS,
    free=True,
    cells=True,
)
TARGETS = (XLSX,)
