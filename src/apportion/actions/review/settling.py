"""What a decision would do with the money: read from the books, worked out by `review.settlement`, nothing written.

Takes a dispute and what somebody thinks of deciding; gives a `Plan` with the moves, the drafts of notes, and whose bill
comes to what.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from apportion.actions.close.charging import charged
from apportion.actions.workspace import workspace
from apportion.allocate.rule import Holder, Target
from apportion.close import run as runs
from apportion.errors import InputRefusedError, MissingRateError, Place
from apportion.invoice.credit_note import Party
from apportion.invoice.paper import Paper, PaperKind, PaperLine, PaperLineKind
from apportion.money.exchange import Rate
from apportion.organization.coding import Coding
from apportion.organization.ownership import Owners
from apportion.periods import BillingPeriod
from apportion.records import convert, objections
from apportion.records.closes import Close
from apportion.records.disputes import Dispute
from apportion.records.documents import Document, DocumentLine, DocumentTotal
from apportion.records.groups import CostGroup
from apportion.review import dispute as core
from apportion.review import settlement as money
from apportion.review.notes import notes
from apportion.review.states import Issue

_MONTHLY = (PaperKind.STATEMENT, PaperKind.INVOICE)


class Settle(StrEnum):
    """How what is upheld is settled: it moves to somebody, or the policy changes and the period is allocated anew."""

    COST_GROUP = "cost_group"
    OTHERS = "others"
    KEPT_CENTRAL = "kept_central"
    UNALLOCATED = "unallocated"
    ALLOCATED_ANEW = "allocated_anew"


@dataclass(frozen=True, slots=True)
class Row:
    """Whose bill of the period would move, from what to what, in minor units of `currency`."""

    holder: str
    code: str
    name: str
    currency: str
    before_minor: int
    after_minor: int

    @property
    def difference_minor(self) -> int:
        """By how much it moves; below zero: it falls."""
        return self.after_minor - self.before_minor


@dataclass(frozen=True, slots=True)
class Plan:
    """A decision worked out: the dispute with it, what moves, the notes as drafts, and whose bill comes to what."""

    dispute: core.Dispute
    settlement: money.Settlement | None
    papers: tuple[Paper, ...]
    period: str  # in which the notes would be
    rows: tuple[Row, ...]


def plan(
    document: Document,
    row: Dispute,
    outcome: core.Outcome,
    *,
    by: int,
    settle: Settle | None,
    settle_to: CostGroup | None,
    upheld_minor: int = 0,
    reason: str = "",
    has_drafts: bool = True,
) -> Plan:
    """Work a decision out as if the dispute had none proposed yet; without drafts of notes if nobody wants them.

    Raises a `DisputeError`, `SettlementError`, `MissingRateError`, `MoreThanLeftError`, or `InputRefusedError` where it
    is not said how to settle what is upheld.
    """
    plain = replace(objections.pure(row, document.label or ""), decision=None)
    first, earlier = convert.paper(document), objections.notes_about(document)
    free = core.disputable(first, objections.disputes_of(document, but=row), earlier)
    lines = [line for line in free if _concerns(plain, line)]
    if not plain.claimed_minor and outcome is not core.Outcome.REJECTED:
        # Nobody knew yet how much is wrong: whoever decides finds out, and says a part where it is not all of it.
        plain = replace(plain, claimed_minor=sum(line.minor for line in lines))
    proposed = core.propose(plain, outcome, reason, str(by), timezone.now(), upheld_minor)
    period = open_period(document.period)
    if outcome is core.Outcome.REJECTED or settle is Settle.ALLOCATED_ANEW:
        return Plan(proposed, None, (), period, ())
    if settle is None:
        raise InputRefusedError(
            "It is not said where the amount goes.",
            place=Place(field="settle"),
            advice="Choose a cost group, the others who share the pool, keep it central, or leave it unallocated.",
        )
    assert proposed.decision is not None  # noqa: S101 - `propose` has put it there
    holder = _target(document)
    taken = money.taken(lines, proposed.decision.upheld_minor)
    sharing = _sharing(document, holder, [each.line for each in taken]) if settle is Settle.OTHERS else {}
    to = settle_to.code if settle is Settle.COST_GROUP and settle_to is not None else ""
    codes = {to} if to else {target.code for weights in sharing.values() for target in weights}
    groups = _groups(codes - {""})
    settled = money.settlement(
        holder,
        taken,
        money.Where(settle),
        cost_group=to,
        recipients=_recipients(document, groups.values(), [each.line for each in taken]),
        sharing=sharing,
    )
    made: tuple[Paper, ...] = ()
    if has_drafts and settled.moves:
        parties = _parties(groups.values(), period)
        made = notes(settled, proposed, first, parties=parties, period=period, earlier=earlier)
    return Plan(proposed, settled, made, period, _rows(document, settled, groups))


def open_period(period: str) -> str:
    """The period itself while it is not sealed; else the earliest later one that is not."""
    closes = dict(Close.objects.filter(period__gte=period).values_list("period", "sealed_at"))
    found = period
    while closes.get(found):
        found = str(BillingPeriod.parse(found).next)
    return found


def _concerns(dispute: core.Dispute, line: PaperLine) -> bool:
    return dispute.line == line.number if dispute.line is not None else dispute.currency == line.currency


def _target(document: Document) -> Target:
    code = document.cost_group.code if document.cost_group is not None else ""
    return Target(Holder(document.holder), code)


def _month(document: Document) -> QuerySet[Document]:
    """The issued monthly documents of its period."""
    return Document.objects.filter(period=document.period, kind__in=_MONTHLY, issue_state=Issue.ISSUED)


def _sharing(document: Document, holder: Target, lines: Sequence[PaperLine]) -> dict[int, Mapping[Target, int]]:
    pools = {line.pool_id for line in lines if line.kind is PaperLineKind.SHARE}
    rows = DocumentLine.objects.filter(
        document__in=_month(document), kind=PaperLineKind.SHARE, pool_id__in=pools
    ).select_related("document__cost_group")
    held = [(_target(row.document), _line(row)) for row in rows]
    return {line.number: money.others(line, holder, held) for line in lines}


def _line(row: DocumentLine) -> PaperLine:
    return PaperLine(
        number=row.number,
        kind=PaperLineKind(row.kind),
        service=row.service,
        charge_category=row.charge_category,
        pool_id=row.pool_id,
        pool_name="",
        method="",
        reason="",
        invoice_issuer=row.invoice_issuer,
        invoice_id=row.invoice_id,
        billing_account_id=row.billing_account_id,
        billed_currency=row.billed_currency,
        billed_minor=row.billed_minor,
        currency=row.currency,
        minor=row.amount_minor,
        corrects=row.corrects,
    )


def _groups(codes: set[str]) -> dict[str, CostGroup]:
    return {group.code: group for group in CostGroup.objects.filter(code__in=codes).order_by("code")}


def _recipients(
    document: Document, groups: Iterable[CostGroup], lines: Sequence[PaperLine]
) -> dict[Target, money.Recipient]:
    """In which currency each group is stated; rates only where one is needed, from the run of the document."""
    found: dict[Target, money.Recipient] = {}
    rates: dict[tuple[str, str], Rate] = {}
    billed = {(line.billed_currency, line.currency) for line in lines}
    for group in groups:
        if not group.currency:
            continue
        for one, stated in sorted(billed):
            if group.currency not in {one, stated} and (one, group.currency) not in rates:
                rates[one, group.currency] = _rate(document.period, one, group.currency)
        own = {one: rate for (one, to), rate in rates.items() if to == group.currency}
        found[Target(Holder.COST_GROUP, group.code)] = money.Recipient(group.currency, own)
    return found


def _rate(period: str, billed: str, currency: str) -> Rate:
    try:
        return runs.current(workspace(), BillingPeriod.parse(period)).exchange.rate(billed, currency)
    except MissingRateError as error:
        raise MissingRateError(
            error.sentence, advice="Choose another cost group, keep it central, or leave it unallocated."
        ) from error


def _parties(groups: Iterable[CostGroup], period: str) -> dict[Target, Party]:
    """The recipients as they stand in the tree now. Two queries."""
    paths = {group.code: [int(part) for part in group.path.strip("/").split("/")] for group in groups}
    above = CostGroup.objects.in_bulk({number for path in paths.values() for number in path})
    in_chargeback = charged(BillingPeriod.parse(period))
    found = {}
    for group in groups:
        path = tuple((above[number].code, above[number].name) for number in paths[group.code])
        found[Target(Holder.COST_GROUP, group.code)] = Party(
            holder=str(Holder.COST_GROUP),
            code=group.code,
            name=group.name,
            path=path,
            owners=Owners(**{kind: str(group.owners.get(kind, "")) for kind in ("finance", "technical", "business")}),
            coding=Coding(group.company, group.cost_center, group.department, group.ledger_account),
            showback=group.code not in in_chargeback,
        )
    return found


def _rows(document: Document, settled: money.Settlement, groups: Mapping[str, CostGroup]) -> tuple[Row, ...]:
    """Bills of the document's period, with the notes about its documents."""
    names = {code: group.name for code, group in groups.items()}
    own = _target(document)
    names[own.code] = document.name
    in_month = Q(document__period=document.period, document__about__isnull=True) | Q(
        document__about__period=document.period
    )
    holders = {move.holder for move in settled.moves}
    sums = (
        DocumentTotal.objects.filter(in_month, document__issue_state=Issue.ISSUED)
        .filter(
            Q(document__cost_group__code__in={each.code for each in holders if each.code})
            | Q(document__cost_group__isnull=True, document__holder__in={each.holder for each in holders})
        )
        .values_list("document__holder", "document__cost_group__code", "currency")
        .annotate(total=Sum("amount_minor"))
    )
    before = {(Target(Holder(kind), code or ""), currency): int(total) for kind, code, currency, total in sums}
    return tuple(
        Row(
            str(each.holder.holder),
            each.holder.code,
            names.get(each.holder.code, ""),
            each.currency,
            each.before_minor,
            each.after_minor,
        )
        for each in money.counterfactual(settled, before)
    )
