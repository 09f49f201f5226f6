"""The section ``ledger``: which account does what, and how cost groups are written in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from apportion.money.amount import units
from apportion.money.currency import units_per_minor
from apportion.settings.section import Currency, Filled, Section, check_currency
from apportion.yamlfile import Day, Text, refuse


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


class LedgerAccounts(Section):
    """Ledger accounts by role, empty where the company has none, and how lines come to their codes.

    `transferred_out` is the contra account that takes cost off the payer, the intercompany accounts stand between legal
    entities, `suspense` takes what lacks a code, `rounding` what settling cents leaves over. `accounts` are asked in
    their order before a cost group's own account; `dimensions` says which attribute of a cost group each dimension of
    the ledger is taken from; `lines` whether documents with the same codes share a line. `commitments`, by
    CommitmentDiscountId, are those paid upfront whose term the charges do not say.
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
    commitments: Mapping[Filled, CommitmentTerm] = Field(default_factory=dict)
    cut_off: int | None = Field(default=None, ge=1, le=366)
    master_data: Text = ""
