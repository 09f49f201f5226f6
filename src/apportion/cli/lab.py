"""``apportion lab``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from apportion.cli.arguments import Period, read_count
from apportion.cli.face import Face

if TYPE_CHECKING:
    from apportion.allocate.lab import Key, Lab, Tried
    from apportion.allocate.rule import Target
    from apportion.close.methods import Methods

VERSION = 1
FEWEST_ORDERS, MOST_ORDERS = 2, 10_000
NARROWEST_NAME = 18  # columns for names, whatever stands beside them


def read_orders(text: str | int) -> int:
    """How many orders to draw: two at least, or there is no error to tell."""
    orders = read_count(text)
    if not FEWEST_ORDERS <= orders <= MOST_ORDERS:
        raise typer.BadParameter(f"Draw {FEWEST_ORDERS} to {MOST_ORDERS:,} orders.")
    return orders


def run(
    face: Face,
    period: Period,
    pools: Annotated[
        str | None,
        typer.Option(metavar="POOL,POOL", help="The pools whose order is changed; else all for which it matters."),
    ] = None,
    orders: Annotated[
        int,
        typer.Option(parser=read_orders, metavar="N", help="How many orders to draw where there are too many for all."),
    ] = 200,
    seed: Annotated[
        int, typer.Option(parser=read_count, metavar="N", help="Where the draw begins; the same seed, the same orders.")
    ] = 0,
) -> None:
    """Lay the methods side by side: direct, step-down in each order, reciprocal and Shapley. Nothing is saved.

    The pools of a period's run are shared in every way, and each cost group is shown what it would carry. Shapley is
    the mean over all step-down orders. Of up to 5 pools every order is tried; of more, orders are drawn, and the mean
    comes with its standard error. Every way has to come to the same total. Uplifts and corrections of other periods
    do not depend on the order and are left out.

    \b
    Examples:
      apportion lab 2026-10
      apportion lab 2026-10 --pools platform,support,network
    """
    from apportion.close.methods import methods

    chosen = [code.strip() for code in (pools or "").split(",") if code.strip()]
    found = methods(face.workspace(), period, pools=chosen, samples=orders, seed=seed)
    face.give(document(found))
    if not face.as_json:
        _show(face, found)


def settled(amounts: Mapping[Key, int], holders: Sequence[Target], currency: str) -> dict[Target, int]:
    """What holders carry in one currency in minor units, which sum to the rounded whole."""
    from apportion.money.currency import units_per_minor
    from apportion.money.split import settle

    exact = [amounts.get((holder, currency), 0) for holder in holders]
    return dict(zip(holders, settle(exact, units_per_minor(currency)), strict=True))


# As text.


@dataclass(frozen=True, slots=True)
class _Shown:
    """A column of amounts in minor units; one that does not sum to anything has no sum."""

    title: str
    amounts: Mapping[Target, int]
    is_whole: bool = True

    def text(self, holder: Target, currency: str) -> str:
        from apportion.invoice.wording import grouped

        return grouped(self.amounts.get(holder, 0), currency)

    def total(self, currency: str) -> str:
        from apportion.invoice.wording import grouped

        return grouped(sum(self.amounts.values()), currency) if self.is_whole else ""

    def width(self, currency: str) -> int:
        texts = [self.title, self.total(currency), *(self.text(holder, currency) for holder in self.amounts)]
        return max(map(len, texts)) + 2


def _show(face: Face, found: Methods) -> None:
    from apportion.cli.tables import Column, table
    from apportion.invoice.wording import period_name, rounded

    lab = found.lab
    face.say(f"{period_name(found.run.period)}: {_orders(lab)}. Nothing was saved.", "bold")
    numbered = False
    for currency, total in lab.total.items():
        if lab.is_settled(currency):
            face.say()
            face.say(f"Every way gives each cost group the same of the {rounded(total, currency)}.", "green")
            continue
        steps = _steps(lab, currency)
        columns = _columns(lab, currency, steps)
        if sum(column.width(currency) for column in columns) + NARROWEST_NAME > face.width:
            columns = _columns(lab, currency, _spread(lab, currency))
        elif steps:
            numbered = True
        holders = [holder for holder in lab.holders if any(column.amounts.get(holder) for column in columns)]
        if holders:
            rows = [[_name(found, each), *(column.text(each, currency) for column in columns)] for each in holders]
            head = [Column(currency, wraps=True), *(Column(column.title, is_number=True) for column in columns)]
            face.say()
            face.show(table(head, rows, sums=[["Together", *(column.total(currency) for column in columns)]]))
            face.say(f"Conserved: every way comes to {rounded(total, currency)}.", "green")
    _say_more(face, lab, numbered=numbered)


def _orders(lab: Lab) -> str:
    from apportion.cli.amounts import count

    if not lab.pools:
        return "no pool serves another, so their order makes no difference"
    orders = count(len(lab.step_down), "order")
    drawn = "" if lab.is_all else f", drawn with seed {lab.seed}"
    return f"{count(len(lab.pools), 'pool')} in {'all ' if lab.is_all else ''}{orders}{drawn}"


def _columns(lab: Lab, currency: str, steps: Sequence[_Shown]) -> list[_Shown]:
    from apportion.allocate.lab import Way

    titles = {Way.POLICY: "Policy", Way.DIRECT: "Direct", Way.RECIPROCAL: "Reciprocal"}
    ways = {
        tried.way: _Shown(titles[tried.way], settled(tried.carried, lab.holders, currency))
        for tried in lab.ways
        if not tried.refused
    }
    found = [ways[way] for way in (Way.POLICY, Way.DIRECT) if way in ways]
    found += [*steps, *(ways[way] for way in (Way.RECIPROCAL,) if way in ways)]
    if lab.shapley is not None and len(lab.step_down) > 1:
        found.append(_Shown("Shapley", settled(lab.shapley.whole(), lab.holders, currency)))
        if not lab.shapley.is_exact:
            found.append(_Shown("±", settled_up(lab.shapley.error, lab.holders, currency), is_whole=False))
    return found


def settled_up(amounts: Mapping[Key, int], holders: Sequence[Target], currency: str) -> dict[Target, int]:
    """Each amount of one currency in minor units, rounded up on its own: an error is not to look smaller than it is."""
    from apportion.money.currency import units_per_minor

    step = units_per_minor(currency)
    return {holder: -(-amounts.get((holder, currency), 0) // step) for holder in holders}


def _steps(lab: Lab, currency: str) -> list[_Shown]:
    """A column for each order, or of a sample the least and the most."""
    if not lab.is_all:
        return _spread(lab, currency)
    alone = len(lab.step_down) == 1
    return [
        _Shown("Step-down" if alone else f"Step {number}", settled(tried.carried, lab.holders, currency))
        for number, tried in enumerate(lab.step_down, start=1)
        if not tried.refused
    ]


def _spread(lab: Lab, currency: str) -> list[_Shown]:
    if not lab.followed:
        return []
    every = [settled(tried.carried, lab.holders, currency) for tried in lab.followed]
    least = {holder: min(amounts[holder] for amounts in every) for holder in lab.holders}
    most = {holder: max(amounts[holder] for amounts in every) for holder in lab.holders}
    return [_Shown("Least", least, is_whole=False), _Shown("Most", most, is_whole=False)]


def _name(found: Methods, holder: Target) -> str:
    from apportion.allocate.rule import Holder
    from apportion.invoice import wording

    if holder.holder is Holder.COST_GROUP:
        return found.run.tree[holder.code].name
    return wording.UNALLOCATED_NAME if holder.holder is Holder.UNALLOCATED else wording.KEPT_CENTRAL_NAME


def _say_more(face: Face, lab: Lab, *, numbered: bool) -> None:
    """Which order is which, and what could not be followed."""
    from apportion.cli.amounts import count

    face.say()
    if numbered and len(lab.step_down) > 1:
        for number, tried in enumerate(lab.step_down, start=1):
            if not tried.refused:
                face.say(f"Step {number}: {' → '.join(tried.order)}")
    elif len(lab.followed) > 1:
        face.say("Least and most: over the step-down orders.")
    for tried in lab.ways:
        if tried.refused:
            face.say(f"Not possible, {tried.way}: {tried.refused}", "yellow")
    refused = [tried for tried in lab.step_down if tried.refused]
    if refused:
        first = f"{' → '.join(refused[0].order)}: " if refused[0].order else ""
        said = f"{count(len(refused), 'step-down order')} not possible and left out of the mean; {first}"
        face.say(f"{said}{refused[0].refused}", "yellow")


# As a document.


def document(found: Methods) -> dict[str, object]:
    """The document of ``lab --json``."""
    from apportion.money.amount import plain

    lab = found.lab
    return {
        "document": "method_lab",
        "version": VERSION,
        "period": str(found.run.period),
        "run_digest": found.run.digest,
        "pools": list(lab.pools),
        "orders": len(lab.step_down),
        "all_orders": lab.is_all,
        "seed": None if lab.is_all else lab.seed,
        "totals": [{"currency": currency, "units": plain(total)} for currency, total in lab.total.items()],
        "conserved": True,  # a way that does not is an error, and there is no document
        "ways": [_way_document(lab, tried) for tried in lab.ways],
        "step_down": [_way_document(lab, tried) for tried in lab.step_down] if lab.is_all else [],
        "refused_orders": len(lab.step_down) - len(lab.followed),
        "over_orders": _over_orders(lab),
    }


def _way_document(lab: Lab, tried: Tried) -> dict[str, object]:
    from apportion.money.amount import plain

    return {
        "method": str(tried.way),
        "order": list(tried.order),
        "refused": tried.refused or None,
        "holders": [
            {**_holder_document(holder, currency), "units": plain(tried.carried[holder, currency])}
            for currency in lab.total
            for holder in lab.holders
            if (holder, currency) in tried.carried
        ],
    }


def _over_orders(lab: Lab) -> list[dict[str, object]]:
    from apportion.money.amount import plain

    if lab.shapley is None:
        return []
    means = lab.shapley.whole()
    return [
        {
            **_holder_document(holder, currency),
            "shapley": plain(means[holder, currency]),
            "standard_error": plain(lab.shapley.error[holder, currency]),
            "least": plain(lab.spread((holder, currency))[0]),
            "most": plain(lab.spread((holder, currency))[1]),
        }
        for currency in lab.total
        for holder in lab.holders
        if (holder, currency) in means
    ]


def _holder_document(holder: Target, currency: str) -> dict[str, object]:
    return {"holder": str(holder.holder), "cost_group": holder.code, "currency": currency}
