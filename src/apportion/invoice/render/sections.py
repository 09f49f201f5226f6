"""What all readable formats share: the parts of a statement in reading order, and how its lines are labelled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from apportion.allocate.policy import Method
from apportion.invoice import wording
from apportion.invoice.statement import LineKind, Statement, StatementLine

MOVES = (Method.COMMITMENT, Method.UPLIFT)  # their shares move cost between holders, and are taken of no pool


@dataclass(frozen=True, slots=True)
class Section:
    """Lines that are read together, in one currency, and their sum in minor units."""

    kind: LineKind
    title: str
    currency: str
    lines: tuple[StatementLine, ...]
    minor: int


def sections(statement: Statement) -> tuple[Section, ...]:
    """The sections of a statement; every line is in exactly one, in the order of the line numbers."""
    direct = (line for line in statement.lines if line.kind is LineKind.DIRECT)
    shared = (line for line in statement.lines if line.kind is LineKind.SHARE)
    found = [
        _section(LineKind.DIRECT, wording.scope_text(scope), scope.currency, lines)
        for scope, lines in groupby(direct, key=lambda line: line.scope)
    ]
    found += [
        _section(LineKind.SHARE, _shared_title(these), currency, these)
        for currency, lines in groupby(shared, key=lambda line: line.scope.currency)
        for these in [tuple(lines)]
    ]
    return tuple(found)


def _shared_title(lines: Iterable[StatementLine]) -> str:
    moved = any(line.method in MOVES for line in lines)
    return "Parts of shared pools, of commitments and surcharges" if moved else "Parts of shared pools"


def _section(kind: LineKind, title: str, currency: str, lines: Iterable[StatementLine]) -> Section:
    these = tuple(lines)
    return Section(kind, title, currency, these, sum(line.minor for line in these))


def what(line: StatementLine) -> str:
    """What a line is for, in a few words: service and charge category, or the pool's name."""
    if line.kind is LineKind.SHARE:
        return line.pool_name
    return line.service or "No service named"


def why(line: StatementLine) -> str:
    """The line's reason without what `what` says already."""
    if line.kind is LineKind.SHARE:
        return line.reason.removeprefix(f"{line.pool_name}: ")
    rows = f"{line.rows:,} row{'' if line.rows == 1 else 's'}"
    return f"{line.reason}, {rows}"


def particulars(statement: Statement) -> tuple[tuple[str, str], ...]:
    """Owners and coding as (label, value), in reading order; nothing for what is no cost group."""
    if not statement.path:
        return ()
    return (
        ("Cost group", statement.holder.code),
        ("Finance owner", statement.owners.finance),
        ("Technical owner", statement.owners.technical),
        ("Business owner", statement.owners.business),
        ("Company", statement.coding.company),
        ("Cost center", statement.coding.cost_center),
        ("Department", statement.coding.department),
        ("Ledger account", statement.coding.ledger_account),
    )


def digests(statement: Statement) -> tuple[tuple[str, str], ...]:
    """What the statement depends on, pinned by SHA-256, as (label, value)."""
    return (
        ("Policy", statement.policy_name),
        ("Policy digest", statement.policy_digest),
        ("Organization digest", statement.organization_digest),
        ("Cost data digest", statement.snapshot_digest),
    )
