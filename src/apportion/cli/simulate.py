"""``apportion simulate``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apportion.cli.arguments import Period, read_count
from apportion.cli.face import Face, shown_path

if TYPE_CHECKING:
    from apportion.allocate.basis import Basis
    from apportion.allocate.policy import PoolOrder
    from apportion.allocate.rule import Target
    from apportion.close.bridge import Step
    from apportion.close.compare import Change, Comparison, Part
    from apportion.close.run import Run
    from apportion.warehouse.store import Workspace

VERSION = 1
REASONS = 3  # of each holder; the others are one line


def run(
    face: Face,
    period: Period,
    policy: Annotated[Path | None, typer.Option(metavar="FILE", help="Another policy.")] = None,
    organization: Annotated[Path | None, typer.Option(metavar="FILE", help="Another organization.")] = None,
    pool_order: Annotated[
        str | None,
        typer.Option(
            metavar="ORDER", help="Another order of pools: derived, declared (step-down), direct or reciprocal."
        ),
    ] = None,
    methods: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="POOL=METHOD",
            help="Share a pool another way: even, proportional, cost-so-far, metered:METRIC, kept-central; repeatable.",
        ),
    ] = None,
    most: Annotated[
        int, typer.Option("--most", parser=read_count, metavar="N", help="How many cost groups to print.")
    ] = 20,
) -> None:
    """Simulate a period under other rules: who would pay more or less, and why. Nothing is changed.

    The period is worked out again under another policy, organization, order of pools or method, and compared with its
    current run, sealed or not. Without any of these it is compared with what the files of the workspace say now.
    Every difference is taken apart into charges that move, pools that hold more or less, and shares that change; the
    parts sum to the difference, and the differences to zero.

    \b
    Examples:
      apportion simulate 2026-10 --policy next-year.yaml
      apportion simulate 2026-10 --pool-order reciprocal
      apportion simulate 2026-10 --set support=even --organization merged.yaml
    """
    from apportion.close.simulate import simulate

    workspace = face.workspace()
    order, bases = _order(pool_order), _bases(methods or ())
    where = _files(workspace, policy, organization, named=bool(pool_order or methods))
    total = sum(file.rows for file in workspace.snapshot(period).files)
    from apportion.cli.progress import rows_done

    with rows_done(face, f"Simulating {period}", total) as progress:
        found = simulate(
            workspace,
            period,
            policy=where[0],
            organization=where[1],
            pool_order=order,
            methods=bases,
            progress=progress,
        )
    face.give(document(found))
    if not face.as_json:
        _show(face, found, _inputs(where, pool_order, methods or ()), most)


def _order(text: str | None) -> PoolOrder | None:
    from apportion.allocate.policy import PoolOrder

    if text is None:
        return None
    try:
        return PoolOrder(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not one of {', '.join(PoolOrder)}.") from None


def _bases(given: Sequence[str]) -> dict[str, Basis]:
    from apportion.allocate.basis import Metered
    from apportion.close.simulate import METHODS

    found: dict[str, Basis] = {}
    for text in given:
        pool, equals, method = text.partition("=")
        way, colon, metric = method.partition(":")
        if equals and way == "metered" and metric:
            found[pool] = Metered(metric)
        elif equals and not colon and method in METHODS:
            found[pool] = METHODS[method]
        else:
            raise typer.BadParameter(f"'{text}' is not POOL=METHOD with one of {', '.join(METHODS)}, metered:METRIC.")
    return found


def _files(
    workspace: Workspace, policy: Path | None, organization: Path | None, *, named: bool
) -> tuple[Path | None, Path | None]:
    """The files to simulate with: those that are named, or where nothing at all is, those of the workspace."""
    if policy or organization or named:
        return policy, organization
    settings = workspace.settings
    return workspace.root / settings.policy, workspace.root / settings.organization


def _inputs(where: tuple[Path | None, Path | None], pool_order: str | None, methods: Sequence[str]) -> str:
    said = [f"{name} {shown_path(path)}" for name, path in zip(("policy", "organization"), where, strict=True) if path]
    said += [f"pool order {pool_order}"] if pool_order else []
    return ", ".join([*said, *methods])


# What it came to, as text.


def _show(face: Face, found: Comparison, inputs: str, most: int) -> None:
    from apportion.cli.amounts import count
    from apportion.cli.tables import Column, table
    from apportion.invoice.wording import grouped, period_name

    face.say(f"{period_name(found.period)} with {inputs}. Nothing was changed.", "bold")
    if not found.changed:
        face.say("Nobody would pay more or less.")
    for currency, was, now in found.totals:
        changed = [change for change in found.changed if change.currency == currency]
        rows = [row for change in changed[:most] for row in _rows(change)]
        if not rows:
            continue
        head = [
            Column(currency, wraps=True),
            Column("Now", is_number=True),
            Column("Simulated", is_number=True),
            Column("Difference", is_number=True),
            Column("%", is_number=True),
        ]
        sums = [_row("Together", was, now, currency)]
        face.say()
        face.show(table(head, rows, sums=sums))
        if len(changed) > most:
            left = count(len(changed) - most, "more change", "more changes")
            face.say(f"{left}; see all with --most {len(changed)} or --json.")
    _show_tree(face, found)
    for currency, was, now in found.totals:
        same = f"Conserved: both come to {grouped(was, currency)} {currency}."
        other = f"The other cost basis comes to {signed(now - was, currency)} {currency} more or less."
        face.say(same if was == now else other, "green" if was == now else "yellow")


def _moved(found: Comparison) -> list[Step]:
    """Cost groups with others below them whose amount, with all of those, is another."""
    from apportion.close.bridge import bridge

    steps = bridge(found, found.before.tree, found.after.tree)
    inner = {run_tree[code].parent for run_tree in (found.before.tree, found.after.tree) for code in run_tree}
    return [step for step in steps if step.holder.code in inner and step.before != step.after]


def _show_tree(face: Face, found: Comparison) -> None:
    from apportion.cli.restate import show_bridge

    steps = _moved(found)
    for currency in dict.fromkeys(step.currency for step in steps):
        show_bridge(face, f"{currency}, with all that is below", steps)


def _rows(change: Change) -> Iterator[list[str]]:
    """A cost group, and below it the largest reasons; what is left of them is one more line."""
    yield _row(change.name, change.before, change.after, change.currency)
    shown = change.parts if len(change.parts) <= REASONS + 1 else change.parts[:REASONS]
    for part in shown:
        yield [f"  {reason(part)}", "", "", signed(part.minor, change.currency), ""]
    if left := change.parts[len(shown) :]:
        rest = sum(part.minor for part in left)
        yield [f"  {len(left)} smaller reasons", "", "", signed(rest, change.currency), ""]


def _row(name: str, was: int, now: int, currency: str) -> list[str]:
    from apportion.cli.amounts import percent
    from apportion.invoice.wording import grouped

    part = percent(now - was, was)
    if part and now > was:
        part = f"+{part}"
    return [name, grouped(was, currency), grouped(now, currency), signed(now - was, currency), part]


def signed(minor: int, currency: str) -> str:
    """A difference with its sign: ``+12.00``, ``-3.50``, ``0.00``."""
    from apportion.invoice.wording import grouped

    return f"{'+' if minor > 0 else ''}{grouped(minor, currency)}"


def reason(part: Part) -> str:
    """One part of a difference in a few words."""
    from apportion.cli.amounts import count
    from apportion.close.compare import Why

    if part.why is Why.MOVED and part.other is not None:
        way = "from" if part.came else "to"
        was, now = part.rules
        by = f"now by rule {now}" if now else f"no longer by rule {was}"
        return f"{count(part.rows, 'charge')} {way} {_place(part.other)}, {by}"
    return {
        Why.COST_BASIS: "the same charges on the other cost basis",
        Why.POOL_SIZE: f"pool {part.code} holds {'more' if part.minor > 0 else 'less'}",
        Why.POOL_SHARE: f"another share of pool {part.code}",
        Why.AGREED: f"agreement {part.code}",
        Why.OTHER: "corrections of earlier months",
        Why.CENTS: "cents settled",
    }.get(part.why, "")


def _place(target: Target) -> str:
    from apportion.allocate.rule import Holder

    return f"pool {target.code}" if target.holder is Holder.POOL else str(target).replace("_", " ")


# What it came to, as a document.


def document(found: Comparison) -> dict[str, object]:
    """The document of ``simulate --json``."""
    from apportion.cli.restate import step_document
    from apportion.money.currency import minor_text

    return {
        "document": "simulation",
        "version": VERSION,
        "period": str(found.period),
        "before": _run_document(found.before),
        "after": _run_document(found.after),
        "totals": [
            {
                "currency": currency,
                "before": minor_text(was, currency),
                "after": minor_text(now, currency),
                "difference": minor_text(now - was, currency),
            }
            for currency, was, now in found.totals
        ],
        "changes": [_change_document(change) for change in found.changed],
        "unchanged": len(found.changes) - len(found.changed),
        "tree": [step_document(step) for step in _moved(found)],
    }


def _run_document(run: Run) -> dict[str, object]:
    return {
        "policy": run.policy.name,
        "policy_digest": run.policy.digest,
        "organization_digest": run.organization.digest,
        "cost_basis": str(run.allocation.cost_basis),
        "pool_order": str(run.policy.pool_order),
    }


def _change_document(change: Change) -> dict[str, object]:
    from apportion.cli.amounts import percent
    from apportion.money.currency import minor_text

    part_of = percent(change.minor, change.before).removesuffix(" %") or None
    return {
        "holder": str(change.holder.holder),
        "cost_group": change.holder.code,
        "name": change.name,
        "currency": change.currency,
        "before": minor_text(change.before, change.currency),
        "after": minor_text(change.after, change.currency),
        "difference": minor_text(change.minor, change.currency),
        "percent": part_of,
        "parts": [_part_document(part, change.currency) for part in change.parts],
    }


def _part_document(part: Part, currency: str) -> dict[str, object]:
    from apportion.money.currency import minor_text

    other = part.other
    return {
        "why": str(part.why),
        "amount": minor_text(part.minor, currency),
        "pool": part.code,
        "other": {"holder": str(other.holder), "code": other.code} if other else None,
        "rule_before": part.rules[0],
        "rule_after": part.rules[1],
        "rows": part.rows,
        "came": part.came if other else None,
        "reason": reason(part),
    }
