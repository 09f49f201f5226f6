"""The measures in words: names, what each one is, why one is not known, and its value as people write it."""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import format_decimal
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apportion.money.amount import half_even
from apportion.records.measures import Key, Measure, Unit, Unknown
from apportion.web.words.figures import count, locale, money, percent_ppm

NAMES = {
    Key.ALLOCATED_SHARE: gettext_lazy("Allocated share"),
    Key.TAG_COVERAGE: gettext_lazy("Tag coverage"),
    Key.UNUSED_COMMITMENT: gettext_lazy("Unused commitments"),
    Key.IDLE_COST: gettext_lazy("Idle cost"),
    Key.ANOMALY_COST: gettext_lazy("Anomaly cost"),
    Key.DAYS_TO_ISSUE: gettext_lazy("Days to issue"),
    Key.ACCEPTANCE_RATE: gettext_lazy("Acceptance rate"),
    Key.DISPUTES: gettext_lazy("Disputes per 100 lines"),
    Key.DAYS_TO_RESOLVE: gettext_lazy("Days to resolve"),
    Key.SHARE_POSTED: gettext_lazy("Share posted"),
    Key.RECHARGE_RATE: gettext_lazy("GL recharge rate"),
}
ABOUT = {
    Key.ALLOCATED_SHARE: gettext_lazy("cost with an owner, of all cost"),
    Key.TAG_COVERAGE: gettext_lazy("usage cost with a tag that the policy asks for, of all usage cost"),
    Key.UNUSED_COMMITMENT: gettext_lazy("cost of commitments that nobody used, of all their cost"),
    Key.IDLE_COST: gettext_lazy("cost in the pools of idle capacity, of all cost"),
    Key.ANOMALY_COST: gettext_lazy("how far conspicuous documents moved, of all cost the month before"),
    Key.DAYS_TO_ISSUE: gettext_lazy("from the end of the period to the issue of its documents"),
    Key.ACCEPTANCE_RATE: gettext_lazy("documents accepted, by somebody or by silence, of all issued"),
    Key.DISPUTES: gettext_lazy("disputes raised for each hundred lines"),
    Key.DAYS_TO_RESOLVE: gettext_lazy("from raising a dispute to its decision; half took no longer"),
    Key.SHARE_POSTED: gettext_lazy("amounts in the ledger, of all that was invoiced"),
    Key.RECHARGE_RATE: gettext_lazy("amounts in the ledger, of all cost of the period"),
}
_TENTH = 1000  # millionths
_UNKNOWN = {
    Unknown.NOT_ALLOCATED: gettext_lazy("not known yet: the period is not allocated"),
    Unknown.NOT_MEASURED: gettext_lazy("not known yet: allocate the period again, then it is measured"),
    Unknown.NO_COST: gettext_lazy("nothing to measure: there is no such cost"),
    Unknown.NO_TAGS: gettext_lazy("not known: the policy asks for no tag"),
    Unknown.ON_BILLED_COST: gettext_lazy("not known: the policy charges on billed cost, which does not tell"),
    Unknown.NO_COMMITMENTS: gettext_lazy("nothing to measure: the cost data has no commitments"),
    Unknown.NO_IDLE_POOLS: gettext_lazy("not known yet: name the pools in the settings (measures.idle_pools)"),
    Unknown.NOT_ISSUED: gettext_lazy("not known yet: nothing is issued"),
    Unknown.NO_MONTH_BEFORE: gettext_lazy("not known yet: there is no month before"),
    Unknown.NO_DOCUMENTS: gettext_lazy("nothing to measure: no cost group has a document"),
    Unknown.NOTHING_DECIDED: gettext_lazy("not known yet: no dispute is decided"),
    Unknown.NO_INVOICES: gettext_lazy("nothing to measure: everybody is in showback"),
}


def unknown_words(unknown: Unknown | None) -> str:
    """Why a value is not known; empty where it is."""
    return str(_UNKNOWN[unknown]) if unknown is not None else ""


def written(unit: Unit, value: int | None) -> str:
    """A value of a unit: ``95.2 %``, ``3 days``, ``1.4``."""
    match value, unit:
        case None, _unit:
            return "–"
        case number, Unit.PPM:
            return percent_ppm(number)
        case number, Unit.DAYS:
            return ngettext("%s day", "%s days", number) % count(number)
        case number, Unit.TENTHS_OF_DAYS:
            return _("%s days") % _tenths(number)
        case number, _unit:
            return _tenths(number)


def brief(measure: Measure) -> str:
    """The value alone, for a table of months."""
    if measure.value is None:
        return "–"
    if measure.unit is Unit.DAYS:
        return count(measure.value)
    return _tenths(measure.value) if measure.unit is not Unit.PPM else percent_ppm(_shown(measure))


def value_words(measure: Measure) -> str:
    """The value with its unit."""
    return written(measure.unit, _shown(measure))


def _shown(measure: Measure) -> int | None:
    """The value to be written: rounding to tenths of a per cent must not show a threshold as reached that is not."""
    value, threshold = measure.value, measure.threshold
    if value is None or measure.unit is not Unit.PPM or measure.is_met is not False:
        return value
    tenths = half_even(value, _TENTH)
    if measure.is_least and tenths * _TENTH >= threshold:
        tenths = -(-threshold // _TENTH) - 1
    elif not measure.is_least and tenths * _TENTH <= threshold:
        tenths = threshold // _TENTH + 1
    return tenths * _TENTH


def threshold_words(measure: Measure) -> str:
    """``at least 95 %``, ``at most 5 days``."""
    unit, value = measure.unit, measure.threshold
    if unit is Unit.TENTHS_OF_DAYS and not value % 10:
        unit, value = Unit.DAYS, value // 10
    said = count(value // 10) if unit is Unit.TENTHS and not value % 10 else written(unit, value)
    return (_("at least %s") if measure.is_least else _("at most %s")) % said


def counted_words(measure: Measure) -> str:
    """What a value is made of, in numbers; empty where it is not known."""
    found = measure.counted
    match measure.key:
        case _key if not found:
            return ""
        case Key.ACCEPTANCE_RATE:
            said = {name: count(found[name]) for name in ("accepted", "deemed", "whole")}
            return _("%(accepted)s accepted, %(deemed)s by silence, of %(whole)s documents") % said
        case Key.DISPUTES:
            said = {name: count(found[name]) for name in ("disputes", "lines")}
            one, more = "%(disputes)s dispute, %(lines)s lines", "%(disputes)s disputes, %(lines)s lines"
            return ngettext(one, more, found["disputes"]) % said
        case Key.DAYS_TO_RESOLVE:
            said = {"decided": count(found["decided"]), "p90": _tenths(found["p90"])}
            return _("%(decided)s decided; nine of ten within %(p90)s days") % said
        case Key.ANOMALY_COST:
            said = {"documents": count(found["documents"]), "amount": money(found["part"], measure.currency)}
            said["beyond"] = percent_ppm(found["beyond"])
            one = "%(documents)s document moved by more than %(beyond)s: %(amount)s"
            more = "%(documents)s documents moved by more than %(beyond)s: %(amount)s in all"
            none = _("no document moved by more than %(beyond)s")
            return (ngettext(one, more, found["documents"]) if found["documents"] else none) % said
        case _other:
            pair = [money(found[name], measure.currency) for name in ("part", "whole")]
            return _("%(part)s of %(whole)s") % {"part": pair[0], "whole": pair[1]}


def _tenths(number: int) -> str:
    return str(format_decimal(Decimal(number).scaleb(-1), format="#,##0.0", locale=locale()))
