"""Documents as JSON and XML, described by example: a tree whose leaves are columns.

A leaf that is empty is left out, and so is what then holds nothing. Each pattern of empty leaves gives one template of
text, filled for every line that has it: a hundred thousand lines take about a second, and amounts stay digits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from apportion.post.formats.target import Column, Page
from apportion.post.formats.xml_text import escaped, parsed

# A tree is a mapping of names to trees; leaves are columns, constant texts, and `LINES`, where the lines go.
LINES = object()
Tree = Any
_HOLE = "\x00"  # in no text: control characters never come this far


def leaves(*trees: Tree) -> tuple[Column, ...]:
    """The columns of trees in their order; their names must differ."""
    found = tuple(leaf for tree in trees for leaf in _walk(tree))
    assert len({column.name for column in found}) == len(found)  # noqa: S101 - a description, not data
    return found


def _walk(tree: Tree) -> Iterator[Column]:
    if isinstance(tree, Column):
        yield tree
    elif isinstance(tree, Mapping):
        for each in tree.values():
            yield from _walk(each)
    elif isinstance(tree, list):
        for each in tree:
            yield from _walk(each)


@dataclass(frozen=True, slots=True)
class Json:
    """Documents as JSON: one a text line and no more (`per_line`), or all in a list below `wrap`.

    Columns that an export adds by name become members of each line. Where `commands`, a line is ``[0, 0, {…}]``.
    """

    head: Tree
    line: Tree
    per_line: bool = True
    wrap: str = ""
    commands: bool = False

    def write(self, page: Page) -> bytes:
        """The documents, UTF-8."""
        line, between = _with_added(self.line, page, self.head), "," if self.per_line else ",\n"
        render = _json_command if self.commands else _json_text
        documents = _documents(page, self.head, line, render, _json_leaf, between)
        if self.per_line:
            return "".join(f"{document}\n" for document in documents).encode("utf-8")
        start = f'{{"{self.wrap}":[\n' if self.wrap else "[\n"
        return (start + ",\n".join(documents) + ("\n]}\n" if self.wrap else "\n]\n")).encode("utf-8")

    def _inside(self, line: Any) -> Any:
        return line[2] if self.commands else line

    def read(self, content: bytes, page: Page) -> list[list[str]]:
        """Columns of cells. Raises `ValueError`, `KeyError` or `TypeError` for other documents."""
        text = content.decode("utf-8")
        if self.per_line:
            documents = [_loads(line) for line in text.split("\n") if line]
        else:
            documents = _loads(text)
            documents = documents[self.wrap] if self.wrap else documents
        line = _with_added(self.line, page, self.head)
        cells: dict[str, list[str]] = {column.name: [] for column in page.columns}
        for document in documents:
            found: list[Any] = []
            heads = dict(_json_cells(self.head, document, found, page.settings))
            for each in found[0]:
                for name, cell in (*heads.items(), *_json_cells(line, self._inside(each), found, page.settings)):
                    cells[name].append(cell)
        return list(cells.values())


@dataclass(frozen=True, slots=True)
class JsonRows:
    """Every line as a JSON object of its own, one a text line: what a program sends one after the other."""

    line: Tree

    def write(self, page: Page) -> bytes:
        """The lines, UTF-8."""
        line = _with_added(self.line, page, {})
        return "".join(f"{text}\n" for text in _documents(page, LINES, line, _json_text, _json_leaf, "\n")).encode(
            "utf-8"
        )

    def read(self, content: bytes, page: Page) -> list[list[str]]:
        """Columns of cells. Raises `ValueError`, `KeyError` or `TypeError` for other lines."""
        line = _with_added(self.line, page, {})
        cells: dict[str, list[str]] = {column.name: [] for column in page.columns}
        for text in content.decode("utf-8").split("\n"):
            if text:
                for name, cell in _json_cells(line, _loads(text), [], page.settings):
                    cells[name].append(cell)
        return list(cells.values())


def _loads(text: str) -> Any:
    return json.loads(text, parse_float=str, parse_int=str)


def _json_cells(tree: Tree, value: Any, lines: list[Any], settings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if tree is LINES:
        lines.append(value)
    elif isinstance(tree, Column):
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{tree.name} is no text")
        yield tree.name, value or ""
    elif isinstance(tree, Mapping):
        for name, each in tree.items():
            yield from _json_cells(each, None if value is None else value.get(name), lines, settings)
    elif isinstance(tree, list):
        for each in tree:
            yield from _json_cells(each, _same(each, value or (), settings), lines, settings)


def _same(tree: Mapping[str, Tree], members: Sequence[Any], settings: Mapping[str, str]) -> Any:
    """The member of a list that `tree` made, by what a setting said in it: empty members were left out."""
    name, said = next(
        (name, settings[leaf.setting]) for name, leaf in tree.items() if isinstance(leaf, Column) and leaf.setting
    )
    return next((each for each in members if each[name] == said), None)


@dataclass(frozen=True, slots=True)
class Xml:
    """Documents as XML between an opening and a closing text; names are written as they stand.

    ``@name`` is an attribute of the element that it stands in, ``#`` its text. `head` is the element of a document,
    `line` that of a line, each a mapping of one name. `spaces` are the namespaces of prefixes, for reading.
    """

    opening: str
    closing: str
    head: Tree
    line: Tree
    spaces: Mapping[str, str]

    def write(self, page: Page) -> bytes:
        """The documents, UTF-8."""
        line = _with_added(self.line, page, self.head)
        documents = _documents(page, self.head, line, _xml_text, escaped, "\n")
        return (self.opening + "\n".join(documents) + self.closing).encode("utf-8")

    def read(self, content: bytes, page: Page) -> list[list[str]]:
        """Columns of cells. Raises `BadValueError` or `ValueError` for other documents."""
        root = parsed(content, "journal")
        (head_name, head), (line_name, line) = (
            next(iter(tree.items())) for tree in (self.head, _with_added(self.line, page, self.head))
        )
        cells: dict[str, list[str]] = {column.name: [] for column in page.columns}
        for document in root.iter(self._full(head_name)):
            heads = dict(self._cells(head, document))
            for each in document.iter(self._full(line_name)):
                for name, cell in (*heads.items(), *self._cells(line, each)):
                    cells[name].append(cell)
        return list(cells.values())

    def _full(self, name: str) -> str:
        prefix, _, rest = name.rpartition(":")
        return f"{{{self.spaces[prefix]}}}{rest}" if prefix in self.spaces else rest

    def _cells(self, tree: Tree, element: Element | None) -> Iterator[tuple[str, str]]:
        if isinstance(tree, Column):
            yield tree.name, (element.text or "") if element is not None else ""
        elif isinstance(tree, Mapping):
            for name, each in tree.items():
                if each is LINES:
                    continue
                if name.startswith("@"):
                    if isinstance(each, Column):
                        yield each.name, element.get(name[1:], "") if element is not None else ""
                elif name == "#":
                    yield from self._cells(each, element)
                else:
                    yield from self._cells(each, element.find(self._full(name)) if element is not None else None)


def _with_added(line: Tree, page: Page, head: Tree) -> Tree:
    """The tree of a line with the columns that the export added, and without their own field where it took one."""
    known = {column.name for column in leaves(head, line)}
    added = {column.name: column for column in page.columns if column.name not in known}
    if not added:
        return line
    if isinstance(line, Mapping) and len(line) == 1:  # XML: one element, which holds the members
        (name, inside), *_ = line.items()
        return {name: {**inside, **added}}
    return {**line, **added}


def _documents(
    page: Page,
    head: Tree,
    line: Tree,
    render: Callable[[Tree, Callable[[Column], bool]], str],
    spell: Callable[[str], str],
    between: str,
) -> Iterator[str]:
    """Each document as text: its head, from its first line, around its lines."""
    ours = {column.name: column for column in page.columns}
    spelled = {}
    for column, texts in zip(page.columns, page.cells, strict=True):
        same = str if column.number else spell
        known = {text: same(text) for text in set(texts)}
        spelled[column.name] = [known[text] for text in texts]
    heads = _Templates(head, ours, render)
    lines = _Templates(line, ours, render)
    texts = lines.filled(spelled, range(len(page.cells[0]) if page.cells else 0))
    if head is LINES:
        yield from texts
        return
    start = 0
    for stop in page.ends:
        (around,) = heads.filled(spelled, range(start, start + 1))
        yield around.replace(_HOLE, between.join(texts[start:stop]))
        start = stop


class _Templates:
    """Templates of one tree, one for each set of leaves that are filled."""

    def __init__(
        self, tree: Tree, columns: Mapping[str, Column], render: Callable[[Tree, Callable[[Column], bool]], str]
    ) -> None:
        self._tree, self._render = tree, render
        self._columns = [columns[leaf.name] for leaf in _walk(tree)]
        self._known: dict[tuple[bool, ...], str] = {}

    def filled(self, spelled: Mapping[str, list[str]], places: range) -> list[str]:
        cells = [spelled[column.name][places.start : places.stop] for column in self._columns]
        if not cells:
            return [self._template((), ()) for _ in places]
        found = []
        for row in zip(*cells, strict=True):
            pattern = tuple(text not in {"", '""'} for text in row)
            template = self._known.get(pattern) or self._template(pattern, row)
            found.append(template % tuple(text for text, there in zip(row, pattern, strict=True) if there))
        return found

    def _template(self, pattern: tuple[bool, ...], _row: Sequence[str]) -> str:
        there = {column.name for column, filled in zip(self._columns, pattern, strict=True) if filled}
        template = self._render(self._tree, lambda column: column.name in there)
        self._known[pattern] = template
        return template


def _json_leaf(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _json_text(tree: Tree, there: Callable[[Column], bool]) -> str:
    return _json_node(tree, there) or "{}"


def _json_command(tree: Tree, there: Callable[[Column], bool]) -> str:
    """A line as the command that creates it; the head, which holds the lines, is a plain document."""
    made = _json_text(tree, there)
    return made if _HOLE in made else f"[0,0,{made}]"


def _json_node(tree: Tree, there: Callable[[Column], bool]) -> str:
    """The template of a tree, empty where nothing of it is filled; ``%s`` where a leaf goes."""
    if tree is LINES:
        return f"[{_HOLE}]"
    if isinstance(tree, Column):
        return "%s" if there(tree) else ""
    if isinstance(tree, str):
        return _json_leaf(tree).replace("%", "%%")
    if isinstance(tree, list):
        found = [made for each in tree if (made := _json_node(each, there))]
        return f"[{','.join(found)}]" if found else ""
    if isinstance(tree, bool | int):
        return json.dumps(tree)
    members, filled = [], not any(True for _ in _walk(tree))
    for name, each in tree.items():
        if made := _json_node(each, there):
            members.append(f"{_json_leaf(name).replace('%', '%%')}:{made}")
            filled = filled or each is LINES or any(there(column) for column in _walk(each))
    return f"{{{','.join(members)}}}" if filled else ""


def _xml_text(tree: Tree, there: Callable[[Column], bool]) -> str:
    (name, inside), *_ = tree.items()
    return _xml_node(name, inside, there) or f"<{name}/>"


def _xml_node(name: str, tree: Tree, there: Callable[[Column], bool]) -> str:
    """An element, empty where nothing of it is filled."""
    if isinstance(tree, Column):
        return f"<{name}>%s</{name}>" if there(tree) else ""
    if isinstance(tree, str):
        return f"<{name}>{escaped(tree).replace('%', '%%')}</{name}>"
    attributes, inside, filled = "", "", not any(True for _ in _walk(tree))
    for key, each in tree.items():
        if each is LINES:
            inside, filled = f"{inside}\n{_HOLE}\n", True
            continue
        filled = filled or any(there(column) for column in _walk(each))
        if key.startswith("@"):
            value = "%s" if isinstance(each, Column) else escaped(each).replace("%", "%%")
            if not isinstance(each, Column) or there(each):
                attributes += f' {key[1:]}="{value}"'
        elif key == "#":
            inside += "%s" if there(each) else ""
        else:
            inside += _xml_node(key, each, there)
    return f"<{name}{attributes}>{inside}</{name}>" if filled else ""
