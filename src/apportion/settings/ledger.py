"""The section ``ledger``: which account does what, and how cost groups are written in the ledger."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from apportion.money.amount import units
from apportion.money.currency import units_per_minor
from apportion.settings.section import Currency, Filled, Section, check_currency
from apportion.yamlfile import Day, Flag, Refusal, Text, refuse, refuse_all

_PER_CENT = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)\s?%?", re.ASCII)
_WHOLE = 100


def _per_cent(text: str) -> str:
    """A part of an amount in per cent, as its digits: ``5`` and ``5 %`` are the same."""
    found = _PER_CENT.fullmatch(text.strip())
    if not found or Fraction(found[1]) > _WHOLE:
        raise refuse(
            "BAD_PER_CENT", f"'{text}' is not a per cent between 0 and 100.", "Write for example 5, 7.7 or 19%."
        )
    return found[1]


PerCent = Annotated[Text, AfterValidator(_per_cent)]


class AccountRule(Section):
    """Lines of a charge category, a service or both go to `account`, in every company or in one.

    `since` is the first day of documents' periods that it holds for, `until` the first that it no longer does.
    """

    account: Filled
    charge_category: Text = ""
    service: Text = ""
    company: Text = ""
    since: Day | None = None
    until: Day | None = None

    @model_validator(mode="after")
    def _about_something(self) -> AccountRule:
        if not self.charge_category and not self.service:
            raise refuse(
                "MISSING_KEY",
                "An account for every line is the cost group's own.",
                "Name the charge category, the service or both; or give the cost group another ledger account.",
            )
        if self.since and self.until and self.until <= self.since:
            raise refuse("BAD_ORDER", "It ends before it begins.", "Write a later day.", at=("until",))
        return self


class CommitmentTerm(Section):
    """The days that a commitment was bought for, both included, where its charges do not say them.

    `ended` is the last day of use of one that ended early. `upfront` (with its `currency`) is what was paid before it
    was used, where no charge says that either; zero: it is no asset.
    """

    starts: Day
    ends: Day
    ended: Day | None = None
    name: Text = ""
    upfront: Text = ""
    currency: Annotated[Text, AfterValidator(check_currency)] = ""

    @model_validator(mode="after")
    def _makes_sense(self) -> CommitmentTerm:
        if self.ends < self.starts:
            raise refuse("BAD_ORDER", "It ends before it starts.", "Write a later day.", at=("ends",))
        if self.ended and not self.starts <= self.ended <= self.ends:
            raise refuse("BAD_ORDER", "It ended on a day that it was not bought for.", at=("ended",))
        if bool(self.upfront) is not bool(self.currency):
            missing = "currency" if self.upfront else "upfront"
            raise refuse("MISSING_KEY", "An amount needs its currency.", f"Add '{missing}: …'.")
        if self.upfront:
            self._check_amount()
        return self

    def _check_amount(self) -> None:
        try:
            amount = units(self.upfront)
        except ValueError:
            amount = -1
        if amount < 0 or amount % units_per_minor(self.currency):
            raise refuse(
                "BAD_AMOUNT",
                f"'{self.upfront}' is no amount of {self.currency} that can be paid.",
                "Write plain digits with the currency's decimals, for example 12000.00.",
                at=("upfront",),
            )

    @property
    def upfront_minor(self) -> int | None:
        """What was paid before, in minor units of `currency`; None where the charges are to say it."""
        return units(self.upfront) // units_per_minor(self.currency) if self.upfront else None


class ChargeTax(Section):
    """The tax on a charge between companies. `code` is the ledger's; without it, that of all charges is taken.

    With `reverse_charge` the buyer owes it: it is on no invoice, and the buyer books it on both sides.
    """

    rate: PerCent
    code: Text = ""
    reverse_charge: Flag = False


class ChargeTerms(Section):
    """What one company of the group is charged on top of cost; without `tax` there is none, as inside a tax group."""

    uplift: PerCent = "0"
    tax: ChargeTax | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        """The accounts of the section that a charge on these terms needs."""
        between = ("intercompany_receivable", "intercompany_payable", "intercompany_revenue")
        return (*between, "intercompany_input_tax", "intercompany_output_tax") if self.tax else between


class LedgerAccounts(Section):
    """Ledger accounts by role, empty where the company has none, and how lines come to their codes.

    `transferred_out` is the contra account that takes cost off the payer, the intercompany accounts stand between legal
    entities, `suspense` takes what lacks a code, `rounding` what settling cents leaves over. `accounts` are asked in
    their order before a cost group's own account; `dimensions` says which attribute of a cost group each dimension of
    the ledger is taken from; `lines` whether documents with the same codes share a line. `charges` says by company code
    which companies of the group are charged on terms of their own, instead of taking cost over as it is. `commitments`,
    by CommitmentDiscountId, are those paid upfront whose term the charges do not say.
    """

    transferred_out: Text = ""
    intercompany_receivable: Text = ""
    intercompany_payable: Text = ""
    suspense: Text = ""
    rounding: Text = ""
    payables: Text = ""
    accrued: Text = ""
    prepaid: Text = ""
    input_tax: Text = ""
    output_tax: Text = ""
    intercompany_revenue: Text = ""
    intercompany_expense: Text = ""
    intercompany_input_tax: Text = ""
    intercompany_output_tax: Text = ""
    exchange_gain: Text = ""
    exchange_loss: Text = ""
    exchange_rounding: Text = ""
    statistical: Text = ""
    suspense_cost_center: Text = ""
    elimination_company: Text = ""
    tax_code: Text = ""
    lines: Literal["grouped", "each"] = "grouped"
    accounts: tuple[AccountRule, ...] = ()
    dimensions: Mapping[Filled, Filled] = Field(default_factory=dict)
    currencies: Mapping[Filled, Currency] = Field(default_factory=dict)
    charges: Mapping[Filled, ChargeTerms] = Field(default_factory=dict)
    commitments: Mapping[Filled, CommitmentTerm] = Field(default_factory=dict)
    cut_off: int | None = Field(default=None, ge=1, le=366)
    master_data: Text = ""

    @field_validator("charges")
    @classmethod
    def _codes_that_fit(cls, charges: Mapping[str, ChargeTerms], info: ValidationInfo) -> Mapping[str, ChargeTerms]:
        """The fields before it are read already: each account that a charge needs must be among them."""
        found = [
            Refusal(
                "MISSING_KEY",
                f"Charging company {company} needs {_listed(missing)}.",
                "Add them to 'ledger'." if len(missing) > 1 else "Add it to 'ledger'.",
                (company,),
            )
            for company, terms in charges.items()
            if (missing := [role for role in terms.roles if not info.data.get(role)])
        ]
        if found:
            raise refuse_all(found)
        return charges


def wrong_charges(ledger: LedgerAccounts, payer: str) -> list[Refusal]:
    """What is wrong with charges that only the payer's company tells; places are from the whole file."""
    found = []
    for company in ledger.charges:
        at = ("ledger", "charges", company)
        if not payer:
            said = f"Company {company} is to be charged, and the payer has no company code."
            found.append(Refusal("MISSING_KEY", said, "Add 'payer: company: …'.", at))
        elif company == payer:
            said = f"Company {company} is the payer's own, which cannot charge itself."
            found.append(Refusal("SAME_COMPANY", said, "Name the company that is charged, or leave it out.", at))
    if ledger.charges and ledger.elimination_company in {payer, *ledger.charges} - {""}:
        said = f"Company {ledger.elimination_company} has books of its own, from which nothing can be eliminated."
        advice = "Name a company that exists for eliminations alone."
        found.append(Refusal("SAME_COMPANY", said, advice, ("ledger", "elimination_company")))
    return found


def _listed(roles: list[str]) -> str:
    *first, last = (f"'{role}'" for role in roles)
    return f"{', '.join(first)} and {last}" if first else last
