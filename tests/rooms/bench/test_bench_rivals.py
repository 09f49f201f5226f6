"""The library, one SQL statement and a Polars script come to the same cost for every rule, to the last digit."""

from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from apportion.allocate import allocator
from bench import policies, rivals, workspaces

pytestmark = pytest.mark.slow  # the quick loop has the worked examples
POLICY = policies.policy(100)


@pytest.fixture(scope="module")
def by_rule(bill: Path, tmp_path_factory: pytest.TempPathFactory) -> rivals.Totals:
    allocation, _ = allocator.allocate(
        POLICY,
        policies.organization(),
        workspaces.snapshot([bill]),
        sidecars=tmp_path_factory.mktemp("sidecars"),
        issuer_aliases={},
    )
    places = {rule.id: place for place, rule in enumerate(POLICY.rules)}
    found: rivals.Totals = defaultdict(lambda: (0, Decimal(0)))
    for cell in allocation.cells:
        place = len(places) if cell.rule_id is None else places[cell.rule_id]
        found[place] = (found[place][0] + cell.rows, found[place][1] + Decimal(cell.units).scaleb(-18))
    return dict(found)


def test_most_kinds_of_rules_meet_something(by_rule: rivals.Totals) -> None:
    assert len(by_rule) > 60
    assert sum(rows for rows, _ in by_rule.values()) == 4_000


def test_sql(bill: Path, by_rule: rivals.Totals) -> None:
    with duckdb.connect() as connection:
        found = connection.execute(rivals.case_statement(POLICY.rules, [bill], exact=True)).fetchall()
    assert rivals.totals(found) == by_rule


def test_polars(bill: Path, by_rule: rivals.Totals) -> None:
    pytest.importorskip("polars")
    found = rivals.polars_query(POLICY.rules, [bill], exact=True).collect(engine="streaming").rows()
    assert rivals.totals(found) == by_rule
