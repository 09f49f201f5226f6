"""ISO 4217: which codes are currencies, and how many decimals their minor unit has.

Source of the codes and exponents: ISO 4217 list one (SIX, maintenance agency), active codes.
"""

from __future__ import annotations

from apportion.errors import BadValueError
from apportion.money.amount import ONE

_TWO = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW
CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR
ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV
MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD
SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
""".split()
_EXPONENT = {
    **dict.fromkeys(_TWO, 2),
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}

CODES = frozenset(_EXPONENT)


def exponent(currency: str) -> int:
    """Decimals of the minor unit: 2 for USD, 0 for JPY, 3 for KWD. Raises `BadValueError` for no currency."""
    try:
        return _EXPONENT[currency]
    except KeyError:
        raise BadValueError(
            f"'{currency}' is not an ISO 4217 currency.", advice="Use a code such as USD, EUR or JPY."
        ) from None


def units_per_minor(currency: str) -> int:
    """How many units of 10⁻¹⁸ one minor unit is."""
    return int(ONE // 10 ** exponent(currency))


def minor_text(amount_minor: int, currency: str) -> str:
    """Plain text with the currency's decimals: ``-0.05`` for -5 in EUR, ``1`` for 1 in JPY; never ``-0.00``."""
    places = exponent(currency)
    if places == 0:
        return str(amount_minor)
    whole, fraction = divmod(abs(amount_minor), 10**places)
    return f"{'-' if amount_minor < 0 else ''}{whole}.{fraction:0{places}d}"
