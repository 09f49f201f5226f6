"""What each delivery is checked for: every check as a value, with what it looks at, what happens, and advice.

A check that refuses (`Behaviour.REFUSED`) refuses the whole delivery, unless the user asked for quarantine: then its
rows are kept aside and the rest is loaded. A check that accepts only writes a finding. How a row is found to break a
check is the business of the room that reads rows; which rows mean what is written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from apportion.focus.columns import COSTS
from apportion.focus.finding import Behaviour, Example, Finding

EXAMPLES = 10
"""How many examples a finding holds at most."""

_DATES = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that can be wrong. `basis` names the invariants (I1 to I12) and real-life problems (P1 to P10)."""

    code: str
    looks_at: tuple[str, ...]
    behaviour: Behaviour
    sentence: str
    advice: str
    basis: str = ""

    def finding(
        self,
        *,
        file: str,
        column: str,
        rows: int,
        examples: Iterable[Example] = (),
        detail: str = "",
        behaviour: Behaviour | None = None,
    ) -> Finding:
        """This check's finding in one column of one file; `detail` is added to the sentence."""
        sentence = f"{self.sentence} {detail}".rstrip()
        kept = tuple(examples)[:EXAMPLES]
        return Finding(self.code, behaviour or self.behaviour, sentence, self.advice, file, column, rows, kept)


def _refused(code: str, looks_at: tuple[str, ...], sentence: str, advice: str, basis: str = "") -> Check:
    return Check(code, looks_at, Behaviour.REFUSED, sentence, advice, basis)


def _accepted(code: str, looks_at: tuple[str, ...], sentence: str, advice: str, basis: str = "") -> Check:
    return Check(code, looks_at, Behaviour.ACCEPTED, sentence, advice, basis)


# Rows that cannot be charged.

COST_MISSING = _refused(
    "COST_MISSING",
    ("BilledCost", "EffectiveCost"),
    "The cost is null.",
    "Ask the provider for the amount; it is not zero until they say so.",
    "I1",
)
NUMBER_UNREADABLE = _refused(
    "NUMBER_UNREADABLE",
    COSTS,
    "The value is not a plain decimal number with at most 20 digits before the point.",
    "Write it with digits, a point and a minus only, for example -1234.5 or 1.81E-8.",
    "I1, P10",
)
CURRENCY_UNKNOWN = _refused(
    "CURRENCY_UNKNOWN",
    ("BillingCurrency",),
    "The currency is not an ISO 4217 code.",
    "Use a code such as USD; virtual currencies belong in PricingCurrency.",
    "P9",
)
BILLING_PERIOD_UNREADABLE = _refused(
    "BILLING_PERIOD_UNREADABLE",
    ("BillingPeriodStart",),
    "The start of the billing period is not a date-time.",
    "Write it as 2026-10-01T00:00:00Z.",
    "P10",
)
CHARGE_PERIOD_UNREADABLE = _refused(
    "CHARGE_PERIOD_UNREADABLE",
    ("ChargePeriodStart",),
    "The start of the charge period is not a date-time.",
    "Write it as 2026-10-01T00:00:00Z.",
    "P10",
)
CHARGE_PERIOD_REVERSED = _refused(
    "CHARGE_PERIOD_REVERSED",
    ("ChargePeriodStart", "ChargePeriodEnd"),
    "The charge period ends before it starts.",
    "Ask the provider which of the two is wrong.",
    "I9",
)
ROW_RAGGED = _refused(
    "ROW_RAGGED",
    (),
    "The row has more or fewer fields than the header, or a quotation mark out of place.",
    "Quote fields that hold the delimiter, and double quotation marks inside them.",
    "P10",
)

# How values are written.

NULL_SPELLED = _accepted(
    "NULL_SPELLED",
    (),
    "The text stands for null, and was read as null.",
    "Ask the provider to leave the field empty.",
    "P10",
)
INSTANT_FORM = _accepted(
    "INSTANT_FORM",
    _DATES,
    "The date-time is not written as 2026-10-01T00:00:00Z; without a zone it was read as UTC.",
    "Ask the provider for the T and the Z.",
    "P10",
)
DATE_UNREADABLE = _accepted(
    "DATE_UNREADABLE",
    ("BillingPeriodEnd", "ChargePeriodEnd"),
    "The value is not a date-time, and was read as null.",
    "Write it as 2026-10-01T00:00:00Z.",
    "P10",
)
NUMBER_ROUNDED = _accepted(
    "NUMBER_ROUNDED",
    COSTS,
    "The number has more than 18 decimals, and was rounded to 18, halves to the even digit.",
    "Nothing to do: what rounding changed in all is said here.",
    "P10",
)
VALUE_SPELLING = _accepted(
    "VALUE_SPELLING",
    ("ChargeCategory", "ChargeClass", "ChargeFrequency", "PricingCategory", "CommitmentDiscountStatus"),
    "The value is spelled differently from the one that FOCUS allows.",
    "Rules compare exactly: write the spelling as delivered, or let the rule ignore case.",
    "P10",
)
VALUE_UNKNOWN = _accepted(
    "VALUE_UNKNOWN",
    ("ChargeCategory", "ChargeClass", "ChargeFrequency", "PricingCategory", "CommitmentDiscountStatus"),
    "FOCUS knows no such value.",
    "Add a rule for it, or ask the provider what it means.",
    "P10",
)
TAGS_MALFORMED = _accepted(
    "TAGS_MALFORMED",
    ("Tags",),
    "The tags are not a JSON object, and count as no tags.",
    'Ask the provider for JSON such as {"team": "web"}.',
    "I11, P10",
)
TAGS_NESTED = _accepted(
    "TAGS_NESTED",
    ("Tags",),
    "A tag holds an object or a list; its value is that text.",
    "Tags should be flat: ask the provider.",
    "I11",
)
TAG_KEYS_REPEATED = _accepted(
    "TAG_KEYS_REPEATED",
    ("Tags",),
    "A tag key stands more than once in a row; the first one counts.",
    "Ask the provider for unique keys.",
    "I11",
)
TAG_KEYS_SIMILAR = _accepted(
    "TAG_KEYS_SIMILAR",
    ("Tags",),
    "Tag keys differ only by blanks or case; each is a key of its own.",
    "Name every spelling in the policy, or correct the tags at the source.",
    "I11, P10",
)

# What is missing or assumed.

COLUMN_MISSING = _accepted(
    "COLUMN_MISSING",
    (),
    "FOCUS demands this column, and the file lacks it.",
    "Add it to the export if rules or statements need it.",
    "P10",
)
COLUMN_EMPTY = _accepted(
    "COLUMN_EMPTY",
    ("InvoiceIssuerName", "BillingAccountId", "SubAccountId", "ServiceName", "ResourceId", "Tags"),
    "The column is null in every row.",
    "Check the export: rules over this column meet nothing.",
    "P10",
)
COLUMN_ASSUMED = _accepted(
    "COLUMN_ASSUMED",
    (),
    "The file lacks the column; its value was given by the user.",
    "Nothing to do; the assumption is part of the delivery.",
)
ASSUMPTION_UNUSED = _accepted(
    "ASSUMPTION_UNUSED",
    (),
    "The file has this column, so the assumed value was not used.",
    "Take the assumption out of the settings or the command.",
)
COLUMNS_DIFFER = _accepted(
    "COLUMNS_DIFFER",
    (),
    "The file's columns are not those of the delivery's first file.",
    "Check whether the export was changed half-way.",
    "P10",
)
BILLING_PERIOD_DERIVED = _accepted(
    "BILLING_PERIOD_DERIVED",
    ("BillingPeriodStart",),
    "The billing period is missing, and was taken from the month of the charge.",
    "Ask the provider for it: late charges belong to the month of their invoice.",
    "P4",
)
CHARGE_PERIOD_DERIVED = _accepted(
    "CHARGE_PERIOD_DERIVED",
    ("ChargePeriodStart",),
    "The start of the charge is missing, and was taken from its billing period.",
    "Dated rules apply as on the first day of the billing period.",
)
COST_NOT_GIVEN = _accepted(
    "COST_NOT_GIVEN",
    ("ListCost", "ContractedCost"),
    "The cost is null; it is never charged on, and left out of its total.",
    "Savings cannot be shown for these rows.",
    "I1, P1",
)
INVOICE_ID_MISSING = _accepted(
    "INVOICE_ID_MISSING",
    ("InvoiceId",),
    "The charge names no provider invoice.",
    "It is reconciled by issuer, billing account and billing period.",
    "P7",
)
ISSUER_SPELLINGS = _accepted(
    "ISSUER_SPELLINGS",
    ("InvoiceIssuerName",),
    "One provider's invoices come from several issuers, or one issuer is spelled in several ways.",
    "If they are one company, give it one name under issuer_aliases in apportion.yaml.",
    "P8",
)

# How rows fit together.

EFFECTIVE_COST_ZERO = _accepted(
    "EFFECTIVE_COST_ZERO",
    ("EffectiveCost", "BilledCost", "ChargeCategory"),
    "Usage is billed, but its EffectiveCost is 0.",
    "Charging on effective cost would lose these amounts: choose the cost basis billed for this source.",
    "I7, P1",
)
EFFECTIVE_COST_DIFFERS = _accepted(
    "EFFECTIVE_COST_DIFFERS",
    ("EffectiveCost", "BilledCost", "ChargeCategory", "CommitmentDiscountId"),
    "EffectiveCost differs from BilledCost though no commitment covers the charge.",
    "FOCUS 1.4 forbids it and older versions allow it for tax: check the cost basis of this source.",
    "I7, P1",
)
PURCHASE_EFFECTIVE_COST = _accepted(
    "PURCHASE_EFFECTIVE_COST",
    ("EffectiveCost", "ChargeCategory", "CommitmentDiscountId"),
    "The purchase of a commitment has an EffectiveCost; with the usage it covers it counts twice.",
    "Check whether usage refers to this commitment; if so, charge this source on billed cost.",
    "I6, P1",
)
COVERED_USAGE_BILLED = _accepted(
    "COVERED_USAGE_BILLED",
    ("BilledCost", "CommitmentDiscountStatus"),
    "Usage that a commitment covers is billed as well.",
    "Check the provider's invoice for the commitment.",
    "I6",
)
COMMITMENT_WITHOUT_ID = _accepted(
    "COMMITMENT_WITHOUT_ID",
    ("CommitmentDiscountId", "CommitmentDiscountStatus"),
    "Usage has a commitment status, but no commitment id.",
    "It cannot be followed back to its commitment.",
    "I10",
)
COMMITMENT_WITHOUT_STATUS = _accepted(
    "COMMITMENT_WITHOUT_STATUS",
    ("CommitmentDiscountStatus", "CommitmentDiscountId"),
    "Usage has a commitment id, but is neither Used nor Unused.",
    "It counts as ordinary usage.",
    "I10",
)
NEGATIVE_UNMARKED = _accepted(
    "NEGATIVE_UNMARKED",
    ("BilledCost", "EffectiveCost", "ChargeClass", "ChargeCategory"),
    "The cost is negative, but the row is neither a credit nor marked as a correction.",
    "Nothing to do: it lowers what its cost group pays.",
    "P5",
)
CORRECTION_IN_PERIOD = _accepted(
    "CORRECTION_IN_PERIOD",
    ("ChargeClass", "ChargePeriodStart", "BillingPeriodStart"),
    "The row is marked as a correction of an invoiced month, but lies in the month being billed.",
    "It is charged with its billing period.",
    "I9, P5",
)
LATE_USAGE = _accepted(
    "LATE_USAGE",
    ("ChargePeriodStart", "BillingPeriodStart", "ChargeClass"),
    "The charge is for a month before its billing period, and not marked as a correction.",
    "It is charged with its billing period, by the rules of its own month.",
    "I9, P4",
)
CHARGE_AFTER_BILLING = _accepted(
    "CHARGE_AFTER_BILLING",
    ("ChargePeriodStart", "BillingPeriodEnd"),
    "The charge starts after its billing period has ended.",
    "It is charged with its billing period; check whether it was bought in advance.",
    "I9",
)
CHARGE_PERIOD_EMPTY = _accepted(
    "CHARGE_PERIOD_EMPTY",
    ("ChargePeriodStart", "ChargePeriodEnd"),
    "The charge period ends at the instant it starts.",
    "Nothing to do: the end of a period is exclusive.",
    "I9",
)
BILLING_PERIOD_ODD = _accepted(
    "BILLING_PERIOD_ODD",
    ("BillingPeriodStart",),
    "The billing period does not start with the first instant of a month in UTC; it counts to the month it starts in.",
    "Check the time zone of the export.",
    "P10",
)
BILLING_PERIODS_SEVERAL = _accepted(
    "BILLING_PERIODS_SEVERAL",
    ("BillingPeriodStart",),
    "The delivery holds several billing periods; each row counts in its own.",
    "In mode overwrite each of them is replaced whole.",
    "P3, I12",
)
INVOICE_IN_SEVERAL_PERIODS = _accepted(
    "INVOICE_IN_SEVERAL_PERIODS",
    ("InvoiceId", "BillingPeriodStart"),
    "One provider invoice spans several billing periods.",
    "Its total is reconciled over all of them.",
    "I4",
)
UNIT_PRICE_DIFFERS = _accepted(
    "UNIT_PRICE_DIFFERS",
    ("ListCost", "ListUnitPrice", "ContractedCost", "ContractedUnitPrice", "PricingQuantity"),
    "The cost is not unit price times quantity.",
    "Nothing is charged on it; savings shown from it may be wrong.",
    "I2",
)

# The delivery as a set of files.

MANIFEST_ROWS_DIFFER = _accepted(
    "MANIFEST_ROWS_DIFFER",
    (),
    "The file has more rows than its manifest says.",
    "The rows were counted and trusted, not the manifest.",
    "P3",
)
MANIFEST_PERIOD_DIFFERS = _accepted(
    "MANIFEST_PERIOD_DIFFERS",
    ("BillingPeriodStart",),
    "Rows belong to other months than their manifest says.",
    "The rows were trusted, not the manifest.",
    "P3",
)
FILE_SKIPPED = _accepted(
    "FILE_SKIPPED",
    (),
    "The file lies in the delivered folder, but was not read.",
    "Name it in the manifest, or name it on the command line, if it holds charges.",
    "P2, P3",
)
FILE_WITHOUT_ROWS = _accepted(
    "FILE_WITHOUT_ROWS",
    (),
    "The file has columns, but no rows.",
    "Check the export if rows were expected.",
    "P3",
)

CHECKS: Mapping[str, Check] = {check.code: check for check in list(globals().values()) if isinstance(check, Check)}
"""Every check by its code, in the order of this file."""
