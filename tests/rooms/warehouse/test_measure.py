"""Questions about classified charges, each against the same sum made by hand in Python."""

from __future__ import annotations

import random
from collections import defaultdict
from contextlib import closing
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from apportion.allocate.match import compile_rules
from apportion.allocate.rule import Equals, Field, Holder, Prefix, Rule, Target
from apportion.errors import ConservationError
from apportion.money.amount import ONE
from apportion.organization.cost_group import Organization
from apportion.warehouse import duckdb as engine
from apportion.warehouse import queries
from apportion.warehouse import scan as scans
from apportion.warehouse.measure import Measured, Question, measure
from apportion.warehouse.snapshot import Snapshot
from tests.charges import TYPES, Row, snapshot

RULES = [
    Rule("red", "", Equals(Field("team", is_tag=True), ("red",)), Target(Holder.COST_GROUP, "red")),
    Rule("web", "", Prefix(Field("SubAccountId"), ("web",)), Target(Holder.POOL, "web")),
]
RED, WEB, NOBODY = range(3)


def rows(count: int = 300) -> list[dict[str, str | None]]:
    made = random.Random(11)
    return [
        {
            "EffectiveCost": f"{made.randint(-99, 999)}.{made.randint(0, 10**15):015d}",
            "BilledCost": f"{made.randint(0, 999)}.{made.randint(0, 99):02d}",
            "ContractedCost": made.choice([None, "0", "12.5"]),
            "ListCost": made.choice([None, "0", "20.25"]),
            "ServiceName": made.choice(["Compute", "Storage", None]),
            "SubAccountId": made.choice(["web-1", "web-2", "db", None]),
            "ResourceId": made.choice(["r-1", "r-2", "r'3", None]),
            "InvoiceId": made.choice(["INV-1", "INV-2", None]),
            "BillingCurrency": made.choice(["USD", "EUR"]),
            "BillingPeriodStart": made.choice(["2026-10-01"] * 9 + ["2026-09-01"]),
            "Tags": made.choice(['{"team": "red", "x": "1"}', '{"team": "green"}', "{}", None]),
        }
        for _ in range(count)
    ]


def outcome(row: Row) -> int:
    if row["Tags"] and "red" in row["Tags"]:
        return RED
    return WEB if (row["SubAccountId"] or "").startswith("web") else NOBODY


def classified(directory: Path, made: list[dict[str, str | None]]) -> tuple[Snapshot, Path]:
    """The rows in two files of one shape."""
    types = {**TYPES, "ContractedCost": "DECIMAL(38,18)", "ListCost": "DOUBLE"}
    parts = []
    for name, half in (("one", made[: len(made) // 2]), ("two", made[len(made) // 2 :])):
        (directory / name).mkdir()
        parts.append(snapshot(directory / name, half, types))
    files = tuple(replace(part.files[0], mixed=True) for part in parts)
    found = replace(parts[0], files=files)
    sidecars = directory / "sidecars"
    sidecars.mkdir()
    plan = compile_rules(RULES, Organization((), ""), date(2026, 10, 1), date(2026, 10, 31)).plan
    queries.classify(found, plan, effective=True, sidecars=sidecars)
    return found, sidecars


def exact(text: str | None) -> int:
    return int(Fraction(text or "0") * ONE)


def worth(row: Row) -> int:
    return exact(row["ContractedCost"]) or exact(row["ListCost"]) or exact(row["EffectiveCost"])


def sums(found: tuple[Measured, ...]) -> dict[tuple[object, ...], tuple[int, ...]]:
    made: dict[tuple[object, ...], tuple[int, ...]] = {}
    for each in found:
        made[each.outcome, each.met, each.values, each.currency] = (each.rows, each.units, *each.costs)
    assert len(made) == len(found)
    return made


@pytest.mark.parametrize("batch_rows", [5_000_000, 10])
def test_every_question_is_answered_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch_rows: int) -> None:
    monkeypatch.setattr(scans, "BATCH_ROWS", batch_rows)
    made = rows()
    october = [row for row in made if row["BillingPeriodStart"] == "2026-10-01"]
    found, sidecars = classified(tmp_path, made)
    assert len(list(sidecars.iterdir())) == (2 if batch_rows == 10 else 1)
    resource, team = Field("ResourceId"), Field("team", is_tag=True)
    among = [("r-1", "red"), ("r'3", "green"), ("nobody's", "red")]
    small = Equals(Field("ServiceName"), ("storage",), fold=True)
    compute = Equals(Field("ServiceName"), ("Compute", "Storage"))
    answers = measure(
        found,
        sidecars,
        [
            Question(columns=(resource,), costs=(("ContractedCost", "ListCost", "EffectiveCost"), ("NoSuchCost",))),
            Question(outcomes=(RED, NOBODY), columns=(resource, team), among=among),
            Question(met=(small, compute)),
        ],
        effective=True,
    )  # fmt: skip
    expected: list[dict[tuple[object, ...], list[int]]] = [defaultdict(lambda: [0, 0, 0, 0]) for _ in answers]

    def add(place: int, row: Row, met: int, values: tuple[str | None, ...], *costs: int) -> None:
        sums = expected[place][outcome(row), met, values, row["BillingCurrency"]]
        for number, amount in enumerate((1, exact(row["EffectiveCost"]), *costs)):
            sums[number] += amount

    for row in october:
        tag = next((value for value in ("red", "green") if value in (row["Tags"] or "")), None)
        add(0, row, 0, (row["ResourceId"],), worth(row), 0)
        if (row["ResourceId"], tag) in among and outcome(row) != WEB:
            add(1, row, 0, (row["ResourceId"], tag))
        if row["ServiceName"]:
            add(2, row, 0 if row["ServiceName"] == "Storage" else 1, ())
    for place, width in enumerate((4, 2, 2)):
        assert sums(answers[place]) == {key: tuple(value[:width]) for key, value in expected[place].items()}


def test_on_billed_cost_invoices_are_told_apart(tmp_path: Path) -> None:
    made = rows(80)
    found, sidecars = classified(tmp_path, made)
    (answer,) = measure(found, sidecars, [Question()], effective=False)
    expected: dict[tuple[object, ...], int] = defaultdict(int)
    for row in made:
        if row["BillingPeriodStart"] == "2026-10-01":
            expected[outcome(row), row["InvoiceId"] or "", row["BillingCurrency"]] += exact(row["BilledCost"])
    assert {(each.outcome, each.invoice_id, each.currency): each.units for each in answer} == expected


@pytest.mark.parametrize("change", ["shorter", "longer", "turned"])
def test_a_sidecar_that_does_not_lie_beside_the_charges_is_found_out(tmp_path: Path, change: str) -> None:
    found, sidecars = classified(tmp_path, rows())
    taken = "FROM read_parquet('{}')".format(sidecars / "000000.parquet")
    touched = {
        "shorter": f"{taken} LIMIT 299",
        "longer": f"{taken} UNION ALL SELECT NULL, 0::SMALLINT",
        "turned": f"(SELECT * {taken} OFFSET 1) UNION ALL ({taken} LIMIT 1)",
    }[change]
    with closing(engine.connect()) as connection:
        connection.execute(f"COPY ({touched}) TO '{tmp_path / 'touched.parquet'}' (FORMAT parquet)").fetchall()
    (tmp_path / "touched.parquet").replace(sidecars / "000000.parquet")
    with pytest.raises(ConservationError, match="300 charges were to be measured"):
        measure(found, sidecars, [Question(outcomes=(RED,))], effective=True)
