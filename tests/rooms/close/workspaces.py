"""Small workspaces to ask what-if of: charges of teams in a table, documents as text."""

from __future__ import annotations

import atexit
import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from apportion.cli import main
from apportion.periods import BillingPeriod
from apportion.warehouse.store import Workspace
from tests.rooms.cli.harbour import SETTINGS, focus_csv

OCTOBER = BillingPeriod(2026, 10)

ORGANIZATION = """\
organization: Northwind
groups:
  - {code: red, name: Red}
  - {code: green, name: Green}
  - {code: blue, name: Blue}
"""

POLICY = """\
policy: Northwind policy
cost_basis: effective
rules:
  - {id: support, when: {ServiceName: Support}, charge_to: {pool: support}}
  - {id: by-team, charge_to: {tag: team}}
pools:
  - {id: support, name: Support, share: even}
"""

Charge = tuple[str, str, str]  # the tag team, the service, the cost


def month(charges: Sequence[Charge], period: BillingPeriod = OCTOBER) -> str:
    """One FOCUS file of a period."""
    first, after = f"{period.starts_on}T00:00:00Z", f"{period.ends_on}T00:00:00Z"
    dates = {
        "BillingPeriodStart": first,
        "BillingPeriodEnd": after,
        "ChargePeriodStart": f"{period}-05T00:00:00Z",
        "ChargePeriodEnd": f"{period}-06T00:00:00Z",
    }
    return focus_csv(
        [
            {"BilledCost": cost, "ServiceName": service, "Tags": json.dumps({"team": team} if team else {}), **dates}
            for team, service, cost in charges
        ]
    )


def workspace(
    root: Path,
    months: Mapping[BillingPeriod, Sequence[Charge]],
    *,
    organization: str = ORGANIZATION,
    policy: str = POLICY,
    allocated: bool = True,
) -> Workspace:
    """A workspace with these months, each allocated unless not asked for.

    The same one is worked out once by every process of the tests, and copied from then on.
    """
    given = tuple((period, tuple(charges)) for period, charges in months.items())
    shutil.copytree(_made_once(given, organization, policy, allocated), root, dirs_exist_ok=True)
    return Workspace.open(root)


@cache
def _made_once(
    months: tuple[tuple[BillingPeriod, tuple[Charge, ...]], ...], organization: str, policy: str, allocated: bool
) -> Path:
    kept = tempfile.mkdtemp(prefix="apportion-tests-")
    atexit.register(shutil.rmtree, kept, ignore_errors=True)
    root = Path(kept, "books")
    root.mkdir()
    (root / "apportion.yaml").write_text(SETTINGS, encoding="utf-8")
    (root / "organization.yaml").write_text(organization, encoding="utf-8")
    (root / "policy.yaml").write_text(policy, encoding="utf-8")
    done("init", str(root))
    for period, charges in months:
        (root / f"{period}.csv").write_text(month(charges, period), encoding="utf-8")
        done("--workspace", str(root), "ingest", str(root / f"{period}.csv"), "--source", "cloud")
        if allocated:
            done("--workspace", str(root), "allocate", str(period))
    return root


def done(*words: str) -> None:
    """Run a command that has to succeed."""
    assert main(list(words)) == 0


def written(root: Path, name: str, text: str) -> Path:
    """A file beside those of the workspace."""
    path = root.parent / name
    path.write_text(text, encoding="utf-8")
    return path


def everything(root: Path) -> dict[str, str]:
    """Every directory and file below, with the digest of what is in it."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "directory"
        for path in sorted(root.rglob("*"))
    }
