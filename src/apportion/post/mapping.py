"""From a cost group to the codes of the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from apportion.errors import UnmappedError
from apportion.invoice.statement import Statement
from apportion.organization.coding import Coding


@dataclass(frozen=True, slots=True)
class PostingAccounts:
    """The payer's side of a cost transfer; empty where the company has no such account.

    `payer` says in which company, cost center and department the provider invoices were booked.
    `transferred_out` takes the cost off the payer, the two intercompany accounts stand between legal entities, and
    `suspense`, where there is one, takes the cost of groups that lack a code.
    """

    payer: Coding
    transferred_out: str
    intercompany_receivable: str = ""
    intercompany_payable: str = ""
    suspense: str = ""


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


def codings(statements: Iterable[Statement], accounts: PostingAccounts) -> dict[str, Coding]:
    """The coding to post each statement with, by cost group code.

    Ledger account and cost center must be there, and the company where the payer has one; the department may be
    empty. A group that lacks a code goes to the suspense account, with what it has and the payer's codes for the
    rest. Raises `UnmappedError` that names every such group and its missing codes where there is no suspense account.
    """
    found: dict[str, Coding] = {}
    faults: list[str] = []
    for statement in statements:
        missing = _missing(statement.coding, accounts.payer)
        if not missing:
            found[statement.holder.code] = statement.coding
        elif accounts.suspense:
            found[statement.holder.code] = Coding(
                company=statement.coding.company or accounts.payer.company,
                cost_center=statement.coding.cost_center or accounts.payer.cost_center,
                department=statement.coding.department,
                ledger_account=accounts.suspense,
            )
        else:
            faults.append(f"'{statement.holder.code}' ({', '.join(missing)})")
    if faults:
        raise UnmappedError(
            f"Codes are missing for {len(faults)} cost group{'' if len(faults) == 1 else 's'}: {'; '.join(faults)}.",
            advice="Add them in the organization file, or name a suspense account in the settings.",
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
