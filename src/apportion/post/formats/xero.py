"""Xero: manual journals as CSV for its import, and as JSON for its API, in the currency of the company's books.

In CSV the lines of one narration and date are one journal, so the narration begins with the key of the document; a
file has up to 300 lines. Amounts have a sign, debit above zero. Cost center and department are the two tracking
categories that a line can have.
"""

from __future__ import annotations

from apportion.post.formats.tables import Csv
from apportion.post.formats.target import Column, Setting, Shape, Target, fixed
from apportion.post.formats.trees import LINES, Json, Tree, leaves

MOST_LINES = 300
_TRACKING = (
    Setting("tracking1", "the tracking category that cost centers are", "Cost center"),
    Setting("tracking2", "the tracking category that departments are", "Department"),
)

CSV = Target(
    name="xero-csv",
    title="Xero's import of manual journals",
    extension="csv",
    carrier=Csv(),
    columns=fixed(
        Column("*Narration", "headline"),
        Column("*Date", "posting_on", day="dd/mm/yyyy"),
        Column("Description", "text"),
        Column("*AccountCode", "account", required=True),
        Column("*TaxRate", "tax_code", empty="no_tax"),
        Column("*Amount", "signed", number=True),
        Column("TrackingName1", setting="tracking1", where="cost_center"),
        Column("TrackingOption1", "cost_center", most=100),
        Column("TrackingName2", setting="tracking2", where="department"),
        Column("TrackingOption2", "department", most=100),
    ),
    shape=Shape(per_company=True, most_lines=MOST_LINES, in_books=True),
    settings=(Setting("no_tax", "the tax rate of lines without one, by its full name", "Tax Exempt"), *_TRACKING),
    lines_per_file=MOST_LINES,
    file_per=("company",),
    sheet=True,
)

_HEAD: Tree = {
    "Narration": Column("Narration", "headline"),
    "Date": Column("Date", "posting_on", day="yyyy-mm-dd"),
    "Status": Column("Status", setting="status"),
    "LineAmountTypes": "NoTax",
    "JournalLines": LINES,
}
_LINE: Tree = {
    "LineAmount": Column("LineAmount", "signed", number=True),
    "AccountCode": Column("AccountCode", "account", required=True),
    "Description": Column("Description", "text"),
    "TaxType": Column("TaxType", "tax_code", empty="no_tax"),
    "Tracking": [
        {
            "Name": Column("tracking1.Name", setting="tracking1", where="cost_center"),
            "Option": Column("tracking1.Option", "cost_center", most=100),
        },
        {
            "Name": Column("tracking2.Name", setting="tracking2", where="department"),
            "Option": Column("tracking2.Option", "department", most=100),
        },
    ],
}
JSON = Target(
    name="xero-json",
    title="Xero's API",
    extension="json",
    carrier=Json(_HEAD, _LINE, per_line=False, wrap="ManualJournals"),
    columns=fixed(*leaves(_HEAD, _LINE)),
    shape=Shape(per_company=True, in_books=True),
    settings=(
        Setting("no_tax", "the tax type of lines without one", "NONE"),
        Setting("status", "what becomes of the journal", "DRAFT", one_of=("DRAFT", "POSTED")),
        *_TRACKING,
    ),
    file_per=("company",),
)
TARGETS = (CSV, JSON)
