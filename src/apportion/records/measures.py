"""How well the close runs: the measures of each period against the settings' thresholds, exact, from a few queries.

Takes periods and thresholds, gives for each period every measure with what it counts. What is not known has a reason
and no value. Shares are millionths, days and rates tenths; where there are several currencies, shares are those of the
one that most lines are in. The words are in `web`, the definitions in docs/reference/measures.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.db.models import BigIntegerField, Count, Expression, F, Func, Q, Sum, Value
from django.db.models.functions import Abs, Cast
from django.utils import timezone

from apportion.allocate.rule import Holder
from apportion.close.flows import Column
from apportion.invoice.paper import PaperKind
from apportion.money.amount import half_even
from apportion.periods import BillingPeriod
from apportion.records.closes import Close
from apportion.records.disputes import Dispute, DisputeState
from apportion.records.documents import Document, DocumentTotal
from apportion.records.stamp import kept, stamp
from apportion.review.states import Issue, Posting, Review
from apportion.settings import Settings

WHOLE = 10**6
MONTHLY = (PaperKind.STATEMENT, PaperKind.INVOICE)
_DAY = 24 * 60 * 60
_DECIDED = (DisputeState.UPHELD, DisputeState.PARTLY_UPHELD, DisputeState.REJECTED)
_Pair = tuple[int, int]


class Key(StrEnum):
    """What is measured."""

    ALLOCATED_SHARE = "allocated_share"
    TAG_COVERAGE = "tag_coverage"
    UNUSED_COMMITMENT = "unused_commitment"
    IDLE_COST = "idle_cost"
    ANOMALY_COST = "anomaly_cost"
    DAYS_TO_ISSUE = "days_to_issue"
    ACCEPTANCE_RATE = "acceptance_rate"
    DISPUTES = "disputes_per_hundred_lines"
    DAYS_TO_RESOLVE = "days_to_resolve"
    SHARE_POSTED = "share_posted"
    RECHARGE_RATE = "recharge_rate"


class Unit(StrEnum):
    """What a value counts."""

    PPM = "ppm"
    TENTHS = "tenths"
    TENTHS_OF_DAYS = "tenths_of_days"
    DAYS = "days"


class Unknown(StrEnum):
    """Why a value is not known."""

    NOT_ALLOCATED = "not_allocated"
    NOT_MEASURED = "not_measured"  # the run is older than the measure, or charges came since
    NO_COST = "no_cost"
    NO_TAGS = "no_tags"
    ON_BILLED_COST = "on_billed_cost"
    NO_COMMITMENTS = "no_commitments"
    NO_IDLE_POOLS = "no_idle_pools"
    NOT_ISSUED = "not_issued"
    NO_MONTH_BEFORE = "no_month_before"
    NO_DOCUMENTS = "no_documents"
    NOTHING_DECIDED = "nothing_decided"
    NO_INVOICES = "no_invoices"


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure. `counted` are the numbers behind it, by name: amounts are minor units of `currency`.

    `is_met` is None where the value is not known. `is_least`: the value is to be at least the threshold, else at most.
    """

    key: Key
    unit: Unit
    threshold: int
    is_least: bool
    value: int | None = None
    is_met: bool | None = None
    unknown: Unknown | None = None
    currency: str = ""
    counted: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Month:
    """The measures of a period. `so_far`: its review is not over, so that those about it will still move."""

    period: str
    close: Close | None
    measures: tuple[Measure, ...]
    so_far: bool


@dataclass(slots=True)
class _Facts:
    """What the books hold of one period."""

    close: Close | None = None
    reviews: dict[str, int] = field(default_factory=dict)  # documents of cost groups by review state
    whole: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    charged: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    posted: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    compared: dict[str, _Pair] = field(default_factory=dict)  # documents with a month before; what those carried
    moved: dict[str, _Pair] = field(default_factory=dict)  # anomalies, and by how much they moved
    disputes: int = 0
    seconds: list[int] = field(default_factory=list)  # from raising a dispute to its decision

    @property
    def summary(self) -> Mapping[str, Any]:
        return self.close.summary if self.close is not None else {}

    @property
    def main(self) -> str:
        """The currency that most lines are in."""
        return str(self.summary.get("main_currency", ""))

    @property
    def figures(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.summary.get("figures", {})
        return found


def measured(periods: Sequence[str], settings: Settings) -> tuple[Month, ...]:
    """The measures of these periods, in their order. Six queries, however many periods; one where no act was since."""
    today = timezone.localdate()
    return tuple(
        Month(
            period,
            found.close,
            _of_run(found, settings) + _of_review(found, settings),
            found.close is not None and (found.close.review_until is None or found.close.review_until >= today),
        )
        for period, found in _facts(stamp(), tuple(periods), settings.measures.anomaly_change).items()
    )


@kept(32)
def _facts(stamp: str, periods: tuple[str, ...], anomaly_change: int) -> Mapping[str, _Facts]:
    """Five queries."""
    facts = {period: _Facts() for period in periods}
    for close in Close.objects.filter(period__in=periods):
        facts[close.period].close = close
    _add_reviews(facts)
    _add_money(facts)
    _add_moves(facts, anomaly_change)
    _add_disputes(facts)
    return facts


def of_run(close: Close | None, settings: Settings) -> Mapping[Key, Measure]:
    """What the run of a period alone tells, for the whole company. No query."""
    wanted = (Key.ALLOCATED_SHARE, Key.TAG_COVERAGE, Key.UNUSED_COMMITMENT, Key.IDLE_COST)
    return {each.key: each for each in _of_run(_Facts(close), settings) if each.key in wanted}


def last_periods(period: str, count: int = 12) -> list[str]:
    """So many periods up to this one, in their order."""
    found = [BillingPeriod.parse(period)]
    while len(found) < count:
        found.append(found[-1].previous)
    return [str(each) for each in reversed(found)]


def _add_reviews(facts: Mapping[str, _Facts]) -> None:
    rows = Document.objects.filter(
        period__in=list(facts), kind__in=MONTHLY, issue_state=Issue.ISSUED, cost_group__isnull=False
    ).values_list("period", "review_state")
    for period, state, count in rows.annotate(count=Count("pk")).order_by():
        facts[period].reviews[state] = count


def _add_money(facts: Mapping[str, _Facts]) -> None:
    rows = DocumentTotal.objects.filter(document__period__in=list(facts), document__issue_state=Issue.ISSUED)
    kinds = ("document__period", "currency", "document__kind", "document__showback", "document__posting_state")
    for period, currency, kind, showback, posting, total in (
        rows.values_list(*kinds).annotate(total=Sum("amount_minor")).order_by()
    ):
        found, minor = facts[period], int(total)
        if kind in MONTHLY:
            found.whole[currency] += minor
        if kind != PaperKind.STATEMENT and not showback:
            found.charged[currency] += minor
            if posting == Posting.POSTED:
                found.posted[currency] += minor


def _add_moves(facts: Mapping[str, _Facts], change_ppm: int) -> None:
    moved = Q(move__gt=_part_of(Abs(F("before_minor")), change_ppm))
    rows = (
        DocumentTotal.objects.filter(
            document__period__in=list(facts),
            document__kind__in=MONTHLY,
            document__issue_state=Issue.ISSUED,
            document__holder=Holder.COST_GROUP,
            before_minor__isnull=False,
        )
        .annotate(move=Abs(F("amount_minor") - F("before_minor")))
        .values_list("document__period", "currency")
        .annotate(
            all=Count("pk"), before=Sum("before_minor"), count=Count("pk", filter=moved), by=Sum("move", filter=moved)
        )
        .order_by()
    )
    for period, currency, every, before, count, by in rows:
        facts[period].compared[currency] = every, int(before)
        facts[period].moved[currency] = count, int(by or 0)


def _part_of(whole: Expression, ppm: int) -> Expression:
    """So many millionths of a whole above zero, rounded down, by whole numbers that cannot overflow where it fits."""

    def joined(sign: str, one: Expression, two: Expression) -> Expression:
        return Func(one, two, template="(%(expressions)s)", arg_joiner=sign, output_field=BigIntegerField())

    million, part = (Cast(Value(number), BigIntegerField()) for number in (WHOLE, ppm))
    full = joined(" * ", joined(" / ", whole, million), part)
    rest = joined(" / ", joined(" * ", joined(" %% ", whole, million), part), million)
    return joined(" + ", full, rest)


def _add_disputes(facts: Mapping[str, _Facts]) -> None:
    rows = Dispute.objects.filter(document__period__in=list(facts))
    for period, state, opened, decided in rows.values_list("document__period", "state", "opened_at", "decided_at"):
        facts[period].disputes += 1
        if state in _DECIDED and decided is not None:
            facts[period].seconds.append((decided - opened) // timedelta(seconds=1))


def _of_run(found: _Facts, settings: Settings) -> tuple[Measure, ...]:
    wanted, ready, figures = settings.measures, settings.readiness, found.figures
    summary = found.summary
    cost, currency = _leading(summary.get("totals", {}), found.main)
    nobody = summary.get("unallocated", {}).get(currency, 0)
    why = Unknown.NOT_ALLOCATED if not summary else Unknown.NO_COST
    no_figures = Unknown.NOT_ALLOCATED if not summary else Unknown.NOT_MEASURED if not figures else None
    usage = _pair(figures.get("usage", {}), found.main)
    unused = _pair(figures.get("commitments", {}), found.main)
    no_tags = Unknown.NO_TAGS if "usage" not in figures else Unknown.NO_COST
    no_commitments = Unknown.ON_BILLED_COST if "commitments" not in figures else Unknown.NO_COMMITMENTS
    idle, billed, billed_in = _idle(figures, wanted.idle_pools, found.main)
    no_idle = Unknown.NO_IDLE_POOLS if not wanted.idle_pools else Unknown.NO_COST
    moved, before, moved_in = _moved(found)
    no_moves = Unknown.NOT_ISSUED if not found.whole else Unknown.NO_MONTH_BEFORE
    return (
        _share(Key.ALLOCATED_SHARE, cost - nobody, cost, ready.allocated_share, currency, why, of_nobody=nobody),
        _share(Key.TAG_COVERAGE, *usage[:2], ready.tagged_share, usage[2], no_figures or no_tags),
        _share(Key.UNUSED_COMMITMENT, *unused[:2], wanted.unused_commitment, unused[2], no_figures or no_commitments),
        _share(Key.IDLE_COST, idle, billed, wanted.idle_cost, billed_in, no_figures or no_idle),
        _share(
            Key.ANOMALY_COST,
            moved[1],
            before,
            wanted.anomaly_cost,
            moved_in,
            no_moves,
            documents=moved[0],
            beyond=wanted.anomaly_change,
        ),
    )


def _of_review(found: _Facts, settings: Settings) -> tuple[Measure, ...]:
    wanted = settings.measures
    accepted, deemed = found.reviews.get(Review.ACCEPTED, 0), found.reviews.get(Review.DEEMED, 0)
    issued = sum(found.reviews.values())
    no_documents = Unknown.NO_DOCUMENTS if found.whole else Unknown.NOT_ISSUED
    charged, currency = _leading(found.charged, found.main)
    whole, whole_in = _leading(found.whole, found.main)
    return (
        _days_to_issue(found, wanted.days_to_issue),
        _share(
            Key.ACCEPTANCE_RATE,
            accepted + deemed,
            issued,
            wanted.acceptance_rate,
            "",
            no_documents,
            accepted=accepted,
            deemed=deemed,
        ),
        _disputes(found, wanted.disputes_per_hundred_lines),
        _days_to_resolve(found, wanted.days_to_resolve),
        _share(
            Key.SHARE_POSTED,
            found.posted.get(currency, 0),
            charged,
            wanted.share_posted,
            currency,
            Unknown.NO_INVOICES if found.whole else Unknown.NOT_ISSUED,
        ),
        _share(
            Key.RECHARGE_RATE,
            found.posted.get(whole_in, 0),
            whole,
            wanted.recharge_rate,
            whole_in,
            Unknown.NO_COST if found.whole else Unknown.NOT_ISSUED,
        ),
    )


_AT_MOST = {Key.UNUSED_COMMITMENT, Key.IDLE_COST, Key.ANOMALY_COST}


def _share(
    key: Key, part: int, whole: int, threshold: int, currency: str, unknown: Unknown | None, **counted: int
) -> Measure:
    """A part of a whole against its threshold; without a whole it is not known, for the reason given."""
    is_least = key not in _AT_MOST
    if whole <= 0:
        return Measure(key, Unit.PPM, threshold, is_least, unknown=unknown)
    exact, wanted = part * WHOLE, threshold * whole
    is_met = exact >= wanted if is_least else exact <= wanted
    shown = half_even(exact, whole)
    if not is_met and shown == threshold:  # rounding must not show a threshold as reached that is not
        shown += -1 if is_least else 1
    counts = {"part": part, "whole": whole, **counted}
    return Measure(key, Unit.PPM, threshold, is_least, shown, is_met, currency=currency, counted=counts)


def _days_to_issue(found: _Facts, threshold: int) -> Measure:
    if found.close is None or found.close.issued_at is None:
        return Measure(Key.DAYS_TO_ISSUE, Unit.DAYS, threshold, False, unknown=Unknown.NOT_ISSUED)
    last_day = BillingPeriod.parse(found.close.period).ends_on - timedelta(days=1)
    days = (timezone.localdate(found.close.issued_at) - last_day).days
    return Measure(Key.DAYS_TO_ISSUE, Unit.DAYS, threshold, False, days, days <= threshold)


def _disputes(found: _Facts, threshold: int) -> Measure:
    lines = int(found.summary.get("lines", 0))
    if not found.whole or not lines:
        return Measure(Key.DISPUTES, Unit.TENTHS, threshold * 10, False, unknown=Unknown.NOT_ISSUED)
    shown = half_even(found.disputes * 1000, lines)
    is_met = found.disputes * 100 <= threshold * lines
    if not is_met and shown <= threshold * 10:
        shown = threshold * 10 + 1
    counts = {"disputes": found.disputes, "lines": lines}
    return Measure(Key.DISPUTES, Unit.TENTHS, threshold * 10, False, shown, is_met, counted=counts)


def _days_to_resolve(found: _Facts, threshold: int) -> Measure:
    """The median, and beside it the time within which nine of ten were decided (nearest rank)."""
    seconds = sorted(found.seconds)
    key, unit = Key.DAYS_TO_RESOLVE, Unit.TENTHS_OF_DAYS
    if not seconds:
        unknown = Unknown.NOTHING_DECIDED if found.whole else Unknown.NOT_ISSUED
        return Measure(key, unit, threshold * 10, False, unknown=unknown)
    count = len(seconds)
    twice = seconds[(count - 1) // 2] + seconds[count // 2]
    ninth = seconds[(9 * count + 9) // 10 - 1]
    shown = half_even(twice * 10, 2 * _DAY)
    counts = {"decided": count, "p90": half_even(ninth * 10, _DAY)}
    return Measure(key, unit, threshold * 10, False, shown, shown <= threshold * 10, counted=counts)


def _leading(sums: Mapping[str, int], main: str) -> tuple[int, str]:
    """Of amounts in several currencies, that in the company's main one; the largest, where it has none of it."""
    currency = main if sums.get(main) else max(sums, key=lambda code: (abs(sums[code]), code), default="")
    return sums.get(currency, 0), currency


def _pair(pairs: Mapping[str, Sequence[int]], main: str) -> tuple[int, int, str]:
    """Part and whole in the leading currency, and it."""
    whole, currency = _leading({code: pair[1] for code, pair in pairs.items()}, main)
    return (pairs[currency][0] if currency else 0), whole, currency


def _idle(figures: Mapping[str, Any], pools: Sequence[str], main: str) -> tuple[int, int, str]:
    """What lies in the named pools, of everything that was billed."""
    picture = figures.get("flows", {"nodes": [], "links": []})
    billed: dict[str, int] = defaultdict(int)
    for source, _, currency, minor in picture["links"]:
        if picture["nodes"][source][0] == Column.ISSUER:
            billed[currency] += minor
    whole, currency = _leading(billed, main)
    sizes = figures.get("pools", {}).get(currency, {})
    return sum(sizes.get(pool, 0) for pool in pools), whole if pools else 0, currency


def _moved(found: _Facts) -> tuple[_Pair, int, str]:
    """Anomalies and by how much they moved; what the documents that can be compared came to the month before."""
    before, currency = _leading({code: pair[1] for code, pair in found.compared.items()}, found.main)
    return found.moved.get(currency, (0, 0)), before, currency
