"""From pools, commitments and uplifts as they stand in the policy file to what they mean."""

from __future__ import annotations

from collections.abc import Mapping

from apportion.allocate.basis import (
    Amount,
    Basis,
    Cost,
    Even,
    Fixed,
    Follow,
    Greater,
    KeptCentral,
    Metered,
    Mix,
    Part,
    Price,
    Priced,
    Quantity,
    Rate,
    Rest,
    Simple,
    Summed,
    Tier,
    Weight,
)
from apportion.allocate.basis_document import (
    REST,
    BasisDocument,
    PartDocument,
    SimpleBasisDocument,
    fractions,
    part_weights,
)
from apportion.allocate.condition_file import condition_of
from apportion.allocate.figures import parse_amount, parse_limit, parse_number, parse_percent
from apportion.allocate.policy import Cap, Commitment, CommitmentMethod, Limits, Pool, Recipients, Uplift
from apportion.allocate.pool_document import (
    CapDocument,
    CommitmentDocument,
    GroupsDocument,
    LimitsDocument,
    PoolDocument,
    RecipientsDocument,
    UpliftDocument,
)
from apportion.allocate.quantity_document import MeterDocument, PriceDocument, QuantityDocument
from apportion.allocate.rule import KEPT_CENTRAL, Holder, Target
from apportion.allocate.sections import many
from apportion.allocate.shares import whole_weights
from apportion.errors import Place

_WORDS: Mapping[str, Simple] = {
    "even": Even(),
    "proportional to direct cost": Cost(),
    "proportional to cost so far": Cost(so_far=True),
    "kept_central": KeptCentral(),
}


def pool_of(pool: PoolDocument, place: Place) -> Pool:
    """The pool that stands at a place."""
    return Pool(
        id=pool.id,
        name=pool.name or pool.id,
        basis=basis_of(pool.share),
        recipients=recipients_of(pool.recipients),
        otherwise=tuple(basis_of(share) for share in pool.otherwise or ()),
        limits=_limits(pool.limits) if pool.limits else None,
        cap=_cap(pool.cap) if pool.cap else None,
        negative_basis=pool.negative_basis,
        place=place,
    )


def basis_of(share: str | SimpleBasisDocument) -> Basis:
    """What a split follows."""
    if isinstance(share, BasisDocument):
        if share.mix:
            return _mix(share.mix)
        if share.price:
            return _priced(share.price)
        if share.follow:
            return Follow(share.follow)
    return _simple(share)


def _simple(share: str | SimpleBasisDocument) -> Simple:
    if isinstance(share, str):
        return _WORDS[share]
    if share.fixed:
        return Fixed(whole_weights(fractions(share.fixed)))
    if share.direct_cost:
        some = share.direct_cost
        return Cost(False, many(some.services or ()), many(some.categories or ()), some.under or ())
    return _quantity(share)


def _quantity(share: str | QuantityDocument) -> Quantity:
    if isinstance(share, str):
        return Metered(share)
    if share.greater_of:
        return Greater(tuple(_meter(meter) for meter in share.greater_of))
    if share.sum_of:
        return Summed(tuple((_meter(meter), parse_number(meter.times)) for meter in share.sum_of))
    return _meter(share.metered or "")


def _meter(meter: str | MeterDocument) -> Metered:
    if isinstance(meter, str):
        return Metered(meter)
    return Metered(
        meter.metric,
        tuple((name, many(values)) for name, values in (meter.where or {}).items()),
        tuple(
            Tier(parse_number(tier.up_to) if tier.up_to is not None else None, parse_number(tier.factor))
            for tier in meter.tiers or ()
        ),
    )


def _mix(parts: tuple[PartDocument, ...]) -> Mix:
    if any(part.amount or part.rate for part in parts):
        sizes = [_size(part) for part in parts]
    else:
        sizes = [Weight(weight) for weight in part_weights(parts)]
    return Mix(tuple(Part(size, _simple(part.by)) for size, part in zip(sizes, parts, strict=True)))


def _size(part: PartDocument) -> Weight | Amount | Rate | Rest:
    if part.share == REST:
        return Rest()
    if part.rate:
        return Rate(*parse_amount(part.rate), _quantity(part.per or ""))
    return parse_amount(part.amount or "")


def _priced(price: PriceDocument) -> Priced:
    steps = [(step.valid_from, parse_amount(step.price)) for step in price.prices]
    return Priced(_quantity(price.per), tuple(Price(day, amount.units) for day, amount in steps), steps[0][1].currency)


def recipients_of(document: GroupsDocument | None) -> Recipients:
    """Who takes part."""
    if document is None:
        return Recipients()
    return Recipients(
        groups=document.groups or (),
        under=document.under or (),
        excluded=document.excluded or (),
        having=tuple((name, many(values)) for name, values in (document.having or {}).items()),
        charged_by=document.charged_by or (),
        pools=(document.pools or ()) if isinstance(document, RecipientsDocument) else (),
    )


def _limits(limits: LimitsDocument) -> Limits:
    return Limits(
        parse_limit(limits.at_least) if limits.at_least else None,
        parse_limit(limits.at_most) if limits.at_most else None,
        limits.beyond,
    )


def _cap(cap: CapDocument) -> Cap:
    rest = KEPT_CENTRAL
    if not isinstance(cap.rest, str):
        holder = Holder.POOL if cap.rest.pool else Holder.COST_GROUP
        rest = Target(holder, cap.rest.pool or cap.rest.cost_group or "")
    return Cap(parse_amount(cap.most), rest)


_METHODS = {
    "applied": CommitmentMethod.APPLIED,
    "buyer first": CommitmentMethod.BUYER_FIRST,
    "blended": CommitmentMethod.BLENDED,
    "priority": CommitmentMethod.PRIORITY,
}


def commitment_of(commitment: CommitmentDocument, place: Place) -> Commitment:
    """The commitment that stands at a place."""
    return Commitment(
        id=commitment.id,
        name=commitment.name or commitment.id,
        eligible=condition_of(commitment.when),
        method=_METHODS[commitment.share],
        buyer=commitment.buyer or "",
        priority=commitment.priority or (),
        unused=commitment.unused,
        place=place,
    )


def uplift_of(uplift: UpliftDocument, place: Place) -> Uplift:
    """The uplift that stands at a place."""
    return Uplift(
        id=uplift.id,
        name=uplift.name or uplift.id,
        recipients=recipients_of(uplift.recipients),
        percent=parse_percent(uplift.percent) if uplift.percent else None,
        fixed=parse_amount(uplift.amount) if uplift.amount else None,
        place=place,
    )
