"""From a cost group to the codes of the ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from apportion.allocate.rule import Target
from apportion.errors import UnmappedError
from apportion.ledger.account import Dimensions, LedgerAccount, dimensions
from apportion.organization.coding import Coding
from apportion.organization.cost_group import Tree
from apportion.periods import BillingPeriod
from apportion.post.terms import Terms


class Amount(Protocol):
    """A total in minor units of one currency."""

    @property
    def currency(self) -> str: ...
    @property
    def minor(self) -> int: ...


class Postable(Protocol):
    """What a journal asks of a document: a run's statement has it, and an issued invoice or note."""

    @property
    def number(self) -> object: ...
    @property
    def period(self) -> BillingPeriod: ...
    @property
    def holder(self) -> Target: ...
    @property
    def name(self) -> str: ...
    @property
    def coding(self) -> Coding: ...
    @property
    def totals(self) -> Sequence[Amount]: ...
    @property
    def policy_digest(self) -> str: ...
    @property
    def organization_digest(self) -> str: ...
    @property
    def snapshot_digest(self) -> str: ...


@dataclass(frozen=True, slots=True)
class PostingAccounts:
    """Ledger accounts by role; empty where the company has none. The settings' section ``ledger`` says what each does.

    `payer` says in which company, cost center, department and account the provider invoices were booked.
    `transferred_out` takes the cost off the payer, the two intercompany accounts stand between legal entities, and
    `suspense`, where there is one, takes the cost of groups that lack a code.
    """

    payer: Coding
    transferred_out: str
    intercompany_receivable: str = ""
    intercompany_payable: str = ""
    suspense: str = ""
    rounding: str = ""
    payables: str = ""
    accrued: str = ""
    prepaid: str = ""
    input_tax: str = ""
    output_tax: str = ""
    intercompany_revenue: str = ""
    intercompany_expense: str = ""
    intercompany_input_tax: str = ""
    intercompany_output_tax: str = ""
    exchange_gain: str = ""
    exchange_loss: str = ""
    exchange_rounding: str = ""
    statistical: str = ""
    suspense_cost_center: str = ""
    elimination_company: str = ""

    def code(self, role: str) -> str:
        """The code of a role. Raises `UnmappedError` where the settings name none."""
        found = str(getattr(self, role))
        if not found:
            raise UnmappedError(
                f"The settings name no ledger code for '{role}'.", advice=f"Add 'ledger: {role}: …' to the settings."
            )
        return found

    def at(self, role: str, partner: str = "") -> LedgerAccount:
        """The payer's account of a role, without a cost center. Raises `UnmappedError` where the settings name none."""
        return LedgerAccount(self.payer.company, self.code(role), partner=partner)

    @property
    def expense(self) -> LedgerAccount:
        """Where the provider invoices are booked: the payer's account, cost center and department."""
        payer = self.payer
        if not payer.ledger_account:
            raise UnmappedError(
                "The settings name no ledger account that provider invoices are booked on.",
                advice="Add 'payer: ledger_account: …' to the settings.",
            )
        return LedgerAccount(payer.company, payer.ledger_account, payer.cost_center, payer.department)

    @property
    def contra(self) -> LedgerAccount:
        """What takes cost off the payer, on its cost center and department. Raises `UnmappedError`."""
        payer = self.payer
        return LedgerAccount(payer.company, self.code("transferred_out"), payer.cost_center, payer.department)


@dataclass(frozen=True, slots=True)
class AccountRule:
    """Lines of a charge category, a service or both go to `account`; empty conditions fit every line.

    It holds for documents of periods that begin on `since` or later and before `until`.
    """

    account: str
    charge_category: str = ""
    service: str = ""
    company: str = ""
    since: date | None = None
    until: date | None = None

    def fits(self, company: str, charge_category: str, service: str, day: date) -> bool:
        """Is it about such a line of a document whose period begins on `day`?"""
        asked = (
            (self.company, company),
            (self.charge_category, charge_category),
            (self.service, service),
        )
        return (
            all(wanted in {"", given} for wanted, given in asked)
            and (self.since is None or self.since <= day)
            and (self.until is None or day < self.until)
        )


@dataclass(frozen=True, slots=True)
class LedgerMapping:
    """How documents come to their codes beyond their coding: the same tree that statements are made by.

    `rules` are asked in their order before the cost group's own account. `dimensions` holds the codes of each cost
    group's own dimensions, inherited down the tree. With `each_line`, every line of a document is a posting of its own.
    `charges` says by company code what other companies than the payer's are charged on top; one that is not in it takes
    its cost over as it is.
    """

    rules: tuple[AccountRule, ...] = ()
    dimensions: Mapping[str, Dimensions] = field(default_factory=dict)
    each_line: bool = False
    charges: Mapping[str, Terms] = field(default_factory=dict)

    def account(self, coding: Coding, charge_category: str, service: str, day: date) -> str:
        """The account of a line: that of the first rule that fits, else the coding's own."""
        for rule in self.rules:
            if rule.fits(coding.company, charge_category, service, day):
                return rule.account
        return coding.ledger_account


BY_CODING = LedgerMapping()  # nothing but each cost group's own coding


def tree_dimensions(tree: Tree, attributes: Mapping[str, str]) -> dict[str, Dimensions]:
    """The dimensions of every cost group of a tree, by its code: `attributes` names the attribute of each dimension.

    The tree has inherited them from above already. Raises `BadValueError` for a code that ledgers would change.
    """
    return {
        code: dimensions({name: tree[code].attribute(attribute) for name, attribute in attributes.items()})
        for code in tree
    }


def check_payer(accounts: PostingAccounts) -> None:
    """Raise `UnmappedError` when the payer's side has no transfer account or no cost center."""
    missing = [
        name
        for name, code in (
            ("ledger account for cost transferred out", accounts.transferred_out),
            ("cost center of the payer", accounts.payer.cost_center),
        )
        if not code
    ]
    if missing:
        raise UnmappedError(
            f"The settings name no {' and no '.join(missing)}.", advice="Add them to the settings of the workspace."
        )


def codings(
    statements: Iterable[Postable], accounts: PostingAccounts, by_rule: Collection[str] = ()
) -> dict[str, Coding]:
    """The coding to post each document with, by its number; those `by_rule` need no ledger account of their own.

    Ledger account and cost center must be there, and the company where the payer has one; the department may be
    empty. A group that lacks a code goes to the suspense account, with what it has and the payer's codes for the
    rest. Raises `UnmappedError` that names every such group and its missing codes where there is no suspense account.
    """
    found: dict[str, Coding] = {}
    faults: list[tuple[str, tuple[str, ...]]] = []
    for statement in statements:
        missing = _missing(statement.coding, accounts.payer)
        if str(statement.number) in by_rule:
            missing.remove("ledger account")
        if not missing:
            found[str(statement.number)] = statement.coding
        elif accounts.suspense:
            found[str(statement.number)] = Coding(
                company=statement.coding.company or accounts.payer.company,
                cost_center=statement.coding.cost_center or accounts.payer.cost_center,
                department=statement.coding.department,
                ledger_account=accounts.suspense,
            )
        else:
            faults.append((statement.holder.code, tuple(missing)))
    if faults:
        said = "; ".join(f"'{code}' ({', '.join(missing)})" for code, missing in faults)
        raise UnmappedError(
            f"Codes are missing for {len(faults)} cost group{'' if len(faults) == 1 else 's'}: {said}.",
            advice="Add them in the organization file, or name a suspense account in the settings.",
            groups=faults,
        )
    return found


def check_intercompany(companies: Iterable[str], accounts: PostingAccounts) -> None:
    """Raise `UnmappedError` when cost goes to other companies and an intercompany account is not named."""
    others = sorted(set(companies) - {accounts.payer.company})
    missing = [
        name
        for name, code in (
            ("receivable", accounts.intercompany_receivable),
            ("payable", accounts.intercompany_payable),
        )
        if not code
    ]
    if others and missing:
        raise UnmappedError(
            f"Cost goes to company {', '.join(others)}, but the settings name no intercompany "
            f"{' and no intercompany '.join(missing)} account.",
            advice="Add it to the settings of the workspace.",
        )


def _missing(coding: Coding, payer: Coding) -> list[str]:
    wanted = [("ledger account", coding.ledger_account), ("cost center", coding.cost_center)]
    if payer.company:
        wanted.insert(0, ("company", coding.company))
    return [name for name, code in wanted if not code]
