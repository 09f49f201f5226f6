"""Sage Intacct: journal entries as CSV and as the XML of its API; statistical journals the same way.

In CSV the values of a journal stand on its first line only, and one bad journal fails the whole file. In XML the
amount is positive and TR_TYPE says the side. Statistical quantities go to a statistical journal, in files of their own.
"""

from __future__ import annotations

from apportion.post.formats.tables import Csv
from apportion.post.formats.target import Column, Options, Setting, Shape, Target, fixed
from apportion.post.formats.trees import LINES, Tree, Xml, leaves

MOST_LINES = 5_000
_DAY = "mm/dd/yyyy"
_SETTINGS = (
    Setting("journal", "the symbol of the journal", "GJ"),
    Setting("statistical_journal", "the symbol of the statistical journal", "SJ"),
)
_SHAPE = Shape(per_company=False, per_currency=True, most_lines=MOST_LINES)


def _csv_columns(journal: str, *, money: bool) -> tuple[Column, ...]:
    return (
        Column("JOURNAL", setting=journal, first=True),
        Column("DATE", "posting_on", day=_DAY, first=True),
        Column("DESCRIPTION", "period_text", most=30, first=True),
        Column("REFERENCE_NO", "document", most=45, first=True),
        Column("LINE_NO", "document_line"),
        Column("ACCT_NO", "account", most=24, required=True),
        Column("LOCATION_ID", "company", most=20),
        Column("DEPT_ID", "department", most=20),
        Column("MEMO", "text"),
        Column("DEBIT", "debit", number=True),
        Column("CREDIT", "credit", number=True),
        *((Column("CURRENCY", "currency"),) if money else ()),
        Column("COST_CENTER", "cost_center"),
    )


_HEAD: Tree = {
    "function": {
        "@controlid": Column("controlid", "document"),
        "create": {
            "GLBATCH": {
                "JOURNAL": Column("JOURNAL", setting="journal"),
                "BATCH_DATE": Column("BATCH_DATE", "posting_on", day=_DAY),
                "BATCH_TITLE": Column("BATCH_TITLE", "headline"),
                "REFERENCENO": Column("REFERENCENO", "document", most=45),
                "ENTRIES": {"": LINES},
            }
        },
    }
}
_LINE: Tree = {
    "GLENTRY": {
        "ACCOUNTNO": Column("ACCOUNTNO", "account", most=24, required=True),
        "CURRENCY": Column("CURRENCY", "currency"),
        "TRX_AMOUNT": Column("TRX_AMOUNT", "positive", number=True),
        "EXCHANGE_RATE": Column("EXCHANGE_RATE", "direct_rate", number=True),
        "TR_TYPE": Column("TR_TYPE", "side", words=("1", "-1"), number=True),
        "DESCRIPTION": Column("DESCRIPTION", "text"),
        "LOCATION": Column("LOCATION", "company", most=20),
        "DEPARTMENT": Column("DEPARTMENT", "department", most=20),
        "COSTCENTER": Column("COSTCENTER", "cost_center"),
    }
}


def _statistical_xml(_options: Options) -> tuple[Column, ...]:
    changed = {
        "JOURNAL": Column("JOURNAL", setting="statistical_journal"),
        "CURRENCY": Column("CURRENCY"),
        "EXCHANGE_RATE": Column("EXCHANGE_RATE"),
    }
    return tuple(changed.get(column.name, column) for column in leaves(_HEAD, _LINE))


CSV = Target(
    name="intacct-csv",
    title="Sage Intacct's import of journal entries",
    extension="csv",
    carrier=Csv(),
    columns=fixed(*_csv_columns("journal", money=True)),
    shape=_SHAPE,
    settings=_SETTINGS,
    key_most=45,
    lines_per_file=MOST_LINES,
    free=True,
    sheet=True,
    statistical=fixed(*_csv_columns("statistical_journal", money=False)),
)
XML = Target(
    name="intacct-xml",
    title="Sage Intacct's API",
    extension="xml",
    carrier=Xml('<?xml version="1.0" encoding="UTF-8"?>\n<content>\n', "\n</content>\n", _HEAD, _LINE, {}),
    columns=fixed(*leaves(_HEAD, _LINE)),
    shape=_SHAPE,
    settings=_SETTINGS,
    key_most=45,
    free=True,
    xml=True,
    statistical=_statistical_xml,
)
TARGETS = (CSV, XML)
