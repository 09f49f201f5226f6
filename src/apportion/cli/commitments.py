"""``apportion commitments``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from apportion.cli.arguments import Period
from apportion.cli.face import Face

if TYPE_CHECKING:
    from apportion.allocate.commitments import Effect, Held
    from apportion.close.commitments import Comparison

VERSION = 1
_METHODS = {"applied": "Applied", "buyer_first": "Buyer first", "blended": "Blended", "priority": "Priority"}
_NAMES = {"kept_central": "Kept central", "unallocated": "Unallocated"}
_UNUSED = {"kept_central": "kept central", "beneficiaries": "to the beneficiaries"}


def run(face: Face, period: Period) -> None:
    """Compare who carries the cost of commitment discounts, under every method.

    For each commitment of the policy: what was used and not used, and what each holder would carry of the eligible
    usage as the provider applied it, with the buyer first, at one rate, and in the agreed order. The method in force
    has an asterisk. Every method comes to the same total; nothing is changed.

    \b
    Example:
      apportion commitments 2026-10
    """
    from apportion.close import run as runs
    from apportion.close.commitments import compare

    workspace = face.workspace()
    found = compare(workspace, runs.up_to_date(workspace, period))
    face.give(
        {
            "document": "commitments",
            "version": VERSION,
            "period": str(period),
            "commitments": [_document(each) for each in found],
        }
    )
    if not found:
        face.say("The policy has no commitments.")
    elif not face.as_json:
        for place, each in enumerate(found):
            _show(face, each, is_first=place == 0)


def _document(found: Comparison) -> dict[str, object]:
    from apportion.money.amount import plain

    commitment = found.eligible.commitment
    return {
        "id": commitment.id,
        "name": commitment.name,
        "method": str(commitment.method),
        "unused": str(commitment.unused),
        "buyer": commitment.buyer or None,
        "currencies": [
            {
                "currency": currency,
                "amount": plain(sum(effect.held for effect in effects)),
                "discounts": [
                    {
                        "commitment_discount_id": commitment_id or None,
                        "used": plain(held.covered),
                        "worth": plain(held.covered_worth),
                        "unused": plain(held.unused),
                    }
                    for commitment_id, held in _discounts(found, currency)
                ],
                "holders": [_holder(effect) for effect in effects],
            }
            for currency, effects in found.effects.items()
        ],
    }


def _holder(effect: Effect) -> dict[str, object]:
    from apportion.money.amount import plain

    units = {str(method): plain(amount) for method, amount in effect.units.items()}
    return {
        "holder": str(effect.target.holder),
        "code": effect.target.code or None,
        "brought": plain(effect.held),
        **{method: units.get(method) for method in _METHODS},
    }


def _discounts(found: Comparison, currency: str) -> list[tuple[str, Held]]:
    return [(code, held) for (its, code), held in found.eligible.discounts.items() if its == currency]


def _show(face: Face, found: Comparison, *, is_first: bool) -> None:
    from apportion.cli.tables import Column, table
    from apportion.invoice.wording import rounded

    commitment = found.eligible.commitment
    unused = _UNUSED.get(str(commitment.unused), f"to {commitment.buyer}")
    if not is_first:
        face.say()
    face.say(f"{commitment.name} ({commitment.id}): {_METHODS[commitment.method].lower()}, unused {unused}.", "bold")
    if not found.effects:
        face.say("No charge is eligible in this period.")
    for currency, effects in found.effects.items():
        for code, held in _discounts(found, currency):
            worth = f"used {rounded(held.covered, currency)} for a worth of {rounded(held.covered_worth, currency)}"
            face.say(f"  {code or 'without an id'}: {worth}, unused {rounded(held.unused, currency)}")
        methods = [method for method in _METHODS if any(method in effect.units for effect in effects)]
        marked = [f"{_METHODS[method]}{'*' if method == commitment.method else ''}" for method in methods]
        head = [Column(currency), *(Column(name, is_number=True) for name in ("By rules", *marked))]
        brought = _settled((effect.held for effect in effects), currency)
        columns = [_settled((_units(effect, method) for effect in effects), currency) for method in methods]
        rows = [
            [_name(effect), *amounts]
            for effect, *amounts in zip(effects, brought[:-1], *(c[:-1] for c in columns), strict=True)
        ]
        face.say()
        face.show(table(head, rows, sums=[["Together", brought[-1], *(column[-1] for column in columns)]]))


def _units(effect: Effect, method: str) -> int:
    return next(units for each, units in effect.units.items() if each == method)


def _settled(units: Iterable[int], currency: str) -> Sequence[str]:
    """Amounts that add up as they are shown, and their sum."""
    from apportion.invoice.wording import grouped
    from apportion.money.currency import units_per_minor
    from apportion.money.split import settle

    minors = settle(list(units), units_per_minor(currency))
    return [grouped(minor, currency) for minor in (*minors, sum(minors))]


def _name(effect: Effect) -> str:
    return effect.target.code or _NAMES[effect.target.holder]
