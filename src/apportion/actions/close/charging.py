"""From showback to chargeback and back: a controller's act for one cost group, from a period on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from fractions import Fraction

from django.db.models import Q

from apportion.actions import configured
from apportion.actions.acting import Actor, person_of, recorded
from apportion.actions.words import said
from apportion.errors import InputRefusedError, Place
from apportion.invoice.paper import PaperKind
from apportion.periods import BillingPeriod
from apportion.records import reach
from apportion.records.closes import Close
from apportion.records.disputes import UNDECIDED, Dispute
from apportion.records.documents import Document, DocumentTotal
from apportion.records.groups import Charging, CostGroup, Mode
from apportion.review.permission import Permission
from apportion.review.readiness import Figures, Month, Row, readiness
from apportion.review.states import Issue, StateError

MONTHLY = (PaperKind.STATEMENT, PaperKind.INVOICE)
_MONTHS = 12


def charged(period: BillingPeriod) -> frozenset[str]:
    """The codes of the cost groups that are in chargeback in a period; all others are in showback."""
    rows = Mode.objects.filter(from_period__lte=str(period)).order_by("from_period", "id")
    found = dict(rows.values_list("cost_group__code", "charging"))  # the latest of a code wins
    return frozenset(code for code, charging in found.items() if charging == Charging.CHARGEBACK)


def charging_of(group: CostGroup, period: BillingPeriod) -> Charging:
    """Whether one cost group is in showback or chargeback in a period."""
    row = group.modes.filter(from_period__lte=str(period)).order_by("-from_period", "-id").first()
    return Charging(row.charging) if row else Charging.SHOWBACK


def readiness_of(group: CostGroup) -> tuple[Row, ...]:
    """The readiness report of a cost group, from the latest allocated period and its documents. Three queries."""
    return readiness(known_figures(group), configured.current().readiness)


def known_figures(group: CostGroup) -> Figures:
    """What the books know of a group. Of its direct cost the run's figures say how much has tags. Three queries."""
    close = Close.objects.filter(allocated_at__isnull=False).order_by("-period").defer(None).defer("tie_out").first()
    summary = close.summary if close else {}
    totals: dict[str, int] = summary.get("totals", {})
    nobodys: dict[str, int] = summary.get("unallocated", {})
    # Of several currencies, none of which can be added to another, the one with the lowest share decides.
    charged = [currency for currency, minor in totals.items() if minor > 0]
    main = max(charged, key=lambda currency: Fraction(nobodys.get(currency, 0), totals[currency]), default="")
    cost = totals.get(main, 0)
    allocated = cost - nobodys.get(main, 0)
    raised = list(Dispute.objects.filter(document__cost_group=group).values_list("document__period", "state"))
    months = _months(group, [period for period, _ in raised])
    tagged, direct = _tagged(close.tagged if close else {}, group.code)
    return Figures(allocated, cost, tagged, direct, months, sum(state in UNDECIDED for _, state in raised))


def _tagged(by_currency: Mapping[str, Mapping[str, Sequence[int]]], code: str) -> tuple[int, int]:
    """How much of a group's direct cost has its tags, and all of it, in the currency that most of it is in."""
    pairs = [groups[code] for groups in by_currency.values() if code in groups]
    tagged, direct = max(pairs, key=lambda pair: abs(pair[1]), default=(0, 0))
    return tagged, direct


def _months(group: CostGroup, disputed: Sequence[str]) -> list[Month]:
    rows = DocumentTotal.objects.filter(
        document__cost_group=group, document__issue_state=Issue.ISSUED, document__kind__in=MONTHLY
    ).values_list("document__period", "currency", "amount_minor")
    by_period: dict[str, dict[str, int]] = {}
    for period, currency, minor in rows:
        by_period.setdefault(period, {})[currency] = minor
    if not by_period:
        return []
    latest = by_period[max(by_period)]
    main = max(latest, key=lambda currency: abs(latest[currency]))
    counts = Counter(disputed)
    chosen = sorted(by_period)[-_MONTHS - 1 :]
    return [Month(BillingPeriod.parse(period), by_period[period].get(main, 0), counts[period]) for period in chosen]


def set_charging(
    actor: Actor,
    group: int,
    charging: Charging,
    from_period: BillingPeriod,
    reason: str,
) -> Mode:
    """From a period on, show a cost group its cost, or charge it. The report it was decided on is kept.

    Not for a period whose documents are out. Where it is so already, nothing happens. Raises `ForbiddenError`,
    `NotFoundError`, `InputRefusedError` without a reason and `StateError` for an issued or sealed period.
    """
    person = person_of(actor)
    actor.rights.require(Permission.MOVE_TO_CHARGEBACK)
    found = reach.cost_group(actor.rights, group)
    words = said(reason, "reason", "Say what the decision rests on: an auditor will ask.")
    with recorded(actor, "set charging", reason=words) as record:
        locked = CostGroup.objects.select_for_update().get(pk=found.pk)
        _require_not_out(locked, from_period)
        before = charging_of(locked, from_period)
        later = locked.modes.filter(from_period__gt=str(from_period)).exists()
        if before is charging and not later:
            latest = locked.modes.order_by("-from_period", "-id").first()
            if latest is not None:
                return latest
            raise InputRefusedError(
                f"{locked.name} is in {charging} already.",
                place=Place(field="charging"),
                advice="Nothing has to be done.",
            )
        report = [asdict(row) for row in readiness_of(locked)]
        mode = Mode.objects.create(
            cost_group=locked,
            charging=charging,
            from_period=str(from_period),
            reason=words,
            readiness={"rows": report, "is_ready": all(row["is_met"] for row in report)},
            decided_by=person,
        )
        record.about(locked)
        record.changed(
            {"charging": str(before)},
            {"charging": str(charging), "from_period": str(from_period), "readiness": mode.readiness},
        )
    return mode


def _require_not_out(group: CostGroup, period: BillingPeriod) -> None:
    out = Close.objects.filter(period__gte=str(period)).filter(Q(issued_at__isnull=False) | Q(sealed_at__isnull=False))
    documents = Document.objects.filter(period__gte=str(period), cost_group=group).exclude(issue_state=Issue.VOIDED)
    latest = out.order_by("-period").values_list("period", flat=True).first()
    if latest is not None or documents.exists():
        latest = latest or documents.order_by("-period").values_list("period", flat=True)[0]
        raise StateError(
            f"The documents of {latest} are issued, and say whether they are charged.",
            advice=f"Choose {BillingPeriod.parse(latest).next} or a later period.",
        )
