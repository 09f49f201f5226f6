"""An allocation on disk: plain files that a person can read and add up, and that read back to the same value.

``run.json`` holds the digests and the meaning of the sidecars' numbers, ``cells.csv``, ``shares.csv`` and
``lines.csv`` the amounts as integers of 10⁻¹⁸ (`units`) and minor units (`minor`).
"""

from __future__ import annotations

import csv
import functools
import hashlib
import io
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from apportion.allocate.allocation import Allocation, Carried, Cell, Corrected, Line, PartTaken, Scope, Share, Weighed
from apportion.allocate.allocator import Decision
from apportion.allocate.policy import CostBasis
from apportion.allocate.quiet import uncollected
from apportion.allocate.rule import Holder, Target
from apportion.periods import BillingPeriod

_SCOPE = ("invoice_issuer", "invoice_id", "billing_account_id", "currency")
_CELL = ("rule_id", "holder", "code", *_SCOPE, "service", "charge_category", "rows", "units", "corrects")
_SHARE = ("step", "pool_id", "holder", "code", *_SCOPE, "units", "weight", "total_weight", "pool_units", "corrects")
_LINE = ("holder", "code", *_SCOPE, "pool_id", "service", "charge_category", "units", "minor", "corrects")
FILES = ("run.json", "cells.csv", "shares.csv", "lines.csv")


@uncollected()
def save(allocation: Allocation, decisions: Sequence[Decision], directory: Path) -> str:
    """Write the files into `directory` and give the run's digest: SHA-256 over their bytes."""
    shown = _Shown()
    _write(directory / "cells.csv", _CELL, (_cell_row(cell, shown) for cell in allocation.cells))
    _write(directory / "shares.csv", _SHARE, (_share_row(share, shown) for share in allocation.shares))
    _write(directory / "lines.csv", _LINE, (_line_row(line, shown) for line in allocation.lines))
    about = {
        "period": str(allocation.period),
        "cost_basis": str(allocation.cost_basis),
        "policy_digest": allocation.policy_digest,
        "organization_digest": allocation.organization_digest,
        "snapshot_digest": allocation.snapshot_digest,
        "usage_digest": allocation.usage_digest,
        "weighed": [_weighed_row(weighed) for weighed in allocation.weighed],
        "decisions": [[decision.rule_id, str(decision.target.holder), decision.target.code] for decision in decisions],
    }
    if allocation.corrected:
        about["corrected"] = [
            [corrects, str(first.holder), first.code, str(holder.holder), holder.code, statement]
            for corrects, first, holder, statement in allocation.corrected
        ]
    if allocation.carried is not None:
        about["carried"] = [[*scope, units_in, units_out] for scope, units_in, units_out in allocation.carried]
    (directory / "run.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    digest = hashlib.sha256()
    for name in FILES:
        digest.update((directory / name).read_bytes())
    return digest.hexdigest()


@uncollected()
def load(
    directory: Path, only: Callable[[Collection[Target]], Target] | None = None
) -> tuple[Allocation, tuple[Decision, ...]]:
    """Read what `save` wrote. `only` chooses one of the holders that have lines; the allocation then holds no more than
    that holder's lines and what they were made from: its cells and shares, and those of all pools.
    """
    about = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    cells, shares, lines = (_read(directory / f"{name}.csv") for name in ("cells", "shares", "lines"))
    if only:
        lines = list(lines)
        holder, code = only({_target(*key) for key in {(row[0], row[1]) for row in lines}})
        lines = [row for row in lines if row[1] == code and row[0] == holder]
        cells = (row for row in cells if row[1] == Holder.POOL or (row[2] == code and row[1] == holder))
        shares = (row for row in shares if row[2] == Holder.POOL or (row[3] == code and row[2] == holder))
    allocation = Allocation(
        period=BillingPeriod.parse(about["period"]),
        cost_basis=CostBasis(about["cost_basis"]),
        cells=tuple(_read_cell(row) for row in cells),
        shares=tuple(_read_share(row) for row in shares),
        lines=tuple(_read_line(row) for row in lines),
        policy_digest=about["policy_digest"],
        organization_digest=about["organization_digest"],
        snapshot_digest=about["snapshot_digest"],
        weighed=tuple(_read_weighed(row) for row in about["weighed"]),
        usage_digest=about["usage_digest"],
        corrected=tuple(_read_corrected(row) for row in about.get("corrected", ())),
        carried=_read_carried(about),
    )
    decisions = (Decision(rule_id, Target(Holder(holder), code)) for rule_id, holder, code in about["decisions"])
    return allocation, tuple(decisions)


def all_lines(directory: Path) -> Iterable[Line]:
    """The lines of every holder, and nothing else of a saved run."""
    return (_read_line(row) for row in _read(directory / "lines.csv"))


def snapshot_digest(directory: Path) -> str:
    """Which charges a saved run was made from."""
    return str(json.loads((directory / "run.json").read_text(encoding="utf-8"))["snapshot_digest"])


def carried(directory: Path) -> tuple[Carried, ...] | None:
    """What a saved run carried in and out."""
    return _read_carried(json.loads((directory / "run.json").read_text(encoding="utf-8")))


class _Shown(dict[tuple[str, ...], str]):
    """Fields as CSV. Thousands of rows share a few scopes, targets and services: each is looked at once."""

    def __missing__(self, fields: tuple[str, ...]) -> str:
        file = io.StringIO()
        csv.writer(file, lineterminator="").writerow(fields)
        self[fields] = file.getvalue()
        return self[fields]


def _write(path: Path, header: Sequence[str], rows: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(header) + "\r\n")
        file.writelines(rows)


def _read(path: Path) -> Iterable[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        yield from rows


def _cell_row(cell: Cell, shown: _Shown) -> str:
    rule_id, target, scope, service, category, rows, units, corrects = cell
    return f"{shown[rule_id or '', *target]},{shown[scope]},{shown[service, category]},{rows},{units},{corrects}\r\n"


def _share_row(share: Share, shown: _Shown) -> str:
    step, pool_id, target, scope, units, weight, total_weight, pool_units, corrects = share
    return (
        f"{step},{shown[pool_id, *target]},{shown[scope]},{units},{weight},{total_weight},{pool_units},{corrects}\r\n"
    )


def _line_row(line: Line, shown: _Shown) -> str:
    holder, scope, pool_id, service, category, units, minor, corrects = line
    return f"{shown[holder]},{shown[scope]},{shown[pool_id or '', service, category]},{units},{minor},{corrects}\r\n"


def _weighed_row(weighed: Weighed) -> list[object]:
    step, pool_id, currency, chosen, refused, parts = weighed
    rows = [[units, [[str(target.holder), target.code, weight] for target, weight in found]] for units, found in parts]
    return [step, pool_id, currency, chosen, list(refused), rows]


# Thousands of rows share a few scopes and targets: each is made once.
_scope = functools.cache(Scope)


@functools.cache
def _target(holder: str, code: str) -> Target:
    return Target(Holder(holder), code)


def _read_cell(row: list[str]) -> Cell:
    target, scope = _target(row[1], row[2]), _scope(*row[3:7])
    return Cell(row[0] or None, target, scope, row[7], row[8], int(row[9]), int(row[10]), row[11])


def _read_share(row: list[str]) -> Share:
    target, scope = _target(row[2], row[3]), _scope(*row[4:8])
    return Share(int(row[0]), row[1], target, scope, int(row[8]), int(row[9]), int(row[10]), int(row[11]), row[12])


def _read_line(row: list[str]) -> Line:
    target, scope = _target(row[0], row[1]), _scope(*row[2:6])
    return Line(target, scope, row[6] or None, row[7], row[8], int(row[9]), int(row[10]), row[11])


def _read_corrected(row: list[str]) -> Corrected:
    corrects, first, first_code, holder, code, statement = row
    return Corrected(corrects, _target(first, first_code), _target(holder, code), statement)


def _read_carried(about: dict[str, Any]) -> tuple[Carried, ...] | None:
    if "carried" not in about:
        return None
    return tuple(Carried(_scope(*row[:4]), row[4], row[5]) for row in about["carried"])


def _read_weighed(row: list[Any]) -> Weighed:
    step, pool_id, currency, chosen, refused, rows = row
    parts = (
        PartTaken(units, tuple((_target(holder, code), weight) for holder, code, weight in found))
        for units, found in rows
    )
    return Weighed(step, pool_id, currency, chosen, tuple(refused), tuple(parts))
