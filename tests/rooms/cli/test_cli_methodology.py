"""``apportion methodology`` and ``apportion policy diff``, from the workspace and from what is frozen with a period."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rooms.cli.harbour import Say
from tests.rooms.cli.test_cli_documents import fits


def test_the_methodology_goes_to_the_workspace_and_is_the_same_again(harbour: Path, say: Say) -> None:
    assert fits(say("--json", "methodology"), "methodology")["format"] == "html"
    file = harbour / "methodology" / "methodology.html"
    first = file.read_bytes()
    assert say("methodology").status == 0
    assert file.read_bytes() == first
    assert b"How a charge finds its owner" in first


def test_the_name_of_the_file_says_the_format(harbour: Path, say: Say) -> None:
    document = fits(say("--json", "methodology", "--out", "how/we-charge.md"), "methodology")
    assert document["format"] == "md"
    assert (harbour / "how" / "we-charge.md").read_text(encoding="utf-8").startswith("# How cloud cost is charged\n")
    assert say("methodology", "--format", "docx").status == 2


@pytest.mark.slow
def test_pdf(harbour: Path, say: Say) -> None:
    assert say("methodology", "--out", "m.pdf").status == 0
    assert (harbour / "m.pdf").read_bytes().startswith(b"%PDF-")


def test_a_period_keeps_the_policy_that_it_was_allocated_with(harbour: Path, say: Say) -> None:
    policy = harbour / "policy.yaml"
    before = fits(say("--json", "methodology", "--period", "2026-10"), "methodology")
    policy.write_text(
        policy.read_text(encoding="utf-8").replace("cost_basis: billed", "cost_basis: effective"), "utf-8"
    )
    policy.write_text(policy.read_text(encoding="utf-8") + "# later\n", encoding="utf-8")
    assert fits(say("--json", "methodology", "--period", "2026-10"), "methodology") == before
    assert fits(say("--json", "methodology"), "methodology")["policy_digest"] != before["policy_digest"]
    fits(say("--json", "methodology", "--period", "2026-09"), "error")


def test_what_changed_since_a_period(harbour: Path, say: Say) -> None:
    assert fits(say("--json", "policy", "diff", "2026-10"), "policy-diff")["same"] is True
    assert "are the same." in say("policy", "diff", "2026-10").out
    text = (harbour / "policy.yaml").read_text(encoding="utf-8")
    (harbour / "next.yaml").write_text(text + "# a comment\n", encoding="utf-8")
    assert "only the text of the files differs" in say("policy", "diff", "2026-10", "next.yaml").out
    name = next(line for line in text.splitlines() if line.startswith("policy:"))
    (harbour / "next.yaml").write_text(text.replace(name, "policy: Next year"), encoding="utf-8")
    document = fits(say("--json", "policy", "diff", "policy.yaml", "next.yaml"), "policy-diff")
    assert [change["about"] for change in document["changes"]] == ["name"]
    assert document["same"] is False
    out = say("policy", "diff", "policy.yaml", "next.yaml").out
    assert "Next year" in out
    assert "1 difference: 1 changed." in out


def test_what_cannot_be_read_is_refused(harbour: Path, say: Say) -> None:
    assert say("policy", "diff", "2026-13").status == 2
    assert say("policy", "diff", "missing.yaml").status == 1
    assert say("policy", "diff", "2025-01").status == 1
