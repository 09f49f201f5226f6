"""``apportion usage``: what it says to people, and its documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from apportion.warehouse.store import Workspace
from tests.rooms.cli.harbour import Say
from tests.rooms.cli.test_cli_documents import fits
from tests.rooms.close.test_metering import metered_workspace

pytestmark = pytest.mark.thorough


@pytest.fixture
def metered(tmp_path: Path) -> Workspace:
    return metered_workspace(tmp_path / "close")


def test_the_documents_of_usage_have_their_published_shapes(metered: Workspace, say: Say) -> None:
    where = ("--workspace", metered.root, "--json")
    again = fits(say("usage", metered.root.parent / "usage.csv", "--source", "edge", *where), "usage")
    assert (again["outcome"], again["rows_loaded"]) == ("unchanged", 3)
    assert again["metrics"] == [{"period": "2026-10", "source": "edge", "metric": "requests", "rows": 3, "value": "10"}]
    assert fits(say("usage", "--list", "--period", "2026-10", *where), "usage-list")["metrics"] == again["metrics"]
    assert fits(say("usage", "--list", "--period", "2026-09", *where), "usage-list")["metrics"] == []
    checked = fits(say("usage", "--check", "2026-10", *where), "usage-check")
    assert [(each["code"], each["value"]) for each in checked["used"]] == [("green", "2"), ("red", "1")]
    unknown = [{"metric": "requests", "consumer": "ghost", "rows": 1, "value": "7"}]
    assert checked["unknown"] == unknown
    allocated = fits(say("allocate", "2026-10", *where), "allocate")
    assert (allocated["unknown_usage"], allocated["usage_digest"]) == (unknown, checked["usage_digest"])
    assert fits(say("deliveries", *where), "deliveries")["deliveries"][1]["dataset"] == "usage"


def test_usage_is_told_to_people(metered: Workspace, say: Say) -> None:
    where = ("--workspace", metered.root)
    path = metered.root.parent / "more.csv"
    path.write_text("period,metric,consumer,value\n2026-10,seats,red,3\n2026-10,seats,,4\n", encoding="utf-8")
    refused = say("usage", path, *where)
    assert refused.status == 1
    assert "place:  more.csv, row 2, consumer" in refused.err
    done = say("usage", path, "--quarantine", *where)
    assert "more: usage 2026-10, 1 row" in done.out
    assert "2 rows delivered = 1 loaded + 1 kept aside" in done.out
    assert "USAGE_VALUE_MISSING: 1 row kept aside" in done.out
    assert "requests" in say("usage", "--list", *where).out
    for words in (["usage", "--check", "2026-10"], ["allocate", "2026-10"]):
        assert "Usage of 1 consumer that no rule knows; it is in no basis:" in say(*words, *where).out
    closed = say("close", "2026-10", "--keep-open", *where)
    assert "1 consumer that no rule knows: apportion usage --check 2026-10" in closed.out
    for words in ([], [str(path), "--list"]):
        wrong = say("usage", *words, *where)
        assert (wrong.status, "Name files to deliver" in wrong.err) == (2, True)
