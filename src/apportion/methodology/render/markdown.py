"""The document as Markdown (CommonMark with tables). Whatever would mean something in Markdown is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

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
    Steps,
    Strong,
    Table,
    Value,
    Words,
)
from apportion.methodology.words import shown

_SPECIAL = re.compile(r"([\\`*_\[\]<>|&~#!$^])")
_BEGIN = re.compile(r"^(\s*)([-+=:]|\d+(?=[.)](?:\s|$)))")
_ADDRESS = re.compile(r"(?i)(https?|ftp|mailto|xmpp)(:)|(www)(\.)")


def render(document: Document) -> str:
    """The whole document, with a line end at the end."""
    parts = [f"# {_escaped(document.title)}", _escaped(document.subtitle, begins=True), *_block(document.about)]
    parts.append("\n".join(_contents(document.sections, 0)))
    for section in document.sections:
        parts += _section(section, 2)
    parts += ["---", _escaped(document.foot, begins=True)]
    return "\n\n".join(parts) + "\n"


def _contents(sections: Sequence[Section], level: int) -> Iterator[str]:
    for section in sections:
        yield f"{'  ' * level}- [{section.number} {_escaped(section.title)}](#{section.anchor})"


def _section(section: Section, level: int) -> Iterator[str]:
    yield f'{"#" * level} <a id="{section.anchor}"></a>{section.number} {_escaped(section.title)}'
    for block in section.blocks:
        yield from _block(block)
    for below in section.sections:
        yield from _section(below, level + 1)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(words):
            yield _words(words, begins=True)
        case Bullets(items):
            yield "\n".join(_items(items, 0))
        case Facts(pairs):
            yield "\n".join(_rows(("", ""), [((Strong(label),), words) for label, words in pairs]))
        case Table():
            if block.anchor:
                yield f'<a id="{block.anchor}"></a>'
            if block.caption:
                yield f"**{_escaped(block.caption)}**"
            yield "\n".join(_table(block))
        case Steps(steps):
            for number, step in enumerate(steps, start=1):
                blocks = [f'<a id="{step.anchor}"></a>**{_escaped(step.title)}** ({_code(step.code)})']
                for below in step.blocks:
                    blocks += _block(below)
                indent = " " * len(f"{number}. ")
                body = "\n\n".join(blocks).replace("\n", f"\n{indent}")
                yield f"{number}. " + "\n".join(line.rstrip() for line in body.split("\n"))
        case Example(title, blocks):
            _ = title
            for below in blocks:
                yield from _block(below)


def _items(items: Sequence[Item], level: int) -> Iterator[str]:
    for item in items:
        yield f"{'  ' * level}- {_words(item.words, begins=True)}{':' if item.below else ''}"
        yield from _items(item.below, level + 1)


def _table(table: Table) -> Iterator[str]:
    rows = list(table.rows)
    if table.levels:
        rows = [(("\u2003" * level, *row[0]), *row[1:]) for level, row in zip(table.levels, rows, strict=True)]
    yield from _rows(table.head, rows, table.figures)


def _rows(head: Sequence[str], rows: Sequence[Sequence[Words]], figures: frozenset[int] = frozenset()) -> Iterator[str]:
    yield f"| {' | '.join(_escaped(cell) for cell in head)} |"
    yield f"|{'|'.join('--:' if at in figures else '---' for at in range(len(head)))}|"
    for row in rows:
        yield f"| {' | '.join(_words(cell) for cell in row)} |"


def _words(words: Words, *, begins: bool = False) -> str:
    return "".join(_inline(word, begins=begins and at == 0) for at, word in enumerate(words))


def _inline(word: Inline, *, begins: bool = False) -> str:
    match word:
        case str():
            return _escaped(word, begins=begins)
        case Strong(text):
            return f"**{_escaped(text)}**" if text.strip() == text and text else _escaped(text)
        case Value(text):
            return f"“{_escaped(text)}”"
        case Code(text):
            return _code(text)
        case Link(text, to):
            return f"[{_escaped(text)}](#{to})"


def _code(text: str) -> str:
    plain = shown(text)
    return _escaped(plain) if not plain.strip() or "`" in plain or "|" in plain else f"`{plain}`"


def _escaped(text: str, *, begins: bool = False) -> str:
    safe = _SPECIAL.sub(r"\\\1", shown(text))
    safe = _ADDRESS.sub(lambda found: f"{found[1] or found[3]}\\{found[2] or found[4]}", safe)
    if begins:
        safe = _BEGIN.sub(_not_a_list, safe)
    return safe


def _not_a_list(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2]}\\" if found[2].isdigit() else f"{found[1]}\\{found[2]}"
