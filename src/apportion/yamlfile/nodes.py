"""YAML text as nodes that know their line and column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from apportion.errors import Mistake, Place

MOST_LEVELS = 100

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
# What YAML lets stand in a file; DEL and the C1 signs are left out as it does.
_STRAY = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAB_INDENT = re.compile(r"^ *\t", re.MULTILINE)

Key = str | int


@dataclass(slots=True)
class Scalar:
    """A text, number, date or null: what stands there, and whether in quotes. Lines and columns count from 1."""

    text: str
    quoted: bool
    line: int
    column: int


@dataclass(slots=True)
class ListNode:
    """A list and where it begins."""

    line: int
    column: int
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class MapNode:
    """A mapping and where it begins; each key with its own place and its value."""

    line: int
    column: int
    entries: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)


Node = Scalar | ListNode | MapNode


@dataclass(slots=True)
class Parsed:
    """The root of what was read. `broken`: the text is not to be trusted beyond the mistakes found."""

    root: Node | None = None
    mistakes: list[Mistake] = field(default_factory=list)
    broken: bool = False


class Places:
    """Where each part of a document stands. Paths are keys and positions from the top."""

    def __init__(self, file: str, root: Node) -> None:
        self.file = file
        self._root = root

    def at(self, *path: Key) -> Place:
        """Where the value stands; for a path that leads nowhere, the last part of it that exists."""
        node, _, _ = self._walk(path)
        return self._place(node)

    def key(self, *path: Key) -> Place:
        """Where the key of a value stands; an entry of a list has none, so there it is the value itself."""
        node, key, _ = self._walk(path)
        return self._place(key or node)

    def has(self, *path: Key) -> bool:
        """Whether the path leads to a value."""
        return self._walk(path)[2]

    def _walk(self, path: Sequence[Key]) -> tuple[Node, Scalar | None, bool]:
        node, key = self._root, None
        for step in path:
            if isinstance(node, MapNode) and isinstance(step, str) and step in node.entries:
                key, node = node.entries[step]
            elif isinstance(node, ListNode) and isinstance(step, int) and 0 <= step < len(node.items):
                key, node = None, node.items[step]
            else:
                return node, key, False
        return node, key, True

    def _place(self, node: Node) -> Place:
        return Place(self.file, node.line, node.column)


def data_of(node: Node) -> Any:
    """The node as mappings, lists and text; a plain ``null``, ``~`` or nothing is None."""
    if isinstance(node, Scalar):
        return None if not node.quoted and node.text in _NULLS else node.text
    if isinstance(node, ListNode):
        return [data_of(item) for item in node.items]
    return {key: data_of(value) for key, (_, value) in node.entries.items()}


def parse(content: bytes, file: str) -> Parsed:
    """Read one YAML document. Mistakes have places in `file`; the root is None where nothing is written."""
    parsed = Parsed()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        return _broken(parsed, "NOT_UTF8", "The file is not UTF-8 text from here on.", _spot(file, before),
                       "Save it as UTF-8.")  # fmt: skip
    if stray := _STRAY.search(text):
        sentence = f"The character U+{ord(stray[0]):04X} cannot stand in a YAML file."
        return _broken(parsed, "BAD_YAML", sentence, _spot(file, text[: stray.start()]), "Delete it.")
    for tab in _TAB_INDENT.finditer(text):
        place = _spot(file, text[: tab.start() + tab[0].index("\t")])
        _broken(parsed, "TAB", "The line is indented with a tab.", place, "Use blanks: YAML does not take tabs there.")
    if parsed.broken:
        return parsed
    builder = _Builder(file, parsed)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if not builder.take(event):
                break
    except yaml.MarkedYAMLError as error:
        _broken(parsed, "BAD_YAML", *_explained(error, text, file))
    return parsed


def _broken(parsed: Parsed, code: str, sentence: str, place: Place, advice: str = "") -> Parsed:
    parsed.mistakes.append(Mistake(code, sentence, place, advice))
    parsed.broken = True
    return parsed


def _spot(file: str, before: str) -> Place:
    """The place right after the text `before`."""
    lines = re.split(r"\r\n|[\n\r\x85\u2028\u2029]", before)
    return Place(file, len(lines), len(lines[-1]) + 1)


class _Builder:
    """Builds nodes from parser events, so that nothing is resolved, merged, copied or constructed on the way."""

    def __init__(self, file: str, parsed: Parsed) -> None:
        self._file = file
        self._parsed = parsed
        self._open: list[ListNode | MapNode] = []
        self._keys: list[Scalar | None] = []
        self._documents = 0

    def take(self, event: Any) -> bool:
        """False where reading cannot go on."""
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._refuse("SECOND_DOCUMENT", "A second document begins here.", event, "Keep one in each file.")
                return False
        elif isinstance(event, yaml.ScalarEvent):
            self._check(event)
            mark: Any = event.start_mark
            self._add(Scalar(event.value, bool(event.style), mark.line + 1, mark.column + 1))
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            return self._begin(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._add(self._end())
        elif isinstance(event, yaml.AliasEvent):
            self._refuse(
                "ALIAS",
                f"'*{event.anchor}' is an alias in YAML, and this file takes none.",
                event,
                "If it is a text, put it in quotes.",
            )
            mark = event.start_mark
            self._add(Scalar("", False, mark.line + 1, mark.column + 1))
        return True

    def _begin(self, event: Any) -> bool:
        self._check(event)
        mark = event.start_mark
        if len(self._open) >= MOST_LEVELS:
            self._refuse("TOO_DEEP", f"Values are nested more than {MOST_LEVELS} levels deep here.", event)
            return False
        kind = MapNode if isinstance(event, yaml.MappingStartEvent) else ListNode
        self._open.append(kind(mark.line + 1, mark.column + 1))
        self._keys.append(None)
        return True

    def _end(self) -> Node:
        self._keys.pop()
        return self._open.pop()

    def _add(self, node: Node) -> None:
        if not self._open:
            self._parsed.root = node
            return
        above = self._open[-1]
        if isinstance(above, ListNode):
            above.items.append(node)
            return
        key = self._keys[-1]
        if key is None:
            if not isinstance(node, Scalar):
                _broken(self._parsed, "BAD_YAML", "A key is a text, not a list or mapping.",
                        Place(self._file, node.line, node.column))  # fmt: skip
                node = Scalar("", True, node.line, node.column)
            self._keys[-1] = node
            return
        self._keys[-1] = None
        if key.text in above.entries:
            first = above.entries[key.text][0]
            self._parsed.mistakes.append(
                Mistake(
                    "DUPLICATE_KEY",
                    f"'{key.text}' stands here a second time; the first is on line {first.line}.",
                    Place(self._file, key.line, key.column),
                    "Keep one of them.",
                )
            )
            return
        above.entries[key.text] = (key, node)

    def _check(self, event: Any) -> None:
        if event.anchor is not None:
            self._refuse(
                "ANCHOR",
                f"'&{event.anchor}' is an anchor in YAML, and this file takes none.",
                event,
                "If it is a text, put it in quotes.",
            )
        if event.tag is not None:
            name = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._refuse("TAG", f"'{name}' is a tag in YAML, and this file takes none.", event,
                         "If it is a text, put it in quotes.")  # fmt: skip

    def _refuse(self, code: str, sentence: str, event: Any, advice: str = "") -> None:
        mark = event.start_mark
        _broken(self._parsed, code, sentence, Place(self._file, mark.line + 1, mark.column + 1), advice)


# What the parser finds, as a person would say it: part of its words, sentence, advice.
_SENTENCES = (
    ("mapping values are not allowed", "A second ': ' stands in this line, or the line is indented too far.",
     "Put the value in quotes, or move the line."),
    ("block sequence entries are not allowed", "A list begins in the middle of a line.",
     "Begin it on the next line, or write it as [a, b]."),
    ("unexpected end of stream", "The quotation mark that begins here is never closed.", "Close it."),
    ("did not find expected ',' or ']'", "The list that begins here is never closed.", "Close it with ]."),
    ("did not find expected ',' or '}'", "The mapping that begins here is never closed.", "Close it with }."),
    ("did not find expected key", "This line does not fit to the lines above it.",
     "What belongs together begins in the same column, and nothing may follow a closing quotation mark."),
    ("did not find expected '-' indicator", "This line does not fit to the list above it.",
     "Entries of one list begin with '- ' in the same column."),
    ("could not find expected ':'", "Here a key without ': ' and a value is written.", "Write it as 'key: value'."),
    ("unknown escape character", "In double quotes a backslash begins an escape, and this one does not exist.",
     "Put the text in single quotes."),
    ("expected alphabetic or numeric character", "A text cannot begin with '*', '&' or '!' unless it is in quotes.",
     "Put it in quotes."),
    ("cannot start any token", "A text cannot begin with this character unless it is in quotes.", "Put it in quotes."),
)  # fmt: skip

# For these the beginning of what went wrong says more than where the parser gave up.
_FROM_THE_START = ("unexpected end of stream", "did not find expected ','", "expected alphabetic", "expected ':'")


def _explained(error: yaml.MarkedYAMLError, text: str, file: str) -> tuple[str, Place, str]:
    problem = error.problem or "it is not YAML"
    mark = error.problem_mark or error.context_mark
    if error.context_mark and any(words in problem for words in _FROM_THE_START):
        mark = error.context_mark
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    for words, sentence, advice in _SENTENCES:
        if words in problem:
            return sentence, place, advice
    return f"This is not YAML: {problem}.", place, "Look at the line above too."
