"""`apportion.yaml`: what it may say, and how a mistake in it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from apportion import settings
from apportion.errors import DocumentError, UnreadableFileError


def load(tmp_path: Path, text: str) -> settings.Settings:
    (tmp_path / "apportion.yaml").write_text(text, encoding="utf-8")
    return settings.load(tmp_path)


def mistake(tmp_path: Path, text: str) -> tuple[int | None, str, str]:
    with pytest.raises(DocumentError) as caught:
        load(tmp_path, text)
    (found,) = caught.value.mistakes
    assert found.place.file.endswith("apportion.yaml")
    return found.place.line, found.code, f"{found.sentence} {found.advice}"


def test_one_line_is_enough(tmp_path: Path) -> None:
    found = load(tmp_path, "company: Harbour Foods\n")
    assert (found.company, found.policy, found.organization) == ("Harbour Foods", "policy.yaml", "organization.yaml")
    assert found.statement_prefix == "ST"
    assert found.source("aws") == settings.SourceSettings(mode="overwrite", assume={}, nulls=(), quarantine=False)
    assert found.issuer("AWS") == "AWS"
    assert found.ledger.suspense == ""


def test_everything_that_can_be_said_and_codes_stay_text(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        """\
company: Harbour Foods
policy: rules/policy.yaml
organization: tree.csv
payer: {company: 0010, cost_center: 000900, department: 007, ledger_account: 620000}
ledger:
  transferred_out: 0699000
  intercompany_receivable: 150000
  intercompany_payable: 250000
  suspense: 199900
  rounding: 0660
statement_prefix: SB-DE
sources:
  aws:
    mode: append
    assume: {BillingCurrency: USD, BillingPeriodStart: 2026-10-01}
    nulls: ["-2", Unassigned]
    quarantine: true
issuer_aliases:
  AWS: Amazon Web Services, Inc.
  Amazon Web Services, Inc.: Amazon Web Services, Inc.
""",
    )
    assert found.payer.company == "0010"
    assert found.payer.cost_center == "000900"
    assert (found.ledger.transferred_out, found.ledger.rounding) == ("0699000", "0660")
    source = found.source("aws")
    assert (source.mode, source.quarantine, source.nulls) == ("append", True, ("-2", "Unassigned"))
    assert source.assume == {"BillingCurrency": "USD", "BillingPeriodStart": "2026-10-01"}
    assert found.issuer("AWS") == "Amazon Web Services, Inc."
    assert found.issuer("Amazon Web Services, Inc.") == "Amazon Web Services, Inc."


@pytest.mark.parametrize(
    ("text", "line", "code", "words"),
    [
        ("policy: policy.yaml\n", 1, "MISSING_KEY", "company"),
        ("company: ' '\n", 1, "NO_VALUE", "empty"),
        ("company: A\nledgers: {}\n", 2, "UNKNOWN_KEY", "ledger"),
        ("company: A\nledger:\n  suspence: 1\n", 3, "UNKNOWN_KEY", "suspense"),
        ("company: A\nsources:\n  aws:\n    mode: replace\n", 4, "BAD_VALUE", "overwrite"),
        ("company: A\nsources:\n  aws:\n    quarantine: perhaps\n", 4, "BAD_VALUE", "true or false"),
        ("company: A\nsources:\n  ../aws: {mode: append}\n", 3, "BAD_SOURCE", "../aws"),
        ("company: A\nstatement_prefix: 'S:T'\n", 2, "BAD_PREFIX", "S:T"),
        ("company: A\nissuer_aliases:\n  X: Y\n  Y: Z\n", 3, "CHAINED_ALIAS", "'Z'"),
        ("company: A\nissuer_aliases:\n  X: Y\n  Y: X\n", 3, "CHAINED_ALIAS", "'X'"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, line: int, code: str, words: str) -> None:
    found_line, found_code, sentence = mistake(tmp_path, text)
    assert (found_line, found_code) == (line, code)
    assert words in sentence


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        settings.load(tmp_path)
    assert "apportion.yaml" in str(caught.value)
