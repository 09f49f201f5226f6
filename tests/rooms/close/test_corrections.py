"""Late corrections through a close: decided as the corrected month was, and its sealed run untouched."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from apportion.allocate.basis import Even
from apportion.close import run as runs
from apportion.close.explain import explain
from apportion.close.month import close, tie_out
from apportion.close.simulate import simulate
from apportion.errors import InputRefusedError
from apportion.invoice.statement import StatementLine
from apportion.money.amount import plain, units
from apportion.periods import BillingPeriod
from tests.examples.late import JULY, JUNE, MAY, Books, Row, correction, corrections, exact, totals

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


APRIL = MAY.previous
ORGANIZATION = """\
groups:
  - {code: product, name: Product, coding: {company: "1", cost_center: "1", ledger_account: "6"}, groups: [
      {code: shop, name: Shop}, {code: search, name: Search}]}
  - {code: labs, name: Labs, coding: {company: "1", cost_center: "2", ledger_account: "6"}}
"""
RULES = """\
rules:
  - {id: shop, when: {ResourceId: S}, charge_to: {cost_group: shop}}
  - {id: search, when: {ResourceId: F}, charge_to: {cost_group: search}}
  - {id: labs, when: {ResourceId: L}, charge_to: {cost_group: labs}}
  - {id: support, when: {ServiceName: Support}, charge_to: {pool: support}}
"""
POLICY = f"""\
policy: Late
cost_basis: effective
{RULES}
pools:
  - {{id: support, name: Support, share: proportional to direct cost}}
"""
MONTH: list[Row] = [
    {"ResourceId": "S", "BilledCost": "100"},
    {"ResourceId": "F", "BilledCost": "200"},
    {"ResourceId": "L", "BilledCost": "100"},
    {"ServiceName": "Support", "BilledCost": "40"},
]


@pytest.fixture
def books(tmp_path: Path) -> Books:
    return Books(tmp_path / "books", POLICY, ORGANIZATION)


def closed_may(books: Books) -> None:
    books.deliver(MAY, MONTH)
    books.close(MAY)


def cents(found: Mapping[str, Sequence[StatementLine]]) -> dict[str, int]:
    return {code: sum(line.minor for line in lines) for code, lines in found.items()}


def test_the_policy_of_the_corrected_month_decides(books: Books) -> None:
    closed_may(books)
    books.write(policy=POLICY.replace("{cost_group: shop}", "{cost_group: labs}").replace("id: shop", "id: moved"))
    books.deliver(JUNE, [{"ResourceId": "S", "BilledCost": "7"}, correction("S", "-10"), correction("S", "4")])
    june = books.close(JUNE)
    assert totals(june) == {"shop": -600, "labs": 700}
    (line,) = corrections(june)["shop"]
    assert (line.rules, line.rows, line.first_statements) == (("shop",), 2, ("ST-2025-05-0001",))


def test_a_pool_is_shared_as_it_was(books: Books) -> None:
    closed_may(books)
    june: list[Row] = [{"ResourceId": "L", "BilledCost": "100"}, {"ServiceName": "Support", "BilledCost": "5"}]
    books.deliver(JUNE, [*june, correction("", "-8", ServiceName="Support")])
    done = books.close(JUNE)
    found = corrections(done)
    assert cents(found) == {"shop": -200, "search": -400, "labs": -200}
    assert totals(done) == {"shop": -200, "search": -400, "labs": 10_500 - 200}
    assert found["shop"][0].reason == (
        "Support: correction of May 2025, your direct cost 100.00 USD of 400.00 USD in total; the pool is a credit of "
        "8.00 USD; corrects statement ST-2025-05-0001"
    )
    explained = explain(books.workspace, f"{done.statements[0].number}:1")
    assert explained.trace is not None
    assert [pool.pool_id for pool in explained.trace.pools] == ["support"]
    (source,) = explained.sources
    assert (source.found.rows, source.found.units) == (1, units("-8"))
    assert source.found.largest[0].shown["ChargeClass"] == "Correction"


def test_a_correction_does_not_change_how_this_months_pools_are_shared(books: Books) -> None:
    closed_may(books)
    june: list[Row] = [*MONTH, correction("S", "-1000")]
    books.deliver(JUNE, june)
    own = [share for share in books.close(JUNE).run.allocation.shares if not share.corrects]
    assert [(str(share.target), share.weight) for share in own] == [
        ("shop", units("100")),
        ("search", units("200")),
        ("labs", units("100")),
    ]


def test_a_pool_that_the_month_did_not_hold_is_shared_anew(books: Books) -> None:
    books.deliver(MAY, MONTH[:3])
    books.close(MAY)
    books.deliver(JUNE, [{"ResourceId": "L", "BilledCost": "50"}, correction("", "8", ServiceName="Support")])
    assert cents(corrections(books.close(JUNE))) == {"labs": 800}


def test_pools_that_serve_each_other_are_solved_as_then(tmp_path: Path) -> None:
    pools = """\
pool_order: reciprocal
pools:
  - {id: a, name: A, share: {fixed: {b: 50%, shop: 50%}}}
  - {id: b, name: B, share: {fixed: {a: 25%, labs: 75%}}}
"""
    rules = "rules:\n  - {id: a, when: {ServiceName: A}, charge_to: {pool: a}}\n"
    rules += "  - {id: b, when: {ServiceName: B}, charge_to: {pool: b}}\n"
    books = Books(tmp_path / "books", f"policy: Loop\ncost_basis: effective\n{rules}{pools}", ORGANIZATION)
    books.deliver(MAY, [{"ServiceName": "A", "BilledCost": "70"}, {"ServiceName": "B", "BilledCost": "35"}])
    may = books.close(MAY)
    assert totals(may) == {"shop": 4500, "labs": 6000}
    books.write(
        policy=f"policy: None\ncost_basis: effective\n{RULES}pools:\n  - {{id: support, name: S, share: even}}\n"
    )
    books.deliver(JUNE, [{"ResourceId": "L"}, correction("", "-7", ServiceName="A")])
    june = books.close(JUNE)
    # Of 7 in A, with a = 7 + b/4 and b = a/2: a = 8, b = 4; shop a/2 = 4, labs 3/4 b = 3.
    assert cents(corrections(june)) == {"shop": -400, "labs": -300}
    assert sum(line.units for lines in corrections(june).values() for line in lines) == units("-7")
    assert explain(books.workspace, f"{june.statements[0].number}:1").sources[0].found.units == units("-7")


@pytest.mark.parametrize(
    ("gone", "heir", "note"),
    [
        ("shop", "product", "of 'shop', which is not in the tree any more"),
        ("labs", "unallocated", "of 'labs', which is not in the tree any more"),
    ],
)
def test_of_a_group_that_is_gone_the_nearest_above_takes_it(books: Books, gone: str, heir: str, note: str) -> None:
    closed_may(books)
    resource = {"shop": "S", "labs": "L"}[gone]
    tree = ORGANIZATION.replace(f"{{code: {gone},", f'{{code: {gone}, until: "2025-06-01",')
    books.write(
        organization=tree,
        policy=POLICY.replace(f"{{id: {gone}, when", f"{{id: {gone}, until: 2025-06-01, when"),
    )
    books.deliver(JUNE, [{"ResourceId": "F", "BilledCost": "1"}, correction(resource, "-10")])
    june = books.close(JUNE)
    (line,) = corrections(june)[heir]
    assert line.minor == -1000
    assert note in line.reason
    assert line.first_statements == (("ST-2025-05-0001",) if gone == "shop" else ("ST-2025-05-0003",))
    statement = next(each for each in june.statements if line in each.lines)
    assert explain(books.workspace, f"{statement.number}:{line.number}").sources[0].found.units == units("-10")


def test_a_month_without_a_run_has_the_policy_of_today_and_its_own_tree(books: Books) -> None:
    tree = ORGANIZATION.replace("{code: shop,", '{code: shop, until: "2025-05-01",')
    dated = "  - {id: then, until: 2025-05-01, when: {ResourceId: L}, charge_to: {cost_group: shop}}\n"
    policy = POLICY.replace("rules:\n", f"rules:\n{dated}").replace("{id: shop,", "{id: shop, until: 2025-05-01,")
    books.write(organization=tree, policy=policy)
    books.deliver(MAY, [*MONTH[1:], correction("L", "3", APRIL), correction("", "4", APRIL, ServiceName="Support")])
    may = books.close(MAY)
    found = corrections(may)
    assert {code: [line.corrects for line in lines] for code, lines in found.items()} == {
        "product": ["2025-04"],
        "search": ["2025-04"],
        "labs": ["2025-04"],
    }
    # The dated rule of April brings 3 to shop, whose heir is product; the pool follows what May has: 200 to 100.
    assert {code: plain(sum(line.units for line in lines))[:8] for code, lines in found.items()} == {
        "product": "3",
        "search": "2.666666",
        "labs": "1.333333",
    }
    books.close(MAY)


def test_several_months_each_by_its_own_policy(books: Books) -> None:
    books.deliver(APRIL, MONTH)
    books.close(APRIL)
    books.write(policy=POLICY.replace("proportional to direct cost", "even"))
    closed_may(books)
    rows = [correction("", "4", APRIL, ServiceName="Support"), correction("", "3", MAY, ServiceName="Support")]
    books.deliver(JUNE, [*MONTH, *rows])
    june = books.close(JUNE)
    found = {
        (str(share.target), share.corrects): plain(share.units)
        for share in june.run.allocation.shares
        if share.corrects
    }
    assert found == {
        ("shop", "2025-04"): "1",
        ("search", "2025-04"): "2",
        ("labs", "2025-04"): "1",
        ("shop", "2025-05"): "1",
        ("search", "2025-05"): "1",
        ("labs", "2025-05"): "1",
    }


def test_what_is_late_but_no_correction_is_charged_like_everything_else(books: Books) -> None:
    closed_may(books)
    late = {**correction("S", "5"), "ChargeClass": ""}
    own = correction("S", "6", JUNE)
    books.deliver(JUNE, [late, own])
    june = books.close(JUNE)
    assert totals(june) == {"shop": 1100}
    assert not corrections(june)
    assert not (june.run.directory / "earlier" / "2025-05").exists()


def test_a_month_on_billed_cost_is_corrected_too_and_carries_nothing(tmp_path: Path) -> None:
    books = Books(tmp_path / "books", POLICY.replace("effective", "billed"), ORGANIZATION)
    closed_may(books)
    books.deliver(JUNE, [{"ResourceId": "S", "BilledCost": "1.004"}, correction("", "-4", ServiceName="Support")])
    june = books.close(JUNE)
    # The invoice of June is another scope than that of May, whose pool was shared 1 : 2 : 1.
    assert cents(corrections(june)) == {"shop": -100, "search": -200, "labs": -100}
    assert june.run.allocation.carried is None
    settled = [(each.reason, plain(each.units)) for each in june.tie_out.differences if each.stage == "settled"]
    assert settled == [("rounding", "-0.004")]
    books.deliver(JULY, [{"ResourceId": "S", "BilledCost": "1.004"}])
    assert totals(books.close(JULY)) == {"shop": 100}


class TestCarried:
    """What rounding left over goes on to the next month, by issuer and currency."""

    def month(self, books: Books, period: BillingPeriod, cost: str, **more: str) -> tuple[int, list[tuple[str, str]]]:
        books.deliver(period, [{"ResourceId": "S", "BilledCost": cost, **more}])
        done = books.close(period)
        assert [str(holder) for holder in totals(done)] == ["shop"]
        said = [(each.reason, plain(each.units)) for each in done.tie_out.differences if each.stage == "settled"]
        return totals(done)["shop"], said

    def test_until_it_is_a_cent(self, books: Books) -> None:
        assert self.month(books, MAY, "1.002") == (100, [("carried_out", "-0.002")])
        assert self.month(books, JUNE, "1.002") == (100, [("carried_in", "0.002"), ("carried_out", "-0.004")])
        assert self.month(books, JULY, "1.002") == (101, [("carried_in", "0.004"), ("carried_out", "0.004")])
        assert self.month(books, JULY.next, "1.004") == (100, [("carried_in", "-0.004")])

    def test_over_a_month_without_charges_of_the_issuer(self, books: Books) -> None:
        self.month(books, MAY, "1.004")
        other = self.month(books, JUNE, "1.00", InvoiceIssuerName="Other")
        assert other == (100, [("carried_in", "0.004"), ("carried_out", "-0.004")])
        assert self.month(books, JULY, "1.001") == (101, [("carried_in", "0.004"), ("carried_out", "0.005")])

    def test_not_from_a_month_that_is_not_sealed(self, books: Books) -> None:
        books.deliver(MAY, [{"ResourceId": "S", "BilledCost": "1.004"}])
        books.close(MAY, seal=False)
        books.deliver(JUNE, [{"ResourceId": "S", "BilledCost": "1.004"}])
        june = books.close(JUNE, seal=False)
        assert totals(june) == {"shop": 100}
        said = {each.reason: each for each in june.tie_out.differences}
        assert said["not_carried_in"].name == "2025-05"
        books.close(MAY)
        with pytest.raises(InputRefusedError, match="the seal of 2025-05 changed"):
            runs.up_to_date(books.workspace, JUNE)
        assert totals(books.close(JUNE)) == {"shop": 101}

    def test_a_sealed_month_stays_as_it_was_when_the_one_before_is_sealed_later(self, books: Books) -> None:
        books.deliver(MAY, [{"ResourceId": "S", "BilledCost": "1.004"}])
        books.close(MAY, seal=False)
        books.deliver(JUNE, [{"ResourceId": "S", "BilledCost": "1.004"}])
        june = books.close(JUNE)
        books.close(MAY)
        assert books.close(JUNE).run.digest == june.run.digest


def test_a_sealed_month_is_replayed_whatever_becomes_of_the_corrected_one(books: Books) -> None:
    books.deliver(MAY, MONTH)
    books.close(MAY, seal=False)
    books.deliver(JUNE, [*MONTH, correction("", "8", ServiceName="Support")])
    june = books.close(JUNE)
    books.write(policy=POLICY.replace("proportional to direct cost", "even"))
    books.close(MAY, seal=False)
    again = books.close(JUNE)
    assert again.run.digest == june.run.digest
    assert corrections(again) == corrections(june)


def test_an_open_month_is_out_of_date_when_the_corrected_one_is_allocated_again(books: Books) -> None:
    books.deliver(MAY, MONTH)
    books.close(MAY, seal=False)
    books.deliver(JUNE, [*MONTH, correction("", "9", ServiceName="Support")])
    books.close(JUNE, seal=False)
    runs.up_to_date(books.workspace, JUNE)
    kept = (books.root / "policy.yaml").read_text(encoding="utf-8")
    books.write(policy=kept.replace("proportional to direct cost", "even"))
    runs.allocate(books.workspace, MAY)
    books.write(policy=kept)
    with pytest.raises(InputRefusedError, match="the allocation of 2025-05 changed"):
        runs.up_to_date(books.workspace, JUNE)
    assert cents(corrections(books.close(JUNE, seal=False))) == {"shop": 300, "search": 300, "labs": 300}


def test_the_same_month_again_is_the_same_run(books: Books) -> None:
    closed_may(books)
    books.deliver(JUNE, [*MONTH, correction("S", "-10"), correction("", "1", APRIL, ServiceName="Support")])
    first = books.close(JUNE, seal=False)
    files = books.files(JUNE)
    assert close(books.workspace, JUNE).run.digest == first.run.digest
    assert books.files(JUNE) == files
    assert runs.current(books.workspace, JUNE).allocation == first.run.allocation


def test_a_simulation_takes_corrections_as_the_month_does(books: Books) -> None:
    closed_may(books)
    books.deliver(JUNE, [*MONTH, correction("", "-8", ServiceName="Support"), correction("S", "0.001")])
    june = books.close(JUNE)
    assert exact(june) == units("432.001")
    assert not simulate(books.workspace, JUNE, policy=june.run.policy).changed
    even = simulate(books.workspace, JUNE, methods={"support": Even()})
    assert {str(each.holder): each.minor for each in even.changed} == {"shop": 334, "search": -667, "labs": 333}
    assert [share for share in even.after.allocation.shares if share.corrects] == [
        share for share in june.run.allocation.shares if share.corrects
    ]


def test_a_simulation_decides_anew_about_months_without_a_run(books: Books) -> None:
    books.deliver(MAY, [*MONTH, correction("S", "3", APRIL)])
    books.close(MAY)
    moved = books.root.parent / "moved.yaml"
    text = POLICY.replace(
        "when: {ResourceId: S}, charge_to: {cost_group: shop}", "when: {ResourceId: S}, charge_to: {cost_group: labs}"
    )
    moved.write_text(text, encoding="utf-8")
    found = simulate(books.workspace, MAY, policy=moved)
    changed = {str(each.holder): each.minor for each in found.changed}
    assert changed["shop"] == -11_300
    assert sum(changed.values()) == 0


@pytest.mark.slow
def test_killed_at_any_moment_a_month_with_corrections_is_whole_or_the_former_one(books: Books) -> None:
    closed_may(books)
    may = books.files(MAY)
    books.deliver(JUNE, [*MONTH, correction("", "-8", ServiceName="Support"), correction("S", "1", APRIL)])
    wanted = []
    policies = [POLICY, POLICY.replace("proportional to direct cost", "even")]
    for policy in policies:
        books.write(policy=policy)
        wanted.append(runs.allocate(books.workspace, JUNE).digest)
    command = [sys.executable, "-m", "apportion.cli", "--workspace", str(books.root), "allocate", str(JUNE)]
    began = time.monotonic()
    assert subprocess.run(command, capture_output=True, check=False, timeout=120).returncode == 0
    lasts = time.monotonic() - began
    made, new = random.Random(5), 0
    for _ in range(12):
        books.write(policy=policies[new])
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(made.uniform(0.3, 1.1) * lasts)
        child.send_signal(signal.SIGKILL)
        child.wait(timeout=60)
        run = runs.current(books.workspace, JUNE)
        assert run.digest in wanted
        assert sum(line.units for line in run.allocation.lines) == units("433")
        assert runs.allocate(books.workspace, JUNE).digest == wanted[new]
        assert books.files(MAY) == may
        new = 1 - new


def test_the_tie_out_does_not_believe_what_is_carried(books: Books) -> None:
    books.deliver(MAY, [{"ResourceId": "S", "BilledCost": "1.004"}])
    may = books.close(MAY)
    (kept,) = may.run.allocation.carried or ()
    for wrong in ((), (kept._replace(units_out=0),), (kept._replace(units_in=units("0.002")),)):
        run = replace(may.run, allocation=replace(may.run.allocation, carried=wrong))
        tied = tie_out(books.workspace, run, may.statements, may.journal)
        assert [each.name for each in tied.open_differences] == ["Cloud"]
