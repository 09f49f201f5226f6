"""Dynamics 365 Finance: the General journal entity as CSV, one legal entity a file.

The account is one text of main account and dimensions in the order that is set up there. The import takes vouchers
that do not balance, so our own check is the only gate before posting; a batch that is imported again is there twice.
"""

from __future__ import annotations

from apportion.errors import InputRefusedError
from apportion.post.formats.lines import CHOICES, DIMENSION, JOIN
from apportion.post.formats.spelling import DAYS
from apportion.post.formats.tables import Csv
from apportion.post.formats.target import Column, Options, Setting, Shape, Target

_ORDER = "account cost_center department"


def _columns(options: Options) -> tuple[Column, ...]:
    order = options.settings.get("order", _ORDER).split()
    delimiter = options.settings.get("delimiter", "-")
    return (
        Column("JOURNALBATCHNUMBER", "batch", most=20),
        Column("LINENUMBER", "file_line", number=True),
        Column("JOURNALNAME", setting="journal_name"),
        Column("DESCRIPTION", "period_text", most=60),
        Column("ACCOUNTTYPE", constant="Ledger"),
        Column("ACCOUNTDISPLAYVALUE", f"{JOIN}{delimiter}:{':'.join(order)}"),
        Column("TRANSDATE", "posting_on", day="@day"),
        Column("VOUCHER", "document", most=20),
        Column("CURRENCYCODE", "currency"),
        Column("DEBITAMOUNT", "debit", number=True, zero=True),
        Column("CREDITAMOUNT", "credit", number=True, zero=True),
        Column("TEXT", "text", most=60),
    )


def _check(options: Options) -> None:
    order = options.settings.get("order", _ORDER).split()
    bad = [field for field in order if field not in CHOICES and not (field.startswith(DIMENSION) and ":" not in field)]
    if bad or "account" not in order:
        raise InputRefusedError(
            f"'{' '.join(order)}' is no order of main account and dimensions.",
            advice=f"Name fields such as {_ORDER}, or dimension.NAME, with account among them.",
        )


CSV = Target(
    name="dynamics-csv",
    title="Dynamics 365 Finance's general journal",
    extension="csv",
    carrier=Csv(),
    columns=_columns,
    shape=Shape(per_company=True, per_currency=True, most_lines=10_000),
    settings=(
        Setting("journal_name", "the name of the journal", "GenJrn"),
        Setting("order", "main account and dimensions in the order of the ledger dimension format", _ORDER),
        Setting("delimiter", "what divides them", "-", one_of=("-", "|", ".", "_", "~")),
        Setting("day", "how days are written, as in the source data format", "yyyy-mm-dd", one_of=DAYS),
    ),
    key_most=20,
    lines_per_file=10_000,
    file_per=("company",),
    sheet=True,
    check=_check,
)
TARGETS = (CSV,)
