"""The settings of the ledger, from the file to the journal: dimensions, accounts by service, lines, master data."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

from tests.rooms.cli.harbour import ORGANIZATION, SETTINGS, Say

LEDGER = """\
ledger:
  transferred_out: "6199"
  suspense: "6999"
  lines: each
  dimensions: {project: wbs}
  accounts:
    - {account: "6110", service: The platform}
  master_data: ledger
"""


def prepare(root: Path) -> None:
    settings = SETTINGS[: SETTINGS.index("ledger:")] + LEDGER
    (root / "apportion.yaml").write_text(settings, encoding="utf-8")
    groups = ORGANIZATION.replace("name: Shops\n", 'name: Shops\n    attributes: {wbs: "P-1"}\n')
    assert groups != ORGANIZATION
    (root / "organization.yaml").write_text(groups, encoding="utf-8")
    (root / "ledger").mkdir()
    accounts = "account,currencies\n6100,\n6110,\n6199,\n"
    (root / "ledger" / "accounts.csv").write_text(accounts, encoding="utf-8")


def test_the_tie_out_holds_and_every_line_has_its_codes(harbour: Path, say: Say) -> None:
    prepare(harbour)
    assert say("allocate", "2026-10").status == 0
    done = say("journal", "2026-10")
    assert (done.status, done.err) == (0, "")
    with (harbour / "journals" / "2026-10" / "journal-2026-10.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["ref"]]
    assert {row["account"] for row in rows} == {"6100", "6110"}
    assert {row["dimension.project"] for row in rows if row["cost_center"] == "10"} == {"P-1"}
    assert {row["dimension.project"] for row in rows if row["cost_center"] == "20"} == {""}
    assert len({row["ref"] for row in rows}) == len(rows)
    assert all(row["ref"].count(":") == 1 for row in rows)
    tied = say("tie-out", "2026-10")
    assert tied.status == 0


def test_a_company_sees_its_own_currency_beside_the_bills(harbour: Path, say: Say) -> None:
    exchange = "exchange: {rates: [rates.csv], choose: agreed, reporting_currency: EUR}\n"
    settings = SETTINGS.replace('"6999"}', '"6999", currencies: {"1000": EUR}}')
    assert settings != SETTINGS
    (harbour / "apportion.yaml").write_text(settings + exchange, encoding="utf-8")
    (harbour / "rates.csv").write_text("period,from,to,rate\n2026-10,USD,EUR,0.9\n", encoding="utf-8")
    assert say("allocate", "2026-10").status == 0
    assert say("journal", "2026-10").status == 0
    with (harbour / "journals" / "2026-10" / "journal-2026-10.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["currency"]: row["local_currency"] for row in rows} == {"USD": "EUR", "EUR": ""}
    converted = [row for row in rows if row["local_currency"]]
    assert {(row["rate"], row["rate_source"]) for row in converted} == {("0.9", "rates.csv")}
    assert sum(Decimal(row["local_amount"]) for row in converted) == 0
    for row in converted:
        assert abs(Decimal(row["amount"]) * Decimal("0.9") - Decimal(row["local_amount"])) <= Decimal("0.015")


def test_what_the_ledger_does_not_take_is_listed_before_anything_is_written(harbour: Path, say: Say) -> None:
    prepare(harbour)
    (harbour / "ledger" / "accounts.csv").write_text("account,currencies\n6100,EUR\n6110,\n", encoding="utf-8")
    assert say("allocate", "2026-10").status == 0
    for command in (["journal", "2026-10"], ["close", "2026-10", "--keep-open"]):
        refused = say(*command)
        assert refused.status == 1
        assert "JOURNAL_REFUSED" in refused.err
        assert "UNKNOWN_ACCOUNT: There is no account 6199 in company 1000." in refused.err
        assert "WRONG_CURRENCY: Account 6100 in company 1000 takes EUR, not USD." in refused.err
        assert not (harbour / "journals").exists()
        assert not (harbour / "statements").exists()
