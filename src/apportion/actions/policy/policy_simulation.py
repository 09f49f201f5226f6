"""What a version of the policy would change in a period: worked out in the background, and kept with the version."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils import timezone

from apportion.actions.acting import Actor, locked, recorded
from apportion.actions.policy import policy_text
from apportion.actions.working import Kind, Progress, Result, enqueue, register
from apportion.actions.workspace import workspace
from apportion.allocate.rule import Target
from apportion.close.compare import Change, Comparison
from apportion.close.compare import Part as Reason
from apportion.close.simulate import simulate
from apportion.errors import NotFoundError
from apportion.periods import BillingPeriod
from apportion.records.policies import PolicyState, PolicyVersion
from apportion.records.work import Work
from apportion.review.permission import Permission
from apportion.review.states import StateError

SIMULATE = "simulate policy"
MOST_CHANGES = 200
_MOST_PARTS = 6


def ask_to_simulate(actor: Actor, version: int, period: BillingPeriod) -> Work:
    """Work out in the background what a draft or proposed version would change in an allocated period.

    Raises `ForbiddenError`, `NotFoundError` and `StateError` for a version that is decided about.
    """
    actor.rights.require(Permission.PREPARE)
    row = PolicyVersion.objects.filter(pk=version).first()
    if row is None:
        raise NotFoundError("There is no such version.", advice="Begin at the list of versions.")
    if row.state not in (PolicyState.DRAFT, PolicyState.PROPOSED):
        raise StateError(
            f"This version is {row.state}: there is nothing to try out.", advice="Write a new version from it."
        )
    if period not in workspace().periods():
        raise NotFoundError(f"Nothing was delivered for {period}.", advice="Choose a period that has charges.")
    return enqueue(actor, SIMULATE, f"{SIMULATE} {version} {period}", period, {"version": version})


def latest(version: int) -> Work | None:
    """The last time that this was asked for."""
    return Work.objects.filter(Q(kind=SIMULATE), key__startswith=f"{SIMULATE} {version} ").order_by("-pk").first()


def _run(actor: Actor, work: Work, progress: Progress) -> Result:
    period = BillingPeriod.parse(work.period)
    number = int(work.arguments["version"])
    row = PolicyVersion.objects.get(pk=number)
    place = workspace()
    # Charges are read by several threads, which have no connection to the books: how far they are is not told.
    progress(0, 0, "Working the period out")
    found = simulate(place, period, policy=policy_text.parsed(row.text, place.settings.policy))
    with recorded(actor, "simulate policy") as record:
        kept = locked(PolicyVersion, number)
        if kept.digest == row.digest:  # else its text was changed meanwhile: the result is of another one
            kept.simulation, kept.simulated_period = document(found), str(period)
            kept.save(update_fields=["simulation", "simulated_period"])
        record.about(kept)
        record.changed({}, {"period": str(period), "changed": len(found.changed)})
    return {"changed": len(found.changed)}


def document(found: Comparison) -> dict[str, object]:
    """A comparison as it is kept: the largest changes with their largest reasons; amounts in minor units."""
    return {
        "at": timezone.now().isoformat(),
        "period": str(found.period),
        "before": {"policy": found.before.policy.name, "digest": found.before.policy.digest},
        "totals": [{"currency": each.currency, "before": each.before, "after": each.after} for each in found.totals],
        "changes": [_change(change) for change in found.changed[:MOST_CHANGES]],
        "changed": len(found.changed),
        "unchanged": len(found.changes) - len(found.changed),
    }


def _change(change: Change) -> dict[str, Any]:
    shown, left = change.parts[:_MOST_PARTS], change.parts[_MOST_PARTS:]
    return {
        "holder": str(change.holder.holder),
        "code": change.holder.code,
        "name": change.name,
        "currency": change.currency,
        "before": change.before,
        "after": change.after,
        "parts": [_part(part) for part in shown],
        "more": {"count": len(left), "minor": sum(part.minor for part in left)},
    }


def _part(part: Reason) -> dict[str, Any]:
    return {
        "why": str(part.why),
        "minor": part.minor,
        "code": part.code,
        "other": _target(part.other),
        "rule_before": part.rules[0] or "",
        "rule_after": part.rules[1] or "",
        "rows": part.rows,
        "came": part.came,
    }


def _target(target: Target | None) -> dict[str, str] | None:
    return {"holder": str(target.holder), "code": target.code} if target else None


register(Kind(SIMULATE, Permission.PREPARE, _run))
