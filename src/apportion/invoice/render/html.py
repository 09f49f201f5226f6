"""A statement as one HTML page: for a browser in light or dark, for a phone, for paper and for a screen reader.

The page stands alone: its style is inside, it runs no script and asks no server for anything, and its
content policy says so to the browser.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from apportion.invoice import wording
from apportion.invoice.rates import charged_text
from apportion.invoice.reasons import exact_weight
from apportion.invoice.render.markup import Markup, joined, tag
from apportion.invoice.render.sections import MOVES, Section, digests, particulars, sections, what, why
from apportion.invoice.render.style import SHEET
from apportion.invoice.statement import LineKind, Statement, StatementLine

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render(statement: Statement) -> str:
    """The whole page."""
    number = str(statement.number)
    return page(f"{number} {statement.name}, {wording.period_name(statement.period)}", _body(statement))


def render_index(statements: Sequence[Statement], files: Sequence[str]) -> str:
    """A page that lists statements of one period, each linked to its file (same order), with sums by currency."""
    rows = [
        tag(
            "tr",
            tag("th", tag("a", str(statement.number), href=file), scope="row", class_="exact"),
            tag("td", _name_with_path(statement)),
            _amounts((total.minor, total.currency) for total in statement.totals),
        )
        for statement, file in zip(statements, files, strict=True)
    ]
    sums: dict[str, int] = {}
    for statement in statements:
        for total in statement.totals:
            sums[total.currency] = sums.get(total.currency, 0) + total.minor
    periods = dict.fromkeys(wording.period_name(statement.period) for statement in statements)
    heading = f"Showback statements, {', '.join(periods)}" if periods else "Showback statements"
    together = tag(
        "tr",
        tag("th", "All statements together", scope="row", colspan="2"),
        _amounts((sums[currency], currency) for currency in sorted(sums)),
    )
    table = tag(
        "table",
        tag("caption", f"{len(statements):,} statements"),
        tag(
            "thead",
            tag(
                "tr",
                tag("th", "Number", scope="col"),
                tag("th", "Cost group", scope="col"),
                tag("th", "Amount", scope="col", class_="amount"),
            ),
        ),
        tag("tbody", *rows),
        tag("tfoot", together),
    )
    notice = tag("div", tag("p", "These are showback statements: nothing is charged."), class_="notice")
    return page(heading, joined(tag("h1", heading), notice, table))


def page(title: str, body: Markup) -> str:
    """A complete document around `body`."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("title", title),
        tag("style", Markup(f"\n{SHEET}\n")),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, tag('body', tag('main', body)), lang='en')}\n"


def _body(statement: Statement) -> Markup:
    parts: list[str] = [_head(statement)]
    shown: LineKind | None = None
    for section in sections(statement):
        if section.kind is not shown:
            shown = section.kind
            parts.append(tag("h2", "Direct cost" if shown is LineKind.DIRECT else "Shared cost"))
        parts.append(_table(section))
    parts.append(_foot(statement))
    return joined(*parts)


def _head(statement: Statement) -> Markup:
    number = joined(
        Markup("Showback statement "),
        tag("strong", str(statement.number)),
        f", {wording.period_name(statement.period)}",
    )
    parts = [tag("p", number, class_="number"), tag("h1", statement.name)]
    if statement.path:
        steps = [tag("li", name) for _, name in statement.path]
        # Blanks between the steps, so that they stay apart where styles are not applied.
        path = tag("ol", Markup(" ".join(steps)), class_="path")
        parts.append(tag("nav", path, aria_label="Place in the tree of cost groups"))
    notice = joined(tag("p", tag("strong", wording.NOTICE)), tag("p", wording.BASIS[statement.cost_basis]))
    parts.append(tag("div", notice, class_="notice"))
    sums = [
        tag("div", tag("dt", f"Total in {total.currency}"), tag("dd", _money(total.minor, total.currency)))
        for total in statement.totals
    ]
    sums += [
        tag("div", tag("dt", f"Billed in {total.currency}"), tag("dd", _money(total.minor, total.currency)))
        for total in statement.billed_elsewhere
    ]
    parts.append(tag("dl", *sums, class_="sums"))
    facts = [tag("div", tag("dt", label), tag("dd", value or "none")) for label, value in particulars(statement)]
    if facts:
        parts.append(tag("dl", *facts, class_="facts"))
    return tag("header", *parts)


def _table(section: Section) -> Markup:
    head = tag(
        "tr",
        tag("th", "Line", scope="col", class_="line"),
        tag("th", "Service" if section.kind is LineKind.DIRECT else "Pool", scope="col"),
        tag("th", f"Amount, {section.currency}", scope="col", class_="amount"),
    )
    together = tag(
        "tr",
        tag("th", "Together", scope="row", colspan="2"),
        tag("td", _money(section.minor, section.currency), class_="amount"),
    )
    return tag(
        "table",
        tag("caption", f"{section.title}, {section.currency}"),
        tag("thead", head),
        tag("tbody", *(_row(line) for line in section.lines)),
        tag("tfoot", together),
    )


def _row(line: StatementLine) -> Markup:
    about = why(line)
    label = tag("strong", what(line))
    if line.kind is LineKind.SHARE:
        about = f"{about[:1].upper()}{about[1:]}. Of {wording.scope_text(line.scope)}"
    else:
        label = joined(label, f", {line.charge_category or 'no category'}")
    return tag(
        "tr",
        # The number heads the row: short enough to be read out before every cell.
        tag("th", str(line.number), scope="row", class_="line"),
        tag("td", label, tag("span", f"{about}.", class_="why"), *_charged(line), _exact(line)),
        tag("td", _money(line.minor, line.scope.currency), class_="amount"),
        id=f"line-{line.number}",
    )


def _charged(line: StatementLine) -> list[Markup]:
    return (
        [tag("span", f"{charged_text(line).replace('Charged -', 'Charged −')}.", class_="why")] if line.charged else []
    )


def _exact(line: StatementLine) -> Markup:
    currency = line.scope.currency
    parts = [
        tag("p", f"{_signed(wording.exact(line.units, currency))} {currency}, before rounding to whole minor units.")
    ]
    for share in line.shares if line.method not in MOVES else ():
        pool = _signed(wording.exact(share.pool_units, currency))
        weight, whole = (exact_weight(each, line.weight_in, currency) for each in (share.weight, share.total_weight))
        parts.append(tag("p", f"Step {share.step}: {pool} {currency} × {_signed(weight)} ÷ {_signed(whole)}."))
    return tag("details", tag("summary", "Exact amount"), *parts, class_="exact")


def _foot(statement: Statement) -> Markup:
    pairs = [joined(tag("dt", label), tag("dd", value)) for label, value in digests(statement)]
    return tag("footer", tag("p", "This statement depends on the following, and on nothing else."), tag("dl", *pairs))


def _money(minor: int, currency: str) -> Markup:
    """An amount; below zero with a true minus sign and the word, so that neither colour nor a thin stroke tells it."""
    text = wording.grouped(minor, currency)
    if minor >= 0:
        return joined(text)
    return joined(_signed(text), tag("span", "credit", class_="word"))


def _signed(text: str) -> str:
    return text.replace("-", "−")


def _amounts(amounts: Iterable[tuple[int, str]]) -> Markup:
    lines = [joined(Markup(_money(minor, currency)), Markup(" "), currency) for minor, currency in amounts]
    return tag("td", Markup("<br>".join(lines)), class_="amount")


def _name_with_path(statement: Statement) -> Markup:
    above = " › ".join(name for _, name in statement.path[:-1])
    return joined(tag("strong", statement.name), *([tag("span", above, class_="why")] if above else []))
