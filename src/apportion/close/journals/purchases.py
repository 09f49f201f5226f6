"""The commitments that were paid upfront: what their purchase charges say, and what the settings add."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from apportion.allocate.policy import CostBasis
from apportion.close import run as runs
from apportion.close.journals.before import Asked, ref
from apportion.close.journals.invoiced import minor
from apportion.errors import InputRefusedError, UnmappedError
from apportion.ledger.account import tidy
from apportion.periods import BillingPeriod
from apportion.post.prepaid import Commitment
from apportion.settings.ledger import CommitmentTerm
from apportion.warehouse.condition import And, Equals, Exists, Field
from apportion.warehouse.measure import Measured, Question, measure

_ID, _NAME, _FREQUENCY = Field("CommitmentDiscountId"), Field("CommitmentDiscountName"), Field("ChargeFrequency")
_BEGIN, _END = Field("ChargePeriodStart"), Field("ChargePeriodEnd")
_QUESTION = Question(
    columns=(_ID, _NAME, _FREQUENCY, _BEGIN, _END),
    met=(And((Equals(Field("ChargeCategory"), ("Purchase",), fold=True), Exists(_ID))),),
)
_LONGEST_MONTH = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Prepaid:
    """A commitment, the first period that has its purchase, and where it stands.

    With `on_invoice` it is on a provider's invoice, and so among the payer's cost until it becomes an asset. With
    `is_older` it began before the first period that there is, and is in the ledger already.
    """

    commitment: Commitment
    bought_in: BillingPeriod
    on_invoice: bool
    is_older: bool = False


@dataclass
class _Bought:
    """What purchase charges of one commitment come to, and the days that they are for (None: they do not say)."""

    first: BillingPeriod
    name: str = ""
    units: int = 0
    term: tuple[date, date] | None = None
    is_upfront: bool = False


def prepaid(asked: Asked) -> list[Prepaid]:
    """Every commitment that is paid upfront up to the period, by its id and currency.

    A purchase is upfront where its charges say that it is made once, or say nothing of it and are for more than a
    month, or the settings name the commitment. Raises `UnmappedError` for a term that nobody says.
    """
    bought = _bought(asked)
    terms = asked.settings.ledger.commitments
    found = [each for key, one in sorted(bought.items()) if (each := _of_data(asked, key, one, terms.get(key[0])))]
    named = {id_ for id_, _ in bought}
    first = min(asked.workspace.periods(), default=asked.period)
    for id_, term in sorted(terms.items()):
        if id_ not in named and term.upfront_minor:
            begins = BillingPeriod.of(term.starts)
            if begins <= asked.period:
                commitment = _commitment(id_, term.name or id_, term.currency, term.upfront_minor, _days(term), term)
                found.append(Prepaid(commitment, begins, on_invoice=False, is_older=begins < first))
    return found


def on_effective_cost(asked: Asked) -> bool:
    """Is cost charged as it is used? On billed cost whoever is charged with a purchase has paid all of it at once."""
    return runs.current(asked.workspace, asked.period).allocation.cost_basis is CostBasis.EFFECTIVE


def _of_data(asked: Asked, key: tuple[str, str], one: _Bought, said: CommitmentTerm | None) -> Prepaid | None:
    id_, currency = key
    upfront = minor(one.units, currency)
    if said and said.upfront_minor is not None and said.currency == currency:
        upfront = said.upfront_minor
    if upfront <= 0 or not (one.is_upfront or one.term or said):
        return None
    days = _days(said) if said else one.term
    if days is None:
        raise UnmappedError(
            f"Commitment {id_} is paid upfront in {one.first}, and its charges do not say for which days.",
            advice=f"Add 'ledger: commitments: \"{id_}\": {{starts: …, ends: …}}' to the settings.",
        )
    name = (said.name if said else "") or one.name or id_
    return Prepaid(_commitment(id_, name, currency, upfront, days, said), one.first, on_invoice=True)


def _commitment(
    id_: str, name: str, currency: str, upfront: int, days: tuple[date, date], said: CommitmentTerm | None
) -> Commitment:
    return Commitment(ref(id_), tidy(name), *days, currency, upfront, said.ended if said else None)


def _days(term: CommitmentTerm) -> tuple[date, date]:
    return term.starts, term.ends


def _bought(asked: Asked) -> dict[tuple[str, str], _Bought]:
    """What was bought up to the period, by id and currency; monthly fees are left out."""
    found: dict[tuple[str, str], _Bought] = {}
    terms = asked.settings.ledger.commitments
    for period in asked.workspace.periods():
        if period <= asked.period:
            for each in _purchases(asked, period):
                id_, name, frequency, begin, end = each.values
                fold = (frequency or "").casefold()
                term = _term(begin, end)
                once = fold == "one-time"
                if each.units and (once or (not fold and (term is not None or id_ in terms))):
                    one = found.setdefault((id_ or "", each.currency), _Bought(period))
                    one.units += each.units
                    one.name, one.term = one.name or name or "", one.term or term
                    one.is_upfront |= once
    return found


def _purchases(asked: Asked, period: BillingPeriod) -> tuple[Measured, ...]:
    """The purchases of a period, from its charges; nothing is read where its totals have none."""
    if not any(total.commitment == "purchase" for total in asked.workspace.totals(period)):
        return ()
    run, snapshot = runs.current(asked.workspace, period), asked.workspace.snapshot(period)
    if run.allocation.snapshot_digest != snapshot.digest:
        raise InputRefusedError(
            f"Since {period} was allocated, its charges changed.",
            advice=f"Allocate it again: apportion allocate {period}",
        )
    (answer,) = measure(snapshot, run.sidecars, [_QUESTION], effective=False)
    return answer


def _term(begin: str | None, end: str | None) -> tuple[date, date] | None:
    """The days of a charge for more than a month, the last one included; None for any other charge."""
    try:
        first, after = date.fromisoformat((begin or "")[:10]), date.fromisoformat((end or "")[:10])
    except ValueError:
        return None
    return (first, after - timedelta(days=1)) if after - first > _LONGEST_MONTH else None
