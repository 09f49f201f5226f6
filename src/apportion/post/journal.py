"""The canonical journal of a period: one cost transfer for each buying company and currency.

Every target is rendered from this journal and read back to it (`apportion.post.formats`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from hashlib import sha256

from apportion.allocate.rule import Holder
from apportion.errors import BadValueError, InputRefusedError
from apportion.ledger.account import tidy
from apportion.ledger.entry import UNDONE, Entry, EntryKind, Posting
from apportion.ledger.local import Local
from apportion.ledger.statistical import StatisticalEntry, StatisticalLine
from apportion.organization.coding import Coding
from apportion.periods import BillingPeriod
from apportion.post.charging import charge_entry, is_charged
from apportion.post.document import PostableDocument
from apportion.post.foreign import Quote, in_own_currency
from apportion.post.intercompany import eliminate, within_group
from apportion.post.mapping import (
    BY_CODING,
    AccountRule,
    LedgerMapping,
    Postable,
    PostingAccounts,
    check_intercompany,
    check_payer,
)
from apportion.post.passing_on import Head
from apportion.post.transfer import Placed, by_number, placed, postings, transfers

_POSTING = tuple(field.name for field in fields(Posting) if field.name != "local")
_LOCAL = tuple(field.name for field in fields(Local) if field.name != "rate_on")
_RULE = tuple(field.name for field in fields(AccountRule))
_CHARGING = (
    "intercompany_revenue",
    "intercompany_expense",
    "intercompany_input_tax",
    "intercompany_output_tax",
    "elimination_company",
)
_STATISTICAL = tuple(field.name for field in fields(StatisticalLine))


@dataclass(frozen=True, slots=True)
class Journal:
    """Entries of one billing period, each balanced in every company and currency.

    `source_hash` is SHA-256 over the statements and accounts that the journal was made from: the same ones give the
    same journal, id included. `statistical` are quantities for showback, never money. Raises `BadValueError` for two
    entries with one id, and for an id that texts cannot keep.
    """

    id: str
    period: BillingPeriod
    source_hash: str
    entries: tuple[Entry, ...]
    statistical: tuple[StatisticalEntry, ...] = ()

    def __post_init__(self) -> None:
        if self.id != tidy(self.id) or self.source_hash != tidy(self.source_hash):
            raise BadValueError(f"{self.id!r} cannot be the id of a journal, or its source hash is no hash.")
        ids = [entry.id for entry in self.entries] + [entry.id for entry in self.statistical]
        if len(set(ids)) != len(ids):
            raise BadValueError(f"Two entries of journal {self.id} have the same id.")

    @property
    def digest(self) -> str:
        """SHA-256 over everything in the journal: every text carries it, so that a change on the way is found."""
        return _sha256(
            [
                [self.id, str(self.period), self.source_hash],
                [_content(entry) for entry in self.entries],
                [_statistical(entry) for entry in self.statistical],
            ]
        )


@dataclass(frozen=True, slots=True)
class NotPosted:
    """What a statement shows in one currency and the journal leaves with the payer, and why; minor units."""

    statement: str
    holder: Holder
    currency: str
    minor: int
    reason: str


_STAYS = {
    Holder.UNALLOCATED: "nobody owns this cost yet, so it stays with the payer",
    Holder.KEPT_CENTRAL: "the policy keeps this cost with the payer",
}


def of_cost_groups(statements: Iterable[Postable]) -> list[Postable]:
    """The documents that a journal posts: those of cost groups, with an amount."""
    return [
        each
        for each in statements
        if each.holder.holder is Holder.COST_GROUP and any(total.minor for total in each.totals)
    ]


def not_posted(statements: Iterable[Postable]) -> tuple[NotPosted, ...]:
    """The amounts that have no line in the journal because they stay with the payer."""
    return tuple(
        NotPosted(
            str(statement.number),
            statement.holder.holder,
            total.currency,
            total.minor,
            _STAYS[statement.holder.holder],
        )
        for statement in statements
        if statement.holder.holder in _STAYS
        for total in statement.totals
    )


def journal(
    statements: Sequence[Postable],
    accounts: PostingAccounts,
    mapping: LedgerMapping = BY_CODING,
    posting_on: date | None = None,
    quotes: Mapping[tuple[str, str], Quote] | None = None,
    taken: Collection[str] = (),
) -> Journal:
    """The cost transfer of one period: debit each cost group's coding, credit the payer's transfer account.

    `statements` are documents of any kind; where `mapping` asks for their lines they are `PostableDocument`s. Documents
    with the same codes share a posting, unless each line is to have its own; amounts of zero are left out. Where the
    buying company is not the payer's, the payer's receivable and the buyer's payable keep both companies in balance;
    where `mapping.charges` has it, it is charged its documents with uplift and tax (see `charging`), and the charges
    are taken out of the group's books again if the accounts name an `elimination_company`.
    Unallocated and kept central stay with the payer (see `not_posted`). Both dates are the last day of the period;
    with `posting_on` in a later one, the entries say which period they belong to. `quotes`, by (company, currency),
    give postings in their company's own currency too (see `foreign.in_own_currency`). `taken` are the ids of earlier
    journals: what is posted anew after a reversal has ids of its own, so that a ledger does not take it for the first.

    Raises `UnmappedError` for missing codes and `InputRefusedError` for documents of several periods or of none, the
    same one twice, and showback, which is never posted, and `MissingRateError` where quotes are there for a part only.
    """
    period = _one_period(statements)
    _check_chargeback(statements)
    groups = of_cost_groups(statements)
    source_hash = _source_hash(statements, accounts, mapping, posting_on, quotes or {})
    journal_id, source_hash = _named(period, source_hash, taken)
    head = Head(journal_id, *_days(period, posting_on))
    made = _entries(head, period, placed(groups, accounts, mapping), accounts, mapping, quotes or {})
    if quotes:
        made = [in_own_currency(entry, quotes, accounts) for entry in made]
    return Journal(journal_id, period, source_hash, tuple(made))


def _entries(
    head: Head,
    period: BillingPeriod,
    found: Iterable[Placed],
    accounts: PostingAccounts,
    mapping: LedgerMapping,
    quotes: Mapping[tuple[str, str], Quote],
) -> list[Entry]:
    """One for each buying company and currency, then what eliminates the charges among them, for each currency."""
    pairs: dict[tuple[str, str], list[Placed]] = {}
    for each in found:
        pairs.setdefault((each.at.company, each.currency), []).append(each)
    at_cost = {
        pair: merged
        for pair, mine in pairs.items()
        if not is_charged(pair[0], accounts, mapping) and (merged := transfers(mine))
    }
    if at_cost:
        check_payer(accounts)
        check_intercompany((company for company, _ in at_cost), accounts)
    entries: list[Entry] = []
    charges: dict[str, list[Entry]] = {}
    for pair in sorted(pairs):
        company, currency = pair
        numbered = replace(head, id=f"{head.id}-{len(entries) + 1:04d}")
        if pair in at_cost:
            entries.append(_entry(numbered, period, postings(at_cost[pair], accounts, period)))
        elif is_charged(company, accounts, mapping):
            # Tax law wants the tax of each invoice in the seller's own currency: then each is converted by itself.
            apart = mapping.each_line or (accounts.payer.company, currency) in quotes
            named = replace(numbered, text=tidy(f"Cloud cost {period} charged to company {company}"))
            entry = charge_entry(named, pairs[pair], mapping.charges[company], accounts, period, apart=apart)
            if entry:
                entries.append(entry)
                charges.setdefault(currency, []).append(entry)
    if accounts.elimination_company:
        text = f"Elimination of charges between companies {period}"
        for _, mine in sorted(charges.items()):
            numbered = replace(head, id=f"{head.id}-{len(entries) + 1:04d}", text=text)
            if within_group(mine, accounts):
                entries.append(eliminate(numbered, mine, accounts))
    return entries


def of_entries(
    period: BillingPeriod,
    entries: Iterable[Entry] = (),
    statistical: Iterable[StatisticalEntry] = (),
    taken: Collection[str] = (),
) -> Journal:
    """A journal of entries made otherwise than from documents: accruals, vouchers, amortisation, showback.

    Its id and source hash are made from all that is in it, and from the ids among `taken` that stand for the same.
    Raises `BadValueError` for two entries with one id.
    """
    kept, counted = tuple(entries), tuple(statistical)
    journal_id, source_hash = _named(period, Journal("", period, "", kept, counted).digest, taken)
    return Journal(journal_id, period, source_hash, kept, counted)


def reversal(made: Journal, posting_on: date, taken: Collection[str] = ()) -> Journal:
    """A new journal that takes all of one back on a day: each of its entries mirrored, and linked by `reverses`.

    Of what took an accrual back, the accrual is entered again instead (see `Entry.again`). Together they bring every
    account with its dimensions to zero, and every statistical account. `taken` are the ids of earlier journals. Raises
    `InputRefusedError` for a journal that holds reversals of anything else.
    """
    counted = [
        StatisticalEntry(
            id=f"{entry.id}{UNDONE}",
            document_on=entry.document_on,
            posting_on=posting_on,
            text=f"Reversal of {entry.id}: {entry.text}" if entry.text else f"Reversal of {entry.id}",
            lines=tuple(replace(line, quantity_minor=-line.quantity_minor) for line in entry.lines),
            reverses=entry.id,
        )
        for entry in made.statistical
    ]
    return of_entries(made.period, [_undone(entry, posting_on) for entry in made.entries], counted, taken)


def _undone(entry: Entry, posting_on: date) -> Entry:
    takes_back = entry.reverses and entry.kind is EntryKind.ACCRUAL_REVERSAL
    return entry.again(posting_on) if takes_back else entry.reversal(posting_on)


def _named(period: BillingPeriod, source_hash: str, taken: Collection[str]) -> tuple[str, str]:
    """The id of a journal and its source hash; both of their own where earlier journals came from the same."""
    earlier: list[str] = []
    own = source_hash
    while (journal_id := f"JN-{period}-{own[:12]}") in taken:
        earlier.append(journal_id)
        own = _sha256([source_hash, earlier])
    return journal_id, own


def _one_period(statements: Sequence[Postable]) -> BillingPeriod:
    periods = {statement.period for statement in statements}
    if len(periods) != 1:
        raise InputRefusedError(
            f"A journal is made from the statements of one billing period, not of {len(periods)}.",
            advice="Write the statements of the period first." if not periods else "Make one journal a period.",
        )
    return periods.pop()


def _check_chargeback(documents: Iterable[Postable]) -> None:
    shown = [each.number for each in documents if isinstance(each, PostableDocument) and each.is_showback]
    if shown:
        raise InputRefusedError(
            f"{', '.join(shown)} is showback, which is never posted as money.",
            advice="Count it on a statistical account, or move the cost group to chargeback.",
        )


def _entry(head: Head, period: BillingPeriod, made: tuple[Posting, ...]) -> Entry:
    companies = dict.fromkeys(posting.company for posting in made)
    said = f" to company {next(iter(companies))}" if len(companies) > 1 else ""
    text = f"Cloud cost transfer {period}{said}"
    return Entry(head.id, head.document_on, head.posting_on, text, made, belongs_to=head.belongs_to)


def _days(period: BillingPeriod, posting_on: date | None) -> tuple[date, date, str, BillingPeriod | None]:
    """What every entry has in common: document date, posting date, no text yet, and the period where it is late."""
    last_day = period.ends_on - timedelta(days=1)
    day = posting_on or last_day
    return last_day, day, "", None if BillingPeriod.of(day) == period else period


def _source_hash(
    statements: Sequence[Postable],
    accounts: PostingAccounts,
    mapping: LedgerMapping,
    posting_on: date | None,
    quotes: Mapping[tuple[str, str], Quote],
) -> str:
    """SHA-256 over everything that a journal depends on, as canonical JSON."""
    source: dict[str, object] = {
        "accounts": {
            "payer": _codes(accounts.payer),
            "transferred_out": accounts.transferred_out,
            "intercompany_receivable": accounts.intercompany_receivable,
            "intercompany_payable": accounts.intercompany_payable,
            "suspense": accounts.suspense,
        },
        "statements": [
            {
                "number": str(statement.number),
                "holder": str(statement.holder.holder),
                "code": statement.holder.code,
                "name": statement.name,
                "coding": _codes(statement.coding),
                "totals": [[total.currency, total.minor] for total in statement.totals],
                "digests": [statement.policy_digest, statement.organization_digest, statement.snapshot_digest],
            }
            for statement in sorted(statements, key=by_number)
        ],
    }
    charged = {each.coding.company for each in statements if is_charged(each.coding.company, accounts, mapping)}
    if charged:
        source["charges"] = _charges(charged, accounts, mapping)
    if replace(mapping, charges={}) != BY_CODING:
        source["mapping"] = {
            "rules": [[str(getattr(rule, name) or "") for name in _RULE] for rule in mapping.rules],
            "dimensions": {code: own for code, own in mapping.dimensions.items() if own},
            "each_line": mapping.each_line,
        }
    if quotes:
        source["quotes"] = [
            [*pair, each.currency, each.rate, each.inverted, each.rate_on.isoformat(), each.source]
            for pair, each in sorted(quotes.items(), key=lambda item: item[0])
        ]
    if posting_on is not None:
        source["posting_on"] = posting_on.isoformat()
    return _sha256(source)


def _charges(companies: Iterable[str], accounts: PostingAccounts, mapping: LedgerMapping) -> list[object]:
    """The terms of these companies, and the accounts that only charges use."""
    terms = [(company, mapping.charges[company]) for company in sorted(companies)]
    return [
        [getattr(accounts, name) for name in _CHARGING],
        [
            [company, each.uplift, each.tax and [each.tax.rate, each.tax.code, each.tax.reverse_charge]]
            for company, each in terms
        ],
    ]


def _content(entry: Entry) -> list[object]:
    postings = [[*(getattr(posting, name) for name in _POSTING), _local(posting.local)] for posting in entry.postings]
    days = [entry.document_on.isoformat(), entry.posting_on.isoformat(), str(entry.belongs_to or "")]
    return [entry.id, str(entry.kind), *days, entry.text, entry.reverses, postings]


def _local(local: Local | None) -> list[object] | None:
    if local is None:
        return None
    return [*(getattr(local, name) for name in _LOCAL), local.rate_on.isoformat()]


def _statistical(entry: StatisticalEntry) -> list[object]:
    lines = [[getattr(line, name) for name in _STATISTICAL] for line in entry.lines]
    return [entry.id, entry.document_on.isoformat(), entry.posting_on.isoformat(), entry.text, entry.reverses, lines]


def _sha256(value: object) -> str:
    """SHA-256 over canonical JSON: texts and whole numbers only, never a float."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode("utf-8")).hexdigest()


def _codes(coding: Coding) -> list[str]:
    return [coding.company, coding.cost_center, coding.department, coding.ledger_account]
