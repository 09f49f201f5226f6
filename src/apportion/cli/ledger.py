"""``apportion ledger``: is what was posted still there, and can the targets of the settings be used?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from apportion.cli import site
from apportion.cli.arguments import OnlyPeriod
from apportion.cli.face import Face
from apportion.cli.failures import BOOKS_DIFFER, REFUSED, mistake_document, mistake_line

if TYPE_CHECKING:
    from apportion.actions.post.invoiced import Recharge
    from apportion.actions.post.target_checks import TargetLook
    from apportion.actions.post.verifying import Verified
    from apportion.post.erp.read_back import AccountRow

ABOUT = "Verify what ledgers hold, and check the targets."
VERSION = 1


def verify(
    face: Face,
    target: Annotated[
        str, typer.Option("--target", metavar="NAME", help="Only this target; else all that were handed a journal.")
    ] = "",
    period: OnlyPeriod = None,
    acting: site.As = "",
) -> None:
    """Compare ledgers with the books: posted = invoiced.

    Each entry is read again, and the ledger's own trial balance stands beside our sums: "ours" is what was posted,
    "held" what the ledger shows of it, "total" what everybody posted on the account, "others" the rest. The GL recharge
    rate is how much of what was invoiced the ledger shows as passed on.

    Targets of files cannot be asked: the files in the workspace are verified instead. Nothing is changed in a ledger;
    what came of it is noted in the audit chain. Exit status 3 where anything differs.

    \b
    Examples:
      apportion ledger verify --as ada@example.com
      apportion ledger verify --target books --period 2026-10 --as ada@example.com
    """
    place = site.boot(face)
    from apportion.actions.post import ledgers, verifying
    from apportion.errors import InputRefusedError
    from apportion.records.journals import LedgerJournal

    actor = site.actor(acting)
    rows = LedgerJournal.objects.filter(handed_over_at__isnull=False, state__in=("handed_over", "posted", "reversed"))
    rows = rows.filter(period=str(period)) if period else rows
    used = set(rows.values_list("target", flat=True))
    known = ledgers.targets(place.settings)
    names = [target] if target else [*(name for name in known if name in used), *sorted(used - set(known))]
    if not names:
        raise InputRefusedError(
            f"Nothing was handed over to a ledger yet{f' for {period}' if period else ''}.",
            advice="Look at what waits with: apportion post status",
        )
    found = []
    for name in names:
        found.append(verifying.verify(actor, name, [period] if period else []))
        if len(found) > 1:
            face.say()
        _show(face, found[-1])
    holds = all(each.holds for each in found)
    face.give(
        {
            "document": "ledger_verify",
            "version": VERSION,
            "holds": holds,
            "targets": [_document(each) for each in found],
        }
    )
    if not holds:
        raise typer.Exit(BOOKS_DIFFER)


def targets(
    face: Face,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask any ledger; look at the settings alone.")] = (
        False
    ),
) -> None:
    """List the targets, and whether each can be used.

    Secrets, files, folders and formats are checked; then each ledger is asked a question that changes nothing there, so
    address, certificate, secret and companies are known to be right. Exit status 1 where a target cannot be used.

    \b
    Examples:
      apportion ledger targets
      apportion ledger targets --offline
    """
    site.boot(face)
    from apportion.actions.post.target_checks import looks
    from apportion.cli.tables import Column, table

    found = looks(asked=not offline)
    sound = not any(each.faults for each in found)
    face.give(
        {
            "document": "ledger_targets",
            "version": VERSION,
            "sound": sound,
            "targets": [_target_document(each) for each in found],
        }
    )
    cells = [[each.name, each.title, each.where, _kinds(each), _state(each)] for each in found]
    columns = [
        Column("Target"),
        Column("Kind"),
        Column("Where", wraps=True),
        Column("Journals", wraps=True),
        Column("State", wraps=True),
    ]
    face.show(table(columns, cells))
    for each in found:
        for fault in each.faults:
            face.say(f"✗ {mistake_line(fault)}", "red")
    if not sound:
        raise typer.Exit(REFUSED)


def _show(face: Face, found: Verified) -> None:
    from apportion.cli.amounts import count

    style = "bold green" if found.holds else "bold red"
    size = count(len(found.journals), "journal")
    over = f" ({found.since} to {found.until})" if found.since else ""
    if not found.holds:
        face.say(f"✗ {found.target}: {size} looked at{over}, and something differs from the books.", style)
    elif found.asked:
        face.say(f"✓ {found.target} holds what was posted: {size}{over}.", style)
    else:
        face.say(f"✓ {found.target}: what was handed over is what the books say, {size}.", style)
    for sentence in found.remarks:
        face.say(f"  {sentence}")
    _show_rows(face, found.rows)
    if found.recharges:
        face.say()
        for each in found.recharges:
            face.say(_rate_line(each))
    if found.differences:
        face.say()
        for sentence in found.differences:
            face.say(f"✗ {sentence}", "red")
        face.say("Put it right in the ledger, or reverse the journal and post it anew; then verify again.")


def _show_rows(face: Face, rows: tuple[AccountRow, ...]) -> None:
    """A table for each company, so that long amounts fit beside each other."""
    from apportion.cli.tables import Column, table
    from apportion.invoice.wording import grouped

    numbers = [Column(heading, is_number=True) for heading in ("Ours", "Held", "Total", "Others")]
    for company, currency in dict.fromkeys((row.company, row.currency) for row in rows):
        cells = [
            [
                f"✗ {row.account}" if row.ours != row.held else row.account,
                *("" if each is None else grouped(each, currency) for each in _figures(row)),
            ]
            for row in rows
            if (row.company, row.currency) == (company, currency)
        ]
        face.say()
        face.say(f"Company {company}, {currency}:")
        face.show(table([Column("Account"), *numbers], cells))


def _figures(row: AccountRow) -> tuple[int, int, int | None, int | None]:
    return row.ours, row.held, row.ledger, row.others


def _rate_line(each: Recharge) -> str:
    from apportion.cli.amounts import percent
    from apportion.invoice.wording import grouped

    passed_on, invoiced = (grouped(minor, each.currency) for minor in (each.passed_on, each.invoiced))
    rate = percent(each.passed_on, each.invoiced) or "no rate"
    if rate == "100.0 %" and each.passed_on != each.invoiced:  # rounding must not say that all of it is there
        rate = f"just {'under' if each.passed_on < each.invoiced else 'over'} 100 %"
    return (
        f"GL recharge rate of {each.period}: {rate} ({passed_on} {each.currency} passed on in the ledger of company "
        f"{each.company}, {invoiced} invoiced)"
    )


def _document(found: Verified) -> dict[str, object]:
    from apportion.money.currency import minor_text

    return {
        "target": found.target,
        "holds": found.holds,
        "asked": found.asked,
        "periods": list(found.periods),
        "since": str(found.since or ""),
        "until": str(found.until or ""),
        "journals": [
            {"journal": each.name, "period": each.period, "state": each.state, "differences": list(each.differences)}
            for each in found.journals
        ],
        "accounts": [
            {
                "account": row.account,
                "company": row.company,
                "currency": row.currency,
                "ours": minor_text(row.ours, row.currency),
                "held": minor_text(row.held, row.currency),
                "total": None if row.ledger is None else minor_text(row.ledger, row.currency),
                "others": None if row.others is None else minor_text(row.others, row.currency),
            }
            for row in found.rows
        ],
        "recharge_rates": [
            {
                "period": each.period,
                "company": each.company,
                "currency": each.currency,
                "passed_on": minor_text(each.passed_on, each.currency),
                "invoiced": minor_text(each.invoiced, each.currency),
                "millionths": each.rate,
            }
            for each in found.recharges
        ],
        "differences": list(found.differences),
        "remarks": list(found.remarks),
    }


def _kinds(each: TargetLook) -> str:
    return ", ".join(kind.replace("_", " ") for kind in each.kinds) or "all"


def _state(each: TargetLook) -> str:
    if each.faults:
        return "✗ cannot be used"
    told = f"; verified {each.told.at:%Y-%m-%d}" if each.told else ""
    if each.told and not each.told.holds:
        told = f"; differed {each.told.at:%Y-%m-%d}"
    word = "answers" if each.reached else f"files: {each.format}" if each.format else "not asked"
    return f"✓ {word}{told}"


def _target_document(each: TargetLook) -> dict[str, object]:
    return {
        "name": each.name,
        "kind": each.kind,
        "where": each.where,
        "format": each.format,
        "journals": list(each.kinds),
        "reached": each.reached,
        "verified_at": each.told.at.isoformat() if each.told else "",
        "verified": each.told.holds if each.told else None,
        "faults": [mistake_document(fault) for fault in each.faults],
    }
