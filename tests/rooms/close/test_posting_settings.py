"""What the settings say of postings: when the ledger takes them, and companies' own currencies."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from apportion.close.month import posting_accounts, posting_calendar
from apportion.errors import DocumentError
from apportion.periods import BillingPeriod
from apportion.settings import Settings, load

OCTOBER = BillingPeriod(2026, 10)


def settings(root: Path, ledger: str) -> Settings:
    (root / "apportion.yaml").write_text(f"company: Harbour Foods\nledger:\n{ledger}", encoding="utf-8")
    return load(root)


def test_the_calendar_is_the_cut_off_and_the_ledgers_periods(tmp_path: Path) -> None:
    (tmp_path / "periods.csv").write_text(
        "company,period,open\n1000,2026-10,true\n2000,2026-10,false\n1000,2026-11,true\n", encoding="utf-8"
    )
    made = settings(tmp_path, "  cut_off: 10\n  master_data: .\n")
    calendar = posting_calendar(made, tmp_path, date(2026, 11, 5))
    assert not calendar.takes(OCTOBER)  # one company has closed it
    assert calendar.posting_on(OCTOBER) == date(2026, 11, 1)
    assert not calendar.takes(OCTOBER.next.next)  # the ledger does not have it
    without = posting_calendar(settings(tmp_path, "  cut_off: 10\n"), tmp_path, date(2026, 11, 5))
    assert without.posting_on(OCTOBER) == date(2026, 10, 31)
    late = posting_calendar(settings(tmp_path, "  cut_off: 4\n"), tmp_path, date(2026, 11, 5))
    assert late.posting_on(OCTOBER) == date(2026, 11, 1)


def test_every_role_of_the_settings_reaches_the_journal(tmp_path: Path) -> None:
    made = posting_accounts(settings(tmp_path, '  accrued: "339000"\n  exchange_loss: "216000"\n'))
    assert (made.code("accrued"), made.code("exchange_loss"), made.transferred_out) == ("339000", "216000", "")


@pytest.mark.parametrize(
    ("ledger", "code"),
    [
        ('  accounts: [{account: "1"}]\n', "MISSING_KEY"),
        ('  accounts: [{account: "1", service: s, since: 2026-10-02, until: 2026-10-02}]\n', "BAD_ORDER"),
        ("  currencies: {'1000': EURO}\n", "BAD_CURRENCY"),
        ("  cut_off: 0\n", "BAD_VALUE"),
        ("  lines: some\n", "BAD_VALUE"),
        ("  accrual: '1'\n", "UNKNOWN_KEY"),
    ],
)
def test_what_the_ledger_section_cannot_say(tmp_path: Path, ledger: str, code: str) -> None:
    with pytest.raises(DocumentError) as refused:
        settings(tmp_path, ledger)
    (mistake,) = refused.value.mistakes
    assert mistake.code == code
    assert mistake.place.line == 3
