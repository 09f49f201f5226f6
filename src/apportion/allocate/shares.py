"""Fixed shares as people write them, made into whole-number weights without rounding."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from fractions import Fraction

from apportion.yamlfile import refuse

MOST_DENOMINATOR = 10**18

# A quotient of digits or a decimal number, as it is or in per cent; the quotient has a lower half above zero.
_SHARE = re.compile(r"(\d{1,18}(?:\.\d{1,18})?|\d{1,18}/0*[1-9]\d{0,17}) ?(%?)", re.ASCII)


def parse_share(text: str) -> Fraction:
    """A share such as ``45%``, ``0.45`` or ``1/3`` as the exact part of one whole."""
    found = _SHARE.fullmatch(text.strip())
    if not found:
        raise refuse("BAD_SHARE", f"'{text}' is not a share.", "Write it as 45%, 0.45 or 1/3.")
    return Fraction(found[1]) * (Fraction(1, 100) if found[2] else 1)


def percent_text(share: Fraction) -> str:
    """The share in per cent: exact where a decimal number can say it, else as a quotient."""
    percent = share * 100
    digits = 0
    while percent.denominator > 1 and digits < 20 and (percent * 10**digits).denominator > 1:
        digits += 1
    if (percent * 10**digits).denominator > 1:
        return f"{percent} %"
    whole = str((percent * 10**digits).numerator).rjust(digits + 1, "0")
    return (f"{whole[:-digits]}.{whole[-digits:]}" if digits else whole) + " %"


def whole_weights(shares: Mapping[str, Fraction]) -> tuple[tuple[str, int], ...]:
    """The shares as the smallest whole numbers in the same proportions, in order. Refuses what is not 100 %."""
    total = sum(shares.values(), Fraction(0))
    if total != 1:
        advice = "Write per cents with their sign: 45%." if total == 100 else "They must sum to exactly 100 %."
        raise refuse("SHARES_NOT_100", f"The shares sum to {percent_text(total)}, not 100 %.", advice)
    common = math.lcm(*(share.denominator for share in shares.values()))
    if common > MOST_DENOMINATOR:
        raise refuse("BAD_SHARE", "The shares have no common denominator below 10^18.", "Write them with fewer digits.")
    return tuple((name, int(share * common)) for name, share in shares.items())
