"""The section ``parties``: what each company of the group is called on its e-invoices, and where it is reached.

A party is known by its company code. A name and a country are enough to be read; what an e-invoice needs beyond that
depends on its tax, so the e-invoice asks for it and names every gap at once.
"""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, model_validator

from apportion.settings.section import Filled, Section
from apportion.yamlfile import Text, refuse

# ISO 3166-1 alpha-2, officially assigned codes, and the two that tax and e-invoices have beside them.
COUNTRIES = frozenset(
    """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD
CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF
GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN
KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI
SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI
VN VU WF WS YE YT ZA ZM ZW 1A XI
""".split()
)

_VAT_ID = re.compile(r"[A-Z]{2}[0-9A-Z+*]{2,13}", re.ASCII)
_VAT_PREFIX = {"GR": ("EL",), "GB": ("GB", "XI"), "XI": ("XI",), "IM": ("GB",), "MC": ("FR",)}
_SCHEME = re.compile(r"\d{4}|EM|AN|AQ|AS|AU", re.ASCII)
_IBAN = re.compile(r"[A-Z]{2}\d{2}[0-9A-Z]{11,30}", re.ASCII)
_BIC = re.compile(r"[A-Z]{6}[0-9A-Z]{2}([0-9A-Z]{3})?", re.ASCII)


def _country(code: str) -> str:
    if code not in COUNTRIES:
        raise refuse("BAD_COUNTRY", f"'{code}' is not an ISO 3166 country.", "Use two capitals, such as DE, FR or US.")
    return code


def _vat_id(text: str) -> str:
    plain = re.sub(r"[\s.-]", "", text).upper()
    if plain and not _VAT_ID.fullmatch(plain):
        raise refuse(
            "BAD_VAT_ID",
            f"'{text}' is not a VAT identification number.",
            "Write it with the letters of its country in front, such as DE123456788.",
        )
    return plain


def _scheme(code: str) -> str:
    if code and not _SCHEME.fullmatch(code):
        raise refuse(
            "BAD_SCHEME",
            f"'{code}' is not a scheme of electronic addresses.",
            "Use four digits, such as 0088 for a GLN or 9930 for a German VAT number, or EM for a mail address.",
        )
    return code


def _iban(text: str) -> str:
    plain = re.sub(r"\s", "", text).upper()
    if plain and (
        not _IBAN.fullmatch(plain) or int("".join(str(int(each, 36)) for each in plain[4:] + plain[:4])) % 97 != 1
    ):
        raise refuse("BAD_IBAN", f"'{text}' is not an IBAN: its check digits are wrong.", "Copy it from the bank.")
    return plain


def _bic(text: str) -> str:
    plain = re.sub(r"\s", "", text).upper()
    if plain and not _BIC.fullmatch(plain):
        raise refuse("BAD_BIC", f"'{text}' is not a BIC.", "Write its 8 or 11 letters and digits, or leave it out.")
    return plain


class Party(Section):
    """A company of the group, as seller and as buyer.

    `name` is the legal one. `electronic_address` with its `electronic_scheme` (ISO 6523 number, or EM for mail) is
    where e-invoices reach it. `legal_id` is its number in the register of companies. `iban` is where others pay it;
    without one, companies settle between themselves. `contact`, `phone` and `email` are who answers for its invoices.
    """

    MOST_ADDRESS_LINES: ClassVar[int] = 3

    name: Filled
    country: Annotated[Filled, AfterValidator(_country)]
    address: tuple[Filled, ...] = Field(default=(), max_length=MOST_ADDRESS_LINES)
    postcode: Text = ""
    city: Text = ""
    vat_id: Annotated[Text, AfterValidator(_vat_id)] = ""
    legal_id: Text = ""
    electronic_address: Text = ""
    electronic_scheme: Annotated[Text, AfterValidator(_scheme)] = ""
    iban: Annotated[Text, AfterValidator(_iban)] = ""
    bic: Annotated[Text, AfterValidator(_bic)] = ""
    payment_days: int = Field(default=30, ge=0, le=366)
    contact: Text = ""
    phone: Text = ""
    email: Text = ""

    @model_validator(mode="after")
    def _goes_together(self) -> Party:
        if self.vat_id and self.vat_id[:2] not in _VAT_PREFIX.get(self.country, (self.country,)):
            prefix = _VAT_PREFIX.get(self.country, (self.country,))[0]
            raise refuse(
                "BAD_VAT_ID",
                f"The VAT number '{self.vat_id}' is not one of the country {self.country}.",
                f"Write the number that begins with {prefix}, or correct the country.",
                at=("vat_id",),
            )
        if bool(self.electronic_address) != bool(self.electronic_scheme):
            raise refuse(
                "MISSING_KEY",
                "An electronic address needs its scheme, and a scheme its address.",
                "Write both 'electronic_address' and 'electronic_scheme'.",
                at=("electronic_address" if self.electronic_address else "electronic_scheme",),
            )
        if self.bic and not self.iban:
            raise refuse("MISSING_KEY", "A BIC needs the IBAN that it is for.", "Add 'iban'.", at=("bic",))
        return self
