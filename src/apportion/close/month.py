"""The stages of a close after allocation, each from the run before it, and all of them in order."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path

from apportion.close import corrections
from apportion.close import run as runs
from apportion.close.run import Run
from apportion.invoice.convert import convert
from apportion.invoice.statement import Statement
from apportion.invoice.statement import statements as make_statements
from apportion.money.exchange import Exchange
from apportion.organization.coding import Coding
from apportion.organization.cost_group import Tree
from apportion.periods import BillingPeriod
from apportion.post import checking, master_data
from apportion.post.charging import on_top
from apportion.post.document import PostableDocument, of_statement
from apportion.post.foreign import Quote, quote
from apportion.post.journal import Journal, of_cost_groups
from apportion.post.journal import journal as make_journal
from apportion.post.mapping import AccountRule, LedgerMapping, PostingAccounts, tree_dimensions
from apportion.post.rules import PostingCalendar
from apportion.post.tax import Tax
from apportion.post.terms import Terms
from apportion.reconcile.provider_invoice import provider_invoices
from apportion.settings import Settings
from apportion.tie_out import InCurrency, TieOut
from apportion.tie_out import tie_out as compare
from apportion.warehouse import duckdb as engine
from apportion.warehouse.store import Workspace


@dataclass(frozen=True, slots=True)
class Month:
    """Everything a close came to."""

    run: Run
    statements: tuple[Statement, ...]
    journal: Journal
    tie_out: TieOut


def statements(run: Run) -> tuple[Statement, ...]:
    """One statement for each holder with cost, in its cost group's currency. Raises `MissingRateError`."""
    made = make_statements(run.allocation, run.tree, run.policy, run.settings.statement_prefix, run.former)
    return convert(made, run.allocation.lines, run.tree, run.exchange)


def journal(run: Run, made: Sequence[Statement]) -> Journal:
    """The balanced journal of the period's statements. Raises `UnmappedError`."""
    documents = [of_statement(each) for each in made]
    return make_journal(
        documents,
        posting_accounts(run.settings),
        ledger_mapping(run.settings, run.tree),
        quotes=own_quotes(run.settings, documents, run.exchange),
    )


def tie_out(workspace: Workspace, run: Run, made: Sequence[Statement], posted: Journal) -> TieOut:
    """Every stage of the period beside every other, and each difference."""
    period = run.period
    totals = workspace.totals(period)
    mapping = ledger_mapping(run.settings, run.tree)
    documents = of_cost_groups([of_statement(each) for each in made]) if mapping.charges else []
    return compare(
        period,
        totals,
        provider_invoices(totals, workspace.provider_invoices(period)),
        [rows for _, rows in workspace.quarantined(period)],
        run.allocation,
        made,
        posted,
        reporting=_reporting(run),
        unsealed=corrections.unsealed(run.directory / corrections.EARLIER),
        on_top=on_top(posted.entries, documents, posting_accounts(run.settings), mapping),
    )


def _reporting(run: Run) -> InCurrency | None:
    exchange = run.settings.exchange
    return InCurrency(exchange.reporting_currency, run.exchange) if exchange else None


def month(workspace: Workspace, run: Run) -> Month:
    """All stages of a run."""
    made = statements(run)
    posted = journal(run, made)
    return Month(run, made, posted, tie_out(workspace, run, made, posted))


def close(
    workspace: Workspace, period: BillingPeriod, *, seal: bool = True, progress: Callable[[int], None] = lambda _: None
) -> Month:
    """Allocate, state, journal and tie out a period, and seal it for ever if the tie-out holds.

    Raises `TieOutError` where it does not; the run is kept then, so that its differences can be looked at. A
    sealed period is replayed and must come out the same.
    """
    with workspace.lock(f"close {period}"):
        done = month(workspace, runs.allocate(workspace, period, progress))
        done.tie_out.require()
        if seal and workspace.sealed(period) is None:
            workspace.seal(period, sealed_record(done))
    return done


def sealed_record(done: Month) -> dict[str, str]:
    """What a sealed period is pinned by: digests of inputs and results, and the versions that made them."""
    allocation = done.run.allocation
    return {
        "run_digest": done.run.digest,
        "snapshot_digest": allocation.snapshot_digest,
        "policy_digest": allocation.policy_digest,
        "organization_digest": allocation.organization_digest,
        "journal_id": done.journal.id,
        "software": f"apportion {importlib.metadata.version('apportion')}",
        "engine": engine.version(),
    }


def posting_accounts(settings: Settings) -> PostingAccounts:
    """The payer's side of the journal, from the settings."""
    payer, ledger = settings.payer, settings.ledger
    roles = {field.name: getattr(ledger, field.name) for field in fields(PostingAccounts) if field.name != "payer"}
    return PostingAccounts(Coding(payer.company, payer.cost_center, payer.department, payer.ledger_account), **roles)


def require_ledger_takes(settings: Settings, root: Path, posted: Journal) -> None:
    """Check a journal by the ledger's master data, where the settings name some, before anything of it is written.

    `root` is the workspace's. Raises `JournalRefusedError` that lists every line, and what reading master data raises.
    """
    if settings.ledger.master_data:
        checking.require(posted, master_data.load(root / settings.ledger.master_data))


def own_quotes(
    settings: Settings, documents: Sequence[PostableDocument], exchange: Exchange
) -> dict[tuple[str, str], Quote]:
    """The rates into companies' own currencies that documents need, by (company, currency of the documents).

    Only companies that the settings give a currency have one, and nothing is converted into itself. Raises
    `MissingRateError`.
    """
    companies = {settings.payer.company, *(document.coding.company for document in documents)}
    if companies & settings.ledger.charges.keys():
        companies.add(settings.ledger.elimination_company)
    currencies = {total.currency for document in documents for total in document.totals}
    return {
        (company, currency): quote(exchange.rate(currency, own))
        for company in sorted(companies)
        if (own := settings.ledger.currencies.get(company, ""))
        for currency in sorted(currencies - {own})
    }


def posting_calendar(settings: Settings, root: Path, today: date) -> PostingCalendar:
    """When the ledger takes postings: the cut-off of the settings, and the periods of the ledger's master data.

    A period is open where every company's is; without master data of periods, all are. Raises what reading them raises.
    """
    ledger = settings.ledger
    periods = master_data.load(root / ledger.master_data).periods if ledger.master_data else None

    def is_open(period: BillingPeriod) -> bool:
        said = [is_open for (_, at), is_open in (periods or {}).items() if at == period]
        return periods is None or (bool(said) and all(said))

    return PostingCalendar(today, ledger.cut_off, settings.fiscal_year_starts, is_open)


def ledger_mapping(settings: Settings, tree: Tree) -> LedgerMapping:
    """How documents come to their codes beyond their coding, from the settings and the tree of their period.

    Raises `BadValueError` for an attribute that cannot be a dimension.
    """
    ledger = settings.ledger
    return LedgerMapping(
        rules=tuple(
            AccountRule(rule.account, rule.charge_category, rule.service, rule.company, rule.since, rule.until)
            for rule in ledger.accounts
        ),
        dimensions=tree_dimensions(tree, ledger.dimensions) if ledger.dimensions else {},
        each_line=ledger.lines == "each",
        charges={company: charge_terms(settings, company) for company in ledger.charges},
    )


def charge_terms(settings: Settings, company: str) -> Terms:
    """What a company of the group is charged on top of cost, where the settings say so."""
    said = settings.ledger.charges[company]
    tax = said.tax
    code = tax.code or settings.ledger.tax_code if tax else ""
    return Terms(said.uplift, Tax(tax.rate, code, tax.reverse_charge) if tax else None)
