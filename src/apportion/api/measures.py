"""How well the close runs, and a period on one page."""

from __future__ import annotations

from ninja import Query, Router, Schema
from pydantic import Field

from apportion.actions import configured
from apportion.actions.post import verifying
from apportion.api.auth import Request
from apportion.api.incoming import Incoming
from apportion.api.route import route
from apportion.api.shapes import Currency, Money, PeriodText, Short, by_currency, money, money_or_none, period_of
from apportion.errors import InputRefusedError, NotFoundError, Place
from apportion.invoice.paper import Part
from apportion.records import measures, summary
from apportion.records.closes import Close
from apportion.records.measures import Key, Unit, Unknown
from apportion.records.rule import Reach
from apportion.records.stamp import stamp
from apportion.records.summary import MonthSum, Moved
from apportion.review.permission import Permission

router = Router(tags=["measures"])


class MeasureOut(Schema):
    """One measure against its threshold. What is not known has a reason and no value."""

    key: Key
    unit: Unit
    value: int | None = Field(description="Shares are millionths, days and rates tenths")
    threshold: int
    is_least: bool = Field(description="The threshold is the least that is wanted, not the most")
    met: bool | None
    unknown: Unknown | None
    currency: str
    counted: dict[str, int]


class MeasuredMonth(Schema):
    """The measures of one period; `so_far`: its review is not over."""

    period: str
    so_far: bool
    measures: list[MeasureOut]


class MeasureFilter(Incoming):
    """Which periods."""

    period: PeriodText | None = Field(None, description="The last of them; the latest in the books if empty")
    months: int = Field(12, ge=1, le=36)


@route(router, "GET", "/measures", Reach.EVERYWHERE, Permission.SEE_CLOSE, gives=list[MeasuredMonth])
def list_measures(request: Request, wanted: Query[MeasureFilter]) -> list[MeasuredMonth]:
    """List the measures of the last periods against their thresholds."""
    last = wanted.period or Close.objects.order_by("-period").values_list("period", flat=True).first()
    if last is None:
        return []
    found = measures.measured(measures.last_periods(last, wanted.months), configured.current())
    return [
        MeasuredMonth(
            period=month.period,
            so_far=month.so_far,
            measures=[
                MeasureOut(
                    key=each.key,
                    unit=each.unit,
                    value=each.value,
                    threshold=each.threshold,
                    is_least=each.is_least,
                    met=each.is_met,
                    unknown=each.unknown,
                    currency=each.currency,
                    counted={**each.counted},
                )
                for each in month.measures
            ],
        )
        for month in found
    ]


class RechargeOut(Schema):
    """What ledgers show as passed on of what a period's invoices and notes come to, for one company of the payer."""

    company: str
    invoiced: Money
    passed_on: Money
    rate: int = Field(description="What was passed on of what was invoiced, in millionths")


@route(router, "GET", "/measures/{period}/ledger", Reach.EVERYWHERE, Permission.SEE_CLOSE, gives=list[RechargeOut])
def list_recharges(request: Request, period: PeriodText) -> list[RechargeOut]:
    """List what ledgers showed as passed on when they were last verified; nothing where none was."""
    return [
        RechargeOut(
            company=each.company,
            invoiced=money(each.invoiced, each.currency),
            passed_on=money(each.passed_on, each.currency),
            rate=each.rate,
        )
        for each in verifying.recharge_rate(period_of(period))
    ]


class SumOut(Schema):
    """What one period came to in one currency; `notes` is what credit and debit notes add."""

    period: str
    total: Money
    direct: Money
    shared: Money
    notes: Money


class CauseOut(Schema):
    """Part of the change against the month before."""

    part: Part
    amount: Money


class MovedOut(Schema):
    """A document or division beside its month before."""

    document: int | None
    code: str
    name: str
    total: Money
    before: Money | None
    budget: Money | None


class StandOut(Schema):
    """Where the review stands."""

    documents: int
    accepted: int
    deemed_accepted: int
    disputed: int
    awaiting_review: int
    open_disputes: int
    claimed: list[Money]


class SummaryOut(Schema):
    """A period on one page, for your part of the tree, in one currency."""

    period: str
    group: str = Field(description="Code of the cost group that was asked for; empty for all that you may see")
    currency: str
    currencies: list[str]
    months: list[SumOut]
    causes: list[CauseOut]
    without_document: Money = Field(description="What cost groups without a document this month had before")
    movers: list[MovedOut]
    divisions: list[MovedOut]
    budget: Money | None
    stand: StandOut


class SummaryWanted(Incoming):
    """Of which period and part of the tree."""

    period: PeriodText | None = Field(None, description="The last one whose documents are out if empty")
    group: Short = Field("", description="Code of a cost group: only it and those below it")
    currency: Currency | None = Field(None, description="That of the largest total if empty")


@route(router, "GET", "/summary", Reach.SOMEWHERE, Permission.SEE_SUMMARY, gives=SummaryOut)
def get_summary(request: Request, wanted: Query[SummaryWanted]) -> SummaryOut:
    """Get a period on one page: the total, why it changed, who moved, and where the review stands."""
    scope = summary.scope(request.actor.rights, wanted.group)
    out = Close.objects.filter(issued_at__isnull=False).order_by("-period")
    period = wanted.period or out.values_list("period", flat=True).first()
    if period is None or not out.filter(period=period).exists():
        raise NotFoundError(f"No documents of {period or 'any period'} are out.", advice="Choose another period.")
    periods = measures.last_periods(period)
    now = stamp()
    sums = summary.months(now, scope, tuple(periods))
    here = sums.get(period, {})
    if wanted.currency is not None and wanted.currency not in here:
        raise InputRefusedError(
            f"Nothing of {period} is in {wanted.currency}.", place=Place(field="currency"), advice="Leave it out."
        )
    currency = wanted.currency or max(here, key=lambda code: abs(here[code].minor), default="")
    if not currency:
        raise NotFoundError(f"Nothing of {period} is yours.", advice="Choose another period.")
    last = sums.get(str(period_of(period).previous), {}).get(currency)
    why = summary.why(now, scope, period, currency, here[currency].minor - last.minor if last is not None else None)
    stand = summary.stand(now, scope, period)
    return SummaryOut(
        period=period,
        group=scope.group.code if scope.group is not None else "",
        currency=currency,
        currencies=sorted(here),
        months=[_sum(each, sums[each][currency], currency) for each in periods if currency in sums.get(each, {})],
        causes=[CauseOut(part=part, amount=money(minor, currency)) for part, minor in why.parts],
        without_document=money(why.rest, currency),
        movers=[_moved(each, currency) for each in why.movers],
        divisions=[_moved(each, currency) for each in why.divisions],
        budget=money_or_none(why.budget, currency),
        stand=StandOut(
            documents=stand.documents,
            accepted=stand.accepted,
            deemed_accepted=stand.deemed,
            disputed=stand.disputed,
            awaiting_review=stand.awaiting,
            open_disputes=stand.disputes,
            claimed=by_currency(stand.claimed),
        ),
    )


def _sum(period: str, each: MonthSum, currency: str) -> SumOut:
    return SumOut(
        period=period,
        total=money(each.minor, currency),
        direct=money(each.direct, currency),
        shared=money(each.shared, currency),
        notes=money(each.notes, currency),
    )


def _moved(each: Moved, currency: str) -> MovedOut:
    return MovedOut(
        document=each.pk,
        code=each.code,
        name=each.name,
        total=money(each.minor, currency),
        before=money_or_none(each.before, currency),
        budget=money_or_none(each.budget, currency),
    )
