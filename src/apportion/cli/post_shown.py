"""Journals on a terminal and as JSON: what `apportion post` shows of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from apportion.cli.face import Face, option
from apportion.cli.tables import Column, table

if TYPE_CHECKING:
    from apportion.post.erp.book import Push
    from apportion.post.journal import Journal
    from apportion.records.journals import LedgerJournal
    from apportion.warehouse.store import Workspace

VERSION = 1
_Sides = dict[tuple[str, ...], list[int]]  # lines, debit and credit in minor units, by place


def words(of: str) -> str:
    """A kind or state as it is said: ``true up``, ``handed over``."""
    return str(of).replace("_", " ")


def command(place: Workspace, text: str) -> str:
    """A command that can be typed here."""
    return f"apportion {option(place)}{text}"


# As JSON.


def journal_document(row: LedgerJournal) -> dict[str, object]:
    """A journal of the books."""
    return {
        "id": row.journal_id,
        "number": row.label or "",
        "period": row.period,
        "kind": row.kind,
        "target": row.target,
        "state": row.state,
        "sha256": row.digest,
        "reference": row.reference,
        "reverses": str(row.reverses) if row.reverses else "",
        "reason": row.reason,
        "drawn_up_by": str(row.drawn_up_by),
        "approved_by": str(row.approved_by or ""),
        "repair": [dict(each) for each in row.repair],
    }


def push_document(push: Push) -> dict[str, object]:
    """One company's part of an entry on its way."""
    return {
        "entry": push.slot.entry,
        "company": push.slot.company,
        "key": push.key,
        "state": push.state,
        "number": push.number,
        "detail": push.detail,
    }


def balances_document(found: Journal) -> list[dict[str, object]]:
    """Debit and credit of each company and currency."""
    from apportion.money.currency import minor_text

    return [
        {
            "company": company,
            "currency": currency,
            "lines": lines,
            "debit": minor_text(debit, currency),
            "credit": minor_text(credit, currency),
            "balance": minor_text(debit - credit, currency),
        }
        for (company, currency), (lines, debit, credit) in sorted(_sides(found, "company", "currency").items())
    ]


def accounts_document(found: Journal) -> list[dict[str, object]]:
    """Debit and credit of each account in a company and currency, and what is counted on statistical accounts."""
    from apportion.money.currency import minor_text

    money = [
        {
            "company": company,
            "account": account,
            "currency": currency,
            "statistical": False,
            "lines": lines,
            "debit": minor_text(debit, currency),
            "credit": minor_text(credit, currency),
        }
        for (company, account, currency), (lines, debit, credit) in _accounts(found)
    ]
    counted = [
        {
            "company": company,
            "account": account,
            "currency": unit,
            "statistical": True,
            "lines": lines,
            "debit": minor_text(debit, unit),
            "credit": minor_text(credit, unit),
        }
        for (company, account, unit), (lines, debit, credit) in sorted(_counted(found).items())
    ]
    return [*money, *counted]


# As text.


def show_balances(face: Face, found: Journal) -> None:
    """A table of companies and currencies, each of which has to be zero."""
    from apportion.invoice.wording import grouped

    rows = [
        [company, currency, f"{lines:,}", *(grouped(each, currency) for each in (debit, credit, debit - credit))]
        for (company, currency), (lines, debit, credit) in sorted(_sides(found, "company", "currency").items())
    ]
    if rows:
        headings = ("Lines", "Debit", "Credit", "Balance")
        numbers = [Column(heading, is_number=True) for heading in headings]
        face.show(table([Column("Company"), Column("Currency"), *numbers], rows))


def show_accounts(face: Face, found: Journal) -> None:
    """A table of accounts, money first, then what is only counted."""
    from apportion.invoice.wording import grouped

    def cells(place: tuple[str, ...], lines: int, debit: int, credit: int) -> list[str]:
        currency = place[-1]
        return [
            *place,
            f"{lines:,}",
            grouped(debit, currency) if debit else "",
            grouped(credit, currency) if credit else "",
        ]

    numbers = [Column(heading, is_number=True) for heading in ("Lines", "Debit", "Credit")]
    money = [cells(place, *sides) for place, sides in _accounts(found)]
    if money:
        face.say()
        face.show(table([Column("Company"), Column("Account"), Column("Currency"), *numbers], money))
    counted = [cells(place, *sides) for place, sides in sorted(_counted(found).items())]
    if counted:
        face.say()
        face.say("Counted on statistical accounts, never money:")
        face.show(table([Column("Company"), Column("Account"), Column("Unit"), *numbers], counted))


def show_lines(face: Face, found: Journal) -> None:
    """Every posting of every entry."""
    from apportion.invoice.wording import grouped

    columns = [
        *(Column(heading) for heading in ("Line", "Company", "Account", "Center")),
        Column("Text", wraps=True),
        Column("Amount", is_number=True),
    ]
    for entry in found.entries:
        face.say()
        face.say(f"{entry.id}, {entry.posting_on}: {entry.text}")
        rows = [
            [
                str(number),
                line.company,
                line.account,
                line.cost_center,
                line.text,
                f"{grouped(line.amount_minor, line.currency)} {line.currency}",
            ]
            for number, line in enumerate(entry.postings, start=1)
        ]
        face.show(table(columns, rows))


def show_journal(face: Face, row: LedgerJournal) -> None:
    """What a journal is and how far it has come, in two lines."""
    about = f"{words(row.kind)} of {row.period} for {row.target}"
    face.say(f"Journal {row}: {about}; {words(row.state)}.", "bold")
    people = [f"Drawn up by {row.drawn_up_by}"]
    people += [f"approved by {row.approved_by}"] if row.approved_by else []
    people += [f"takes back {row.reverses}"] if row.reverses else []
    people += [f"in the ledger as {row.reference}"] if row.reference else []
    face.say(f"  {', '.join(people)}.")


def show_pushes(face: Face, pushes: Sequence[Push]) -> None:
    """Each entry's way into the ledger, company by company."""
    if not pushes:
        return
    rows = [[push.slot.entry, push.slot.company, words(push.state), push.number] for push in pushes]
    face.say()
    face.show(table([Column("Entry"), Column("Company"), Column("State"), Column("Ledger number")], rows))


def show_repair(face: Face, repair: Iterable[Mapping[str, Any]]) -> None:
    """What the ledger refused, line by line, each with what would help."""
    for each in repair:
        company = f", company {each['company']}" if each["company"] else ""
        line = f", line {each['line']}" if each["line"] else ""
        face.say(f"✗ {each['entry']}{company}{line}: {each['code']}", "red")
        face.say(f"    {each['sentence']}")
        if each["advice"]:
            face.say(f"    {each['advice']}")


def next_step(place: Workspace, row: LedgerJournal) -> str:
    """What somebody does now, as a sentence with a command; empty where nothing is left."""
    from apportion.actions.post import ledgers
    from apportion.post.lifecycle import PENDING, JournalState

    person = "--as EMAIL"
    if row.state in PENDING and row.target not in ledgers.targets(place.settings):
        return f"The settings do not know the target '{row.target}' any more: bring it back, or withdraw the journal."
    carried = not ledgers.is_pushed(place.settings, row.target)
    match JournalState(row.state):
        case JournalState.DRAWN_UP:
            return f"Next, by somebody else: {command(place, f'post approve {row} {person}')}"
        case JournalState.APPROVED:
            act = "export" if carried else "push"
            return f"Next: {command(place, f'post {act} {row} {person}')}"
        case JournalState.HANDED_OVER if _is_to_be_pushed(place, row):
            return f"Next: {command(place, f'post push {row} {person}')}"
        case JournalState.HANDED_OVER:
            text = f"post confirm {row} --reference NUMBER {person}"
            return f"Next, when the ledger has taken it: {command(place, text)}"
        case JournalState.POSTED:
            text = f"ledger verify --target {row.target} --period {row.period} {person}"
            return f"Next: {command(place, text)}"
        case JournalState.WITHDRAWN if row.kind != "reversal":
            kind = "" if row.kind == "transfer" else f" --kind {row.kind.replace('_', '-')}"
            return f"Next, when it is put right: {command(place, f'post draw-up {row.period}{kind} {person}')}"
        case _:
            return ""


def _is_to_be_pushed(place: Workspace, row: LedgerJournal) -> bool:
    """Once more, after it was handed over: what answers is asked by that, else until all of it was sent."""
    from apportion.actions.post import ledgers
    from apportion.actions.post.journals import content
    from apportion.actions.post.push_book import unsent

    if not ledgers.is_pushed(place.settings, row.target):
        return False
    return ledgers.answers(place.settings, row.target) or bool(unsent(row.target, content(row)))


def _sides(found: Journal, *names: str) -> _Sides:
    sums: _Sides = {}
    for entry in found.entries:
        for line in entry.postings:
            _count(sums, tuple(getattr(line, name) for name in names), line.amount_minor)
    return sums


def _accounts(found: Journal) -> list[tuple[tuple[str, ...], list[int]]]:
    return sorted(_sides(found, "company", "account", "currency").items())


def _counted(found: Journal) -> _Sides:
    sums: _Sides = {}
    for entry in found.statistical:
        for line in entry.lines:
            _count(sums, (line.company, line.account, line.unit), line.quantity_minor)
    return sums


def _count(sums: _Sides, place: tuple[str, ...], amount: int) -> None:
    row = sums.setdefault(place, [0, 0, 0])
    row[0] += 1
    row[1 if amount > 0 else 2] += abs(amount)
