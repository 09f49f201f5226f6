"""Amounts as people type them, in the way of writing of their language, to exact minor units and back.

``1,234.50`` in English, ``1.234,50`` in German; blanks and apostrophes may group too. What could be read in two ways is
refused, never guessed.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from apportion.errors import InputRefusedError, Place
from apportion.money.currency import exponent
from apportion.web.words.figures import locale, spoken

_MOST_DIGITS = 18
_MINUS = {"-", "−", "–"}
_BLANKS = re.compile(r"[\s'’\u00a0\u202f]")


def minor_of(text: str, currency: str, field: str) -> int:
    """Minor units of what was typed. Raises `InputRefusedError` at `field` for what is no amount of this currency."""
    typed = text.strip().removesuffix(currency).removeprefix(currency).strip()
    sign = -1 if typed[:1] in _MINUS else 1
    digits = _BLANKS.sub("", typed[1:] if typed[:1] in {*_MINUS, "+"} else typed)
    point, group = (",", ".") if locale() == "de" else (".", ",")
    whole, found, fraction = digits.partition(point)
    places = exponent(currency)
    grouped = re.fullmatch(rf"\d{{1,3}}(?:{re.escape(group)}\d{{3}})+|\d+", whole, re.ASCII)
    said = f"{whole.replace(group, '')}{fraction.ljust(places, '0')}"
    if not grouped or not re.fullmatch(r"\d*", fraction, re.ASCII) or (found and not fraction):
        raise _refused(_("'%s' is not an amount.") % text.strip()[:40], currency, field)
    if len(fraction) > places:
        raise _refused(
            _("%(currency)s has %(places)s decimals.") % {"currency": currency, "places": places}, currency, field
        )
    if len(said) > _MOST_DIGITS:
        raise _refused(_("That is more than any document comes to."), currency, field)
    return sign * int(said)


def typed_amount(minor: int, currency: str) -> str:
    """How an amount stands in a field: as it would be typed, without its currency."""
    return spoken().amount(minor, currency)


def _refused(sentence: str, currency: str, field: str) -> InputRefusedError:
    example = typed_amount(123450 if exponent(currency) else 1234, currency)
    return InputRefusedError(sentence, place=Place(field=field), advice=_("Write it as in %s.") % example)
