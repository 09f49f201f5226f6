"""Laws of usage: the order of rows and files is nothing, twice is once, and nothing is lost on the way to a basis."""

from __future__ import annotations

import csv
import random
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apportion.allocate.consumers import mapped
from apportion.allocate.policy import CostBasis, Policy
from apportion.allocate.rule import Equals, Field, Holder, Prefix, Rule, Target
from apportion.ingest.usage import load
from apportion.money.amount import ONE, units
from apportion.organization.cost_group import CostGroup, Tree
from apportion.periods import BillingPeriod
from apportion.warehouse import usage as stored
from apportion.warehouse.store import Workspace
from tests.often import often

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


PERIOD = BillingPeriod(2026, 10)
TREE = Tree(CostGroup(code, code) for code in ("web", "shop"))
POLICY = Policy(
    "p",
    CostBasis.EFFECTIVE,
    (),
    (),
    "",
    consumers=(
        Rule("env", "", Equals(Field("env"), ("test",)), Target(Holder.COST_GROUP, "shop")),
        Rule("prefix", "", Prefix(Field("consumer"), ("w",)), Target(Holder.COST_GROUP, "web")),
    ),
)
NUMBERS = st.tuples(st.integers(-(10**18), 10**18), st.integers(0, 18)).map(lambda drawn: decimal_text(*drawn))
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["requests", "cluster.cpu.cost", "cluster.memory.cost"]),
        st.sampled_from(["web", "w1", "shop", "nobody", "é,\"", "__idle__"]),
        NUMBERS,
        st.sampled_from(["", "test", "prod"]),
        st.sampled_from(["", "c1", "c2"]),
    ),
    min_size=1,
    max_size=12,
)  # fmt: skip


def decimal_text(number: int, scale: int) -> str:
    sign, digits = ("-" if number < 0 else ""), f"{abs(number):0{scale + 1}d}"
    return f"{sign}{digits[: len(digits) - scale]}.{digits[len(digits) - scale :]}" if scale else f"{sign}{digits}"


def write(path: Path, rows: list[tuple[str, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["period", "metric", "consumer", "value", "env", "cluster"])
        writer.writerows(["2026-10", *row] for row in rows)
    return path


def current(workspace: Workspace) -> tuple[str, list[stored.UsageRow]]:
    files = workspace.usage(PERIOD)
    rows = [row for source, file in files.items() if file.path for row in stored.read(file.path, source)]
    return stored.digest({source: file.sha256 for source, file in files.items()}), rows


@settings(max_examples=often(12), deadline=None)
@given(rows=ROWS, chance=st.integers(0, 99))
def test_any_order_of_rows_and_files_gives_the_same_usage(rows: list[tuple[str, ...]], chance: int) -> None:
    with TemporaryDirectory() as name:
        directory = Path(name)
        found = []
        shuffled = rows[:]
        random.Random(chance).shuffle(shuffled)
        half = len(rows) // 2
        for place, parts in enumerate(([rows], [shuffled[:half], shuffled[half:]])):
            workspace = Workspace.create(directory / f"close-{place}")
            (workspace.root / "apportion.yaml").write_text("company: X\n", encoding="utf-8")
            # Two parts that hold the same bytes are one file that came twice, and refused.
            paths = [
                write(directory / f"{place}-{number}.csv", part)
                for number, part in enumerate(parts)
                if part and part not in parts[:number]
            ]
            if sum(len(part) for number, part in enumerate(parts) if part not in parts[:number]) != len(rows):
                return
            load(workspace, paths, source="s")
            first = current(workspace)
            assert load(workspace, paths, source="s").status == "unchanged"
            assert current(workspace) == first
            found.append(first)
        assert found[0] == found[1]
        delivered = sum(Fraction(row[2]) for row in rows)
        assert sum(Fraction(row.value, ONE) for row in found[0][1]) == delivered, "exact to the last digit"


@settings(max_examples=often(25), deadline=None)
@given(rows=ROWS, chance=st.integers(0, 99))
def test_whatever_comes_is_used_by_somebody_or_shown_as_nobodys(rows: list[tuple[str, ...]], chance: int) -> None:
    made = [
        stored.UsageRow(
            "s",
            metric,
            consumer,
            tuple((name, text) for name, text in (("cluster", cluster), ("env", env)) if text),
            units(value),
        )
        for metric, consumer, value, env, cluster in rows
    ]
    found = mapped(made, POLICY, TREE, PERIOD)
    for metric in {row.metric for row in made}:
        used = sum(one.value for one in found.usage.used if one.metric == metric)
        unknown = sum(one.value for one in found.unknown if one.metric == metric)
        assert used + unknown == sum(row.value for row in made if row.metric == metric)
    costs = sum(one.value for one in found.usage.used if one.metric in ("cluster.cpu.cost", "cluster.memory.cost"))
    assert costs == sum(one.value for one in found.usage.used if one.metric == "cluster.cost")
    random.Random(chance).shuffle(made)
    again = mapped(made, POLICY, TREE, PERIOD)
    assert (again.usage.used, again.unknown) == (found.usage.used, found.unknown)
