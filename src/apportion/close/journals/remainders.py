"""What nobody owns yet, set apart on the suspense cost center; what the policy keeps central stays where it is."""

from __future__ import annotations

from apportion.allocate.rule import Holder
from apportion.close import run as runs
from apportion.close.journals.before import DRAFT, Asked
from apportion.close.month import statements
from apportion.ledger.entry import Entry, EntryKind
from apportion.post.journal import NotPosted, not_posted
from apportion.post.passing_on import Head
from apportion.post.remainder import set_apart

_REASON = "nobody owns this cost any more"


def entries(asked: Asked) -> list[Entry]:
    """What is unallocated in the period's run, less what is set apart for the period already, in each currency.

    Raises `NotFoundError` before the first run, and `UnmappedError` without a suspense cost center.
    """
    run = runs.current(asked.workspace, asked.period)
    text = f"Unallocated cloud cost {asked.period}"
    apart: dict[str, NotPosted] = {}
    for entry in asked.before.standing(EntryKind.COST_TRANSFER):
        if entry.text == text:
            for posting in entry.postings:
                if posting.ref:
                    old = apart.get(posting.currency)
                    minor = posting.amount_minor + (old.minor if old else 0)
                    apart[posting.currency] = NotPosted(
                        posting.ref, Holder.UNALLOCATED, posting.currency, minor, _REASON
                    )
    stays: list[NotPosted] = []
    for each in not_posted(statements(run)):
        if each.holder is Holder.UNALLOCATED:
            before = apart.pop(each.currency, None)
            more = each.minor - (before.minor if before else 0)
            stays.append(NotPosted(each.statement, each.holder, each.currency, more, each.reason))
    stays += [NotPosted(old.statement, old.holder, old.currency, -old.minor, old.reason) for old in apart.values()]
    made = set_apart(Head(DRAFT, asked.last_day, asked.last_day, text), stays, asked.accounts)
    return [asked.posted(made, asked.period, asked.day)] if made else []
