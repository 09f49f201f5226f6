"""The pages about usage: every piece of policy in them can be read, and the file in them delivers what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from apportion.allocate import policy_file
from apportion.allocate.basis import KeptCentral, Metered
from apportion.ingest.usage import load
from apportion.ingest.usage_checks import CHECKS
from apportion.money.amount import plain
from apportion.periods import BillingPeriod
from apportion.warehouse.store import Workspace

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to"
PAGES = ("meter-usage.md", "share-a-cluster.md")
MINIMAL = {
    "policy": "Documented",
    "cost_basis": "effective",
    "rules": [{"id": "all", "charge_to": "kept_central"}],
    "pools": [{"id": pool, "share": "even"} for pool in ("research", "production", "idle", "platform-namespaces")],
    "aliases": {"namespaces": {"web": "storefront"}},
}


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (HOW_TO / page).read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_every_piece_of_policy_can_be_read(page: str, tmp_path: Path) -> None:
    found = blocks(page, "yaml")
    assert found
    for text in found:
        path = tmp_path / "policy.yaml"
        piece = yaml.safe_load(text)
        own = {pool["id"] for pool in piece.get("pools", [])}
        pools = [*piece.get("pools", []), *(pool for pool in MINIMAL["pools"] if pool["id"] not in own)]  # type: ignore[index]
        path.write_text(yaml.safe_dump({**MINIMAL, **piece, "pools": pools}), encoding="utf-8")
        policy = policy_file.read(path)
        read = {pool.id: pool.basis for pool in policy.pools}
        for pool in piece.get("pools", []):
            assert isinstance(read[pool["id"]], Metered | KeptCentral) or pool["share"] == "even"
        assert len(policy.consumers) == len(piece.get("consumers", []))


def test_the_documented_file_delivers_what_the_page_says(tmp_path: Path) -> None:
    (text,) = blocks("meter-usage.md", "csv")
    workspace = Workspace.create(tmp_path / "close")
    (tmp_path / "close" / "apportion.yaml").write_text("company: Harbour Foods\n", encoding="utf-8")
    (tmp_path / "tokens.csv").write_text(text, encoding="utf-8")
    receipt = load(workspace, [tmp_path / "tokens.csv"], source="ai")
    (total,) = receipt.delivery.usage[BillingPeriod(2026, 10)].totals
    assert (total.metric, total.rows, plain(total.value_units)) == ("tokens", 3, "1421000.5")


def test_every_finding_of_usage_is_documented() -> None:
    page = (HOW_TO / "meter-usage.md").read_text(encoding="utf-8")
    for check in CHECKS.values():
        assert f"| `{check.code}` | {check.sentence} | {check.advice} |" in page
