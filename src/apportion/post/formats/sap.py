"""SAP S/4HANA: the upload of general journal entries by the customer's template, and the message Journal Entry – Post.

The upload's columns are those of the template that the customer downloads (`with_template`): the header row says what
is wanted. The message is the SOAP body of `JournalEntryBulkCreateRequest`, one document a request; amounts carry the
debit or credit code *and*, by the setting `sign`, their sign.
"""

from __future__ import annotations

from dataclasses import replace

from apportion.errors import InputRefusedError
from apportion.post.formats import template
from apportion.post.formats.spelling import DAYS
from apportion.post.formats.tables import Csv
from apportion.post.formats.target import Column, Options, Setting, Shape, Target
from apportion.post.formats.trees import LINES, Tree, Xml, leaves
from apportion.post.formats.workbook import DIGITS, Workbook

# The classic document of financial accounting numbers its lines with three digits.
MOST_LINES = 999
# How many characters a field has, by what it holds; the lengths of SAP's data dictionary.
_MOST = {
    "company": 4, "document": 16, "account": 10, "text": 50, "entry_text": 25, "period_text": 25, "tax_code": 2,
    "cost_center": 10, "partner": 6, "ref": 18,
}  # fmt: skip

# Names of columns as templates have them, in English, in German and as the technical name of the field.
_NAMES = {
    "company": "company code|companycode|bukrs|buchungskreis",
    "document": "reference|document reference id|xblnr|referenz",
    "posting_on": "posting date|budat|buchungsdatum",
    "document_on": "document date|journal entry date|bldat|belegdatum",
    "currency": "transaction currency|currency|currency key|waers|währung|transaktionswährung",
    "account": "g/l account|account|hkont|saknr|sachkonto",
    "text": "item text|document item text|text|sgtxt|positionstext",
    "period_text": "document header text|header text|bktxt|belegkopftext",
    "debit": "debit|debit amount|debit amount in transaction currency|wrsol|soll",
    "credit": "credit|credit amount|credit amount in transaction currency|wrhab|haben",
    "signed": "amount in transaction currency",
    "local_debit": "debit amount in company code currency",
    "local_credit": "credit amount in company code currency",
    "tax_code": "tax code|mwskz|steuerkennzeichen",
    "cost_center": "cost center|cost centre|kostl|kostenstelle",
    "partner": "trading partner|vbund|partnergesellschaft",
    "document_line": "item|line item|item number|buzei|position",
}
# Columns that a setting fills.
_SETTINGS = {
    "document_type": "document type|journal entry type|blart|belegart",
    "ledger_group": "ledger group|ldgrp|ledgergruppe",
}
HEADERS = {
    template.plain(name): field
    for fields in (_NAMES, _SETTINGS)
    for field, known in fields.items()
    for name in known.split("|")
}
_DAYS = {"posting_on", "document_on"}
_NUMBERS = {"debit", "credit", "signed", "local_debit", "local_credit"}
_REQUIRED = {"company", "posting_on", "currency", "account"}


def with_template(options: Options, content: bytes) -> Options:
    """Options with the customer's template, a workbook or CSV. Raises as `template.with_template` does."""
    return template.with_template(options, content, HEADERS)


def _upload_columns(options: Options) -> tuple[Column, ...]:
    found = []
    for name in options.template[-1] if options.template else ():
        field = "" if options.columns.get(name) else HEADERS.get(template.plain(name), "")
        if field in _SETTINGS:
            found.append(Column(name, setting=field))
        else:
            day = "@day" if field in _DAYS else ""
            found.append(Column(name, field, most=_MOST.get(field, 0), day=day, number=field in _NUMBERS))
    return tuple(found)


def _check_template(options: Options) -> None:
    if not options.template:
        raise InputRefusedError(
            "The upload to SAP follows the customer's template, and none was given.",
            advice="Download the template in the app and give its file.",
        )
    held = {column.field for column in _upload_columns(options)} | set(options.columns.values())
    missing = sorted(_REQUIRED - held)
    if missing or not ({"debit", "credit"} <= held or "signed" in held):
        raise InputRefusedError(
            f"The template has no column for {', '.join(missing) or 'the amounts'}, or not by a name that is known.",
            advice="Say in the options (`columns`) what the columns of the template hold.",
        )


_TYPES = (
    Setting("document_type", "the type of the documents", "SA"),
    Setting("ledger_group", "the ledger group, empty for all ledgers"),
)
_DAY = Setting("day", "how days are written, as in the user's own settings", "yyyy-mm-dd", one_of=DAYS)
_SHAPE = Shape(per_company=True, per_currency=True, most_lines=MOST_LINES)

UPLOAD_CSV = Target(
    name="sap-csv",
    title="SAP's upload (CSV)",
    extension="csv",
    carrier=Csv(delimiter="delimiter"),
    columns=_upload_columns,
    shape=_SHAPE,
    settings=(
        *_TYPES,
        _DAY,
        Setting("delimiter", "what stands between cells", ",", one_of=(",", ";", "\t")),
        Setting("decimal", "the decimal sign", ".", one_of=(".", ",")),
    ),
    key_most=16,
    sheet=True,
    check=_check_template,
)
UPLOAD_XLSX = Target(
    name="sap-xlsx",
    title="SAP's upload (XLSX)",
    extension="xlsx",
    carrier=Workbook(),
    columns=_upload_columns,
    shape=_SHAPE,
    settings=(*_TYPES, _DAY),
    key_most=16,
    digits=DIGITS,
    cells=True,
    check=_check_template,
)

_HEAD: Tree = {
    "JournalEntryCreateRequest": {
        "MessageHeader": {
            "ID": Column("ID", "document", most=16),
            "CreationDateTime": Column("CreationDateTime", "posting_at"),
        },
        "JournalEntry": {
            "OriginalReferenceDocumentType": "BKPFF",
            "BusinessTransactionType": "RFBU",
            "AccountingDocumentType": Column("AccountingDocumentType", setting="document_type"),
            "DocumentReferenceID": Column("DocumentReferenceID", "document", most=16),
            "DocumentHeaderText": Column("DocumentHeaderText", "period_text", most=25),
            "CreatedByUser": Column("CreatedByUser", setting="user"),
            "CompanyCode": Column("CompanyCode", "company", most=4, required=True),
            "DocumentDate": Column("DocumentDate", "document_on", day="yyyy-mm-dd"),
            "PostingDate": Column("PostingDate", "posting_on", day="yyyy-mm-dd"),
            "": LINES,
        },
    }
}


def _item(amount: str, local: str) -> Tree:
    return {
        "Item": {
            "ReferenceDocumentItem": Column("ReferenceDocumentItem", "document_line"),
            "GLAccount": Column("GLAccount", "account", most=10, required=True),
            "AmountInTransactionCurrency": {
                "@currencyCode": Column("currencyCode", "currency"),
                "#": Column("AmountInTransactionCurrency", amount, number=True),
            },
            "AmountInCompanyCodeCurrency": {
                "@currencyCode": Column("companyCurrencyCode", "local_currency"),
                "#": Column("AmountInCompanyCodeCurrency", local, number=True),
            },
            "DebitCreditCode": Column("DebitCreditCode", "side", words=("S", "H")),
            "DocumentItemText": Column("DocumentItemText", "text", most=50),
            "TradingPartner": Column("TradingPartner", "partner", most=6),
            "Tax": {"TaxCode": Column("TaxCode", "tax_code", most=2)},
            "AccountAssignment": {"CostCenter": Column("CostCenter", "cost_center", most=10)},
        }
    }


_ITEMS = {"signed": _item("signed", "local_amount"), "absolute": _item("positive", "local_relative")}
_OPENING = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:sfin="http://sap.com/xi/SAPSCORE/SFIN">\n<soapenv:Header/>\n<soapenv:Body>\n'
    "<sfin:JournalEntryBulkCreateRequest>\n"
)
_CLOSING = "\n</sfin:JournalEntryBulkCreateRequest>\n</soapenv:Body>\n</soapenv:Envelope>\n"


def _message_columns(options: Options) -> tuple[Column, ...]:
    columns = leaves(_HEAD, _ITEMS.get(options.settings.get("sign", "signed"), _ITEMS["signed"]))
    if options.settings.get("accounts", "padded") != "padded":
        return columns
    return tuple(replace(each, field="padded_account") if each.name == "GLAccount" else each for each in columns)


MESSAGE = Target(
    name="sap-soap",
    title="SAP's Journal Entry – Post",
    extension="xml",
    carrier=Xml(_OPENING, _CLOSING, _HEAD, _ITEMS["signed"], {}),
    columns=_message_columns,
    shape=_SHAPE,
    settings=(
        _TYPES[0],
        Setting("user", "who the documents are entered by", "APPORTION"),
        Setting("sign", "whether credits have a minus beside their code", "signed", one_of=("signed", "absolute")),
        Setting("accounts", "whether digits are filled with zeros to ten", "padded", one_of=("padded", "as-is")),
    ),
    key_most=16,
    xml=True,
)
TARGETS = (UPLOAD_CSV, UPLOAD_XLSX, MESSAGE)
