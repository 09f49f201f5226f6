"""``apportion demo``: a year of the example company, loaded and closed before one's eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from apportion.cli.arguments import read_count
from apportion.cli.face import Face, option, shown_path
from apportion.cli.init import read_directory

if TYPE_CHECKING:
    from apportion.close.month import Month
    from apportion.demo import DemoCompany
    from apportion.invoice.statement import Statement
    from apportion.warehouse.store import Workspace

VERSION = 1
_LARGEST = 5


def run(
    face: Face,
    directory: Annotated[
        str, typer.Argument(metavar="DIR", help="Where to make it; new or empty.", show_default=False)
    ],
    rows: Annotated[int, typer.Option("--rows", parser=read_count, metavar="N", help="Charges in all.")] = 60_000,
    months: Annotated[
        int, typer.Option("--months", parser=read_count, metavar="N", help="Months, from November 2025 on.")
    ] = 12,
) -> None:
    """Make an invented company, load its deliveries and close its months.

    Six vendors deliver for twelve months; every month is closed and sealed but the last, which stays open to look at:
    with the web application installed, it is issued and in review, with people to sign in as. The same every time;
    --rows says how finely its cost is metered.

    \b
    Examples:
      apportion demo kestrel
      apportion demo kestrel --rows 1000000
    """
    from apportion.cli.progress import spinner
    from apportion.demo import write
    from apportion.errors import InputRefusedError
    from apportion.warehouse.store import Workspace

    root = read_directory(directory)
    if root.is_dir() and any(root.iterdir()):
        raise InputRefusedError(
            f"{shown_path(root)} is not empty.", advice="Choose a new directory, or remove that one first."
        )
    with spinner(face, f"Writing {months} months of deliveries"):
        company = write(root, rows=rows, months=months)
    workspace = Workspace.create(root)
    face.say(f"{workspace.settings.company}, an invented company, in {shown_path(root)}", "bold")
    _ingest(face, workspace, company)
    last = _close(face, workspace, company)
    face.give(_document(workspace, company, last))
    if not face.as_json:
        _show_end(face, workspace, last)


def _ingest(face: Face, workspace: Workspace, company: DemoCompany) -> None:
    from apportion.cli.amounts import count
    from apportion.cli.close import step
    from apportion.cli.progress import deliveries_done
    from apportion.ingest import usage
    from apportion.ingest.load import ingest
    from apportion.warehouse.record import Dataset

    with deliveries_done(face, len(company.deliveries)) as progress:
        for delivery in company.deliveries:
            progress(f"Loading {delivery.source} {delivery.period}")
            if delivery.dataset is Dataset.USAGE:
                usage.load(workspace, delivery.paths, source=delivery.source)
            else:
                ingest(workspace, delivery.paths, source=delivery.source, mode=delivery.mode)
    charges = sum(total.rows for period in company.periods for total in workspace.totals(period))
    aside = sum(each.rows for period in company.periods for _, each in workspace.quarantined(period))
    measured = [delivery for delivery in company.deliveries if delivery.dataset is Dataset.USAGE]
    billed = [delivery for delivery in company.deliveries if delivery.dataset is not Dataset.USAGE]
    texts = [
        f"{count(len(some), 'delivery', 'deliveries')} of {count(len({each.source for each in some}), 'source')}"
        for some in (billed, measured)
    ]
    step(face, "Loaded", f"{texts[0]}; {count(charges, 'charge')} are current, {count(aside, 'row')} kept aside")
    step(face, "Measured", f"{texts[1]}: who used how much of what is shared")
    for delivery in company.deliveries:
        if delivery.note:
            step(face, "", f"{delivery.source} {delivery.period}: {delivery.note}", mark="·")


def _close(face: Face, workspace: Workspace, company: DemoCompany) -> Month:
    """Close every month in order; the last one stays open, or in review where the web application is installed."""
    from apportion.cli.close import step
    from apportion.cli.progress import spinner
    from apportion.close import month as closing
    from apportion.demo import budgets

    reviewed = _begin_review(workspace)
    for place, period in enumerate(company.periods):
        is_last = period == company.periods[-1]
        with spinner(face, f"Closing {period}"):
            done = closing.close(workspace, period, seal=not (is_last or reviewed))
            if reviewed:
                from apportion.demo import review

                review.month(done, place, is_last=is_last)
            if not is_last:
                budgets.add(workspace.root, period.next, done.statements)
        ends = ("issued, in review   " if reviewed else "ties out, left open ") if is_last else "closed and sealed   "
        step(face, str(period), f"{ends} {_sums(done)}")
    return done


def _begin_review(workspace: Workspace) -> bool:
    """Make the books with the company's people; False where the web application is not installed."""
    from apportion.cli import site

    if not site.can_boot(workspace.root):
        return False
    site.boot_at(workspace.root)
    from apportion import organization
    from apportion.demo import review

    review.begin(organization.read(workspace.root / workspace.settings.organization))
    return True


def _sums(month: Month) -> str:
    from apportion.cli.statements import currencies, minor
    from apportion.invoice.wording import grouped

    return ", ".join(
        f"{grouped(sum(minor(statement, currency) for statement in month.statements), currency):>14} {currency}"
        for currency in currencies(month.statements)
    )


def _show_end(face: Face, workspace: Workspace, month: Month) -> None:
    from apportion.cli import close, site, statements
    from apportion.cli.tables import Column, table
    from apportion.invoice.wording import grouped, period_name

    period = month.run.period
    face.say()
    face.say(f"The tie-out of {period_name(period)} holds", "bold green")
    close.show_sums(face, month)
    face.say()
    face.say("Its largest statements", "bold")
    rows = []
    for statement in _largest(month):
        amounts = ", ".join(f"{grouped(total.minor, total.currency)} {total.currency}" for total in statement.totals)
        rows.append([str(statement.number), statement.name, statements.above(statement), amounts])
    columns = [Column("Statement"), Column("Cost group", wraps=True), Column("Part of", wraps=True)]
    face.show(table([*columns, Column("Amount", is_number=True)], rows))
    face.say()
    face.say("Try next", "bold")
    for command, about in tries(workspace, month):
        face.say(f"  {command}")
        face.say(f"      {about}", "dim")
    if site.has_books(workspace.root):
        _say_people(face)


def _say_people(face: Face) -> None:
    """As whom to sign in. The people are made up, so their password may be read by everybody."""
    from apportion.demo import people

    face.say()
    face.say(f"Sign in with the password {people.PASSWORD} as", "bold")
    rows = [(people.mail(people.OWNER), "an owner: accepts or disputes the cost of Search")]
    rows += [(people.mail(each.mail), each.says) for each in people.CAST]
    width = max(len(mail) for mail, _ in rows)
    for mail, says in rows:
        face.say(f"  {mail:<{width}}  {says}")


def _largest(month: Month) -> list[Statement]:
    """The statements with the largest amount in the currency that most statements are in; of several, the larger."""
    from apportion.cli.statements import currencies, minor

    def weight(currency: str) -> tuple[int, int]:
        amounts = [abs(minor(statement, currency)) for statement in month.statements]
        return sum(amount > 0 for amount in amounts), sum(amounts)

    main = max(currencies(month.statements), key=weight)
    groups = [statement for statement in month.statements if statement.path]
    return sorted(groups, key=lambda statement: -minor(statement, main))[:_LARGEST]


def tries(workspace: Workspace, month: Month) -> list[tuple[str, str]]:
    """Commands that work on this demo as they stand, each with what it shows."""
    from apportion.cli import site
    from apportion.invoice.statement import LineKind

    where = option(workspace)
    period = month.run.period
    first = _largest(month)[0]
    shares = [line for line in first.lines if line.kind is LineKind.SHARE]
    line = max(shares or first.lines, key=lambda line: line.minor)
    return [
        (f"apportion {where}explain {first.number}", f"the statement of {first.name}, line by line"),
        (
            f"apportion {where}explain {first.number}:{line.number}",
            "one line of it, down to rows of the delivered files",
        ),
        (f"apportion {where}tie-out {period}", "every stage of the month to the last digit, and each difference"),
        (f"apportion {where}findings --period {period}", "what was wrong with the data"),
        (f"apportion {where}serve", "the review of that month in a web browser, at http://127.0.0.1:8000")
        if site.has_books(workspace.root)
        else (f"apportion {where}close {period}", "write its statements and journal, and seal it"),
    ]


def _document(workspace: Workspace, company: DemoCompany, last: Month) -> dict[str, object]:
    from apportion.cli.statements import document, totals_document
    from apportion.tie_out import document as tie_out_document

    return {
        "document": "demo",
        "version": VERSION,
        "workspace": str(workspace.root),
        "deliveries": len(company.deliveries),
        "periods": [
            {"period": str(period), "sealed": workspace.sealed(period) is not None} for period in company.periods
        ],
        "last": {
            "period": str(last.run.period),
            "totals": totals_document(last.statements),
            "largest": [document(statement) for statement in _largest(last)],
            "tie_out": tie_out_document(last.tie_out),
        },
        "try": [command for command, _ in tries(workspace, last)],
    }
