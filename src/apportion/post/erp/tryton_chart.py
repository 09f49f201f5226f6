"""The master data of a Tryton company that a document touches, and what Tryton would refuse of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from apportion.money.currency import exponent
from apportion.post.erp import connected
from apportion.post.erp.connected import Setup
from apportion.post.erp.document import Document, DocumentLine
from apportion.post.erp.errors import Rejection, TargetRubbishError

Rows = Callable[[str, list[Any], list[str]], list[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Account:
    """An account that may be posted on. Those of profit and loss take an analytic line for every root, others none."""

    id: int
    is_analytic: bool
    needs_party: bool
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """A period of the company's fiscal year."""

    id: int
    starts_on: date
    ends_on: date
    is_open: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """What a document needs to be written in Tryton's own ids."""

    currency: str
    digits: int
    journal: int | None
    accounts: Mapping[str, Account]
    roots: tuple[str, ...]
    analytic: Mapping[tuple[str, str], int]
    parties: Mapping[str, int]
    currencies: Mapping[str, int]
    periods: tuple[Period, ...]

    def period(self, day: date) -> int | None:
        """The open period of a day."""
        found = (each.id for each in self.periods if each.is_open and each.starts_on <= day <= each.ends_on)
        return next(found, None)

    def refused(self, document: Document, setup: Setup) -> list[Rejection]:
        """Line by line, what Tryton would refuse, and what it would take and leave incomplete."""
        found: list[Rejection] = []
        if self.currency != document.currency:
            found.append(connected.wrong_currency(document, setup, self.currency))
        if self.digits < exponent(document.currency):
            said = f"{setup.name} keeps {self.digits} decimals of {document.currency}."
            found.append(document.rejection(0, "TOO_MANY_DECIMALS", said, "Correct the currency there."))
        if self.journal is None:
            said = f"{setup.name} has no journal {journal_of(setup)}."
            found.append(document.rejection(0, "UNKNOWN_JOURNAL", said, "Name one that it has in the settings."))
        if self.period(document.posting_on) is None:
            found.append(connected.closed(document, setup))
        codes: dict[str, set[str]] = {}
        for root, code in self.analytic:
            codes.setdefault(root, set()).add(code)
        known = {root: frozenset(each) for root, each in codes.items()}
        open_ones = [code for code, account in self.accounts.items() if not account.is_closed]
        found += connected.unknown(document, open_ones, setup, known)
        for line in document.lines:
            if line.account in self.accounts:
                found += self._line(document, line, setup)
        return found

    def _line(self, document: Document, line: DocumentLine, setup: Setup) -> list[Rejection]:
        found = []
        account = self.accounts[line.account]
        missing = [root for root in self.roots if root not in setup.codes(line)] if account.is_analytic else []
        for root in missing:
            ours = setup.ours(root)
            said = f"Account {line.account} needs a code of {root}" + (
                f", and the line has no {ours}." if ours else "."
            )
            advice = f"Give the cost group a {ours}." if ours else f"Say in the settings which code goes to {root}."
            found.append(
                document.rejection(line.number, "MISSING_CODE", said.replace("_", " "), advice.replace("_", " "))
            )
        party = setup.parties.get(line.partner, line.partner)
        if account.needs_party and party not in self.parties:
            said = f"Account {line.account} needs a party, and {setup.name} has none with the code '{party}'."
            found.append(
                document.rejection(line.number, "MISSING_PARTY", said, "Say in the settings who the partner is.")
            )
        if line.second and line.second[0] not in self.currencies:
            said = f"{setup.name} has no currency {line.second[0]}."
            found.append(document.rejection(line.number, "WRONG_CURRENCY", said, "Add the currency there."))
        return found


def journal_of(setup: Setup) -> str:
    """The code of the journal that is posted in."""
    return setup.options.get("journal", "") or "MISC"


def read_chart(rows: Rows, company: int, document: Document, setup: Setup) -> Chart:
    """Read what one document needs. Raises `TargetRubbishError` for rows without their fields."""
    try:
        return _read(rows, company, document, setup)
    except (KeyError, TypeError, ValueError) as error:
        raise TargetRubbishError(
            f"{setup.name} answers with rows that lack {error}.",
            advice="Is it version 7 or 8 of Tryton, with account and analytic_account?",
        ) from None


def _read(rows: Rows, company: int, document: Document, setup: Setup) -> Chart:
    (own,) = rows("company.company", [["id", "=", company]], ["currency.code", "currency.digits"])
    journals = rows("account.journal", [["code", "=", journal_of(setup)]], ["code"])
    wanted = sorted({line.account for line in document.lines})
    of_company = ["company", "=", company]
    accounts = rows(
        "account.account",
        [of_company, ["code", "in", wanted], ["type", "!=", None]],
        ["code", "type.statement", "party_required", "closed"],
    )
    roots = rows("analytic_account.account", [of_company, ["parent", "=", None]], ["code"])
    codes = sorted({code for line in document.lines for code in setup.codes(line).values()})
    of_normal = ["type", "=", "normal"]
    analytic = rows("analytic_account.account", [of_company, of_normal, ["code", "in", codes]], ["code", "root.code"])
    partners = sorted({setup.parties.get(line.partner, line.partner) for line in document.lines if line.partner})
    parties = rows("party.party", [["code", "in", partners]], ["code"]) if partners else []
    others = sorted({line.second[0] for line in document.lines if line.second})
    currencies = rows("currency.currency", [["code", "in", others]], ["code"]) if others else []
    day = document.posting_on
    on_day = {"__class__": "date", "year": day.year, "month": day.month, "day": day.day}
    periods = rows(
        "account.period",
        [of_company, ["type", "=", "standard"], ["start_date", "<=", on_day], ["end_date", ">=", on_day]],
        ["start_date", "end_date", "state"],
    )
    return Chart(
        currency=own["currency."]["code"],
        digits=own["currency."]["digits"],
        journal=journals[0]["id"] if journals else None,
        accounts={
            row["code"]: Account(
                row["id"], row["type."]["statement"] == "income", bool(row["party_required"]), bool(row["closed"])
            )
            for row in accounts
        },
        roots=tuple(str(row["code"] or row["id"]) for row in roots),
        analytic={(row["root."]["code"], row["code"]): row["id"] for row in analytic},
        parties={row["code"]: row["id"] for row in parties},
        currencies={row["code"]: row["id"] for row in currencies},
        periods=tuple(
            Period(row["id"], _date(row["start_date"]), _date(row["end_date"]), row["state"] == "open")
            for row in periods
        ),
    )


def _date(value: Mapping[str, int]) -> date:
    return date(value["year"], value["month"], value["day"])
