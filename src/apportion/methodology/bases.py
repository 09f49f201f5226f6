"""How a pool is shared, in full sentences: every basis, what narrows it, limits, and who takes part."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

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
    Rest,
    Summed,
    Weight,
    meters,
    quantities,
)
from apportion.allocate.fields import field_of
from apportion.allocate.policy import Beyond, NegativeBasis, Pool, Recipients
from apportion.methodology.document import Block, Bullets, Code, Item, Paragraph, Table, Value, Words, joined, say
from apportion.methodology.names import Names
from apportion.methodology.words import column, day, money, part, price, sentence, series, weight
from apportion.money.amount import ONE, plain

_NO_LIMIT = "no limit"
_ALWAYS = (Even, KeptCentral, Fixed)  # can be followed whatever the month brings


def sharing(basis: Basis, names: Names) -> tuple[Block, ...]:
    """What everybody takes, with tables of shares, tiers and prices where there are any."""
    match basis:
        case Fixed(shares):
            total = sum(share for _, share in shares)
            rows = tuple((names.holder(code), (weight(share, total),)) for code, share in shares)
            return (say("By agreed shares:"), Table("", ("Recipient", "Share"), rows, frozenset({1})))
        case Priced():
            return (say(*_priced(basis)), _prices(basis), *_tiers(basis.quantity))
        case Mix(parts):
            items = tuple(Item(joined(_size(each, basis), ": ", clause(each.basis, names))) for each in parts)
            return (say("In parts, each shared in its own way:"), Bullets(items), *_tiers_of(basis))
        case Follow(by):
            return (
                say(
                    "Each charge of the pool goes where other charges went that agree with it in the columns below, in "
                    "proportion to their cost. The sets are tried in order, and the first for which such charges are "
                    "found decides:"
                ),
                Bullets(tuple(Item(series(column(field_of(name)) for name in columns)) for columns in by)),
            )
        case KeptCentral():
            return (say("Nobody is charged: the cost of the pool is kept central."),)
        case _:
            what = ": what the rules brought to each recipient itself, in the currency that is shared"
            direct = what if isinstance(basis, Cost) and not basis.so_far else ""
            return (Paragraph(joined(_sentence(clause(basis, names)), direct, ".")), *_tiers_of(basis))


def clause(basis: Basis, names: Names) -> Words:
    """How a basis shares, as part of a sentence: ``in proportion to direct cost``."""
    match basis:
        case Even():
            return ("the same part for every recipient",)
        case Fixed(shares):
            total = sum(share for _, share in shares)
            return joined(
                "by agreed shares: ",
                series(joined(weight(share, total), " for ", names.holder(code)) for code, share in shares),
            )
        case Cost():
            return _cost(basis, names)
        case KeptCentral():
            return ("kept central, nobody is charged",)
        case Priced():
            return _priced(basis)
        case Follow(by):
            sets = series((series(column(field_of(name)) for name in columns) for columns in by), "or else")
            return joined("following the charges with the same ", sets)
        case Mix(parts):
            return series(joined(_size(each, basis), ": ", clause(each.basis, names)) for each in parts)
    return joined("in proportion to ", quantity(basis))


def _cost(basis: Cost, names: Names) -> Words:
    if basis.so_far:
        return (
            "in proportion to all that each recipient carries by then: its direct cost, and its parts of the pools "
            "shared before",
        )
    narrowed: list[Words] = []
    if basis.services:
        narrowed.append(joined("of the services ", series((Value(name) for name in basis.services), "or")))
    if basis.categories:
        narrowed.append(joined("of the charge categories ", series((Value(name) for name in basis.categories), "or")))
    if basis.under:
        narrowed.append(joined("at or below ", names.groups(basis.under)))
    only = joined(" (only cost ", series(narrowed), ")") if narrowed else ()
    return joined("in proportion to direct cost", only)


def quantity(asked: Quantity) -> Words:
    """A quantity in words: ``delivered usage of requests``, ``the greater of … and …``."""
    match asked:
        case Greater(of):
            best = "the greater of " if len(of) == 2 else "the greatest of "
            return joined(best, series(_meter(meter) for meter in of), ", for each recipient")
        case Summed(of):
            return joined("the sum of ", series(_times(meter, factor) for meter, factor in of))
    return joined("delivered usage of ", _meter(asked))


def _times(meter: Metered, factor: int) -> Words:
    return _meter(meter) if factor == ONE else joined(f"{plain(factor)} times ", _meter(meter))


def _meter(meter: Metered) -> Words:
    notes: list[Words] = [
        joined("where ", Code(name), " is ", series((Value(value) for value in values), "or"))
        for name, values in meter.where
    ]
    if meter.tiers:
        notes.append(("in tiers",))
    return joined(Code(meter.metric), *((" (", *series(notes), ")") if notes else ()))


def _priced(basis: Priced) -> Words:
    return joined(
        "Every recipient pays an internal price for its ",
        quantity(basis.quantity),
        ". The price is the one in force on the first day of the billing period. What the prices bring in above or "
        "below the cost of the pool is kept central, and shown as over- or under-recovery",
        ".",
    )


def _prices(basis: Priced) -> Table:
    rows = tuple(
        ((day(each.valid_from) if each.valid_from else "the beginning",), (price(each.price, basis.currency),))
        for each in basis.prices
    )
    return Table("", ("In force from", "Price for one unit"), rows, frozenset({1}))


def _tiers_of(basis: Basis) -> Iterator[Table]:
    for asked in quantities(basis):
        yield from _tiers(asked)


def _tiers(asked: Quantity) -> Iterator[Table]:
    for meter in meters(asked):
        if not meter.tiers:
            continue
        rows, reached = [], "0"
        for tier in meter.tiers:
            top = plain(tier.up_to) if tier.up_to is not None else _NO_LIMIT
            rows.append(((reached,), (top,), ("in full" if tier.factor == ONE else f"{plain(tier.factor)} times",)))
            reached = top
        if reached != _NO_LIMIT:
            rows.append(((reached,), (_NO_LIMIT,), ("not at all",)))
        caption = f"Tiers of {meter.metric}, for each consumer"
        yield Table(caption, ("Quantity above", "up to", "counts"), tuple(rows), frozenset({0, 1, 2}))


def _size(each: Part, mix: Mix) -> Words:
    match each.size:
        case Weight(value):
            total = sum(other.size.weight for other in mix.parts if isinstance(other.size, Weight))
            return (weight(value, total),)
        case Amount():
            return (f"the first {money(each.size)}, as far as the pool goes",)
        case Rate():
            rate = price(each.size.units, each.size.currency)
            return joined(f"{rate} for each unit of ", quantity(each.size.quantity), " of all recipients together")
        case Rest():
            return ("the rest",)


def missing(pool: Pool, names: Names) -> Words:
    """What happens when the basis cannot be followed; nothing where it always can."""
    if pool.otherwise:
        tried = series((clause(basis, names) for basis in pool.otherwise), ", or where that cannot be followed either,")
        why = "For a charge that nothing else goes with, " if isinstance(pool.basis, Follow) else ""
        stops = (
            "" if isinstance(pool.otherwise[-1], _ALWAYS) else " Where nothing of this can be followed, the run stops."
        )
        return _sentence(joined(why, tried, ".", stops))
    if isinstance(pool.basis, _ALWAYS):
        return ()
    if isinstance(pool.basis, Follow):
        return ("A charge that nothing else goes with stops the run until somebody has decided.",)
    return ("The run stops and names the pool, until somebody has decided.",)


def negative(pool: Pool) -> str:
    """What a recipient with less than nothing means; empty where none can have it."""
    if not any(isinstance(basis, Cost | Metered | Greater | Summed | Mix) for basis in pool.bases):
        return ""
    if pool.negative_basis is NegativeBasis.ZERO:
        return "A recipient whose basis is below zero, because its credits outweigh its cost, takes no part."
    return "If a recipient's basis is below zero, the basis counts as one that cannot be followed."


def limits(pool: Pool, names: Names) -> Words:
    """The least and the most of each recipient, and of the pool as a whole; nothing where there is neither."""
    said: list[Words] = []
    if pool.limits is not None:
        low, high = pool.limits.at_least, pool.limits.at_most
        bounds = [f"at least {_limit(low)}"] if low is not None else []
        bounds += [f"at most {_limit(high)}"] if high is not None else []
        said.append((f"Each recipient pays {' and '.join(bounds) or 'without limits'}.",))
        if high is not None:
            kept = pool.limits.beyond is Beyond.KEPT_CENTRAL
            where = "kept central" if kept else "passed on to the other recipients in proportion"
            said.append((f" What is beyond the most is {where}.",))
    if pool.cap is not None:
        where_to = joined("is " if not pool.cap.rest.code else "goes to ", names.target(pool.cap.rest))
        gap = " " if said else ""
        most = money(pool.cap.most)
        said.append(joined(f"{gap}Of the pool as a whole at most {most} is shared; the rest ", where_to, "."))
    return joined(*said)


def _limit(limit: Amount | Fraction) -> str:
    return money(limit) if isinstance(limit, Amount) else f"{part(limit)} of what is shared"


def taking_part(asked: Recipients, names: Names) -> Words:
    """Who takes part, in words."""
    found: list[Words] = []
    if asked.groups:
        found.append(names.groups(asked.groups))
    if asked.under:
        found.append(joined("every cost group without others below it, at or below ", names.groups(asked.under)))
    if asked.having:
        attributes = series(
            joined(Code(name), " ", series((Value(value) for value in values), "or")) for name, values in asked.having
        )
        found.append(joined("every cost group without others below it that has ", attributes))
    if asked.charged_by:
        charged = names.rules(asked.charged_by)
        found.append(joined("whoever was charged directly in the period by ", charged))
    if not found and (asked.excluded or not asked.pools):
        found.append(("every cost group without others below it",))
    pools = joined("the pool " if len(asked.pools) == 1 else "the pools ", names.pools(asked.pools))
    if not asked.excluded:
        return _sentence(joined(series([*found, pools] if asked.pools else found, "and also"), "."))
    who = joined(series(found, "and also"), ", except ", names.groups(asked.excluded), " and all that is below")
    return _sentence(joined(who, *(("; and also ", pools) if asked.pools else ()), "."))


def following(pool: Pool, names: Names) -> Words:
    """Who takes part in a pool that follows other charges: its recipients only have what follows none."""
    carrying = "Whoever carries the charges that it follows, be it a cost group, a pool, or what is kept central"
    if all(isinstance(basis, Follow | Fixed | KeptCentral) for basis in pool.bases):
        return (f"{carrying} or unallocated.",)
    return joined(f"{carrying} or unallocated. In the rest, which follows no charge: ", _small(pool, names))


def _small(pool: Pool, names: Names) -> Words:
    first, *others = taking_part(pool.recipients, names)
    return (first[:1].lower() + first[1:], *others) if isinstance(first, str) else (first, *others)


def _sentence(words: Words) -> Words:
    first = words[0] if words else ""
    return (sentence(first), *words[1:]) if isinstance(first, str) else words
