"""Why a holder carries a share, in one sentence that an owner understands; and bases in words, for explanations.

Takes a share with the basis that it followed (`apportion.allocate.based`), gives text. The figures in it are rounded
for reading; `apportion explain` has the exact ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from apportion.allocate.allocation import Allocation, Share
from apportion.allocate.based import Based, Bases, PartBased, WeightIn
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
    Priced,
    Quantity,
    Rate,
    Summed,
    Weight,
)
from apportion.allocate.policy import Commitment, CommitmentMethod, Method, Policy, Pool, Uplift
from apportion.allocate.quantity import price_on
from apportion.allocate.rule import KEPT_CENTRAL, Holder
from apportion.errors import ConservationError
from apportion.invoice import wording
from apportion.invoice.wording import rounded
from apportion.money.amount import ONE, half_even
from apportion.periods import BillingPeriod

_COMMITMENTS = {
    CommitmentMethod.APPLIED: "as the provider applied it",
    CommitmentMethod.BUYER_FIRST: "the buyer's usage first",
    CommitmentMethod.BLENDED: "one rate for all eligible usage",
    CommitmentMethod.PRIORITY: "in the agreed order",
}


class Said(NamedTuple):
    """What a statement says of shares: a name, the method, the sentence, and what their weights count."""

    name: str
    method: Method | None
    reason: str
    weight_in: WeightIn


class Reasons:
    """The names and sentences of one allocation's lines."""

    def __init__(self, allocation: Allocation, policy: Policy, former: Mapping[str, Policy] | None = None) -> None:
        """`former` are the policies that decided about late corrections, by the billing period that they correct."""
        former = former or {}
        self._period = allocation.period
        self._bases = Bases(allocation, policy.pools, {period: found.pools for period, found in former.items()})
        self._policies = {"": policy, **former}
        self._rules = {
            period: {rule.id: (place, rule.name or rule.id) for place, rule in enumerate(found.rules)}
            for period, found in self._policies.items()
        }
        self._shared = {period: _shared_by(found) for period, found in self._policies.items()}

    def place(self, pool_id: str, corrects: str) -> tuple[int, int]:
        """Where the shares of a pool, commitment or uplift stand: in that order of kinds, each as in the policy."""
        found = self._find(pool_id, corrects)
        return found[:2] if found else (len(self._shared[""]), 0)

    def rule_place(self, rule: str, corrects: str) -> tuple[int, str]:
        """A rule's place in its policy; one that is not known comes last, by its id."""
        rules = self._rules.get(corrects, {})
        return (rules[rule][0] if rule in rules else len(rules), rule)

    def direct(self, rules: Iterable[str], corrects: str) -> str:
        """Which rules brought cost here, in their policy's order."""
        known = self._rules.get(corrects, {})
        return wording.direct_reason([known[rule][1] if rule in known else rule for rule in rules], corrects)

    def shared(self, pool_id: str, corrects: str, shares: Sequence[Share]) -> Said:
        """What is said of a holder's shares of one pool, commitment or uplift.

        Raises `ConservationError` for an id that the policy does not have.
        """
        found = self._find(pool_id, corrects)
        each = found[2] if found else None
        name = each.name if each else pool_id
        said = [self._one(share, each) for share in shares]
        text = "; ".join(dict.fromkeys(one.reason for one in said))
        if corrects:
            text = f"{_inside(wording.correction(corrects))}, {text}"
        method, weight_in = (said[0].method, said[0].weight_in) if said else (None, WeightIn.PARTS)
        return Said(name, method, f"{name}: {text}", weight_in)

    def _find(self, pool_id: str, corrects: str) -> _Placed | None:
        found = self._shared.get(corrects, {}).get(pool_id)
        if found is None and not corrects:
            raise ConservationError(
                f"The allocation shares a pool '{pool_id}' that the policy does not have.",
                advice="Allocate the period again with this policy.",
            )
        return found or self._shared[""].get(pool_id)

    def _one(self, share: Share, each: Pool | Commitment | Uplift | None) -> Said:
        if isinstance(each, Commitment):
            return Said(each.name, Method.COMMITMENT, commitment_reason(each, share), WeightIn.AMOUNT)
        if isinstance(each, Uplift):
            return Said(each.name, Method.UPLIFT, uplift_reason(each, share), WeightIn.AMOUNT)
        based = self._bases.of(share)
        if based is None:
            return Said("", None, unknown_reason(share), WeightIn.PARTS)
        period = BillingPeriod.parse(share.corrects) if share.corrects else self._period
        names = {each.id: each.name for _, _, each in self._shared.get(share.corrects, {}).values()}
        return Said("", method(based), share_reason(based, period, names), based.weight_in)


_Placed = tuple[int, int, Pool | Commitment | Uplift]  # the kind's place, its own among them, and what it is


def _shared_by(policy: Policy) -> dict[str, _Placed]:
    found: dict[str, _Placed] = {}
    kinds: tuple[Sequence[Pool | Commitment | Uplift], ...] = (policy.commitments, policy.pools, policy.uplifts)
    for kind, of_kind in enumerate(kinds):
        found |= {each.id: (kind, place, each) for place, each in enumerate(of_kind)}
    return found


def share_reason(based: Based, period: BillingPeriod, names: Mapping[str, str]) -> str:
    """``your direct cost 1.00 USD of 8.00 USD in total``, without the pool's name in front.

    `names` are those of other pools, by id.
    """
    text = _limited(based) if based.is_limited else _shared(based, period)
    if based.loop:
        others = [_pool_name(code, names) for code in based.loop if code != based.pool.id]
        gross = rounded(based.share.pool_units, based.share.scope.currency)
        text += f"; of {gross} that pass through it, solved together with {wording.listed(others)}"
    elif based.share.pool_units < 0:
        text += f"; the pool is a credit of {rounded(-based.share.pool_units, based.share.scope.currency)}"
    if isinstance(based.pool.basis, Follow) and not isinstance(based.basis, Follow):
        text += ", because no other charge goes with these"
    if based.refused:
        text += f", because {_inside(based.refused[0])}"
    return text


def _pool_name(code: str, names: Mapping[str, str]) -> str:
    return f"“{names[code]}”" if code in names else f"'{code}'"


def refused_words(based: Based) -> tuple[str, ...]:
    """Each basis that could not be followed, and why: ``not by seats, because no usage of 'seats' was delivered``."""
    # What follows other charges is passed over without a word: it is no basis that fails.
    tried = [basis for basis in based.pool.bases if not isinstance(basis, Follow)]
    return tuple(
        f"not {basis_words(basis)}, because {_inside(why)}" for basis, why in zip(tried, based.refused, strict=False)
    )


def method(based: Based) -> Method:
    """The method that was followed: the pool's own, or that of the basis it fell back on."""
    pool = based.pool
    return pool.method if based.basis is pool.basis else replace(pool, basis=based.basis).method


def unknown_reason(share: Share) -> str:
    """For a share of a correction whose basis is not known any more: only how much of the pool it is."""
    return f"{wording.about(Fraction(share.weight, share.total_weight))} of the pool, as it was shared then"


def commitment_reason(commitment: Commitment, share: Share) -> str:
    """``one rate for all eligible usage: 12.00 USD to carry, where 10.00 USD was applied``."""
    currency = share.scope.currency
    before = rounded(share.weight - share.units, currency)
    carried = rounded(share.weight, currency)
    return f"{_COMMITMENTS[commitment.method]}: {carried} to carry, where the provider applied {before}"


def uplift_reason(uplift: Uplift, share: Share) -> str:
    """``surcharge of 5 % on 1,200.00 USD``; on what is kept central, that it goes down by as much."""
    if share.target.holder is not Holder.COST_GROUP:
        return "surcharges that cost groups pay, taken off what is kept central"
    currency = share.scope.currency
    if uplift.fixed is not None:
        return f"fixed surcharge of {rounded(uplift.fixed.units, uplift.fixed.currency)}"
    rate = uplift.percent or Fraction()
    return f"surcharge of {wording.percent(rate.numerator, rate.denominator)} on {rounded(share.weight, currency)}"


def basis_words(basis: Basis) -> str:
    """How a pool is shared, without figures: ``even``, ``by requests``, ``30 % even, 70 % by requests``."""
    match basis:
        case Even():
            return "even"
        case Fixed():
            return "fixed shares"
        case Cost():
            return f"in proportion to {_cost(basis)}"
        case Priced():
            return f"at internal prices for {metric(basis.quantity)}"
        case KeptCentral():
            return "kept central"
        case Follow():
            return "following the charges it belongs to"
        case Mix():
            return ", ".join(f"{size_words(part, basis)} {basis_words(part.basis)}" for part in basis.parts)
        case _:
            return f"by {metric(basis)}"


def limit_words(pool: Pool) -> str:
    """The limits and the cap of a pool: ``at least 10.00 USD, at most 20 % each``; empty where there are none."""
    words = []
    if pool.limits and pool.limits.at_least is not None:
        words.append(f"at least {_limit(pool.limits.at_least)}")
    if pool.limits and pool.limits.at_most is not None:
        words.append(f"at most {_limit(pool.limits.at_most)}")
    text = f"{', '.join(words)} each" if words else ""
    if pool.cap:
        cap = f"capped at {_limit(pool.cap.most)}"
        text = f"{text}, {cap}" if text else cap
    return text


@lru_cache(maxsize=1024)
def size_words(part: Part, mix: Mix) -> str:
    """How much of the pool a part is: ``30 %``, ``the first 1,000.00 USD``, ``1.00 USD for each of calls``."""
    size = part.size
    if isinstance(size, Weight):
        total = sum(each.size.weight for each in mix.parts if isinstance(each.size, Weight))
        return wording.percent(size.weight, total)
    if isinstance(size, Amount):
        return f"the first {rounded(size.units, size.currency)}"
    if isinstance(size, Rate):
        return f"{wording.exact(size.units, size.currency)} {size.currency} for each of {metric(size.quantity)},"
    return "the rest"


@lru_cache(maxsize=1024)
def metric(asked: Quantity) -> str:
    """A quantity in words: ``requests``, ``the greater of CPU requested and CPU used``, ``input + 4 × output``."""
    if isinstance(asked, Greater):
        return f"the greater of {wording.listed([metric(each) for each in asked.of])}"
    if isinstance(asked, Summed):
        return " + ".join(
            metric(meter) if factor == ONE else f"{wording.quantity(factor)} × {metric(meter)}"
            for meter, factor in asked.of
        )
    narrowed = "; ".join(f"{name} {wording.listed(values)}" for name, values in asked.where)
    notes = [narrowed] if narrowed else []
    notes += ["in tiers"] if asked.tiers else []
    return f"{asked.metric} ({', '.join(notes)})" if notes else asked.metric


def _cost(basis: Cost) -> str:
    if basis.so_far:
        return "cost so far"
    notes = [wording.listed(names) for names in (basis.services, basis.categories) if names]
    notes += [f"below {wording.listed(basis.under)}"] if basis.under else []
    return f"direct cost ({'; '.join(notes)})" if notes else "direct cost"


def _limit(limit: Amount | Fraction) -> str:
    if isinstance(limit, Amount):
        return rounded(limit.units, limit.currency)
    return wording.percent(limit.numerator, limit.denominator)


def _inside(sentence: str) -> str:
    """A sentence as a part of another one, which names the pool already."""
    _, its, rest = sentence.partition(", but its ")
    sentence = f"its {rest}" if its else sentence
    begin = sentence[:1].lower() if sentence[1:2].islower() else sentence[:1]
    return f"{begin}{sentence[1:]}".removesuffix(".")


# With figures.


def _shared(based: Based, period: BillingPeriod) -> str:
    share, basis = based.share, based.basis
    if isinstance(basis, Mix):
        return _mixed(based, basis)
    if isinstance(basis, Priced):
        return _priced(based, basis, period)
    return _simple(basis, share, share.weight, share.total_weight, has_pools=bool(based.pool.recipients.pools))


def _simple(basis: Basis, share: Share, weight: int, total: int, *, has_pools: bool = False) -> str:
    if isinstance(basis, Cost):
        own = "your " if share.target.holder is Holder.COST_GROUP else ""
        currency = share.scope.currency
        return f"{own}{_cost(basis)} {rounded(weight, currency)} of {rounded(total, currency)} in total"
    if isinstance(basis, Fixed):
        return f"fixed share {wording.percent(weight, total)}"
    if isinstance(basis, Metered | Greater | Summed):
        # Not the metric first: it is an identifier, and the first word of a sentence gets a capital.
        return f"by {metric(basis)}: {wording.quantity(weight)} of {wording.quantity(total)} in total"
    if isinstance(basis, KeptCentral):
        return "kept central, nobody is charged"
    if isinstance(basis, Follow):
        return "follows the charges it belongs to"
    recipients = "recipient" if has_pools else "cost group"
    if weight == 1:
        return f"even among {total:,} {recipients}s" if total > 1 else f"the only {recipients}"
    return f"{weight:,} of {total:,} even parts"


def _mixed(based: Based, mix: Mix) -> str:
    if not based.parts:
        return basis_words(mix)
    return ", ".join(_part(part, mix, based.share) for part in based.parts)


def _part(part: PartBased, mix: Mix, share: Share) -> str:
    basis, currency = part.part.basis, share.scope.currency
    if isinstance(basis, KeptCentral):
        text = "kept central"
    else:
        text = _simple(basis, share, part.weight, part.total_weight).removesuffix(" in total")
    by = "by " if isinstance(basis, Cost) else ""
    return f"{size_words(part.part, mix)} {by}{text} ({rounded(part.units, currency)})"


def _priced(based: Based, basis: Priced, period: BillingPeriod) -> str:
    share = based.share
    if share.target == KEPT_CENTRAL:
        return _recovered(share)
    price = price_on(basis, period)
    used = half_even(share.weight * ONE, price) if price else 0
    text = f"{wording.quantity(used)} {metric(basis.quantity)} at {wording.exact(price, basis.currency)}"
    return f"{text} {basis.currency}{_over_bills(based)}"


def _recovered(share: Share) -> str:
    """What internal prices left: of `total_weight`, all but `weight` was charged."""
    cost = rounded(share.total_weight, share.scope.currency)
    if share.weight == 0:
        return f"internal prices charged exactly the cost of {cost}"
    word = "over" if share.weight < 0 else "under"
    charged = rounded(share.total_weight - share.weight, share.scope.currency)
    return f"{word}-recovery: internal prices charged {charged} for a cost of {cost}"


def _limited(based: Based) -> str:
    """A share that limits or a cap may have changed: the weights are the amounts that were left."""
    share, pool, currency = based.share, based.pool, based.share.scope.currency
    of = f"{rounded(share.weight, currency)} of {rounded(share.total_weight, currency)}"
    if share.target == KEPT_CENTRAL and not isinstance(based.basis, KeptCentral | Priced | Mix):
        return f"{of}, beyond what is charged ({limit_words(pool)}){_over_bills(based)}"
    cap = pool.cap
    if cap and share.target == cap.rest and abs(based.amount) > cap.most.units:
        beyond = rounded(abs(based.amount) - cap.most.units, currency)
        return f"{of}, with the {beyond} beyond the cap of {_limit(cap.most)}{_over_bills(based)}"
    return f"{of}, {basis_words(based.basis)}, {_bound(based) or limit_words(pool)}{_over_bills(based)}"


def _bound(based: Based) -> str:
    """Which limit a recipient pays exactly, if one."""
    limits, cap, whole = based.pool.limits, based.pool.cap, abs(based.amount)
    shared = min(whole, cap.most.units) if cap else whole
    for limit, text in (
        (limits.at_most if limits else None, "held to the most of"),
        (limits.at_least if limits else None, "raised to the least of"),
    ):
        if limit is None:
            continue
        units = limit.units if isinstance(limit, Amount) else shared * limit.numerator // limit.denominator
        if based.share.weight == units:
            return f"{text} {_limit(limit)}"
    return ""


def _over_bills(based: Based) -> str:
    """Where the amounts are those of all invoices of a pool, and the share is one of them."""
    return "" if based.share.pool_units == based.amount else ", over all bills of the pool"


# For explanations: exact.


def exact_weight(weight: int, weight_in: WeightIn, currency: str) -> str:
    """A weight with every digit that it has, in what it counts: ``12.50``, ``1,250``."""
    if weight_in is WeightIn.AMOUNT:
        return wording.exact(weight, currency)
    return wording.exact_quantity(weight) if weight_in is WeightIn.QUANTITY else f"{weight:,}"
