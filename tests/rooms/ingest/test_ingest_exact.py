"""Numbers arrive to the last digit: against Python's own decimals, which know no engine."""

from __future__ import annotations

import math
import shutil
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from apportion.errors import BadValueError
from apportion.ingest import findings
from apportion.money.amount import ONE, units
from apportion.warehouse import duckdb as engine
from apportion.warehouse import intake
from apportion.warehouse.intake_values import Instant, Number, Stage
from apportion.warehouse.snapshot import Column
from tests.often import often
from tests.rooms.ingest.making import TYPED, billed, charge, delivered, found, prepared, write_csv, write_parquet

pytestmark = pytest.mark.thorough

WIDE = Context(prec=400)
LARGEST = 10**38  # units: 20 digits before the point, 18 behind it


def half_even(text: str) -> int:
    """Units of 10⁻¹⁸ by Python's decimals."""
    with localcontext(WIDE):
        return int((Decimal(text) * ONE).to_integral_value(ROUND_HALF_EVEN))


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[engine.Connection]:
    with closing(intake.connect(tmp_path_factory.mktemp("spill"), threads=1)) as opened:
        yield opened


DIGITS = st.text("0123456789", max_size=24)
TIES = st.sampled_from(["", "5", "50", "4999999", "5000000001", "05"])
EXPONENTS = st.sampled_from(["", "", "e0", "E-8", "e3", "E-19", "e-30", "E19"])


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """Numbers as FOCUS writes them, many of them with ties behind the eighteenth decimal."""
    whole, fraction = draw(DIGITS), draw(DIGITS)
    if draw(st.booleans()):
        fraction = fraction[:18].ljust(18, draw(st.sampled_from("0123456789"))) + draw(TIES)
    if not whole and not fraction:
        whole = "0"
    point = "." if fraction else draw(st.sampled_from(["", "."]))
    return draw(st.sampled_from(["", "-"])) + whole + point + fraction + draw(EXPONENTS)


def read_texts(connection: engine.Connection, texts: list[str]) -> list[tuple[str | None, str | None]]:
    """What the engine makes of texts: the number, and the effect of rounding it."""
    stage = Stage()
    number: Number = stage.text_number("x", "shown")
    connection.execute("CREATE OR REPLACE TEMP TABLE given (place INTEGER, shown VARCHAR)")
    connection.executemany("INSERT INTO given VALUES (?, ?)", list(enumerate(texts)))
    return connection.execute(
        f"SELECT {number.value}::VARCHAR, {number.effect}::VARCHAR FROM {stage.relation('given')} ORDER BY place"
    ).fetchall()


@settings(max_examples=often(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(numbers(), min_size=1, max_size=40))
@example(["1.81E-8", "5.", ".5", "0.0000000000000000005", "0.0000000000000000015", "-25e-19", "1e-400", "9" * 20])
@example(["123456789012.1234567890123456785", "1.2345678901234567885", "99999999999999999999.9999999999999999999"])
def test_text_is_read_exactly_and_rounded_half_even(connection: engine.Connection, texts: list[str]) -> None:
    for text, (number, effect) in zip(texts, read_texts(connection, texts), strict=True):
        expected = half_even(text)
        if abs(expected) >= LARGEST:
            assert number is None, text
            continue
        assert number is not None, text
        assert units(number) == expected, text
        with localcontext(WIDE):
            cut = Decimal(expected) - Decimal(text) * ONE
            assert abs(Decimal(effect or 0) - cut) <= Decimal(10) ** -20, text
            assert (effect is not None) == (cut != 0), text


@pytest.mark.parametrize(
    "text",
    ["+5", " 5", "5 ", "1_000", "1,000", "$1", "NaN", "inf", "-Infinity", "1e", "1E+3", "-", ".", "e5", "1e1.5", "٣",
     "0x1", "1e1234", "--1", "1-", "1 000", "1e20", "1" * 21],
)  # fmt: skip
def test_what_is_no_number_is_never_read_as_one(connection: engine.Connection, text: str) -> None:
    assert read_texts(connection, [text]) == [(None, None)]


def read_doubles(connection: engine.Connection, values: list[float]) -> list[str | None]:
    """What the engine makes of doubles."""
    stage = Stage()
    number = stage.number(Column("BilledCost", "shown", "DOUBLE"))
    connection.execute("CREATE OR REPLACE TEMP TABLE given (place INTEGER, shown DOUBLE)")
    connection.executemany("INSERT INTO given VALUES (?, ?)", list(enumerate(values)))
    rows = connection.execute(
        f"SELECT {number.value}::VARCHAR FROM {stage.relation('given')} ORDER BY place"
    ).fetchall()
    tens, rest = connection.execute(f"SELECT {', '.join(number.sums)} FROM {stage.relation('given')}").fetchall()[0]
    readable = [units(row[0]) for row in rows if row[0] is not None]
    assert int(tens or 0) * 10**8 + units(rest or "0") == sum(readable)
    return [row[0] for row in rows]


SHORT = st.integers(-(10**15) + 1, 10**15 - 1).flatmap(
    lambda whole: st.integers(0, 20).map(lambda places: float(f"{whole}e-{places}"))
)
BITS = st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("d", struct.pack("Q", bits))[0])
AMOUNTS = st.floats(-1e6, 1e6) | st.floats(-0.01, 0.01) | SHORT | BITS


@settings(max_examples=often(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(AMOUNTS, min_size=1, max_size=60))
@example([0.1, 1.005, 2.675, 1e-7, 4e-10, 0.0012345678901234565, 5e-19, 1.5e-18, -0.0, 1e15, 123456789.12345678])
@example([math.nan, math.inf, -math.inf, 1e20, 1e300, 5e-324, 99999999999999980000.0, 0.30000000000000004])
def test_a_double_is_the_shortest_decimal_that_reads_back(connection: engine.Connection, values: list[float]) -> None:
    for value, shown in zip(values, read_doubles(connection, values), strict=True):
        if not math.isfinite(value) or abs(value) >= 1e20:
            assert shown is None
        else:
            assert shown is not None
            assert units(shown) == half_even(repr(value)), value


def test_doubles_arrive_so_for_every_later_query(tmp_path: Path) -> None:
    values = ["0.1", "1.005", "2.675", "0.0012345678901234565", "5e-19", "1.5e-18", "33333.333333333336", "4e-10"]
    rows = [charge(BilledCost=text, EffectiveCost=text) for text in values]
    delivery = prepared(write_parquet(tmp_path / "october.parquet", rows), tmp_path / "staged")
    expected = sum(half_even(text) for text in values)
    assert billed(delivery) == expected
    [file] = delivery.charges
    with closing(engine.connect()) as opened:
        for name in ("BilledCost", "EffectiveCost"):
            total = opened.execute(f"SELECT sum({engine.cost(file, name)})::VARCHAR FROM {engine.files([file.path])}")
            assert units(total.fetchall()[0][0]) == expected


@pytest.mark.parametrize("kind", ["VARCHAR", "DECIMAL(38,28)"])
def test_ties_that_the_engine_would_round_the_other_way(tmp_path: Path, kind: str) -> None:
    text = "1234567890.1234567890123456785"  # half-even: down to ...678
    types = {**TYPED, "BilledCost": kind, "EffectiveCost": kind}
    rows = [charge(BilledCost=text, EffectiveCost=text), charge(BilledCost="1", EffectiveCost="1")]
    delivery = prepared(write_parquet(tmp_path / "october.parquet", rows, types), tmp_path / "staged")
    assert billed(delivery) == half_even(text) + ONE == 1234567891123456789012345678
    [file] = delivery.charges
    with closing(engine.connect()) as opened:
        total = opened.execute(
            f"SELECT sum({engine.cost(file, 'BilledCost')})::VARCHAR FROM {engine.files([file.path])}"
        )
        assert units(total.fetchall()[0][0]) == billed(delivery)


def test_the_effect_of_rounding_is_reported(tmp_path: Path) -> None:
    rows = [
        charge(BilledCost="0.0000000000000000014", EffectiveCost="0.0000000000000000014"),
        charge(BilledCost="0.0000000000000000029", EffectiveCost="-0.0000000000000000036"),
    ]
    delivery = delivered(tmp_path, rows)
    # Billed 1.4 → 1 and 2.9 → 3, effective 1.4 → 1 and -3.6 → -4: -0.4 + 0.1 - 0.4 - 0.4 = -1.1 units.
    assert delivery.rounding_units == -1
    finding = found(delivery, "NUMBER_ROUNDED", "BilledCost")
    assert finding.rows == 2
    assert "by -0.0000000000000000011." in finding.sentence


def zones() -> st.SearchStrategy[str]:
    return st.sampled_from(["Z", "", " UTC", "+00:00", "-05:30", "+0200", "+14"])


@settings(max_examples=often(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.datetimes(datetime(1950, 1, 1), datetime(2900, 1, 1)), zones(), st.sampled_from("T "))  # noqa: DTZ001
def test_instants_are_read_in_utc(connection: engine.Connection, at: datetime, zone: str, between: str) -> None:
    shown = at.replace(microsecond=0).isoformat(between) + zone
    hours = {"-05:30": -5.5, "+0200": 2.0, "+14": 14.0}.get(zone, 0.0)
    utc = at.replace(microsecond=0, tzinfo=timezone(timedelta(hours=hours))).astimezone(UTC).replace(tzinfo=None)
    stage = Stage()
    instant: Instant = stage.text_instant("x", "shown")
    found_ = connection.execute(
        f"SELECT {instant.value} FROM {stage.relation(f'(SELECT {engine.literal(shown)} AS shown)')}"
    ).fetchall()
    assert found_ == [(utc,)]


@pytest.mark.parametrize("kind", ["csv", "DECIMAL(38,18)", "DOUBLE"])
def test_a_sum_that_no_decimal_holds_is_refused(tmp_path: Path, kind: str) -> None:
    rows = [charge(BilledCost="6" + "0" * 19, EffectiveCost="1", InvoiceId=f"INV-{place}") for place in range(2)]
    types = {**TYPED, "BilledCost": kind, "EffectiveCost": kind}
    path = (
        write_csv(tmp_path / "october.csv", rows)
        if kind == "csv"
        else write_parquet(tmp_path / "october.parquet", rows, types)
    )
    with pytest.raises(BadValueError, match="add up to 100 000 000 000 000 000 000 or more"):
        prepared(path, tmp_path / "staged")


COSTS = st.one_of(numbers(), st.sampled_from(["", "NULL", "ten", "1,000", "NaN", "+1"]))


@settings(max_examples=often(5), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(COSTS, COSTS, st.sampled_from(["USD", "EUR", "Gold"])), min_size=1, max_size=30))
def test_what_was_delivered_is_loaded_or_kept_aside(tmp_path: Path, rows: list[tuple[str, str, str]]) -> None:
    given_rows = [charge(BilledCost="1", EffectiveCost="1", ResourceId="there is always one")]
    for number, (billed_cost, effective_cost, currency) in enumerate(rows):
        invoice = f"INV-{currency}-{number}"
        given_rows.append(
            charge(BilledCost=billed_cost, EffectiveCost=effective_cost, BillingCurrency=currency, InvoiceId=invoice)
        )
    try:
        delivery = delivered(tmp_path, given_rows, quarantine=True)
    except BadValueError:
        # Twenty digits before the point is what one number may have, and what a sum may have as well.
        every = [readable(row[name]) for row in given_rows for name in ("BilledCost", "EffectiveCost")]
        assert sum(abs(units) for units in every if units is not None) >= LARGEST
        return
    finally:
        shutil.rmtree(tmp_path / "given")
    loaded: Counter[str] = Counter()
    aside: Counter[str] = Counter()
    for row in given_rows:
        costs = [readable(row[name]) for name in ("BilledCost", "EffectiveCost")]
        if None in costs or row["BillingCurrency"] == "Gold":
            aside["" if row["BillingCurrency"] == "Gold" else row["BillingCurrency"]] += costs[0] or 0
        else:
            loaded[row["BillingCurrency"]] += costs[0] or 0
    totals = [total for parts in delivery.totals.values() for total in parts]
    kept = [part for parts in delivery.quarantined.values() for part in parts]
    for currency in {*loaded, *aside}:
        assert sum(total.billed_units for total in totals if total.currency == currency) == loaded[currency]
        assert sum(part.billed_units for part in kept if part.currency == currency) == aside[currency]
    assert sum(total.rows for total in totals) + sum(part.rows for part in kept) == len(given_rows)


def readable(text: str) -> int | None:
    """Units of a cost that can be charged, by Python alone."""
    if text in ("", "NULL", "ten", "1,000", "NaN", "+1"):
        return None
    kept = half_even(text)
    return kept if abs(kept) < LARGEST else None


def test_the_exact_effect_is_a_sum_of_decimals(tmp_path: Path) -> None:
    assert findings.rounding([]) == 0
    assert delivered(tmp_path, [charge()]).rounding_units == 0
