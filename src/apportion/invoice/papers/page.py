"""A paper as the template of the PDF takes it: texts that are ready to be set, and lengths of bars.

Every text goes in as data. Nothing here can become code of the template, whatever it says.
"""

from __future__ import annotations

import re
from typing import Any

from apportion.invoice.paper import Change, Paper, PaperLine, PaperLineKind, PaperTotal, Part
from apportion.invoice.papers import content, wording
from apportion.invoice.papers.content import FULL, Chart, Comparison, Group, Section
from apportion.invoice.papers.words import Words, clean
from apportion.money.amount import half_even

_LONGEST_WORD = 24  # characters that fit into the narrowest column
_LONGEST_TITLE = 40
_PIECE = re.compile(r"[^/\-_.:@]{1,12}[/\-_.:@]{0,4}|[/\-_.:@]{1,12}")

Shown = str | list[str]


def page(paper: Paper, words: Words) -> dict[str, Any]:
    """Everything of one document, in the order in which it is printed."""
    return {
        "draft": words.say("DRAFT") if paper.issued_on is None else "",
        "title": clean(wording.title(paper, words)),
        "company": breakable(paper.company, _LONGEST_TITLE),
        "kind": breakable(wording.kind(paper, words)),
        "label": breakable(paper.label),
        "name": breakable(paper.name, _LONGEST_TITLE),
        "path": [breakable(f"{name} ({code})" if name != code else code) for code, name in paper.path],
        "facts": _facts(paper, words),
        "notices": wording.notices(paper, words),
        "note": [words.say("Reason"), breakable(paper.note)] if paper.note else [],
        "parties": _parties(paper, words),
        "totals": [_total(paper, total, words) for total in paper.totals],
        "charts": [_chart(chart, words) for chart in content.charts(paper)],
        "changes": [_change(paper, each, words) for each in paper.changes if each.parts],
        "sections": [_section(paper, each, words) for each in content.sections(paper)],
        "grand": [
            [_in_currency("Total", "Total {currency}", total.currency, paper, words), _money(total, words)]
            for total in paper.totals
        ],
        "about": _about(paper, words),
        "explain": _explain(paper, words),
        "foot": breakable(f"{paper.label} · {paper.name}"),
    }


def labels(words: Words) -> dict[str, Any]:
    """The words that the template itself prints."""
    said = {
        key: words.say(text)
        for key, text in {
            "twelve": "Twelve months",
            "why": "Why it changed",
            "lines": "Lines",
            "no_lines": "There are no lines.",
            "check": "How to check this document",
            "part": "Part",
            "what": "What it is about",
            "amount": "Amount",
            "number": "No.",
            "line": "Line",
            "provider": "Provider",
            "billed": "Billed",
        }.items()
    }
    # The figures of the page come from the template; the words around them from here.
    page_of = words.say("Page {page} of {pages}", page="\0", pages="\0")
    return {**said, "page": page_of.split("\0")}


def breakable(text: str, longest: int = _LONGEST_WORD) -> Shown:
    """Clean text, in pieces between which a line may end where a word is longer than fits."""
    text = clean(text)
    if not any(len(word) > longest for word in text.split(" ")):
        return text
    pieces: list[str] = []
    for word in re.split(r"(?<= )", text):
        pieces += _PIECE.findall(word) if len(word) > longest + 1 else [word]
    return pieces


def _facts(paper: Paper, words: Words) -> list[list[Shown]]:
    issued = words.day(paper.issued_on) if paper.issued_on else words.say("not issued")
    facts: list[list[Shown]] = [
        [words.say("Number"), breakable(paper.label)],
        [words.say("Period"), words.month(paper.period)],
        [words.say("Issued on"), issued],
    ]
    if paper.review_until:
        facts.append([words.say("Review until"), words.day(paper.review_until)])
    if paper.about:
        facts.append([words.say("About"), breakable(paper.about)])
    return facts


def _parties(paper: Paper, words: Words) -> list[list[Any]]:
    owners = [
        [words.say(name), breakable(who)]
        for name, who in (
            ("Finance", paper.owners.finance),
            ("Technical", paper.owners.technical),
            ("Business", paper.owners.business),
        )
        if who
    ]
    coding = [
        [words.say(name), breakable(code)]
        for name, code in (
            ("Company", paper.coding.company),
            ("Cost center", paper.coding.cost_center),
            ("Department", paper.coding.department),
            ("Ledger account", paper.coding.ledger_account),
        )
        if code
    ]
    return [
        [words.say("Owners"), owners or [[words.say("Nobody is named"), ""]]],
        [words.say("Coding"), coding or [[words.say("None"), ""]]],
    ]


def _total(paper: Paper, total: PaperTotal, words: Words) -> dict[str, Any]:
    parts = (
        ("Direct cost", total.direct_minor),
        ("Shared cost", total.shared_minor),
        ("Adjustments", total.adjusted_minor),
    )
    return {
        "currency": total.currency,
        "amount": words.amount(total.minor, total.currency),
        "parts": [[words.say(name), words.amount(minor, total.currency)] for name, minor in parts if minor],
        "against": [
            [name, *_compared(comparison, before, same, total.currency, words)]
            for name, comparison, before, same in (
                (
                    words.say("Against {month}", month=words.month(content.month_before(paper.period))),
                    content.against_before(paper, total.currency, total.minor),
                    "was {amount}",
                    "unchanged",
                ),
                (
                    words.say("Against budget"),
                    content.against_budget(paper, total.currency, total.minor),
                    "budget {amount}",
                    "as planned",
                ),
            )
            if comparison
        ],
    }


def _compared(found: Comparison, before: str, same: str, currency: str, words: Words) -> list[str]:
    """The difference, in per cent, and what it is compared with."""
    amount = words.amount(found.before_minor, currency)
    difference = words.amount(found.change_minor, currency, signed=True) if found.change_minor else words.say(same)
    percent = words.percent(found.change_minor, found.before_minor) if found.change_minor else ""
    return [difference, percent, words.say(before, amount=amount)]


def _chart(chart: Chart, words: Words) -> dict[str, Any]:
    known = [bar for bar in chart.bars if bar.minor is not None]
    told = "; ".join(
        words.say(
            "{month}: {amount}", month=words.month(bar.period), amount=words.amount(bar.minor or 0, chart.currency)
        )
        for bar in known
    )
    highest = max(known, key=lambda bar: bar.minor or 0)
    return {
        "currency": chart.currency,
        "alt": words.say("Cost by month in {currency}: {months}.", currency=chart.currency, months=told),
        "below": chart.below,
        "bars": [
            {
                "height": bar.height,
                "known": bar.minor is not None,
                "now": bar.is_now,
                "month": words.short_month(bar.period),
                "year": bar.period[:4] if bar.period.endswith("-01") or bar is chart.bars[0] else "",
                "amount": words.amount(bar.minor or 0, chart.currency) if bar.is_now or bar is highest else "",
            }
            for bar in chart.bars
        ],
    }


def _change(paper: Paper, change: Change, words: Words) -> dict[str, Any]:
    longest = max((abs(minor) for _, minor in change.parts), default=0) or 1
    drivers: dict[Part, list[list[Shown]]] = {}
    for driver in change.drivers:
        amount = words.amount(driver.minor, change.currency, signed=True)
        drivers.setdefault(driver.part, []).append([breakable(driver.about), amount])
    return {
        "currency": change.currency,
        "amount": words.say("Amount in {currency}", currency=change.currency),
        "before": [
            words.month(content.month_before(paper.period)),
            words.amount(change.before_minor, change.currency),
        ],
        "after": [words.month(paper.period), words.amount(change.after_minor, change.currency)],
        "parts": [
            {
                "name": words.say(wording.PARTS[part][0]),
                "about": words.say(wording.PARTS[part][1]),
                "amount": words.amount(minor, change.currency, signed=True),
                "bar": half_even(minor * FULL, longest),
                "drivers": drivers.pop(part, []),
            }
            for part, minor in change.parts
        ],
    }


def _section(paper: Paper, section: Section, words: Words) -> dict[str, Any]:
    return {
        "title": wording.heading(section, paper, words),
        "amount": words.say("Amount in {currency}", currency=section.currency),
        "billed": section.is_converted,
        "groups": [_group(section, group, words) for group in section.groups],
        "total": [wording.heading(section, paper, words), words.amount(section.minor, section.currency)],
    }


def _group(section: Section, group: Group, words: Words) -> dict[str, Any]:
    return {
        "name": breakable(group.heading or words.say("No service named")),
        "amount": words.amount(group.minor, section.currency),
        "lines": [_line(line, words) for line in group.lines],
    }


def _line(line: PaperLine, words: Words) -> dict[str, Any]:
    converted = line.billed_currency != line.currency
    notes = [
        words.say("Correction of {month}", month=words.month(line.corrects)) if line.corrects else "",
        words.say("Adjusts line {line}", line=line.of_line) if line.of_line else "",
        words.say("Exchange: {rate}", rate=line.rate) if line.rate else "",
    ]
    return {
        "number": str(line.number),
        "what": breakable(" · ".join(_what(line, words))),
        "reason": breakable(line.reason),
        "notes": [breakable(note) for note in notes if note],
        "issuer": breakable(line.invoice_issuer),
        "document": breakable(wording.provider_document(line, words)),
        "billed": words.money(line.billed_minor, line.billed_currency) if converted else "",
        "amount": words.amount(line.minor, line.currency),
    }


def _what(line: PaperLine, words: Words) -> list[str]:
    """The line in a few words; what its group's heading says already is not said again."""
    service = line.service if line.heading != line.service else ""
    how = wording.method(line, words) if line.kind is PaperLineKind.SHARE else wording.charges(line, words)
    return [each for each in (service, wording.category(line, words), how) if each] or [line.heading]


def _about(paper: Paper, words: Words) -> list[list[Any]]:
    rows = (
        ("Cost basis", wording.basis(paper, words), False),
        ("Policy", paper.policy_name, False),
        ("Policy digest", paper.policy_digest, True),
        ("Organization digest", paper.organization_digest, True),
        ("Cost data digest", paper.snapshot_digest, True),
        ("Run digest", paper.run_digest, True),
    )
    return [[words.say(name), breakable(text), mono] for name, text, mono in rows if text]


def _explain(paper: Paper, words: Words) -> list[Shown]:
    """How a line is explained, with a line of this document: the first shared one, or else the first."""
    lines = [line for line in paper.lines if line.kind is not PaperLineKind.ADJUSTMENT]
    if not paper.statement or not lines:
        return []
    line = next((line for line in lines if line.kind is PaperLineKind.SHARE), lines[0])
    sentence = "Every line can be taken apart down to the provider's rows. For line {number}:"
    return [words.say(sentence, number=line.number), breakable(f"apportion explain {paper.statement}:{line.number}")]


def _in_currency(alone: str, several: str, currency: str, paper: Paper, words: Words) -> str:
    return words.say(alone) if len(paper.totals) == 1 else words.say(several, currency=currency)


def _money(total: PaperTotal, words: Words) -> str:
    return words.money(total.minor, total.currency)
