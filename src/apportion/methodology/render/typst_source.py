"""The document in the language of the typesetter. Every text is a string literal, so none of it is read as markup."""

from __future__ import annotations

from collections.abc import Sequence

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
from apportion.methodology.words import shown

_LOOK = """
#let ink = rgb("#1a232d")
#let soft = rgb("#52606d")
#let strong-ink = rgb("#123b5d")
#let hair = 0.5pt + rgb("#c3ccd5")
#set page(paper: "a4", margin: (x: 24mm, top: 24mm, bottom: 26mm), footer: context {
  set text(8pt, fill: soft, ligatures: false)
  grid(columns: (1fr, auto), footing, counter(page).display("1 / 1", both: true))
})
#set text(font: ("Libertinus Serif",), size: 10.5pt, fill: ink, lang: "en", hyphenate: true)
#set par(leading: 0.62em, spacing: 0.95em, justify: false)
#show raw: set text(font: "DejaVu Sans Mono", size: 0.95em)
#set list(indent: 0.3em, body-indent: 0.6em, spacing: 0.6em)
#set enum(spacing: 1.25em, body-indent: 0.9em, number-align: end + top)
#set table(stroke: none, inset: (x: 5pt, y: 4.2pt))
#show heading: set text(fill: strong-ink, weight: "bold", hyphenate: false)
#show heading.where(level: 1): set text(16pt)
#show heading.where(level: 1): set block(above: 2.6em, below: 1em, sticky: true)
#show heading.where(level: 2): set text(12pt)
#show heading.where(level: 2): set block(above: 2em, below: 0.8em, sticky: true)
#show link: set text(fill: strong-ink)
#show outline.entry.where(level: 1): set block(above: 0.75em)
#let sheet(columns, align, caption, head, rows) = block(breakable: true, above: 1.1em, below: 1.3em, {
  if caption != none { block(below: 0.5em, sticky: true, text(9.5pt, weight: "bold", caption)) }
  set text(9.5pt, hyphenate: false)
  table(columns: columns, align: align, ..(if head == none { () } else {(
    table.header(..head.map(cell => text(8.5pt, fill: soft, cell))), table.hline(stroke: 0.8pt + soft))}),
    ..rows.map(row => (..row, table.hline(stroke: hair))).flatten())
})
#let facts(rows) = block(above: 1.1em, below: 1.3em, table(columns: (36mm, 1fr), inset: (x: 0pt, y: 4.2pt),
  table.hline(stroke: hair), ..rows.map(row => (text(fill: soft, hyphenate: false, row.at(0)), row.at(1),
  table.hline(stroke: hair))).flatten()))
#let example(body) = block(width: 100%, fill: rgb("#eef5fa"), stroke: (left: 2.5pt + rgb("#8fb4d1")),
  inset: (x: 10pt, y: 7pt), above: 0.9em, below: 1.4em, breakable: false, body)
#let note(body) = text(9.2pt, fill: soft, body)
"""


def source(document: Document) -> str:
    """The whole document; compiling it needs no other file."""
    title = f"{document.title}: {document.subtitle}"
    parts = [
        f"#let footing = {_content((document.foot,))}",
        f"#set document(title: {_string(title)}, author: (), date: none)",
        _LOOK,
        "#v(6mm)#text(9pt, fill: soft, tracking: 1.2pt)[METHODOLOGY]",
        f"#block(below: 0.7em, std.title(text(26pt, fill: strong-ink, {_content((document.title,))})))",
        f"#block(below: 1.6em, text(14pt, fill: soft, {_content((document.subtitle,))}))",
        _block(document.about),
        "#v(4mm)#outline(depth: 1, title: [Contents])",
        "#pagebreak()",
        *(_section(section, 1) for section in document.sections),
    ]
    return "\n".join(parts) + "\n"


def _section(section: Section, level: int) -> str:
    heading = f"#heading(level: {level}, {_content((f'{section.number}  ', section.title))}) <{section.anchor}>"
    below = [_section(each, level + 1) for each in section.sections]
    return "\n".join([heading, *(_block(block) for block in section.blocks), *below])


def _block(block: Block) -> str:
    match block:
        case Paragraph(words):
            return f"#par({_content(words)})"
        case Bullets(items):
            return f"#{_list(items)}"
        case Steps(steps):
            return f"#enum({', '.join(_step(step) for step in steps)})" if steps else ""
        case Facts(pairs):
            rows = "".join(f"({_content((label,))}, {_content(words)})," for label, words in pairs)
            return f"#facts(({rows}))"
        case Table():
            return _table(block)
        case Example(_, blocks):
            return "#example[" + "\n".join(_block(each) for each in blocks) + "]"


def _list(items: Sequence[Item]) -> str:
    return f"list({', '.join(_item(item) for item in items)})"


def _item(item: Item) -> str:
    below = f'#":" #{_list(item.below)}' if item.below else ""
    return f"[{_inlines(item.words)}{below}]"


def _step(step: Step) -> str:
    title = f"#strong({_string(step.title)})#h(0.6em)#text(8.5pt, fill: soft, raw({_string(step.code)}))"
    parts = [f"#metadata({_string(step.anchor)}) <{step.anchor}>#block(below: 0.55em, sticky: true)[{title}]"]
    said = False
    for block in step.blocks:
        is_note = said and isinstance(block, Paragraph)
        parts.append(f"#note({_content(block.words)})" if is_note and isinstance(block, Paragraph) else _block(block))
        said = True
    return "[" + "\n\n".join(parts) + "]"


def _table(table: Table) -> str:
    width = len(table.head)
    columns = ", ".join(
        "auto" if at in table.figures else f"{wide}fr" for at, wide in enumerate(table.widths or (1,) * width)
    )
    align = ", ".join("right" if at in table.figures else "left" for at in range(width))
    head = f"({''.join(f'{_content((name,))},' for name in table.head)})"
    rows = "".join(_row(row, at, table) for at, row in enumerate(table.rows))
    caption = _content((table.caption,)) if table.caption else "none"
    anchor = f"#metadata({_string(table.anchor)}) <{table.anchor}>" if table.anchor else ""
    return f"{anchor}#sheet(({columns},), ({align},), {caption}, {head}, ({rows}))"


def _row(row: Sequence[Words], at: int, table: Table) -> str:
    level = table.levels[at] if table.levels else 0
    first = f"pad(left: {min(level, 12) * 9}pt, {_content(row[0])})" if level else _content(row[0])
    return f"({first}, {''.join(f'{_content(cell)},' for cell in row[1:])}),"


def _content(words: Words) -> str:
    return f"[{_inlines(words)}]"


def _inlines(words: Words) -> str:
    return "".join(_inline(word) for word in words)


def _inline(word: Inline) -> str:
    match word:
        case str():
            return f"#{_string(word)}"
        case Strong(text):
            return f"#strong({_string(text)})"
        case Value(text):
            return f"#{_string(f'“{text}”')}"
        case Code(text):
            return f"#raw({_string(text)})"
        case Link(text, to):
            return f"#link(<{to}>, {_string(text)})"


def _string(text: str) -> str:
    return '"' + shown(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
