"""The document as one HTML page: for a browser in light or dark, for a phone, for paper and for a screen reader.

The page stands alone: its style is inside, it runs no script and asks no server for anything, and its content policy
says so to the browser.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from unicodedata import bidirectional

from apportion.methodology.document import (
    Block,
    Bullets,
    Code,
    Document,
    Example,
    Facts,
    Inline,
    Item,
    Link,
    Paragraph,
    Section,
    Step,
    Steps,
    Strong,
    Table,
    Value,
    Words,
)
from apportion.methodology.render.style import SHEET
from apportion.methodology.words import shown

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render(document: Document) -> str:
    """The whole page."""
    title = f"{_text(document.title)}: {_text(document.subtitle)}"
    head = (
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">\n'
        f"<title>{title}</title>\n<style>\n{SHEET}\n</style>"
    )
    body = "\n".join(
        [
            '<a class="skip" href="#purpose">To the text</a>',
            f'<header>\n<p class="kind">Methodology</p>\n<h1>{_text(document.title)}</h1>\n'
            f'<p class="policy">{_text(document.subtitle)}</p>\n{_block(document.about)}\n</header>',
            _contents(document.sections),
            "<main>",
            *(_section(section, 2) for section in document.sections),
            "</main>",
            f"<footer><p>{_text(document.foot)}</p></footer>",
        ]
    )
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'


def _contents(sections: Sequence[Section]) -> str:
    entries = "\n".join(
        f'<li><a href="#{section.anchor}"><span class="at">{section.number}</span>{_text(section.title)}</a></li>'
        for section in sections
    )
    return f'<nav aria-labelledby="contents">\n<h2 id="contents">Contents</h2>\n<ol>\n{entries}\n</ol>\n</nav>'


def _section(section: Section, level: int) -> str:
    parts = [
        f'<section id="{section.anchor}">',
        f'<h{level}><span class="at">{section.number}</span> {_text(section.title)}</h{level}>',
        *(_block(block) for block in section.blocks),
        *(_section(below, level + 1) for below in section.sections),
        "</section>",
    ]
    return "\n".join(parts)


def _block(block: Block) -> str:
    match block:
        case Paragraph(words):
            return f"<p>{_words(words)}</p>"
        case Bullets(items):
            return _items(items)
        case Steps(steps):
            return '<ol class="steps">\n' + "\n".join(_step(step) for step in steps) + "\n</ol>"
        case Facts(pairs):
            rows = "\n".join(f"<div><dt>{_text(label)}</dt><dd>{_words(words)}</dd></div>" for label, words in pairs)
            return f"<dl>\n{rows}\n</dl>"
        case Table():
            return _table(block)
        case Example(_, blocks):
            return '<div class="example">\n' + "\n".join(_block(each) for each in blocks) + "\n</div>"


def _items(items: Sequence[Item]) -> str:
    entries = [f"<li>{_words(item.words)}{f': {_items(item.below)}' if item.below else ''}</li>" for item in items]
    return "<ul>\n" + "\n".join(entries) + "\n</ul>"


def _step(step: Step) -> str:
    title = f'<p class="title"><strong>{_text(step.title)}</strong> <code>{_text(step.code)}</code></p>'
    return f'<li id="{step.anchor}">{title}\n' + "\n".join(_block(block) for block in step.blocks) + "</li>"


def _table(table: Table) -> str:
    caption = f"<caption>{_text(table.caption)}</caption>\n" if table.caption else ""
    head = "".join(
        f'<th scope="col"{_figure(at, table)}>{_text(name)}</th>' if name else "<td></td>"
        for at, name in enumerate(table.head)
    )
    rows = "\n".join(_row(row, at, table) for at, row in enumerate(table.rows))
    anchor = f' id="{table.anchor}"' if table.anchor else ""
    label = f' role="region" aria-label="{escape(shown(table.caption))}"' if table.caption else ' role="group"'
    return (
        f'<div class="table" tabindex="0"{label}><table{anchor}>\n{caption}<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody>\n</table></div>"
    )


def _row(row: Sequence[Words], at: int, table: Table) -> str:
    level = min(table.levels[at], 9) if table.levels else 0
    deep = f' class="level-{level}"' if level else ""
    first = f'<th scope="row"{deep or _figure(0, table)}>{_words(row[0])}</th>'
    rest = (f"<td{_figure(place, table)}>{_words(cell)}</td>" for place, cell in enumerate(row[1:], start=1))
    return f"<tr>{first}{''.join(rest)}</tr>"


def _figure(at: int, table: Table) -> str:
    return ' class="figure"' if at in table.figures else ""


def _words(words: Words) -> str:
    return "".join(_inline(word) for word in words)


def _inline(word: Inline) -> str:
    match word:
        case str():
            return _text(word)
        case Strong(text):
            return f"<strong>{_text(text)}</strong>"
        case Value(text):
            return f'“<span class="value">{_text(text)}</span>”'
        case Code(text):
            return f"<code>{_text(text)}</code>"
        case Link(text, to):
            return f'<a href="#{to}">{_text(text)}</a>'


def _text(text: str) -> str:
    """Names may be written from right to left; each is kept from turning what stands beside it."""
    safe = escape(shown(text))
    return safe if safe.isascii() else f"<bdi>{safe}</bdi>" if _turns(text) else safe


def _turns(text: str) -> bool:

    return any(bidirectional(character) in {"R", "AL", "AN"} for character in text)
