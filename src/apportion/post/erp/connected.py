"""What targets that are called over a network share: companies, axes, amounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from apportion.money.currency import minor_text
from apportion.post.erp.calling import Number
from apportion.post.erp.document import Document, DocumentLine, Spot
from apportion.post.erp.errors import RejectedError, Rejection
from apportion.post.erp.pace import Patience


@dataclass(frozen=True, slots=True)
class Setup:
    """How a company writes to its ledger.

    `name` is its own for this target. `companies` says what the ledger calls each of our company codes. `axes` says
    under which of the ledger's dimensions each of our codes goes (``cost_center``, ``department`` or a dimension);
    codes without an axis stay here. `options` are the target's own, such as the journal to post in. `parties` says who
    an intercompany partner is in the ledger; without one, the partner's company code is used.
    """

    name: str
    companies: Mapping[str, str]
    axes: Mapping[str, str] = field(default_factory=lambda: {"cost_center": "cost_center"})
    options: Mapping[str, str] = field(default_factory=dict)
    parties: Mapping[str, str] = field(default_factory=dict)
    patience: Patience = field(default_factory=Patience)

    def theirs(self, company: str) -> str:
        """What the ledger calls one of our companies. Raises `RejectedError` for one that it was not told about."""
        if company not in self.companies:
            raise RejectedError([_strange("", company, self.name)])
        return self.companies[company]

    def codes(self, line: DocumentLine) -> dict[str, str]:
        """The codes of a line by the ledger's axis."""
        return {self.axes[name]: code for name, code in line.codes if name in self.axes}

    def ours(self, axis: str) -> str:
        """Our name for one of the ledger's axes; empty where none of ours goes there."""
        return next((name for name, theirs in self.axes.items() if theirs == axis), "")

    def kept(self, document: Document) -> dict[Spot, int]:
        """What must be read back where the ledger keeps every axis on every account."""
        return document.sums(self.axes)


def keyed(key: str, text: str, most: int = 0) -> str:
    """The text of an entry: its key first, so that it can be looked up. Only our own words are ever shortened."""
    said = f"{key} {text}".strip()
    return said[: most - 1] + "…" if most and len(said) > most else said


def side(amount_minor: int, currency: str) -> tuple[Number, Number]:
    """Debit and credit, neither below zero."""
    text = Number(minor_text(abs(amount_minor), currency))
    nothing = Number("0")
    return (text, nothing) if amount_minor >= 0 else (nothing, text)


def signed(amount_minor: int, currency: str) -> Number:
    """An amount that is below zero for a credit."""
    return Number(minor_text(amount_minor, currency))


def unknown(
    document: Document, known: Iterable[str], setup: Setup, codes: Mapping[str, frozenset[str]]
) -> list[Rejection]:
    """Lines on accounts that the ledger does not have, or with codes that an axis of it does not have."""
    accounts = frozenset(known)
    found = []
    for line in document.lines:
        if line.account not in accounts:
            found.append(
                document.rejection(
                    line.number,
                    "UNKNOWN_ACCOUNT",
                    f"Company {document.company} has no open account {line.account} in {setup.name}.",
                    "Open it in the ledger, or give the cost group another ledger account.",
                )
            )
        for axis, code in setup.codes(line).items():
            if code not in codes.get(axis, frozenset()):
                found.append(
                    document.rejection(
                        line.number,
                        "UNKNOWN_CODE",
                        f"{axis} has no open code {code} in {setup.name}.",
                        "Open it in the ledger, or give the cost group another code.",
                    )
                )
    return found


def strange_company(document: Document, setup: Setup) -> Rejection:
    """A company that the target was not told about."""
    return _strange(document.entry, document.company, setup.name)


def _strange(entry: str, company: str, name: str) -> Rejection:
    said = f"Company {company or 'without a code'} is not one of {name}'s."
    advice = "Say what the ledger calls it in the target's settings, or push its entries elsewhere."
    return Rejection(entry, company, 0, "UNKNOWN_COMPANY", said, advice)


def wrong_currency(document: Document, setup: Setup, theirs: str) -> Rejection:
    """Books in another currency than we were told."""
    return document.rejection(
        0,
        "WRONG_CURRENCY",
        f"Company {document.company} keeps its books in {theirs} in {setup.name}, and this is in {document.currency}.",
        "Say in the settings which currency the company keeps its books in, and give rates of exchange.",
    )


def too_many_digits(document: Document, most: int, setup: Setup) -> list[Rejection]:
    """Amounts beyond the digits that the ledger keeps exactly."""
    return [
        document.rejection(
            line.number,
            "TOO_MANY_DIGITS",
            f"{minor_text(line.amount_minor, document.currency)} has more digits than {setup.name} keeps.",
            "Divide the posting.",
        )
        for line in document.lines
        if abs(line.amount_minor) >= 10**most
    ]


def closed(document: Document, setup: Setup) -> Rejection:
    """A posting day in no open period."""
    return document.rejection(
        0,
        "PERIOD_CLOSED",
        f"{setup.name} has no open period for {document.posting_on} in company {document.company}.",
        "Open the period there, or export the journal with a posting day in an open one.",
    )


def parts(found: Sequence[object], size: int) -> Iterable[Sequence[object]]:
    """Long lists in pieces, for ledgers that answer so many at a time."""
    return (found[start : start + size] for start in range(0, len(found), size))
