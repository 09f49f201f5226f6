"""Oracle Fusion: the file-based import of journals, `GlInterface.csv` in a zip archive, known by position alone.

The order of the columns must not change and unused ones stay; there is no header. Amounts stand on two sides, the
company's own currency beside the entered one. The key of a document is in REFERENCE1 and REFERENCE4, and every
export has an interface group of its own.
"""

from __future__ import annotations

from apportion.errors import InputRefusedError
from apportion.post.formats.lines import CHOICES, DIMENSION
from apportion.post.formats.tables import Csv, Zipped
from apportion.post.formats.target import Column, Options, Setting, Shape, Target

# As many fields as the import's own template has.
WIDTH = 149
_SEGMENTS = 30
_DAY = "yyyy/mm/dd"
_DEFAULT_SEGMENTS = "company account cost_center department partner"

# What stands where, from 1.
_PLACES = {
    1: Column("STATUS", constant="NEW"),
    2: Column("LEDGER_ID", setting="ledger_id"),
    3: Column("ACCOUNTING_DATE", "posting_on", day=_DAY),
    4: Column("USER_JE_SOURCE_NAME", setting="source"),
    5: Column("USER_JE_CATEGORY_NAME", setting="category"),
    6: Column("CURRENCY_CODE", "currency"),
    7: Column("DATE_CREATED", "posting_on", day=_DAY),
    8: Column("ACTUAL_FLAG", constant="A"),
    39: Column("ENTERED_DR", "debit", number=True),
    40: Column("ENTERED_CR", "credit", number=True),
    41: Column("ACCOUNTED_DR", "local_debit", number=True),
    42: Column("ACCOUNTED_CR", "local_credit", number=True),
    43: Column("REFERENCE1", "document", most=50),
    46: Column("REFERENCE4", "document", most=50),
    47: Column("REFERENCE5", "entry_text", most=240),
    52: Column("REFERENCE10", "text", most=240),
    53: Column("REFERENCE21", "line_key", most=240),
    64: Column("USER_CURRENCY_CONVERSION_TYPE", constant="User", where="direct_rate"),
    65: Column("CURRENCY_CONVERSION_DATE", "rate_on", day=_DAY, where="direct_rate"),
    66: Column("CURRENCY_CONVERSION_RATE", "direct_rate", number=True),
    67: Column("GROUP_ID", setting="group_id"),
    92: Column("LEDGER_NAME", setting="ledger_name"),
    95: Column("PERIOD_NAME", setting="period_name"),
}


def _columns(options: Options) -> tuple[Column, ...]:
    segments = options.settings.get("segments", _DEFAULT_SEGMENTS).split()
    found = []
    for place in range(1, WIDTH + 1):
        column = _PLACES.get(place, Column(f"FIELD{place}"))
        if 9 <= place < 9 + _SEGMENTS:
            number = place - 8
            field = segments[number - 1] if number <= len(segments) else "-"
            column = Column(f"SEGMENT{number}", "" if field == "-" else field, most=25)
        elif column.name == "GROUP_ID" and not options.settings.get("group_id"):
            column = Column("GROUP_ID", "batch_number")
        found.append(column)
    return tuple(found)


def _check(options: Options) -> None:
    segments = options.settings.get("segments", _DEFAULT_SEGMENTS).split()
    for field in segments:
        if field != "-" and field not in CHOICES and not field.startswith(DIMENSION):
            raise InputRefusedError(
                f"'{field}' cannot be a segment of an Oracle account.",
                advice=f"Use fields such as {_DEFAULT_SEGMENTS}, dimension.NAME, or - for one that stays empty.",
            )
    if "account" not in segments or len(segments) > _SEGMENTS:
        raise InputRefusedError("An Oracle account has up to 30 segments, and `account` must be one of them.")
    group = options.settings.get("group_id", "")
    if group and not (group.isascii() and group.isdigit() and len(group) <= 18):
        raise InputRefusedError(f"'{group}' is not the number of an interface group, of up to 18 digits.")


FBDI = Target(
    name="oracle-fbdi",
    title="Oracle Fusion's journal import",
    extension="zip",
    carrier=Zipped("GlInterface.csv", Csv(header=False)),
    columns=_columns,
    shape=Shape(per_company=True, per_currency=True),
    settings=(
        Setting("ledger_id", "the number of the ledger", required=True),
        Setting("source", "the journal source, as it is set up", "Spreadsheet"),
        Setting("category", "the journal category, as it is set up", "Adjustment"),
        Setting("segments", "which field is in which segment, in order", _DEFAULT_SEGMENTS),
        Setting("group_id", "the interface group; without one, a number made from the journal"),
        Setting("ledger_name", "the name of the ledger, where the import asks for it"),
        Setting("period_name", "the name of the accounting period, where the import asks for it"),
    ),
    key_most=50,
    sheet=True,
    check=_check,
)
TARGETS = (FBDI,)
