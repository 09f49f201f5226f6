"""ERPNext: the document Journal Entry as JSON for its API, and as CSV for its data import.

One document is in one currency, that of its accounts. In CSV the values of a document stand on its first line only.
"""

from __future__ import annotations

from apportion.post.formats.tables import Csv
from apportion.post.formats.target import Column, Shape, Target, fixed
from apportion.post.formats.trees import LINES, Json, Tree, leaves

_SHAPE = Shape(per_company=True, per_currency=True)
_OF_LINE = " (Accounting Entries)"

_HEAD: Tree = {
    "doctype": "Journal Entry",
    "voucher_type": "Journal Entry",
    "company": Column("company", "company"),
    "posting_date": Column("posting_date", "posting_on", day="yyyy-mm-dd"),
    "cheque_no": Column("cheque_no", "document", most=140),
    "cheque_date": Column("cheque_date", "document_on", day="yyyy-mm-dd"),
    "user_remark": Column("user_remark", "entry_text"),
    "accounts": LINES,
}
_LINE: Tree = {
    "account": Column("account", "account", most=140, required=True),
    "cost_center": Column("cost_center", "cost_center", most=140),
    "account_currency": Column("account_currency", "currency"),
    "exchange_rate": Column("exchange_rate", "direct_rate", number=True),
    "debit_in_account_currency": Column("debit_in_account_currency", "debit", number=True, zero=True),
    "credit_in_account_currency": Column("credit_in_account_currency", "credit", number=True, zero=True),
    "user_remark": Column("line_remark", "text"),
}
JSON = Target(
    name="erpnext-json",
    title="ERPNext's API",
    extension="jsonl",
    carrier=Json(_HEAD, _LINE),
    columns=fixed(*leaves(_HEAD, _LINE)),
    shape=_SHAPE,
    free=True,
)
CSV = Target(
    name="erpnext-csv",
    title="ERPNext's data import",
    extension="csv",
    carrier=Csv(),
    columns=fixed(
        Column("Entry Type", constant="Journal Entry", first=True),
        Column("Company", "company", first=True),
        Column("Posting Date", "posting_on", day="yyyy-mm-dd", first=True),
        Column("Reference Number", "document", most=140, first=True),
        Column("Reference Date", "document_on", day="yyyy-mm-dd", first=True),
        Column("User Remark", "entry_text", first=True),
        Column(f"Account{_OF_LINE}", "account", most=140, required=True),
        Column(f"Cost Center{_OF_LINE}", "cost_center", most=140),
        Column(f"Account Currency{_OF_LINE}", "currency"),
        Column(f"Exchange Rate{_OF_LINE}", "direct_rate", number=True),
        Column(f"Debit in Account Currency{_OF_LINE}", "debit", number=True, zero=True),
        Column(f"Credit in Account Currency{_OF_LINE}", "credit", number=True, zero=True),
        Column(f"User Remark{_OF_LINE}", "text"),
    ),
    shape=_SHAPE,
    free=True,
    sheet=True,
)
TARGETS = (JSON, CSV)
