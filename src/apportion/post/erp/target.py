"""What every ledger can be asked: one small interface, and nothing of it is about how often to try."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from apportion.post.erp.document import Document, Spot
from apportion.post.erp.errors import Rejection


class Standing(StrEnum):
    """Where an entry stands in the ledger."""

    DRAFT = "draft"
    POSTED = "posted"


@dataclass(frozen=True, slots=True)
class Found:
    """An entry of ours in the ledger: the ledger's own id for it, and its number once it is posted."""

    reference: str
    standing: Standing
    number: str = ""


@dataclass(frozen=True, slots=True)
class Holding:
    """An entry as the ledger holds it: amounts by account and kept codes, in minor units.

    `problems` are sentences about lines that the ledger itself does not call valid. `said` is the text it keeps.
    """

    reference: str
    standing: Standing
    number: str
    posting_on: date
    sums: Mapping[Spot, int]
    problems: tuple[str, ...] = ()
    reverses: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """The entry that a reversal takes back, as the ledger knows it."""

    reference: str
    number: str


@dataclass(frozen=True, slots=True)
class Traits:
    """What a kind of ledger can and cannot do.

    Where `drafts`, an entry is made first and posted after; else it is posted when it is made. Where `answers`, it can
    be asked what it holds; a folder cannot. `together` merges lines before they are sent. `trial_balance` is False
    where there is none to be had.
    """

    drafts: bool = True
    answers: bool = True
    together: bool = False
    trial_balance: bool = True


@dataclass(frozen=True, slots=True)
class Balance:
    """What a ledger adds up on an account, and cost centre where it can tell, over some days; minor units."""

    account: str
    cost_center: str
    amount_minor: int


class Target(Protocol):
    """A ledger. Methods raise `apportion.post.erp.errors` and nothing else; each does one thing once, never again.

    A method that writes may fail with `TargetSilentError`: then nobody knows, and `find` must be asked.
    """

    @property
    def name(self) -> str:
        """As the company calls it: part of every key."""

    @property
    def traits(self) -> Traits:
        """What it can do."""

    def check(self, documents: Sequence[Document]) -> tuple[Rejection, ...]:
        """What it would refuse, found by reading only: companies, accounts, codes, periods, lengths and digits."""

    def expected(self, document: Document) -> Mapping[Spot, int]:
        """The sums that `read` must show for a document that arrived whole."""

    def find(self, company: str, key: str) -> tuple[Found, ...]:
        """Every entry that carries the key, drafts included, oldest first."""

    def create(self, document: Document, key: str, reverses: Link | None) -> Found:
        """Make the entry, as a draft where there are any. Raises `RejectedError` when the ledger refuses it."""

    def post(self, company: str, reference: str) -> None:
        """Post a draft. Raises `RejectedError`, `ClosedPeriodError`, `UnknownReferenceError`."""

    def read(self, company: str, reference: str) -> Holding:
        """The entry as the ledger holds it now. Raises `UnknownReferenceError`."""

    def discard(self, company: str, reference: str) -> None:
        """Delete a draft; nothing happens where it is gone already. Raises `RejectedError` for a posted entry."""

    def trial_balance(self, company: str, since: date, until: date, accounts: Iterable[str]) -> tuple[Balance, ...]:
        """What everybody posted on these accounts on these days, both included."""
