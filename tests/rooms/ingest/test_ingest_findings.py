"""Every check, each broken by a small delivery: what is done, in which rows, and what the finding shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from apportion.errors import BadValueError
from apportion.focus.checks import CHECKS, EXAMPLES
from apportion.focus.finding import Behaviour
from apportion.ingest import fold
from apportion.money.amount import units
from apportion.periods import BillingPeriod
from apportion.warehouse import duckdb as engine
from apportion.warehouse import intake
from tests.rooms.ingest.making import (
    TYPED,
    Row,
    billed,
    charge,
    checked,
    codes,
    delivered,
    found,
    prepared,
    without,
    write_csv,
    write_parquet,
)

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


GOOD = charge()


@dataclass(frozen=True)
class Case:
    """Rows that break one check: in which column, in how many rows, and the first example."""

    code: str
    column: str
    rows: Sequence[Row]
    count: int
    example: tuple[int, str]


COMMITTED = charge(CommitmentDiscountId="plan-1", CommitmentDiscountStatus="Used", BilledCost="0", EffectiveCost="3")

REFUSED = [
    Case("COST_MISSING", "BilledCost", [GOOD, charge(BilledCost="")], 1, (2, "null")),
    Case("COST_MISSING", "EffectiveCost", [charge(EffectiveCost="NULL"), GOOD], 1, (1, "null")),
    *(
        Case("NUMBER_UNREADABLE", "BilledCost", [GOOD, GOOD, charge(BilledCost=text)], 1, (3, text))
        for text in ("$10,000.00 ", "1,000", "+5", " 5", "1.5E+3", "NaN", "Infinity", "1_000", "ten", "1" * 21)
    ),
    Case("NUMBER_UNREADABLE", "ListCost", [charge(ListCost="?"), charge(ListCost="-"), GOOD], 2, (1, "?")),
    Case("CURRENCY_UNKNOWN", "BillingCurrency", [GOOD, charge(BillingCurrency="Token")], 1, (2, "Token")),
    Case("CURRENCY_UNKNOWN", "BillingCurrency", [GOOD, charge(BillingCurrency="")], 1, (2, "null")),
    Case(
        "BILLING_PERIOD_UNREADABLE", "BillingPeriodStart", [GOOD, charge(BillingPeriodStart="4/1/25")], 1, (2, "4/1/25")
    ),
    Case(
        "BILLING_PERIOD_UNREADABLE",
        "BillingPeriodStart",
        [charge(BillingPeriodStart="0004-01-25"), GOOD],
        1,
        (1, "0004-01-25"),
    ),
    Case(
        "CHARGE_PERIOD_UNREADABLE",
        "ChargePeriodStart",
        [GOOD, charge(ChargePeriodStart="2026-10-01T30:00:00Z")],
        1,
        (2, "2026-10-01T30:00:00Z"),
    ),
    Case(
        "CHARGE_PERIOD_REVERSED",
        "ChargePeriodEnd",
        [GOOD, charge(ChargePeriodEnd="2026-09-30T23:59:59Z")],
        1,
        (2, "2026-09-30 23:59:59, ChargePeriodStart 2026-10-01 00:00:00"),
    ),
]

ACCEPTED = [
    Case(
        "NULL_SPELLED", "ChargeClass", [GOOD, charge(ChargeClass="null"), charge(ChargeClass="(null)")], 2, (2, "null")
    ),
    Case("INSTANT_FORM", "ChargePeriodEnd", [GOOD, charge(ChargePeriodEnd="2026-10-02")], 1, (2, "2026-10-02")),
    Case("DATE_UNREADABLE", "ChargePeriodEnd", [charge(ChargePeriodEnd="soon"), GOOD], 1, (1, "soon")),
    Case(
        "NUMBER_ROUNDED",
        "BilledCost",
        [GOOD, charge(BilledCost="10.5000000000000000004", EffectiveCost="10.5")],
        1,
        (2, "10.5000000000000000004"),
    ),
    Case("VALUE_SPELLING", "ChargeFrequency", [GOOD, charge(ChargeFrequency="usage-based")], 1, (2, "usage-based")),
    Case("VALUE_SPELLING", "ChargeCategory", [GOOD, charge(ChargeCategory="USAGE")], 1, (2, "USAGE")),
    Case("VALUE_UNKNOWN", "ChargeCategory", [GOOD, charge(ChargeCategory="Gift")], 1, (2, "Gift")),
    Case("VALUE_UNKNOWN", "ChargeCategory", [GOOD, charge(ChargeCategory="")], 1, (2, "null")),
    Case("VALUE_UNKNOWN", "PricingCategory", [charge(PricingCategory="Spot"), GOOD], 1, (1, "Spot")),
    Case("TAGS_MALFORMED", "Tags", [GOOD, charge(Tags="team=web"), charge(Tags="[1]")], 2, (2, "team=web")),
    Case("TAGS_NESTED", "Tags", [GOOD, charge(Tags='{"a": {"b": 1}}')], 1, (2, '{"a": {"b": 1}}')),
    Case("TAG_KEYS_REPEATED", "Tags", [charge(Tags='{"a": "1", "a": "2"}'), GOOD], 1, (1, '{"a": "1", "a": "2"}')),
    Case("TAG_KEYS_SIMILAR", "Tags", [GOOD, charge(Tags='{" Team": "web"}')], 1, (2, "' Team' beside 'team'")),
    Case("COLUMN_EMPTY", "SubAccountId", [charge(SubAccountId=""), charge(SubAccountId="")], 2, (0, "")),
    Case("BILLING_PERIOD_DERIVED", "BillingPeriodStart", [GOOD, charge(BillingPeriodStart="")], 1, (2, "null")),
    Case("CHARGE_PERIOD_DERIVED", "ChargePeriodStart", [charge(ChargePeriodStart=""), GOOD], 1, (1, "null")),
    Case("COST_NOT_GIVEN", "ListCost", [GOOD, charge(ListCost="")], 1, (2, "null")),
    Case("INVOICE_ID_MISSING", "InvoiceId", [GOOD, charge(InvoiceId="")], 1, (2, "null")),
    Case(
        "ISSUER_SPELLINGS",
        "InvoiceIssuerName",
        [GOOD, GOOD, charge(InvoiceIssuerName="Cloud EMEA SARL")],
        3,
        (0, "Cloud, Inc.: 2 rows"),
    ),
    Case(
        "ISSUER_SPELLINGS",
        "InvoiceIssuerName",
        [GOOD, charge(InvoiceIssuerName="CLOUD INC", ProviderName="Other")],
        2,
        (0, "CLOUD INC: 1 rows"),
    ),
    Case(
        "EFFECTIVE_COST_ZERO",
        "EffectiveCost",
        [GOOD, charge(EffectiveCost="0")],
        1,
        (2, "0, BilledCost 10.5, ChargeCategory Usage"),
    ),
    Case(
        "EFFECTIVE_COST_DIFFERS",
        "EffectiveCost",
        [GOOD, charge(EffectiveCost="9", ChargeCategory="Tax")],
        1,
        (2, "9, BilledCost 10.5, ChargeCategory Tax, CommitmentDiscountId null"),
    ),
    Case(
        "PURCHASE_EFFECTIVE_COST",
        "EffectiveCost",
        [charge(ChargeCategory="Purchase", CommitmentDiscountId="plan-1"), GOOD],
        1,
        (1, "10.5, ChargeCategory Purchase, CommitmentDiscountId plan-1"),
    ),
    Case(
        "COVERED_USAGE_BILLED",
        "BilledCost",
        [COMMITTED, {**COMMITTED, "BilledCost": "3"}],
        1,
        (2, "3, CommitmentDiscountStatus Used"),
    ),
    Case(
        "COMMITMENT_WITHOUT_ID",
        "CommitmentDiscountId",
        [{**COMMITTED, "CommitmentDiscountId": ""}, COMMITTED],
        1,
        (1, "null, CommitmentDiscountStatus Used"),
    ),
    Case(
        "COMMITMENT_WITHOUT_STATUS",
        "CommitmentDiscountStatus",
        [COMMITTED, {**COMMITTED, "CommitmentDiscountStatus": ""}],
        1,
        (2, "null, CommitmentDiscountId plan-1"),
    ),
    Case(
        "NEGATIVE_UNMARKED",
        "BilledCost",
        [
            charge(BilledCost="-1", EffectiveCost="-1"),
            charge(BilledCost="-1", EffectiveCost="-1", ChargeCategory="Credit"),
        ],
        1,
        (1, "-1, EffectiveCost -1, ChargeClass null, ChargeCategory Usage"),
    ),
    Case(
        "CORRECTION_IN_PERIOD",
        "ChargeClass",
        [GOOD, charge(ChargeClass="Correction")],
        1,
        (2, "Correction, ChargePeriodStart 2026-10-01 00:00:00, BillingPeriodStart 2026-10-01 00:00:00"),
    ),
    Case(
        "LATE_USAGE",
        "ChargePeriodStart",
        [charge(ChargePeriodStart="2026-09-30T00:00:00Z"), GOOD],
        1,
        (1, "2026-09-30 00:00:00, BillingPeriodStart 2026-10-01 00:00:00, ChargeClass null"),
    ),
    Case(
        "CHARGE_AFTER_BILLING",
        "ChargePeriodStart",
        [charge(ChargePeriodStart="2026-11-01T00:00:00Z", ChargePeriodEnd="2026-12-01T00:00:00Z"), GOOD],
        1,
        (1, "2026-11-01 00:00:00, BillingPeriodEnd 2026-11-01 00:00:00"),
    ),
    Case(
        "CHARGE_PERIOD_EMPTY",
        "ChargePeriodEnd",
        [GOOD, charge(ChargePeriodEnd="2026-10-01T00:00:00Z")],
        1,
        (2, "2026-10-01 00:00:00, ChargePeriodStart 2026-10-01 00:00:00"),
    ),
    Case(
        "BILLING_PERIOD_ODD",
        "BillingPeriodStart",
        [GOOD, charge(BillingPeriodStart="2026-10-01T08:00:00Z", ChargePeriodStart="2026-10-01T08:00:00Z")],
        1,
        (2, "2026-10-01 08:00:00"),
    ),
    Case(
        "BILLING_PERIODS_SEVERAL",
        "BillingPeriodStart",
        [GOOD, GOOD, charge(BillingPeriodStart="2026-09-01T00:00:00Z", InvoiceId="INV-0")],
        1,
        (3, "2026-09-01 00:00:00"),
    ),
    Case(
        "INVOICE_IN_SEVERAL_PERIODS",
        "InvoiceId",
        [GOOD, charge(BillingPeriodStart="2026-09-01T00:00:00Z", BillingPeriodEnd="")],
        2,
        (0, "INV-1: 2026-09, 2026-10"),
    ),
    Case(
        "UNIT_PRICE_DIFFERS",
        "ListCost",
        [GOOD, charge(ListCost="99")],
        1,
        (2, "99, ListUnitPrice 2.5, ContractedCost 10.5, ContractedUnitPrice 2.1, PricingQuantity 5"),
    ),
]

# These are about files as such, and have tests of their own below or beside.
ELSEWHERE = {
    "ROW_RAGGED", "COLUMN_MISSING", "COLUMN_ASSUMED", "ASSUMPTION_UNUSED", "COLUMNS_DIFFER", "FILE_WITHOUT_ROWS",
    "FILE_SKIPPED", "MANIFEST_ROWS_DIFFER", "MANIFEST_PERIOD_DIFFERS",
}  # fmt: skip


def _named(case: Case) -> str:
    return f"{case.code} {case.column} {case.example[1][:12]!r}"


def test_no_check_is_without_a_case() -> None:
    assert {case.code for case in [*REFUSED, *ACCEPTED]} | ELSEWHERE == set(CHECKS)


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[engine.Connection]:
    with closing(intake.connect(tmp_path_factory.mktemp("spill"), threads=1)) as opened:
        yield opened


@pytest.mark.parametrize("case", ACCEPTED, ids=_named)
def test_accepted(connection: engine.Connection, tmp_path: Path, case: Case) -> None:
    file = checked(connection, tmp_path, case.rows)
    file.findings += fold.findings([file], None)
    finding = found(file, case.code, case.column)
    assert finding.behaviour is Behaviour.ACCEPTED
    assert finding.rows == case.count
    assert not finding.examples or (finding.examples[0].row, finding.examples[0].value) == case.example
    assert bool(finding.examples) == (case.example != (0, ""))
    assert sum(group.rows for group in file.groups) == len(case.rows)
    assert file.bad_rows == 0


@pytest.mark.parametrize("case", REFUSED, ids=_named)
def test_refused_or_kept_aside(connection: engine.Connection, tmp_path: Path, case: Case) -> None:
    strict = checked(connection, tmp_path, case.rows)
    with pytest.raises(BadValueError) as refused:
        fold.refuse_bad_rows([strict])
    assert str(refused.value.place) == f"charges.csv, row {case.example[0]}, {case.column}"
    assert case.example[1] in refused.value.sentence
    assert "--quarantine" in refused.value.advice
    file = checked(connection, tmp_path, case.rows, quarantine=True)
    finding = found(file, case.code, case.column)
    assert (finding.behaviour, finding.rows) == (Behaviour.QUARANTINED, case.count)
    assert (finding.examples[0].row, finding.examples[0].value) == case.example
    assert file.bad_rows == case.count
    assert sum(group.rows for group in file.groups) == len(case.rows)


def test_a_delivery_without_fault_has_no_finding(tmp_path: Path) -> None:
    assert codes(delivered(tmp_path, [GOOD, COMMITTED, charge(InvoiceId="INV-2", BillingCurrency="EUR")])) == set()


def test_the_first_bad_row_is_named_and_the_others_are_counted(tmp_path: Path) -> None:
    rows = [GOOD, GOOD, charge(BillingCurrency="???"), charge(BilledCost="x"), charge(BilledCost="y")]
    with pytest.raises(BadValueError, match="2 more rows cannot") as refused:
        delivered(tmp_path, rows)
    assert str(refused.value.place) == "charges.csv, row 3, BillingCurrency"


def test_only_the_first_examples_are_kept(tmp_path: Path) -> None:
    delivery = delivered(tmp_path, [GOOD, *[charge(InvoiceId="")] * 40])
    finding = found(delivery, "INVOICE_ID_MISSING")
    assert (finding.rows, [example.row for example in finding.examples]) == (40, list(range(2, 2 + EXAMPLES)))


def test_what_is_kept_aside_is_counted_by_currency_and_period(tmp_path: Path) -> None:
    rows = [
        GOOD,
        charge(EffectiveCost="", BilledCost="3"),
        charge(BillingCurrency="EUR", InvoiceId="INV-2", EffectiveCost="", BilledCost="4"),
        charge(BillingCurrency="Gold", BilledCost="5"),
        charge(BillingPeriodStart="once", BilledCost="6"),
        charge(BilledCost="much"),
        charge(BillingPeriodStart="2026-09-01T00:00:00Z", InvoiceId="INV-0", BilledCost="8", EffectiveCost=""),
        charge(BillingPeriodStart="2026-09-01T00:00:00Z", InvoiceId="INV-0"),
    ]
    delivery = delivered(tmp_path, rows, quarantine=True)
    aside = {
        (str(period), part.currency): (part.rows, part.billed_units)
        for period, parts in delivery.quarantined.items()
        for part in parts
    }
    assert aside == {
        ("2026-09", "USD"): (2, units("14")),  # 8, and 6 without a period of its own
        ("2026-10", ""): (1, units("5")),
        ("2026-10", "EUR"): (1, units("4")),
        ("2026-10", "USD"): (2, units("3")),
    }
    assert billed(delivery) == units("21")


def test_quarantined_rows_lie_aside_with_their_reasons_and_their_text(tmp_path: Path) -> None:
    rows = [GOOD, charge(BilledCost="much", ChargePeriodEnd="2026-09-01T00:00:00Z"), GOOD]
    delivery = prepared(write_csv(tmp_path / "october.csv", rows), tmp_path / "staged", quarantine=True)
    [file] = delivery.charges
    assert file.quarantine is not None
    with closing(engine.connect()) as connection:
        shown = connection.execute(
            f'SELECT "row", why, "BilledCost", "ServiceName" FROM {engine.files([file.quarantine])}'
        ).fetchall()
    assert shown == [(1, "NUMBER_UNREADABLE BilledCost, CHARGE_PERIOD_REVERSED ChargePeriodEnd", "much", "Servers")]


def test_a_delivery_of_which_nothing_can_be_charged_is_refused_even_so(tmp_path: Path) -> None:
    with pytest.raises(BadValueError, match="None of the 2 rows"):
        delivered(tmp_path, [charge(BilledCost="?")] * 2, quarantine=True)


def test_ragged_rows_are_bad_rows(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "october.csv", [GOOD, charge(BilledCost="2", EffectiveCost="2"), GOOD])
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines[:2], "1,2,3", lines[2], '5,"6"7,8', lines[3]]) + "\n", encoding="utf-8")
    with pytest.raises(BadValueError) as refused:
        prepared(path, tmp_path / "one")
    assert str(refused.value.place) == "october.csv, row 2"
    assert "1,2,3" in refused.value.sentence
    delivery = prepared(path, tmp_path / "two", quarantine=True)
    finding = found(delivery, "ROW_RAGGED")
    assert [(example.row, example.value) for example in finding.examples] == [(2, "1,2,3"), (4, '5,"6"7,8')]
    assert (delivery.files[0].rows, billed(delivery)) == (5, units("23"))
    assert [(part.currency, part.rows) for part in delivery.quarantined[BillingPeriod(2026, 10)]] == [("", 2)]


def test_columns_that_focus_demands_and_nobody_needs(tmp_path: Path) -> None:
    delivery = delivered(tmp_path, [without("ListCost", "ServiceCategory", "BillingPeriodStart")])
    missing = {finding.column for finding in delivery.findings if finding.code == "COLUMN_MISSING"}
    assert missing == {"ListCost", "ServiceCategory"}
    assert found(delivery, "BILLING_PERIOD_DERIVED").rows == 0
    [total] = delivery.totals[BillingPeriod(2026, 10)]
    assert (total.list_units, total.contracted_units) == (None, units("10.5"))


def test_without_any_start_there_is_no_billing_period(tmp_path: Path) -> None:
    with pytest.raises(BadValueError) as refused:
        delivered(tmp_path, [GOOD, charge(BillingPeriodStart="", ChargePeriodStart="")])
    assert refused.value.place is not None
    assert (refused.value.place.row, refused.value.place.field) == (2, "BillingPeriodStart")


def test_files_of_one_delivery_may_differ_and_may_be_empty(tmp_path: Path) -> None:
    write_csv(tmp_path / "export" / "a.csv", [GOOD])
    write_csv(tmp_path / "export" / "b.csv", [charge(x_Team="web", InvoiceId="INV-2")])
    header = ",".join(GOOD)
    (tmp_path / "export" / "c.csv").write_text(f"{header}\n", encoding="utf-8")
    delivery = prepared(tmp_path / "export", tmp_path / "staged")
    assert [example.value for example in found(delivery, "COLUMNS_DIFFER").examples] == ["+ x_Team"]
    assert found(delivery, "FILE_WITHOUT_ROWS").file == "c.csv"
    assert [file.name for file in delivery.charges] == ["a.csv", "b.csv"]


def test_months_in_files_of_their_own_are_one_finding(tmp_path: Path) -> None:
    for month in (8, 9, 10):
        row = charge(
            BillingPeriodStart=f"2026-{month:02d}-01T00:00:00Z",
            BillingPeriodEnd=f"2026-{month + 1:02d}-01T00:00:00Z",
            ChargePeriodStart=f"2026-{month:02d}-03T00:00:00Z",
            ChargePeriodEnd=f"2026-{month:02d}-04T00:00:00Z",
            InvoiceId=f"INV-{month}",
        )
        write_csv(tmp_path / "export" / f"{month}.csv", [row])
    delivery = prepared(tmp_path / "export", tmp_path / "staged")
    finding = found(delivery, "BILLING_PERIODS_SEVERAL")
    assert (finding.file, finding.rows, len(finding.examples)) == ("", 3, 3)
    assert not any(file.mixed for file in delivery.charges)
    assert [str(period) for period in delivery.totals] == ["2026-08", "2026-09", "2026-10"]


def test_parquet_is_checked_as_csv_is(tmp_path: Path) -> None:
    rows = [
        GOOD,
        charge(BilledCost="NaN"),
        charge(EffectiveCost=""),
        charge(ChargeClass="NULL", ListCost=""),
        charge(BilledCost="-1", EffectiveCost="-1", ChargeFrequency="USAGE-BASED", InvoiceId=""),
        charge(BilledCost="1e300"),
    ]
    path = write_parquet(tmp_path / "october.parquet", rows, TYPED)
    with pytest.raises(BadValueError) as refused:
        prepared(path, tmp_path / "one")
    assert refused.value.place is not None
    assert (refused.value.place.row, refused.value.place.field) == (2, "BilledCost")
    delivery = prepared(path, tmp_path / "two", quarantine=True)
    assert codes(delivery) >= {
        "NUMBER_UNREADABLE", "COST_MISSING", "NULL_SPELLED", "COST_NOT_GIVEN", "NEGATIVE_UNMARKED", "VALUE_SPELLING",
        "INVOICE_ID_MISSING",
    }  # fmt: skip
    assert found(delivery, "NUMBER_UNREADABLE").rows == 2
    assert [example.row for example in found(delivery, "NULL_SPELLED").examples] == [4]
    assert billed(delivery) == units("20")
    [file] = delivery.charges
    assert file.column("ChargeClass").nulls == ("", "NULL")  # type: ignore[union-attr]


def test_spellings_of_null_that_a_source_has_of_its_own(tmp_path: Path) -> None:
    rows = [charge(SubAccountId="-2"), charge(SubAccountId="Unassigned"), GOOD]
    delivery = delivered(tmp_path, rows, nulls=("-2", "Unassigned"))
    finding = found(delivery, "NULL_SPELLED", "SubAccountId")
    assert [(example.row, example.value) for example in finding.examples] == [(1, "-2"), (2, "Unassigned")]
    assert "NULL_SPELLED" not in codes(delivered(tmp_path / "plain", rows))
