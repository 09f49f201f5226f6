"""Workday: accounting journals as CSV or as a workbook for its import, lines kept together by a journal key.

The names of the header columns come from a published layout of the CSV connector, those of the lines are to be
confirmed with the tenant's own template; the options rename them (`columns`).
"""

from __future__ import annotations

from apportion.post.formats.tables import Csv
from apportion.post.formats.target import Column, Setting, Shape, Target, fixed
from apportion.post.formats.workbook import DIGITS, Workbook

_COLUMNS = fixed(
    Column("JournalKey", "document"),
    Column("AccountingJournalID", "document"),
    Column("Submit", setting="submit"),
    Column("AddOnlyJournal", constant="1"),
    Column("CompanyReferenceIDType", setting="company_id_type"),
    Column("CompanyReferenceID", "company", required=True),
    Column("Currency", "currency"),
    Column("LedgerType", setting="ledger_type"),
    Column("AccountingDate", "posting_on", day="yyyy-mm-dd"),
    Column("JournalSource", setting="source"),
    Column("JournalEntryMemo", "entry_text"),
    Column("JournalExternalReferenceID", "entry"),
    Column("ControlTotalAmount", "total", number=True),
    Column("LineOrder", "document_line"),
    Column("LedgerAccountReferenceID", "account", required=True),
    Column("DebitAmount", "debit", number=True, zero=True),
    Column("CreditAmount", "credit", number=True, zero=True),
    Column("LedgerDebitAmount", "local_debit", number=True),
    Column("LedgerCreditAmount", "local_credit", number=True),
    Column("Memo", "text"),
    Column("ExternalReferenceID", "ref"),
    Column("CostCenterReferenceID", "cost_center"),
    Column("OrganizationReferenceID", "department"),
    Column("IntercompanyAffiliateReferenceID", "partner"),
)
_SETTINGS = (
    Setting("submit", "1 to submit the journal, 0 to leave it as created", "0", one_of=("0", "1")),
    Setting("company_id_type", "the kind of id that company codes are", "Organization_Reference_ID"),
    Setting("ledger_type", "the ledger", "Actuals"),
    Setting("source", "the journal source, as it is set up", "Spreadsheet_Upload"),
)
_SHAPE = Shape(per_company=True, per_currency=True)

CSV = Target(
    "workday-csv", "Workday's journal import (CSV)", "csv", Csv(), _COLUMNS, _SHAPE, _SETTINGS, free=True, sheet=True
)
XLSX = Target(
    "workday-xlsx", "Workday's journal import (XLSX)", "xlsx", Workbook(), _COLUMNS, _SHAPE, _SETTINGS,
    digits=DIGITS, free=True, cells=True,
)  # fmt: skip
TARGETS = (CSV, XLSX)
