"""The canonical journal of a period: one cost transfer for each buying company and currency.

Every target is rendered from this journal and read back to it (`apportion.post.formats`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from hashlib import sha256

from apportion.allocate.rule import Holder
from apportion.errors import BadValueError, InputRefusedError
from apportion.invoice.statement import Statement
from apportion.ledger.account import tidy
from apportion.ledger.entry import Entry, Posting
from apportion.organization.coding import Coding
from apportion.periods import BillingPeriod
from apportion.post.mapping import PostingAccounts, check_intercompany, check_payer, codings

# Above this many names a line's text says how many there are; the numbers of their statements are in its `ref`.
_NAMES = 3

_POSTING = tuple(field.name for field in fields(Posting))


@dataclass(frozen=True, slots=True)
class Journal:
    """Entries of one billing period, each balanced in every company and currency.

    `source_hash` is SHA-256 over the statements and accounts that the journal was made from: the same ones give the
    same journal, id included. Raises `BadValueError` for two entries with one id, and for an id that texts cannot keep.
    """

    id: str
    period: BillingPeriod
    source_hash: str
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        if self.id != tidy(self.id) or self.source_hash != tidy(self.source_hash):
            raise BadValueError(f"{self.id!r} cannot be the id of a journal, or its source hash is no hash.")
        ids = [entry.id for entry in self.entries]
        if len(set(ids)) != len(ids):
            raise BadValueError(f"Two entries of journal {self.id} have the same id.")

    @property
    def digest(self) -> str:
        """SHA-256 over everything in the journal: every text carries it, so that a change on the way is found."""
        content = [self.id, str(self.period), self.source_hash, [_content(entry) for entry in self.entries]]
        return _sha256(content)


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


def not_posted(statements: Iterable[Statement]) -> tuple[NotPosted, ...]:
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


@dataclass(frozen=True, slots=True)
class _Transfer:
    """What one coding takes over in one currency, and from which statements."""

    coding: Coding
    currency: str
    minor: int
    names: tuple[str, ...]
    numbers: tuple[str, ...]


def journal(statements: Sequence[Statement], accounts: PostingAccounts) -> Journal:
    """The cost transfer of one period: debit each cost group's coding, credit the payer's transfer account.

    Statements with the same coding share a line, and lines of zero are left out. Where the buying company is not
    the payer's, the payer's receivable and the buyer's payable keep both companies in balance. Unallocated and kept
    central stay with the payer (see `not_posted`). Both dates are the last day of the period. Raises
    `UnmappedError` for missing codes and `InputRefusedError` for statements of several periods or of none.
    """
    period = _one_period(statements)
    groups = [
        statement
        for statement in statements
        if statement.holder.holder is Holder.COST_GROUP and any(total.minor for total in statement.totals)
    ]
    source_hash = _source_hash(statements, accounts)
    journal_id = f"JN-{period}-{source_hash[:12]}"
    transfers = _transfers(groups, codings(groups, accounts))
    if transfers:
        check_payer(accounts)
        check_intercompany((transfer.coding.company for transfer in transfers), accounts)
    last_day = period.ends_on - timedelta(days=1)
    pairs = sorted({(transfer.coding.company, transfer.currency) for transfer in transfers})
    entries = tuple(
        _entry(
            f"{journal_id}-{count:04d}",
            last_day,
            _postings([each for each in transfers if (each.coding.company, each.currency) == pair], accounts, period),
        )
        for count, pair in enumerate(pairs, start=1)
    )
    return Journal(journal_id, period, source_hash, entries)


def _one_period(statements: Sequence[Statement]) -> BillingPeriod:
    periods = {statement.period for statement in statements}
    if len(periods) != 1:
        raise InputRefusedError(
            f"A journal is made from the statements of one billing period, not of {len(periods)}.",
            advice="Write the statements of the period first." if not periods else "Make one journal a period.",
        )
    return periods.pop()


def _transfers(groups: Sequence[Statement], coded: dict[str, Coding]) -> list[_Transfer]:
    """Statements added up by coding and currency, in the order of their numbers; sums of zero left out."""
    merged: dict[tuple[Coding, str], _Transfer] = {}
    for statement in sorted(groups, key=lambda statement: statement.number):
        for total in statement.totals:
            if total.minor == 0:
                continue
            key = (coded[statement.holder.code], total.currency)
            old = merged.get(key, _Transfer(*key, 0, (), ()))
            merged[key] = _Transfer(
                *key,
                old.minor + total.minor,
                (*old.names, tidy(statement.name)),
                (*old.numbers, str(statement.number)),
            )
    return [transfer for transfer in merged.values() if transfer.minor]


def _postings(transfers: Sequence[_Transfer], accounts: PostingAccounts, period: BillingPeriod) -> tuple[Posting, ...]:
    """The postings of one buying company and currency: buyer first, sorted by account and dimension, then the payer."""
    buyer, currency = transfers[0].coding.company, transfers[0].currency
    payer = accounts.payer
    whole = sum(transfer.minor for transfer in transfers)
    postings = [
        Posting(
            account=transfer.coding.ledger_account,
            company=buyer,
            cost_center=transfer.coding.cost_center,
            department=transfer.coding.department,
            currency=currency,
            amount_minor=transfer.minor,
            text=_text(period, transfer.names),
            ref=" ".join(transfer.numbers),
        )
        for transfer in sorted(
            transfers,
            key=lambda each: (each.coding.ledger_account, each.coding.cost_center, each.coding.department),
        )
    ]
    if buyer != payer.company:
        said = f"Cloud cost {period} between companies"
        postings.append(
            Posting(accounts.intercompany_payable, buyer, "", "", currency, -whole, text=said, partner=payer.company)
        )
        postings.append(
            Posting(accounts.intercompany_receivable, payer.company, "", "", currency, whole, text=said, partner=buyer)
        )
    postings.append(
        Posting(
            account=accounts.transferred_out,
            company=payer.company,
            cost_center=payer.cost_center,
            department=payer.department,
            currency=currency,
            amount_minor=-whole,
            text=f"Cloud cost {period} transferred out",
        )
    )
    return tuple(posting for posting in postings if posting.amount_minor)


def _text(period: BillingPeriod, names: Sequence[str]) -> str:
    said = ", ".join(names) if len(names) <= _NAMES else f"{len(names)} cost groups"
    return tidy(f"Cloud cost {period}: {said}")


def _entry(entry_id: str, day: date, postings: tuple[Posting, ...]) -> Entry:
    companies = dict.fromkeys(posting.company for posting in postings)
    said = f" to company {next(iter(companies))}" if len(companies) > 1 else ""
    return Entry(entry_id, day, day, f"Cloud cost transfer {day:%Y-%m}{said}", postings)


def _source_hash(statements: Sequence[Statement], accounts: PostingAccounts) -> str:
    """SHA-256 over everything that a journal depends on, as canonical JSON."""
    source = {
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
            for statement in sorted(statements, key=lambda statement: statement.number)
        ],
    }
    return _sha256(source)


def _content(entry: Entry) -> list[object]:
    postings = [[getattr(posting, name) for name in _POSTING] for posting in entry.postings]
    days = [entry.document_on.isoformat(), entry.posting_on.isoformat()]
    return [entry.id, *days, entry.text, entry.reverses, postings]


def _sha256(value: object) -> str:
    """SHA-256 over canonical JSON: texts and whole numbers only, never a float."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode("utf-8")).hexdigest()


def _codes(coding: Coding) -> list[str]:
    return [coding.company, coding.cost_center, coding.department, coding.ledger_account]
