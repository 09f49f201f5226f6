"""The checks of rows as SQL over a staged file: a condition for each check that the columns allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from apportion.focus import checks
from apportion.focus.checks import Check
from apportion.warehouse import duckdb as engine
from apportion.warehouse import intake_flags
from apportion.warehouse import intake_translate as translate
from apportion.warehouse.intake_values import Instant, Number
from apportion.warehouse.snapshot import ChargeFile

Conditions = Iterator[tuple[tuple[Check, str], str]]

_UNREADABLE = {
    "BillingPeriodStart": checks.BILLING_PERIOD_UNREADABLE,
    "ChargePeriodStart": checks.CHARGE_PERIOD_UNREADABLE,
    "BillingPeriodEnd": checks.DATE_UNREADABLE,
    "ChargePeriodEnd": checks.DATE_UNREADABLE,
}
_MISSING = {
    "BilledCost": checks.COST_MISSING,
    "EffectiveCost": checks.COST_MISSING,
    "ListCost": checks.COST_NOT_GIVEN,
    "ContractedCost": checks.COST_NOT_GIVEN,
}
_STARTS = {
    "BillingPeriodStart": checks.BILLING_PERIOD_DERIVED,
    "ChargePeriodStart": checks.CHARGE_PERIOD_DERIVED,
}
# Unit prices are delivered rounded: what differs by less than a cent, or by less than a ten-thousandth, is no finding.
_PRICE_TOLERANCE = "greatest(0.01, 0.0001 * abs({cost}))"


class CheckedFile:
    """What conditions are made of: the file's columns, its staged costs and date-times, and the marks it has."""

    def __init__(
        self, file: ChargeFile, numbers: Mapping[str, Number], instants: Mapping[str, Instant], *, translated: bool
    ) -> None:
        self._file, self._numbers, self._instants, self._translated = file, numbers, instants, translated

    def conditions(self) -> Conditions:
        """Every check that the file's columns allow, with the SQL that is true in rows that break it."""
        yield from self._of_costs()
        yield from self._of_instants()
        yield from self._of_periods()
        if {"BilledCost", "EffectiveCost"} <= self._numbers.keys() and self._has("ChargeCategory"):
            yield from self._of_amounts()
        if self._has("CommitmentDiscountId") and self._has("CommitmentDiscountStatus"):
            yield from self._of_commitments()

    def _of_costs(self) -> Conditions:
        for name, number in self._numbers.items():
            if not self._translated:
                if number.unreadable:
                    yield (checks.NUMBER_UNREADABLE, name), number.unreadable
                if number.rounded:
                    yield (checks.NUMBER_ROUNDED, name), number.rounded
            yield (_MISSING[name], name), number.missing + self._unless(checks.NUMBER_UNREADABLE, name)

    def _of_instants(self) -> Conditions:
        starts = [self._instants[name] for name in _STARTS if name in self._instants]
        neither = " AND ".join(instant.missing for instant in starts)
        for name, instant in self._instants.items():
            unreadable = []
            if not self._translated:
                if instant.odd_form:
                    yield (checks.INSTANT_FORM, name), instant.odd_form
                unreadable += [sql for sql in (instant.unreadable, name in _STARTS and instant.out_of_range) if sql]
            if name == "BillingPeriodStart":
                unreadable.append(neither + self._unless(_UNREADABLE[name], name))
            if unreadable:
                yield (_UNREADABLE[name], name), " OR ".join(f"({sql})" for sql in unreadable)
        for name, check in _STARTS.items():
            if name in self._instants:
                yield (check, name), self._instants[name].missing + self._unless(_UNREADABLE[name], name)
        if "BillingPeriodStart" not in self._instants and neither:
            yield (checks.BILLING_PERIOD_UNREADABLE, "BillingPeriodStart"), neither

    def _of_periods(self) -> Conditions:
        start, end = self._instant("ChargePeriodStart"), self._instant("ChargePeriodEnd")
        if start and end:
            yield (checks.CHARGE_PERIOD_REVERSED, "ChargePeriodEnd"), f"{end} < {start}"
            yield (checks.CHARGE_PERIOD_EMPTY, "ChargePeriodEnd"), f"{end} = {start}"
        billed_from, billed_to = self._instant("BillingPeriodStart"), self._instant("BillingPeriodEnd")
        if start and billed_from:
            correction = f"{self._text('ChargeClass')} = 'Correction'" if self._has("ChargeClass") else "FALSE"
            yield (checks.LATE_USAGE, "ChargePeriodStart"), f"{start} < {billed_from} AND ({correction}) IS NOT TRUE"
            yield (checks.CORRECTION_IN_PERIOD, "ChargeClass"), f"{start} >= {billed_from} AND {correction}"
        if start and billed_to:
            yield (checks.CHARGE_AFTER_BILLING, "ChargePeriodStart"), f"{start} >= {billed_to}"

    def _of_amounts(self) -> Conditions:
        billed, effective = self._comparable("BilledCost", "EffectiveCost")
        category, commitment = self._text("ChargeCategory"), self._text("CommitmentDiscountId")
        uncovered = f"{commitment} IS NULL" if commitment else "TRUE"
        lost = f"{billed} > 0 AND {effective} = 0 AND {category} = 'Usage'"
        yield (checks.EFFECTIVE_COST_ZERO, "EffectiveCost"), lost
        yield (
            (checks.EFFECTIVE_COST_DIFFERS, "EffectiveCost"),
            f"{effective} <> {billed} AND ({category} IN ('Tax', 'Credit') OR ({category} = 'Usage' AND {uncovered})) "
            f"AND NOT ({lost})",
        )
        unmarked = f"AND {self._text('ChargeClass')} IS NULL" if self._has("ChargeClass") else ""
        yield (
            (checks.NEGATIVE_UNMARKED, "BilledCost"),
            f"({billed} < 0 OR {effective} < 0) AND {category} <> 'Credit' {unmarked}",
        )
        if commitment:
            yield (
                (checks.PURCHASE_EFFECTIVE_COST, "EffectiveCost"),
                f"{category} = 'Purchase' AND {commitment} IS NOT NULL AND {effective} <> 0",
            )
        if status := self._text("CommitmentDiscountStatus"):
            yield (
                (checks.COVERED_USAGE_BILLED, "BilledCost"),
                f"{category} = 'Usage' AND {status} IS NOT NULL AND {billed} <> 0",
            )

    def _of_commitments(self) -> Conditions:
        commitment, status = self._text("CommitmentDiscountId"), self._text("CommitmentDiscountStatus")
        usage = f"{self._text('ChargeCategory')} = 'Usage'" if self._has("ChargeCategory") else "TRUE"
        yield (
            (checks.COMMITMENT_WITHOUT_ID, "CommitmentDiscountId"),
            f"{status} IS NOT NULL AND {commitment} IS NULL AND {usage}",
        )
        yield (
            (checks.COMMITMENT_WITHOUT_STATUS, "CommitmentDiscountStatus"),
            f"{commitment} IS NOT NULL AND {status} IS NULL AND {usage}",
        )

    def sampled(self) -> Conditions:
        """Checks that cost too much for every row, and tell enough on the first rows of a file."""
        quantity = self._double("PricingQuantity")
        for name, price in (("ListCost", "ListUnitPrice"), ("ContractedCost", "ContractedUnitPrice")):
            unit_price = self._double(price)
            if name in self._numbers and quantity and unit_price:
                # float: a plausibility check, no amount leaves it
                cost = f"{self._numbers[name].plain}::DOUBLE"
                tolerance = _PRICE_TOLERANCE.format(cost=cost)
                plain = f"{self._text('ChargeClass')} IS NULL AND " if self._has("ChargeClass") else ""
                yield (
                    (checks.UNIT_PRICE_DIFFERS, name),
                    f"{plain}abs({unit_price} * {quantity} - {cost}) > {tolerance}",
                )

    # What the file has.

    def _has(self, name: str) -> bool:
        return self._file.column(name) is not None

    def _text(self, name: str) -> str:
        column = self._file.column(name)
        return f"({engine.text(column)})" if column else ""

    def _double(self, name: str) -> str:
        column = self._file.column(name)
        if column is None or not column.physical:
            return ""
        return f"TRY_CAST({engine.raw(column)} AS DOUBLE)"

    def _instant(self, name: str) -> str:
        return self._instants[name].value if name in self._instants else ""

    def _comparable(self, one: str, other: str) -> tuple[str, str]:
        """Two costs as they can be compared exactly: as they lie in the file where they are of one type."""
        numbers = self._numbers[one], self._numbers[other]
        if numbers[0].kind and numbers[0].kind == numbers[1].kind:
            return numbers[0].plain, numbers[1].plain
        return numbers[0].value, numbers[1].value

    def _unless(self, check: Check, name: str) -> str:
        """What the translation marked as unreadable is not missing as well."""
        if self._translated:
            return f" AND {translate.FLAGS} & {intake_flags.bit(check, name)} = 0"
        return ""
