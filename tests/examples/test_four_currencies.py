"""A month billed in dollars, yen and dinars (2, 0 and 3 decimals) and charged in euro, worked out by hand.

pytestmark = pytest.mark.thorough

Rates of 30 October, the last day with one: 1 EUR = 1.25 USD = 160 JPY (European Central Bank), 1 KWD = 3.25 USD (the
company's own). So 1 USD = 0.8 EUR, 1 JPY = 0.00625 EUR, and over the dollar 1 KWD = 3.25 × 0.8 = 2.6 EUR.

| Invoice | Shop | at the rate | Labs | at the rate | together | rounded | Shop | Labs |
|---|---|---|---|---|---|---|---|---|
| N-1, USD | 100.01 | 80.008 | 50.02 | 40.016 | 120.024 | 120.02 | 80.01 | 40.01 |
| H-1, JPY | 1001 | 6.25625 | 333 | 2.08125 | 8.3375 | 8.34 | 6.26 | 2.08 |
| G-1, KWD | 1.234 | 3.2084 | 0.005 | 0.013 | 3.2214 | 3.22 | 3.21 | 0.01 |
| E-1, EUR | 10.00 | 10.00 | | | | | 10.00 | |

Shop is charged 80.01 + 6.26 + 3.21 + 10.00 = 99.48 EUR and Labs 40.01 + 2.08 + 0.01 = 42.10 EUR. The cents of
conversion are −0.004 + 0.0025 − 0.0014 = −0.0029 EUR. Nobody owns another 7.77 USD: they stay what they were.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from apportion.cli import main
from tests.rooms.cli.harbour import focus_csv

ECB = """\
Date,USD,JPY,CYP,
2026-10-30,1.25,160,N/A,
2026-10-29,1.2,150,N/A,
2026-10-28,N/A,N/A,N/A,
2026-09-30,1.5,155,N/A,
"""
ROOT = Path(__file__).parents[2]
OWN = "date,from,to,rate\n2026-10-30,KWD,USD,3.25\n"

SETTINGS = """\
company: Meridian
payer: {company: "1000", cost_center: "9900", department: "000", ledger_account: "6100"}
ledger: {transferred_out: "6199"}
exchange:
  rates: [rates/eurofxref-hist.csv, rates/own.csv]
  choose: last day
  reporting_currency: EUR
"""
ORGANIZATION = """\
organization: Meridian
groups:
  - code: europe
    name: Europe
    currency: EUR
    coding: {company: "1000", cost_center: "10", department: "1", ledger_account: "6100"}
    groups:
      - {code: shop, name: Web shop}
      - {code: labs, name: Labs, coding: {cost_center: "20"}}
"""
POLICY = """\
policy: Meridian policy
cost_basis: billed
rules:
  - {id: by-team, name: Tag team, charge_to: {tag: team}}
"""


def charge(team: str, amount: str, currency: str, invoice: str, issuer: str) -> dict[str, str]:
    tags = json.dumps({"team": team})
    return {
        "BilledCost": amount,
        "BillingCurrency": currency,
        "InvoiceId": invoice,
        "InvoiceIssuerName": issuer,
        "Tags": tags,
    }


CHARGES = [
    charge("shop", "100.01", "USD", "N-1", "Nimbus"),
    charge("labs", "50.02", "USD", "N-1", "Nimbus"),
    charge("nobody", "7.77", "USD", "N-1", "Nimbus"),
    charge("shop", "1001", "JPY", "H-1", "Hoshi"),
    charge("labs", "333", "JPY", "H-1", "Hoshi"),
    charge("shop", "1.234", "KWD", "G-1", "Gulf"),
    charge("labs", "0.005", "KWD", "G-1", "Gulf"),
    charge("shop", "10", "EUR", "E-1", "Europa"),
]


def workspace(root: Path, settings: str = SETTINGS, charges: Sequence[dict[str, str]] = CHARGES) -> Path:
    (root / "rates").mkdir(parents=True)
    (root / "rates/eurofxref-hist.csv").write_text(ECB, encoding="utf-8")
    (root / "rates/own.csv").write_text(OWN, encoding="utf-8")
    (root / "apportion.yaml").write_text(settings, encoding="utf-8")
    (root / "organization.yaml").write_text(ORGANIZATION, encoding="utf-8")
    (root / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (root / "october.csv").write_text(focus_csv(charges), encoding="utf-8")
    assert main(["init", str(root)]) == 0
    assert main(["--workspace", str(root), "ingest", str(root / "october.csv"), "--source", "cloud"]) == 0
    return root


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The month, closed and sealed by the command line; read only."""
    root = workspace(tmp_path_factory.mktemp("currencies") / "meridian")
    assert main(["--workspace", str(root), "close", "2026-10"]) == 0
    return root


def said(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    capsys.readouterr()
    main(["--workspace", str(root), *words, "--json"])
    return json.loads(capsys.readouterr().out)


def statement(root: Path, number: int) -> Any:
    return json.loads((root / f"statements/2026-10/ST-2026-10-{number:04d}.json").read_text(encoding="utf-8"))


def charged(document: Any) -> list[tuple[str, str, str, str]]:
    """(billed, in, charged, rate) of every line; what is not converted has no rate."""
    return [
        (line["amount"], line["currency"], line["charged_amount"] or line["amount"], line["rate"])
        for line in document["lines"]
    ]


def test_every_line_has_its_amount_in_euro_beside_the_one_billed(closed: Path) -> None:
    shop, labs, unowned = (statement(closed, number) for number in (1, 2, 3))
    assert sorted(charged(shop)) == [
        ("1.234", "KWD", "3.21", "2.6"),
        ("10.00", "EUR", "10.00", ""),
        ("100.01", "USD", "80.01", "0.8"),
        ("1001", "JPY", "6.26", "0.00625"),
    ]
    assert sorted(charged(labs)) == [
        ("0.005", "KWD", "0.01", "2.6"),
        ("333", "JPY", "2.08", "0.00625"),
        ("50.02", "USD", "40.01", "0.8"),
    ]
    assert [total["currency"] + total["amount"] for total in shop["totals"]] == ["EUR99.48"]
    assert [total["currency"] + total["amount"] for total in labs["totals"]] == ["EUR42.10"]
    assert charged(unowned) == [("7.77", "USD", "7.77", "")]
    assert [total["currency"] for total in unowned["totals"]] == ["USD"]


def test_rate_date_and_source_are_on_the_line(closed: Path) -> None:
    (dinar,) = [line for line in statement(closed, 1)["lines"] if line["currency"] == "KWD"]
    assert dinar["rate_legs"] == [
        {
            "from_currency": "KWD", "to_currency": "USD", "quoted": "3.25", "inverted": False,
            "first_on": "2026-10-30", "last_on": "2026-10-30", "days": 1, "source": "rates/own.csv",
        },
        {
            "from_currency": "USD", "to_currency": "EUR", "quoted": "1.25", "inverted": True,
            "first_on": "2026-10-30", "last_on": "2026-10-30", "days": 1, "source": "rates/eurofxref-hist.csv",
        },
    ]  # fmt: skip
    text = (closed / "statements/2026-10/ST-2026-10-0001.txt").read_text(encoding="utf-8")
    assert "Charged 80.01 EUR: 1 USD = 0.8 EUR, 2026-10-30, rates/eurofxref-hist.csv" in text
    assert "Charged 3.21 EUR: 1 KWD = 2.6 EUR, 2026-10-30, rates/own.csv; rates/eurofxref-hist.csv" in text
    page = (closed / "statements/2026-10/ST-2026-10-0001.html").read_text(encoding="utf-8")
    assert "Charged 6.26 EUR: 1 JPY = 0.00625 EUR, 2026-10-30, rates/eurofxref-hist.csv." in page
    with (closed / "statements/2026-10/ST-2026-10-0001.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["currency"]: row for row in csv.DictReader(file)}
    assert [rows["USD"][name] for name in ("amount", "charged_currency", "charged_amount", "rate")] == [
        "100.01", "EUR", "80.01", "0.8",
    ]  # fmt: skip
    assert rows["EUR"]["charged_currency"] == rows["EUR"]["rate"] == ""


def test_the_journal_posts_in_euro_and_balances(closed: Path) -> None:
    journal = json.loads((closed / "journals/2026-10/journal-2026-10.json").read_text(encoding="utf-8"))
    postings = [posting for entry in journal["entries"] for posting in entry["postings"]]
    assert [(each["account"], each["cost_center"], each["currency"], each["amount"]) for each in postings] == [
        ("6100", "10", "EUR", "99.48"),
        ("6100", "20", "EUR", "42.10"),
        ("6199", "9900", "EUR", "-141.58"),
    ]


@pytest.mark.skipif(shutil.which("hledger") is None, reason="hledger is not installed")
def test_hledger_agrees(closed: Path) -> None:
    file = str(closed / "journals/2026-10/journal-2026-10.hledger")
    subprocess.run(["hledger", "-f", file, "check", "--strict"], check=True)
    shown = subprocess.run(["hledger", "-f", file, "balance", "-O", "csv"], check=True, capture_output=True, text=True)
    assert "99.48" in shown.stdout
    assert "-141.58" in shown.stdout


def test_the_tie_out_holds_in_every_currency(closed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tied = said(closed, capsys, "tie-out", "2026-10")
    assert tied["holds"] is True
    sums: dict[str, set[str]] = {}
    for row in tied["stages"]:
        sums.setdefault(row["currency"], set()).add(row["amount"])
    assert sums == {"EUR": {"10"}, "JPY": {"1334"}, "KWD": {"1.239"}, "USD": {"157.8"}}
    assert tied["differences"] == []
    parts = {row["currency"]: row["parts"] for row in tied["stages"] if row["stage"] == "journal"}
    assert parts["USD"] == [
        {"name": "charged in EUR", "amount": "150.03"},
        {"name": "unallocated, not posted", "amount": "7.77"},
    ]
    assert parts["EUR"] == [{"name": "to be posted", "amount": "10"}]


def test_the_tie_out_holds_in_the_reporting_currency(closed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """157.80 × 0.8 + 1334 × 0.00625 + 1.239 × 2.6 + 10 = 147.7989; charged are 141.58 and 7.77 × 0.8 = 6.216."""
    reporting = said(closed, capsys, "tie-out", "2026-10")["reporting"]
    amounts = {row["stage"]: row["amount"] for row in reporting["stages"]}
    before = ("provider_invoices", "billed_cost", "allocated", "settled")
    assert amounts == {**dict.fromkeys(before, "147.7989"), "statements": "147.796", "journal": "147.796"}
    assert [(each["stage"], each["name"], each["amount"], each["reason"]) for each in reporting["differences"]] == [
        ("statements", "JPY", "0.0025", "conversion"),
        ("statements", "KWD", "-0.0014", "conversion"),
        ("statements", "USD", "-0.004", "conversion"),
    ]
    assert [(rate["from_currency"], rate["rate"]) for rate in reporting["rates"]] == [
        ("JPY", "0.00625"), ("KWD", "2.6"), ("USD", "0.8"),
    ]  # fmt: skip
    capsys.readouterr()
    assert main(["--workspace", str(closed), "tie-out", "2026-10"]) == 0
    text = capsys.readouterr().out
    assert "EUR, all currencies together" in text
    assert "1 KWD = 2.6 EUR (1 KWD = 3.25 USD, 2026-10-30, rates/own.csv; 1 EUR = 1.25 USD," in text
    assert max(map(len, text.splitlines())) <= 100


def test_a_statement_or_line_that_is_asked_for_alone_has_the_same_cents(
    closed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The cents are settled among all groups: Shop has the 80.01 only because Labs stands beside it."""
    shop = statement(closed, 1)
    assert said(closed, capsys, "explain", "ST-2026-10-0001") == shop
    (dollars,) = [line for line in shop["lines"] if line["currency"] == "USD"]
    line = said(closed, capsys, "explain", f"ST-2026-10-0001:{dollars['line']}")
    assert [line[key] for key in ("amount", "charged_currency", "charged_amount", "rate")] == [
        "100.01", "EUR", "80.01", "0.8",
    ]  # fmt: skip
    assert line["rate_legs"] == dollars["rate_legs"]


def test_the_page_about_it_shows_what_the_program_says(closed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs/how-to/charge-in-other-currencies.md").read_text(encoding="utf-8")
    blocks = [block.partition("```")[0] for block in page.split("```text\n")[1:]]
    capsys.readouterr()
    main(["--workspace", str(closed), "tie-out", "2026-10"])
    program = capsys.readouterr().out
    program += (closed / "statements/2026-10/ST-2026-10-0001.txt").read_text(encoding="utf-8")
    lines = [line for block in blocks for line in block.splitlines()]
    assert len(lines) == 8
    assert all(line in program for line in lines)
    assert SETTINGS[SETTINGS.index("exchange:") :] in page
    assert all(cell in page for cell in ("| N-1, USD | 100.01 |", "| 120.024 | 120.02 | 80.01 | 40.01 |"))


def test_a_sealed_month_keeps_its_rates(closed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "copy"
    shutil.copytree(closed, root)
    (root / "rates/own.csv").write_text(OWN.replace("3.25", "4"), encoding="utf-8")
    (root / "rates/eurofxref-hist.csv").unlink()
    before = said(closed, capsys, "close", "2026-10")
    assert said(root, capsys, "close", "2026-10")["run_digest"] == before["run_digest"]
    assert statement(root, 1) == statement(closed, 1)


def test_changed_rates_ask_for_a_new_allocation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = workspace(tmp_path / "meridian")
    assert main(["--workspace", str(root), "allocate", "2026-10"]) == 0
    (root / "rates/own.csv").write_text(OWN.replace("3.25", "4"), encoding="utf-8")
    refused = said(root, capsys, "statements", "2026-10")
    assert "the rates in rates/own.csv changed" in refused["error"]["sentence"]
    assert main(["--workspace", str(root), "allocate", "2026-10"]) == 0
    made = said(root, capsys, "statements", "2026-10")
    # 1.239 KWD × 4 × 0.8 = 3.9648 instead of 3.2214: 0.74 EUR more.
    assert {each["currency"]: each["amount"] for each in made["totals"]} == {"EUR": "142.32", "USD": "7.77"}


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        ("rates/own.csv]", "rates/owm.csv]", "NOT_FOUND", "rates/owm.csv"),
        (
            ", rates/own.csv]",
            "]",
            "MISSING_RATE",
            "cost group 'labs' is in EUR. There is no rate of exchange from KWD to EUR for 2026-10. No file has KWD.",
        ),
        ("last day\n", "day 20\n", "MISSING_RATE", "the newest is of 2026-09-30, more than 7 days before 2026-10-20"),
        ("last day\n", "month average\n", "MISSING_RATE", "none between 2026-10-01 and 2026-10-29"),
        ("last day\n", "agreed\n", "MISSING_RATE", "Add a row for period 2026-10"),
        ("reporting_currency: EUR", "reporting_currency: CHF", "MISSING_RATE", "to CHF for 2026-10"),
    ],
)
def test_what_cannot_be_converted_is_refused_before_anything_is_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, code: str, words: str
) -> None:
    assert old in SETTINGS
    root = workspace(tmp_path / "meridian", SETTINGS.replace(old, new))
    refused = said(root, capsys, "allocate", "2026-10")
    assert refused["error"]["code"] == code
    assert words in f"{refused['error']['sentence']} {refused['error']['advice']}"
    assert said(root, capsys, "periods")["periods"][0]["state"] == "delivered"


def test_without_rates_a_group_with_a_currency_of_its_own_needs_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = SETTINGS.partition("exchange:")[0]
    root = workspace(tmp_path / "meridian", plain)
    refused = said(root, capsys, "allocate", "2026-10")["error"]
    assert (refused["code"], refused["advice"]) == (
        "MISSING_RATE",
        "Name files of rates in the settings: exchange, rates.",
    )
    only_euro = workspace(tmp_path / "euro", plain, [CHARGES[-1]])
    assert main(["--workspace", str(only_euro), "close", "2026-10"]) == 0
    assert charged(statement(only_euro, 1)) == [("10.00", "EUR", "10.00", "")]


def test_an_average_and_an_agreed_rate_by_hand(tmp_path: Path) -> None:
    """Mean of 1.2 and 1.25 is 1.225; 150.03 ÷ 1.225 = 122.4734…, of which Shop has 100.01 ÷ 1.225 = 81.640816…."""
    ways = (
        ("month average\n  oldest: 31\n", "40/49", "81.64", "40.83"),
        ("agreed\n", "0.9", "90.01", "45.02"),  # 90.009 and 45.018, together 135.027: 135.03
    )
    for place, (choose, rate, shop, labs) in enumerate(ways):
        settings = SETTINGS.replace("last day\n", choose).replace("rates/own.csv", "rates/own.csv, rates/agreed.csv")
        root = tmp_path / str(place)
        (root / "rates").mkdir(parents=True)
        (root / "rates/agreed.csv").write_text("period,from,to,rate\n2026-10,USD,EUR,0.9\n", encoding="utf-8")
        made = workspace_with(root, settings)
        assert main(["--workspace", str(made), "close", "2026-10"]) == 0
        assert Fraction(rate) == Fraction(statement(made, 1)["lines"][0]["rate"])
        found = [Decimal(statement(made, number)["lines"][0]["charged_amount"]) for number in (1, 2)]
        assert found == [Decimal(shop), Decimal(labs)]


def workspace_with(root: Path, settings: str) -> Path:
    """A workspace of the dollar charges only, in a directory that has a file of rates already."""
    inner = workspace(root / "w", settings.replace("rates/agreed.csv", "rates/eurofxref-hist.csv"), CHARGES[:2])
    shutil.copy(root / "rates/agreed.csv", inner / "rates/agreed.csv")
    (inner / "apportion.yaml").write_text(settings, encoding="utf-8")
    return inner
