"""Business Central: journal lines as JSON for its API, one text line for each, one company a file.

Amounts have a sign (debit above zero) and are in the company's own currency: a journal line of the API has no other.
"""

from __future__ import annotations

from apportion.post.formats.target import Column, Setting, Shape, Target, fixed
from apportion.post.formats.trees import JsonRows, Tree, leaves

_LINE: Tree = {
    "lineNumber": Column("lineNumber", "file_line", number=True),
    "accountType": "G/L Account",
    "accountNumber": Column("accountNumber", "account", most=20, required=True),
    "postingDate": Column("postingDate", "posting_on", day="yyyy-mm-dd"),
    "documentNumber": Column("documentNumber", "document", most=20),
    "externalDocumentNumber": Column("externalDocumentNumber", "line_key", most=35),
    "amount": Column("amount", "signed", number=True),
    "description": Column("description", "text", most=100),
    "dimensionSetLines": [
        {
            "code": Column("cost_center.code", setting="cost_center", where="cost_center"),
            "valueCode": Column("cost_center.valueCode", "cost_center", most=20),
        },
        {
            "code": Column("department.code", setting="department", where="department"),
            "valueCode": Column("department.valueCode", "department", most=20),
        },
    ],
}

JSON = Target(
    name="business-central",
    title="Business Central's API",
    extension="jsonl",
    carrier=JsonRows(_LINE),
    columns=fixed(*leaves(_LINE)),
    shape=Shape(per_company=True, in_books=True),
    settings=(
        Setting("cost_center", "the dimension that cost centers are", "COSTCENTER"),
        Setting("department", "the dimension that departments are", "DEPARTMENT"),
    ),
    key_most=20,
    file_per=("company",),
)
TARGETS = (JSON,)
