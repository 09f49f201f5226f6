"""The methodology document as a value: sections of blocks, blocks of words. What each looks like, renderers decide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from apportion.errors import ConservationError


@dataclass(frozen=True, slots=True)
class Strong:
    """Words that stand out."""

    text: str


@dataclass(frozen=True, slots=True)
class Value:
    """A text from the policy that charges are compared with, exactly as it is written; shown in quotes."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """A column, tag key, code or digest."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead to the section, rule or table with this anchor."""

    text: str
    to: str


Inline = str | Strong | Value | Code | Link
Words = tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    words: Words


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a list, and what belongs below it."""

    words: Words
    below: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list without an order."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a numbered list: a title with its code, and blocks that say what it does."""

    anchor: str
    title: str
    code: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Steps:
    """A numbered list whose order matters."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels, each with what is to be said of it."""

    pairs: tuple[tuple[str, Words], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head. Columns in `figures` are numbers; `levels` indents the first cell of each row, as a tree.

    `widths` says how wide columns are beside each other, where that is known; `anchor` is where links to it lead, empty
    for none.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Words, ...], ...]
    figures: frozenset[int] = frozenset()
    levels: tuple[int, ...] = ()
    widths: tuple[int, ...] = ()
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """A small calculation that stands apart from the text."""

    title: str
    blocks: tuple[Block, ...]


Block = Paragraph | Bullets | Steps | Facts | Table | Example


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what stands below it. `number` is ``2``, ``5.3`` or ``A``."""

    anchor: str
    number: str
    title: str
    blocks: tuple[Block, ...]
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """The whole document. `about` stands in front of everything: which policy this is, and its digest."""

    title: str
    subtitle: str
    about: Facts
    sections: tuple[Section, ...]
    foot: str = field(default="")

    def __post_init__(self) -> None:
        found = list(_anchors(self.sections))
        if len(found) != len(set(found)):
            raise ConservationError("The methodology document names two of its parts alike.")


def _anchors(sections: tuple[Section, ...]) -> Iterator[str]:
    for section in sections:
        yield section.anchor
        for block in section.blocks:
            if isinstance(block, Table) and block.anchor:
                yield block.anchor
            if isinstance(block, Steps):
                yield from (step.anchor for step in block.steps)
        yield from _anchors(section.sections)


def say(*words: Inline | Words) -> Paragraph:
    """A paragraph of words, some of which may come in groups."""
    return Paragraph(joined(*words))


def joined(*words: Inline | Words) -> Words:
    """Words and groups of words as one group; neighbouring plain texts become one, empty ones go."""
    found: list[Inline] = []
    for each in words:
        for word in each if isinstance(each, tuple) else (each,):
            if isinstance(word, str) and found and isinstance(found[-1], str):
                found[-1] += word
            elif word != "":
                found.append(word)
    return tuple(found)


def plain_text(words: Words) -> str:
    """Words without their marks; values in quotes."""
    return "".join(
        word if isinstance(word, str) else f"“{word.text}”" if isinstance(word, Value) else word.text for word in words
    )
