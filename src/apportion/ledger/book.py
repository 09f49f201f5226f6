"""The book: every entry ever made, in order, and what they come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from apportion.errors import InputRefusedError, NotFoundError
from apportion.ledger.account import LedgerAccount
from apportion.ledger.entry import Entry


class Book:
    """Append-only. Nothing in it is changed or taken out; an entry is undone by its reversal alone."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries: dict[str, Entry] = {}
        self._reversals: dict[str, str] = {}
        self._balances: dict[tuple[LedgerAccount, str], int] = {}
        for entry in entries:
            self.append(entry)

    def append(self, entry: Entry) -> bool:
        """Add an entry; True if it is new, False if the very same entry is there already.

        Raises `InputRefusedError` for an id that stands for another entry, for a second reversal, and for a
        reversal that is not the mirror of its entry; `NotFoundError` for the reversal of an unknown entry. A
        refused entry leaves the book as it was.
        """
        there = self._entries.get(entry.id)
        if there == entry:
            return False
        if there is not None:
            raise InputRefusedError(
                f"The book has another entry under the id {entry.id}.",
                advice="Entries are never changed: reverse that one and add a new one.",
            )
        if entry.reverses:
            self._check_reversal(entry)
            self._reversals[entry.reverses] = entry.id
        self._entries[entry.id] = entry
        for posting in entry.postings:
            key = (posting.ledger_account, posting.currency)
            self._balances[key] = self._balances.get(key, 0) + posting.amount_minor
        return True

    def reverse(self, entry_id: str) -> Entry:
        """Add the reversal of an entry and return it. Raises as `append` does, and for an unknown id."""
        reversal = self[entry_id].reversal()
        self.append(reversal)
        return reversal

    def _check_reversal(self, entry: Entry) -> None:
        original = self[entry.reverses]
        if entry.reverses in self._reversals:
            raise InputRefusedError(
                f"Entry {entry.reverses} is reversed already, by {self._reversals[entry.reverses]}.",
                advice="An entry is reversed once.",
            )
        if entry.postings != original.reversal().postings:
            raise InputRefusedError(
                f"Entry {entry.id} is not the mirror of {entry.reverses}.",
                advice="Make the reversal with Entry.reversal().",
            )

    def __getitem__(self, entry_id: str) -> Entry:
        """The entry of that id. Raises `NotFoundError`."""
        try:
            return self._entries[entry_id]
        except KeyError:
            raise NotFoundError(f"The book has no entry {entry_id}.") from None

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries in the order they were added."""
        return tuple(self._entries.values())

    @property
    def balances(self) -> Mapping[tuple[LedgerAccount, str], int]:
        """Minor units of each (account with its dimensions, currency) that was ever posted to; zeros included."""
        return MappingProxyType(self._balances)

    def balance(self, account: str, currency: str, *, company: str | None = None) -> int:
        """Minor units on one account over all its dimensions, in one company or (None) in all of them."""
        return sum(
            amount
            for (at, of), amount in self._balances.items()
            if at.account == account and of == currency and company in {None, at.company}
        )
