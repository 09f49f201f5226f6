"""What targets with a REST interface share: the checks by their master data, and how a refusal becomes an error."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, auto
from typing import Any, ClassVar, NoReturn

from apportion.post.erp import connected
from apportion.post.erp.calling import Answer, Caller, Limits
from apportion.post.erp.connected import Setup
from apportion.post.erp.document import Document, Spot
from apportion.post.erp.errors import (
    ClosedPeriodError,
    NotAuthorisedError,
    RejectedError,
    Rejection,
    TargetBusyError,
    UnknownReferenceError,
)
from apportion.post.erp.reading import row_of, rubbish
from apportion.post.erp.secret import Secret
from apportion.post.erp.target import Balance, Found, Holding, Link, Traits

_OPEN = "Open the period there, or export the journal with a posting day in an open one."
_REPAIR = "Repair it in the ledger's set-up or in the mapping, then push again."


class Kind(Enum):
    """What a refusal is about."""

    REFUSED = auto()
    CLOSED = auto()
    DENIED = auto()
    BUSY = auto()
    MISSING = auto()
    FAILED = auto()  # the ledger itself failed: nobody knows what was done


@dataclass(frozen=True, slots=True)
class Books:
    """The master data of a company that a document touches: the ledger's ids by code.

    `locked_on` is the last day of closed periods. `journal` is empty where the journal that was named is unknown.
    """

    currency: str
    accounts: Mapping[str, str]
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    locked_on: date | None = None
    journal: str = "-"


@dataclass(frozen=True)
class Rest(ABC):
    """A ledger behind one address. Subclasses say how their interface is spoken."""

    url: str
    setup: Setup
    key: Secret
    limits: Limits = field(default_factory=Limits)
    certificates: str = ""
    _known: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    title: ClassVar[str]
    digits: ClassVar[int] = 15  # what a binary number on their side keeps exactly
    capabilities: ClassVar[Traits] = Traits()
    text_most: ClassVar[int] = 0

    @property
    def name(self) -> str:
        """See `Target`."""
        return self.setup.name

    @property
    def traits(self) -> Traits:
        """See `Target`."""
        return self.capabilities

    def check(self, documents: Sequence[Document]) -> tuple[Rejection, ...]:
        """See `Target`."""
        self._known.clear()
        found: list[Rejection] = []
        for document in documents:
            if document.company not in self.setup.companies:
                found.append(connected.strange_company(document, self.setup))
                continue
            books = self.books(document)
            if books.currency != document.currency:
                found.append(connected.wrong_currency(document, self.setup, books.currency))
            if not books.journal:
                said = f"{self.name} has no such journal as its settings name."
                found.append(document.rejection(0, "UNKNOWN_JOURNAL", said, "Name one that it has."))
            if books.locked_on and document.posting_on <= books.locked_on:
                found.append(connected.closed(document, self.setup))
            codes = {axis: frozenset(books.codes.get(axis, ())) for axis in self.setup.axes.values()}
            found += connected.unknown(document, books.accounts, self.setup, codes)
            found += connected.too_many_digits(document, self.digits, self.setup)
            found += self._texts(document)
        return tuple(found)

    def expected(self, document: Document) -> Mapping[Spot, int]:
        """See `Target`."""
        return self.setup.kept(document)

    @abstractmethod
    def find(self, company: str, key: str) -> tuple[Found, ...]:
        """See `Target`."""

    @abstractmethod
    def create(self, document: Document, key: str, reverses: Link | None) -> Found:
        """See `Target`."""

    @abstractmethod
    def post(self, company: str, reference: str) -> None:
        """See `Target`."""

    @abstractmethod
    def read(self, company: str, reference: str) -> Holding:
        """See `Target`."""

    @abstractmethod
    def discard(self, company: str, reference: str) -> None:
        """See `Target`."""

    @abstractmethod
    def trial_balance(self, company: str, since: date, until: date, accounts: Iterable[str]) -> tuple[Balance, ...]:
        """See `Target`."""

    @abstractmethod
    def books(self, document: Document) -> Books:
        """The master data that a document touches, read from the ledger."""

    @abstractmethod
    def kind(self, status: int, told: Mapping[str, Any]) -> tuple[Kind, str]:
        """What a refusal is about, and its sentences."""

    def headers(self, method: str, url: str) -> Mapping[str, str]:
        """What each request carries."""
        return {"Authorization": f"Bearer {self.key.text}"}

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What must never be told."""
        return (self.key,)

    def ask(self, method: str, path: str, *, document: Document | None = None, reads: bool = False, **how: Any) -> Any:
        """One request and the JSON that it gives, None without any; requests that read are repeated for a while."""
        answer = self.answer(method, path, document=document, reads=reads, **how)
        return answer.json() if answer.body else None

    def answer(
        self, method: str, path: str, *, document: Document | None = None, reads: bool = False, **how: Any
    ) -> Answer:
        """One request. Raises what its refusal says."""
        caller = Caller(self.url, self.title, self.headers, self.secrets, self.limits, self.certificates)

        def call() -> Answer:
            answer = caller.call(method, path, **how)
            if not 200 <= answer.status < 300:
                self._refused(answer, caller, document)
            return answer

        return self.setup.patience(call) if reads or method == "GET" else call()

    def _refused(self, answer: Answer, caller: Caller, document: Document | None) -> NoReturn:
        told = row_of(answer.json(), self.title) if answer.body[:1] == b"{" else {}
        kind, said = self.kind(answer.status, told)
        said = caller.told(" ".join(said.split())[:500])
        if kind is Kind.FAILED or not said:
            if kind is Kind.MISSING:
                raise UnknownReferenceError(f"{self.name} has no such entry.", advice="Push the journal again.")
            caller.uncertain(answer)
            raise rubbish(self.title, f"status {answer.status} and no reason")
        if kind is Kind.BUSY:
            raise TargetBusyError(f"{self.name} is busy: {said}", advice="Push again; nothing is posted twice.")
        if kind is Kind.DENIED:
            raise NotAuthorisedError(f"{self.name}: {said}", advice="Let the key's user make and post entries.")
        if kind is Kind.MISSING:
            raise UnknownReferenceError(f"{self.name}: {said}", advice="Push the journal again.")
        entry, company = (document.entry, document.company) if document else ("", "")
        if kind is Kind.CLOSED:
            raise ClosedPeriodError([Rejection(entry, company, 0, "PERIOD_CLOSED", said, _OPEN)])
        raise RejectedError([Rejection(entry, company, 0, "REFUSED", said, _REPAIR)])

    def _texts(self, document: Document) -> list[Rejection]:
        """Texts that the ledger would cut."""
        if not self.text_most:
            return []
        return [
            document.rejection(
                line.number,
                "TEXT_TOO_LONG",
                f"The text of the line has {len(line.text)} characters; {self.name} keeps {self.text_most}.",
                "Shorten the names that it is made of.",
            )
            for line in document.lines
            if len(line.text) > self.text_most
        ]


def by_code(rows: Sequence[Mapping[str, Any]], code: str, value: str) -> dict[str, str]:
    """Ids by code."""
    return {str(row[code]): str(row[value]) for row in rows if row.get(code)}


def accounts_of(document: Document) -> list[str]:
    """The accounts of a document, each once."""
    return sorted({line.account for line in document.lines})


def codes_of(document: Document, setup: Setup) -> dict[str, list[str]]:
    """The codes of a document by the ledger's axis."""
    found: dict[str, set[str]] = {}
    for line in document.lines:
        for axis, code in setup.codes(line).items():
            found.setdefault(axis, set()).add(code)
    return {axis: sorted(codes) for axis, codes in found.items()}
