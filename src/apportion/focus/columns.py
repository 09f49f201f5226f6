"""The FOCUS column catalogue: every column of versions 1.0 to 1.4 as compact facts.

Source of the facts: FinOps Open Cost and Usage Specification (FOCUS) 1.0, 1.1, 1.2, 1.3 and the 1.4 working draft,
Joint Development Foundation Projects, LLC, FOCUS Series, CC-BY-4.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

VERSIONS = ("1.0", "1.1", "1.2", "1.3", "1.4")

COST_AND_USAGE = "cost_and_usage"
CONTRACT_COMMITMENT = "contract_commitment"
INVOICE_DETAIL = "invoice_detail"
BILLING_PERIOD = "billing_period"

COSTS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
"""The four cost columns of Cost and Usage, in the order in which they are always listed."""

ESSENTIAL = ("BilledCost", "EffectiveCost", "BillingCurrency", "BillingPeriodStart", "ChargeCategory")
"""The columns of Cost and Usage without which nothing can be charged."""


class DataType(StrEnum):
    """What a column holds."""

    TEXT = "text"
    DECIMAL = "decimal"
    INSTANT = "instant"
    JSON = "json"


class Level(StrEnum):
    """How strongly FOCUS asks for a column."""

    MANDATORY = "mandatory"
    CONDITIONAL = "conditional"
    RECOMMENDED = "recommended"


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """One column of a dataset in one version. `removed` is the first version without it, or empty."""

    name: str
    type: DataType
    introduced: str
    removed: str
    level: Level
    nullable: bool

    def in_version(self, version: str) -> bool:
        """Whether the column belongs to `version`."""
        return self.introduced <= version and (not self.removed or version < self.removed)


# type, introduced, removed (-: still there), level (m, c, r), whether it may be null; then the names.
_COST_AND_USAGE = """
decimal 1.0 -   m never BilledCost ContractedCost EffectiveCost ListCost
decimal 1.0 -   m null  PricingQuantity
decimal 1.0 -   c null  ConsumedQuantity ContractedUnitPrice ListUnitPrice
decimal 1.1 -   c null  CommitmentDiscountQuantity
decimal 1.2 -   c null  PricingCurrencyContractedUnitPrice PricingCurrencyListUnitPrice
decimal 1.2 -   c never PricingCurrencyEffectiveCost
instant 1.0 -   m never BillingPeriodEnd BillingPeriodStart ChargePeriodEnd ChargePeriodStart
text    1.0 -   m never BillingAccountId BillingCurrency ChargeCategory InvoiceIssuerName ServiceCategory ServiceName
text    1.0 -   m null  BillingAccountName ChargeClass ChargeDescription PricingUnit
text    1.0 -   r never ChargeFrequency
text    1.0 -   r null  AvailabilityZone
text    1.0 -   c null  CommitmentDiscountCategory CommitmentDiscountId CommitmentDiscountName
text    1.0 -   c null  CommitmentDiscountStatus CommitmentDiscountType ConsumedUnit PricingCategory
text    1.0 -   c null  RegionId RegionName ResourceId ResourceName ResourceType
text    1.0 -   c null  SkuId SkuPriceId SubAccountId SubAccountName
text    1.0 1.4 m never ProviderName PublisherName
text    1.1 -   r never ServiceSubcategory
text    1.1 -   c null  CapacityReservationId CapacityReservationStatus CommitmentDiscountUnit SkuMeter
text    1.2 -   c null  BillingAccountType InvoiceId SubAccountType
text    1.2 -   c never PricingCurrency
text    1.3 -   m never ServiceProviderName
text    1.3 -   m null  HostProviderName
text    1.3 -   c null  AllocatedMethodId AllocatedResourceId AllocatedResourceName
text    1.4 -   c null  InvoiceDetailId
json    1.0 -   c null  Tags
json    1.1 -   c null  SkuPriceDetails
json    1.3 -   r null  AllocatedMethodDetails
json    1.3 -   c null  AllocatedTags ContractApplied
json    1.4 -   c null  CommitmentProgramEligibilityDetails
"""

_CONTRACT_COMMITMENT = """
decimal 1.3 - m null  ContractCommitmentCost ContractCommitmentQuantity
decimal 1.4 - m null  ContractCommitmentDiscountPercentage
decimal 1.4 - c never ContractCommitmentPaymentUpfrontPercentage
decimal 1.4 - c null  PricingCurrencyContractCommitmentCost
instant 1.3 - m never ContractCommitmentPeriodEnd ContractCommitmentPeriodStart ContractPeriodEnd ContractPeriodStart
instant 1.4 - m never ContractCommitmentCreated ContractCommitmentLastUpdated
text    1.3 - m never ContractCommitmentCategory ContractCommitmentId ContractCommitmentType ContractId
text    1.3 - m null  BillingCurrency ContractCommitmentDescription ContractCommitmentUnit
text    1.4 - m never ContractCommitmentBenefitCategory ContractCommitmentDurationType
text    1.4 - m never ContractCommitmentFulfillmentInterval ContractCommitmentLifecycleStatus ContractCommitmentModel
text    1.4 - m never ContractCommitmentOfferCategory ContractCommitmentPaymentInterval
text    1.4 - m never ContractCommitmentPaymentModel InvoiceIssuerName ServiceProviderName
text    1.4 - c never PricingCurrency
json    1.4 - m never ContractCommitmentApplicability
"""

_INVOICE_DETAIL = """
decimal 1.4 - m never BilledCost
decimal 1.4 - c never PaymentCurrencyBilledCost
instant 1.4 - m never BillingPeriodEnd BillingPeriodStart InvoiceDetailCreated InvoiceDetailLastUpdated
instant 1.4 - m null  InvoiceIssueDate PaymentDueDate
text    1.4 - m never BillingAccountId BillingCurrency ChargeCategory InvoiceDetailId InvoiceId InvoiceIssueStatus
text    1.4 - m never InvoiceIssuerName PaymentTerms ReferenceInvoiceId
text    1.4 - m null  InvoiceDetailDescription
text    1.4 - c never PaymentCurrency PaymentCurrencyInvoiceDetailId
text    1.4 - c null  PurchaseOrderNumber
json    1.4 - m null  InvoiceDetailGrain
"""

_BILLING_PERIOD = """
instant 1.4 - m never BillingPeriodCreated BillingPeriodEnd BillingPeriodLastUpdated BillingPeriodStart
text    1.4 - m never BillingPeriodStatus InvoiceIssuerName
"""

_LEVELS = {"m": Level.MANDATORY, "c": Level.CONDITIONAL, "r": Level.RECOMMENDED}

# What was different in versions 1.2 and 1.3 about columns that 1.4 changed: level, and whether it may be null.
_BEFORE_1_4 = {
    "InvoiceId": (Level.RECOMMENDED, True),
    "BillingAccountType": (Level.CONDITIONAL, False),
    "PricingCurrency": (Level.CONDITIONAL, True),
    "PricingCurrencyEffectiveCost": (Level.CONDITIONAL, True),
}


def _read(table: str) -> Iterator[ColumnFacts]:
    for line in table.strip().splitlines():
        kind, introduced, removed, level, null, *names = line.split()
        for name in names:
            yield ColumnFacts(
                name, DataType(kind), introduced, removed.strip("-"), _LEVELS[level], nullable=null == "null"
            )


DATASETS: Mapping[str, Mapping[str, ColumnFacts]] = {
    COST_AND_USAGE: {facts.name: facts for facts in _read(_COST_AND_USAGE)},
    CONTRACT_COMMITMENT: {facts.name: facts for facts in _read(_CONTRACT_COMMITMENT)},
    INVOICE_DETAIL: {facts.name: facts for facts in _read(_INVOICE_DETAIL)},
    BILLING_PERIOD: {facts.name: facts for facts in _read(_BILLING_PERIOD)},
}
"""Every column by dataset and FOCUS Column ID, with the facts of the last version that has it."""


def columns(dataset: str, version: str) -> Mapping[str, ColumnFacts]:
    """The columns of a dataset as `version` defines them; empty where that version has no such dataset."""
    found = {name: facts for name, facts in DATASETS[dataset].items() if facts.in_version(version)}
    if dataset == COST_AND_USAGE and version < "1.4":
        for name, (level, nullable) in _BEFORE_1_4.items():
            if name in found:
                found[name] = replace(found[name], level=level, nullable=nullable)
    return found


VALUES: Mapping[str, tuple[str, ...]] = {
    "ChargeCategory": ("Usage", "Purchase", "Tax", "Credit", "Adjustment"),
    "ChargeClass": ("Correction",),
    "ChargeFrequency": ("One-Time", "Recurring", "Usage-Based"),
    "PricingCategory": ("Standard", "Dynamic", "Committed", "Other"),
    "CommitmentDiscountStatus": ("Used", "Unused"),
}
"""The allowed values of the columns that decide how a charge is treated."""
