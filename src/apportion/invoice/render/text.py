"""A statement as text for a terminal of 100 columns: nothing cut off, amounts in one column."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from apportion.invoice import wording
from apportion.invoice.rates import charged_text
from apportion.invoice.render.sections import Section, digests, particulars, sections, what, why
from apportion.invoice.statement import LineKind, Statement, StatementLine
from apportion.ledger.account import tidy

WIDTH = 100
_INDENT = 8


def render(statement: Statement) -> str:
    """The whole statement, each line ended and none longer than 100 columns."""
    return "".join(f"{line}\n".replace(" \n", "\n") for line in _lines(statement))


def _lines(statement: Statement) -> Iterator[str]:
    yield from _beside(f"Showback statement {statement.number}", wording.period_name(statement.period), 0)
    yield "=" * WIDTH
    yield from _wrapped(statement.name, 0)
    if statement.path:
        yield from _wrapped(" > ".join(name for _, name in statement.path), 0)
    yield ""
    yield from _wrapped(wording.NOTICE, 0)
    yield from _wrapped(wording.BASIS[statement.cost_basis], 0)
    yield ""
    for label, value in particulars(statement):
        yield from _wrapped(f"{label:<18}{tidy(value) or '-'}", 0, 18)
    if statement.path:
        yield ""
    shown: LineKind | None = None
    for section in sections(statement):
        if section.kind is not shown:
            shown = section.kind
            heading = "Direct cost" if shown is LineKind.DIRECT else "Shared cost"
            yield from (heading, "-" * WIDTH)
        yield from _section(section)
    yield from ("Total", "-" * WIDTH)
    for total in statement.totals:
        yield from _beside(total.currency, wording.grouped(total.minor, total.currency), 2)
    for total in statement.billed_elsewhere:
        yield from _beside(f"billed in {total.currency}", wording.grouped(total.minor, total.currency), 6)
    yield ""
    for label, value in digests(statement):
        yield from _wrapped(f"{label:<20}{value}", 0, 20)


def _section(section: Section) -> Iterator[str]:
    yield from _wrapped(f"{section.title} ({section.currency})", 2)
    for line in section.lines:
        yield from _line(line)
    yield from _beside("Together", wording.grouped(section.minor, section.currency), _INDENT)
    yield ""


def _line(line: StatementLine) -> Iterator[str]:
    label = what(line) if line.kind is LineKind.SHARE else f"{what(line)}, {line.charge_category or 'no category'}"
    amount = wording.grouped(line.minor, line.scope.currency)
    first, *rest = _beside(label, amount, _INDENT)
    yield f"{line.number:>6}  {first[_INDENT:]}"
    yield from rest
    about = why(line)
    if line.kind is LineKind.SHARE:
        about += f"; of {wording.scope_text(line.scope)}"
    yield from _wrapped(about, _INDENT + 2)
    if line.charged:
        yield from _wrapped(charged_text(line), _INDENT + 2)


def _wrapped(text: str, indent: int, hanging: int | None = None) -> Iterator[str]:
    # Names come from other people's files: without `tidy` one of them could steer the terminal.
    first, later = " " * indent, " " * (indent if hanging is None else hanging)
    head, _, _ = text.partition("\n")
    body = tidy(text) if hanging is None else head
    yield from textwrap.wrap(body, WIDTH, initial_indent=first, subsequent_indent=later) or [""]


def _beside(text: str, amount: str, indent: int) -> Iterator[str]:
    """Text on the left and an amount at the right edge; long text goes on below."""
    room = WIDTH - indent - len(amount) - 2
    first, *rest = textwrap.wrap(tidy(text), room) or [""]
    yield f"{' ' * indent}{first:<{room}}  {amount}"
    yield from (f"{' ' * indent}{line}" for line in rest)
