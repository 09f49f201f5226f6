"""A month in which pools are shared in every way: what `explain` prints adds up, and every source row arrives whole."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from apportion.cli import main, reference
from apportion.cli.explain_text import exact_ratio, shown
from tests.rooms.cli.harbour import SETTINGS, USUAL, Row, Say
from tests.rooms.cli.test_cli_explain import added_up, all_lines, printed_sums, sums_of_document

pytestmark = pytest.mark.slow  # the quick loop has the worked examples


SCHEMAS = Path(__file__).parents[3] / "docs" / "reference" / reference.SCHEMAS

ORGANIZATION = """\
organization: Harbour Foods
groups:
  - code: shops
    name: Shops
    coding: {company: "1000", cost_center: "10", department: "1", ledger_account: "6100"}
    groups:
      - {code: web, name: Web shop}
      - {code: bakery, name: Bakery}
  - code: data
    name: Data
    coding: {company: "1000", cost_center: "20", department: "2", ledger_account: "6100"}
"""

POLICY = """\
policy: Every way
cost_basis: effective
pool_order: reciprocal
rules:
  - {id: tax, when: {ChargeCategory: Tax}, charge_to: {pool: tax}}
  - {id: hr, when: {ServiceName: HR}, charge_to: {pool: hr}}
  - {id: it, when: {ServiceName: IT}, charge_to: {pool: it}}
  - {id: gateway, when: {ServiceName: Gateway}, charge_to: {pool: gateway}}
  - {id: logs, when: {ServiceName: Logs}, charge_to: {pool: logs}}
  - {id: dual, when: {ServiceName: Dual}, charge_to: {pool: dual}}
  - {id: api, when: {ServiceName: API}, charge_to: {pool: api}}
  - {id: wiki, when: {ServiceName: Wiki}, charge_to: {pool: wiki}}
  - {id: seats, when: {ServiceName: Seats}, charge_to: {pool: seats}}
  - {id: by-team, name: Tag team, charge_to: {tag: team}}
pools:
  - {id: tax, name: Taxes, share: {follow: [[ResourceId]]}, otherwise: [proportional to direct cost]}
  - {id: hr, name: People, share: {fixed: {it: 20%, gateway: 10%, web: 30%, bakery: 1/3, data: 1/15}}}
  - {id: it, name: Machines, share: {fixed: {hr: 10%, gateway: 10%, data: 80%}}}
  - {id: gateway, name: Gateway, share: {metered: requests}}
  - {id: logs, share: {mix: [{share: 30%, by: even}, {share: 70%, by: {metered: requests}}]}}
  - id: dual
    share: {mix: [{rate: 0.01 USD, per: requests, by: {metered: requests}}, {share: rest, by: even}]}
  - {id: api, share: {price: {per: requests, prices: [{price: 0.02 USD}]}}}
  - {id: wiki, share: {metered: requests}, limits: {at_most: 40%, beyond: kept_central}}
  - {id: seats, share: {metered: seats}, otherwise: [proportional to direct cost]}
consumers:
  - {id: all, charge_to: {column: consumer}}
commitments:
  - {id: plan, name: Savings plan, when: {ServiceName: Compute}, share: blended, buyer: web}
uplifts:
  - {id: fee, name: Fee, percent: 5%}
"""

USAGE = "period,metric,consumer,value\n2026-10,requests,web,1250\n2026-10,requests,bakery,3750\n"

COVERED = {"CommitmentDiscountStatus": "Used", "CommitmentDiscountId": "sp-1"}


def october() -> list[Row]:
    """Compute of three teams, some of it under a savings plan, eight shared services, and tax on some of it."""
    teams = [
        {
            "BilledCost": f"{10 * place + 1}.123456789",
            "ListCost": f"{20 * place + 2}",
            "ContractedCost": f"{20 * place + 2}",
            "ResourceId": f"i-{place}",
            "Tags": json.dumps({"team": ("web", "bakery", "data")[place % 3]}),
            **(COVERED if place < 2 else {}),
        }
        for place in range(6)
    ]
    services = ("HR", "IT", "Gateway", "Logs", "Dual", "API", "Wiki", "Seats")
    shared = [{"BilledCost": f"{100 + place}.01", "ServiceName": name} for place, name in enumerate(services)]
    return [
        *teams,
        *shared,
        {"BilledCost": "-20.005", "ServiceName": "Gateway"},
        {"BilledCost": "7", "ChargeCategory": "Tax", "ServiceName": "VAT", "ResourceId": "i-1"},
        {"BilledCost": "-2", "ChargeCategory": "Tax", "ServiceName": "VAT", "ResourceId": "i-2"},
        {"BilledCost": "9", "ChargeCategory": "Tax", "ServiceName": "VAT"},
    ]


def as_csv(rows: list[Row]) -> str:
    """Rows as a FOCUS file with the columns of commitments; what is not given is as usual."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [*USUAL, *COVERED])
    writer.writeheader()
    for row in rows:
        cost = dict.fromkeys(("EffectiveCost", "ListCost", "ContractedCost"), row["BilledCost"])
        writer.writerow({**USUAL, **dict.fromkeys(COVERED, ""), **cost, **row})
    return text.getvalue()


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("methods") / "harbour"
    root.mkdir()
    for name, text in (("apportion", SETTINGS), ("organization", ORGANIZATION), ("policy", POLICY)):
        (root / f"{name}.yaml").write_text(text, encoding="utf-8")
    (root / "october.csv").write_text(as_csv(october()), encoding="utf-8")
    (root / "usage.csv").write_text(USAGE, encoding="utf-8")
    for words in (
        ["init", str(root)],
        ["ingest", str(root / "october.csv"), "--source", "cloud"],
        ["usage", str(root / "usage.csv"), "--source", "meters"],
        ["allocate", "2026-10"],
    ):
        assert main(["--workspace", str(root), *words]) == 0
    return root


@pytest.fixture
def harbour(made_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "harbour"
    shutil.copytree(made_once, root)
    monkeypatch.chdir(root)
    monkeypatch.delenv("APPORTION_WORKSPACE", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    return root


def fits(document: Any, name: str) -> Any:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(document)
    return document


def test_every_line_of_one_statement_adds_up_as_printed(harbour: Path, say: Say) -> None:
    for number, _ in lines_of(say, "web"):
        for parts, total in printed_sums(say("explain", number, "--rows", "1").out):
            assert sum(parts) == total


@pytest.mark.slow
def test_every_line_adds_up_as_a_document(harbour: Path, say: Say) -> None:
    methods = set()
    for line in all_lines(say):
        found = fits(say("explain", line, "--json", "--rows", "1").json, "explanation")
        sums_of_document(found)
        methods |= {share["method"] for share in found["shares"]}
    assert methods == {
        "fixed", "metered", "mixed", "priced", "following", "proportional", "commitment", "uplift",
    }  # fmt: skip


def lines_of(say: Say, holder: str) -> Iterator[tuple[str, Any]]:
    for each in say("statements", "2026-10", "--json").json["statements"]:
        if holder in (each["cost_group"], each["holder"]):
            for line in say("explain", each["number"], "--json").json["lines"]:
                yield f"{each['number']}:{line['line']}", line


def line_of(say: Say, holder: str, pool: str) -> tuple[str, Any]:
    return next((number, line) for number, line in lines_of(say, holder) if line["pool"] == pool)


def test_pools_that_serve_each_other_are_shown_once_with_their_gross(harbour: Path, say: Say) -> None:
    """h = 100.01 + m/10 and m = 101.01 + h/5: h = 110.111/0.98, of which 30 % are the web shop's."""
    number, line = line_of(say, "web", "hr")
    assert abs(Fraction(line["units"]) - Fraction("110.111") / Fraction("0.98") * Fraction(3, 10)) < Fraction(1, 10**15)
    found = say("explain", number, "--json").json
    assert [(pool["pool"], pool["solved_with"]) for pool in found["pools"]] == [("hr", ["it"]), ("it", ["hr"])]
    text = say("explain", number).out
    assert text.count("Pool hr: People (gross: solved together with Machines") == 1
    assert text.count("Pool it: Machines (gross: solved together with People") == 1
    assert "solved together with “Machines”" in line["reason"]


def test_a_fallback_is_named_with_its_reason(harbour: Path, say: Say) -> None:
    number, line = line_of(say, "web", "seats")
    assert line["method"] == "proportional"
    (share,) = say("explain", number, "--json").json["shares"]
    assert share["refused"] == ["No usage of 'seats' was delivered for 2026-10."]
    assert "not by seats, because no usage of 'seats' was delivered" in say("explain", number).out


def test_a_mix_is_taken_apart_with_exact_fractions(harbour: Path, say: Say) -> None:
    """30 % even among three is a tenth of the pool; 70 % by 1,250 of 5,000 requests are 7/40 of it."""
    number, _ = line_of(say, "web", "logs")
    (share,) = say("explain", number, "--json").json["shares"]
    parts = [(part["size"], part["basis"], part["fraction"]) for part in share["parts"]]
    assert parts == [("30 %", "even", "1/10"), ("70 %", "by requests", "7/40")]
    assert share["fraction"] == "11/40"
    assert "The share of pool logs in its parts" in say("explain", number).out


def test_what_moves_between_holders_sums_to_nothing(harbour: Path, say: Say) -> None:
    for pool in ("plan", "fee"):
        moved = [
            Decimal(line["units"])
            for holder in ("web", "bakery", "data", "kept_central")
            for _, line in lines_of(say, holder)
            if line["pool"] == pool
        ]
        assert len(moved) > 1
        assert sum(moved) == 0


def test_limits_and_prices_are_said(harbour: Path, say: Say) -> None:
    assert line_of(say, "bakery", "wiki")[1]["reason"].endswith("by requests, held to the most of 40 %")
    assert line_of(say, "bakery", "api")[1]["reason"] == "api: 3,750 requests at 0.02 USD"
    assert "under-recovery: internal prices charged 100.00 USD" in line_of(say, "kept_central", "api")[1]["reason"]


def test_what_a_pool_holds_is_said_once(harbour: Path, say: Say) -> None:
    """The wiki holds 106.01, of which the bakery carries the most that it may, 40 %."""
    number, _ = line_of(say, "bakery", "wiki")
    text = " ".join(say("explain", number).out.replace("│", " ").split())
    assert "by requests, at most 40 % each: 42.404 of 106.01 in the pool" in text
    assert "; of 106.01" not in text


def test_a_metric_keeps_its_letters_at_the_head_of_an_explanation(harbour: Path, say: Say) -> None:
    number, _ = line_of(say, "web", "gateway")
    assert "By requests: 1,250 of 5,000 in total." in say("explain", number).out


def test_long_shares_are_read_in_decimals_and_stay_exact() -> None:
    assert shown(1752600000000000000000, 4438686754738734588811) == "1,752.6 of 4,438.686754738734588811 (39.5 %)"
    assert shown(-(10**18), -3 * 10**18) == "1/3 (33.3 %)"
    assert shown(5 * 10**17, -(10**18) - 1) == "-0.5 of 1.000000000000000001 (-50.0 %)"
    assert exact_ratio(45, 100) == "45 of 100"
    assert exact_ratio(11 * 10**30, 40 * 10**30) == "1,100 of 4,000"


def test_allocate_shows_what_is_moved_apart_from_pools(harbour: Path, say: Say) -> None:
    """What was added to some holders was taken off others, but for a cent that is settled."""
    text = say("allocate", "2026-10").out
    pools, _, moved = text.partition("Moved between holders (USD)")
    rows = {
        words[0]: [Decimal(word.replace(",", "")) for word in words[1:]]
        for words in map(str.split, moved.splitlines())
        if words and words[0] in ("plan", "fee")
    }
    assert set(rows) == {"plan", "fee"}
    for _, added, taken, together in rows.values():
        assert taken < 0 < added
        assert added + taken == together
        assert abs(together) <= Decimal("0.01"), rows
    assert not any(line.startswith(("plan ", "fee ")) for line in pools.splitlines())


# Backwards.


def test_every_source_row_arrives_whole(harbour: Path, say: Say) -> None:
    rows = october()
    for place, row in enumerate(rows, start=1):
        words = ("explain", "--row", f"cloud/october.csv:{place}", "--period", "2026-10")
        found = fits(say(*words, "--json").json, "whereabouts")
        assert Decimal(found["amount"]) == Decimal(row["BilledCost"])
        assert added_up(line["amount"] for line in found["lines"]) == Decimal(found["amount"])
        for pool in found["pools"]:
            assert added_up(part["amount"] for part in pool["parts"]) == Decimal(pool["amount"])
        for parts, total in printed_sums(say(*words).out):
            assert sum(parts) == total


def test_all_rows_together_are_the_statements_but_for_what_is_moved(harbour: Path, say: Say) -> None:
    """The rows' parts in each line sum to the line, to within a few units of 10⁻¹⁸ that each division settles."""
    arrived: dict[str, Decimal] = {}
    for place in range(1, len(october()) + 1):
        found = say("explain", "--row", f"october.csv:{place}", "--period", "2026-10", "--json").json
        for line in found["lines"]:
            number = f"{line['statement']}:{line['line']}"
            arrived[number] = arrived.get(number, Decimal(0)) + Decimal(line["amount"])
    stated = {
        number: Decimal(line["units"])
        for holder in ("web", "bakery", "data", "kept_central")
        for number, line in lines_of(say, holder)
        if line["method"] not in ("commitment", "uplift")
    }
    assert set(arrived) == {number for number, units in stated.items() if units}
    assert all(abs(arrived[number] - stated[number]) < Decimal("1e-15") for number in arrived)


def test_a_row_that_follows_another_goes_where_that_one_went(harbour: Path, say: Say) -> None:
    """Row 16 is tax on i-1, which is the bakery's; row 17 on i-2, the data team's; row 18 follows nothing."""
    for row, group in ((16, ["bakery"]), (17, ["data"]), (18, ["web", "bakery", "data"])):
        found = say("explain", "--row", f"october.csv:{row}", "--period", "2026-10", "--json").json
        assert [line["cost_group"] for line in found["lines"]] == group


def test_a_row_without_pools_is_in_one_line(harbour: Path, say: Say) -> None:
    text = say("explain", "--row", "cloud/october.csv:1", "--period", "2026-10").out
    assert "cloud/october.csv row 1, October 2026" in text
    assert "ST-2026-10-0001:1 Web shop" in text
    assert "brought by rule by-team, to Web shop" in text


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (
            ["--row", "nothing.csv:1", "--period", "2026-10"],
            1,
            "There is no file 'nothing.csv' with charges of 2026-10.",
        ),
        (["--row", "october.csv:99", "--period", "2026-10"], 1, "cloud/october.csv has no row 99."),
        (["--row", "october.csv:1", "--period", "2026-09"], 1, "Billing period 2026-09 has not been allocated."),
        (["--row", "october.csv:1"], 2, "Name the billing period"),
        (["--row", "october.csv", "--period", "2026-10"], 2, "'october.csv' is not a row"),
        (["--row", "october.csv:0", "--period", "2026-10"], 2, "is not a row"),
        (["--row", "october.csv:1", "ST-2026-10-0001"], 2, "Name a statement, or a row"),
        (["ST-2026-10-0001", "--period", "2026-10"], 2, "A statement's number says its period"),
        ([], 2, "Name a statement, or a row"),
    ],
)
def test_what_cannot_be_followed_is_refused(harbour: Path, say: Say, words: list[str], status: int, said: str) -> None:
    done = say("explain", *words)
    assert (done.status, done.out) == (status, "")
    assert said in " ".join(done.err.split())
