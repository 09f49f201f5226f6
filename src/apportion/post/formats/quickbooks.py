"""QuickBooks: journal entries as CSV and as JSON for QuickBooks Online, and as IIF for QuickBooks Desktop.

CSV and IIF are in the currency of the company's books. Accounts are named as ``Parent:Sub``. IIF is text with tabs:
a first line of each entry (TRNS), its others (SPL), and an end; debits above zero, credits below.
"""

from __future__ import annotations

from dataclasses import dataclass

from apportion.post.formats.tables import Csv
from apportion.post.formats.target import Column, Page, Shape, Target, fixed
from apportion.post.formats.trees import LINES, Json, Tree, leaves

CSV = Target(
    name="quickbooks-csv",
    title="QuickBooks Online's import",
    extension="csv",
    carrier=Csv(),
    columns=fixed(
        Column("Journal No.", "document", most=21),
        Column("Journal Date", "posting_on", day="mm/dd/yyyy"),
        Column("Account Name", "account", most=100, required=True),
        Column("Debits", "debit", number=True),
        Column("Credits", "credit", number=True),
        Column("Description", "text", most=4_000),
        Column("Name", "partner", most=100),
        Column("Location", "department", most=100),
        Column("Class", "cost_center", most=100),
    ),
    shape=Shape(per_company=True, in_books=True),
    key_most=21,
    file_per=("company",),
    sheet=True,
)

_HEAD: Tree = {
    "DocNumber": Column("DocNumber", "document", most=21),
    "TxnDate": Column("TxnDate", "posting_on", day="yyyy-mm-dd"),
    "PrivateNote": Column("PrivateNote", "entry_text", most=4_000),
    "CurrencyRef": {"value": Column("CurrencyRef", "currency")},
    "Line": LINES,
}
_LINE: Tree = {
    "Description": Column("Description", "text", most=4_000),
    "Amount": Column("Amount", "positive", number=True),
    "DetailType": "JournalEntryLineDetail",
    "JournalEntryLineDetail": {
        "PostingType": Column("PostingType", "side", words=("Debit", "Credit")),
        "AccountRef": {"name": Column("AccountRef", "account", most=100, required=True)},
        "ClassRef": {"name": Column("ClassRef", "cost_center", most=100)},
        "DepartmentRef": {"name": Column("DepartmentRef", "department", most=100)},
        "TaxCodeRef": {"name": Column("TaxCodeRef", "tax_code")},
    },
}
JSON = Target(
    name="quickbooks-json",
    title="QuickBooks Online's API",
    extension="jsonl",
    carrier=Json(_HEAD, _LINE),
    columns=fixed(*leaves(_HEAD, _LINE)),
    shape=Shape(per_company=True, per_currency=True),
    key_most=21,
    file_per=("company",),
)


@dataclass(frozen=True, slots=True)
class Iif:
    """Text with tabs in the code page of Windows, CRLF; each document is a TRNS, its SPL lines, and an ENDTRNS."""

    encoding: str

    def write(self, page: Page) -> bytes:
        """The file, its three header lines first."""
        names = "\t".join(column.name for column in page.columns)
        rows = ["\t".join(cells) for cells in zip(*page.cells, strict=True)]
        found = [f"!TRNS\t{names}", f"!SPL\t{names}", "!ENDTRNS"]
        start = 0
        for stop in page.ends:
            found.append(f"TRNS\t{rows[start]}")
            found += [f"SPL\t{row}" for row in rows[start + 1 : stop]]
            found.append("ENDTRNS")
            start = stop
        return "".join(f"{line}\r\n" for line in found).encode(self.encoding)

    def read(self, content: bytes, page: Page) -> list[list[str]]:
        """Columns of cells. Raises `ValueError` for another header, and for rows of another width."""
        lines = content.decode(self.encoding).split("\r\n")
        names = [column.name for column in page.columns]
        if lines[:3] != ["\t".join(["!TRNS", *names]), "\t".join(["!SPL", *names]), "!ENDTRNS"]:
            raise ValueError("the header is not that of general journal entries")
        rows = [line.split("\t")[1:] for line in lines[3:] if line.startswith(("TRNS\t", "SPL\t"))]
        if any(len(row) != len(names) for row in rows):
            raise ValueError("a row has more or fewer cells than there are columns")
        return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]


_WINDOWS = "cp1252"
IIF = Target(
    name="quickbooks-iif",
    title="QuickBooks Desktop's import (IIF)",
    extension="iif",
    carrier=Iif(_WINDOWS),
    columns=fixed(
        Column("TRNSTYPE", constant="GENERAL JOURNAL"),
        Column("DATE", "posting_on", day="mm/dd/yy"),
        Column("ACCNT", "account", required=True),
        Column("CLASS", "cost_center"),
        Column("AMOUNT", "signed", number=True),
        Column("DOCNUM", "document", most=11),
        Column("MEMO", "text"),
    ),
    shape=Shape(per_company=True, in_books=True),
    key_most=11,
    encoding=_WINDOWS,
    file_per=("company",),
    sheet=True,
    forbidden={"": '"'},
)
TARGETS = (CSV, JSON, IIF)
