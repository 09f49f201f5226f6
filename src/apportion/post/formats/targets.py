"""Every target by its name: `render` makes the files that a finance system takes, `parse` reads them back.

``parse(name, render(name, journal, options).files) == journal``, for every target and journal that is not refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import accumulate
from typing import Any

from apportion.errors import BadValueError, InputRefusedError
from apportion.money.currency import minor_text
from apportion.periods import BillingPeriod
from apportion.post.control import control as totals
from apportion.post.formats import (
    business_central,
    dynamics,
    erpnext,
    generic,
    intacct,
    json_text,
    netsuite,
    odoo,
    oracle,
    people,
    quickbooks,
    sap,
    workday,
    xero,
)
from apportion.post.formats.arrange import Document, arranged, counted
from apportion.post.formats.cells import carried, check, columns, filled, recovered
from apportion.post.formats.companion import entry, missing, restored, section, statistical
from apportion.post.formats.lines import Lines
from apportion.post.formats.reading import refusing
from apportion.post.formats.tables import damage_as_value_errors
from apportion.post.formats.target import Column, Options, Page, Rendered, Target
from apportion.post.journal import Journal

VERSION = 1

TARGETS: Mapping[str, Target] = {
    target.name: target
    for module in (
        sap, oracle, netsuite, dynamics, business_central, workday, intacct, quickbooks, xero, odoo, erpnext, people
    )
    for target in module.TARGETS
}  # fmt: skip


def names() -> tuple[str, ...]:
    """Every name that `render` takes."""
    return (*TARGETS, *generic.NAMES)


def render(name: str, journal: Journal, options: Options | None = None) -> Rendered:
    """All files of a journal for a target. The same journal and options give the same bytes.

    Raises `InputRefusedError` for an unknown target and for options that do not fit, and `BadValueError` with entry,
    line and column for what the target cannot take.
    """
    options = options or Options()
    if name in generic.NAMES:
        return generic.render(name, journal)
    target = _target(name)
    settings = target.chosen(options)
    if target.check:
        target.check(options)
    book = _Book(target, options, settings, journal)
    companion: dict[str, Any] = {
        "document": "journal_companion",
        "version": VERSION,
        "target": name,
        "options": options.as_json(),
        "journal": journal.id,
        "period": str(journal.period),
        "source_hash": journal.source_hash,
    }
    documents = arranged(journal.entries, target, options)
    companion["journal_lines"] = book.add(documents, target.columns(options), "")
    if journal.statistical and target.statistical:
        quantities = counted(journal.statistical, target)
        companion["statistical_lines"] = book.add(quantities, target.statistical(options), ".statistical")
    elif journal.statistical:
        alone = Journal(journal.id, journal.period, journal.source_hash, (), journal.statistical)
        companion["statistical"] = json_text.document(alone)
    stem = f"{name}-{journal.period}"
    # One line of the companion a line of the journal would be long; one text line for each part is short and exact.
    book.files[f"{stem}.companion.json"] = _json(companion)
    control = {
        **totals(journal, book.files),
        "target": name,
        "kept_in_the_companion": book.missing,
        "statistical_are_in_the_target": not journal.statistical or bool(target.statistical),
        "parts": book.parts,
    }
    files = {**book.files, f"{stem}.control.json": (json.dumps(control, ensure_ascii=False, indent=2) + "\n").encode()}
    return Rendered(files, f"{stem}.control.json")


def parse(name: str, files: Mapping[str, bytes]) -> Journal:
    """The journal that `files` were rendered from, all of them that `render` gave.

    Raises `BadValueError` for files that are missing, changed, or not of this target.
    """
    if name in generic.NAMES:
        return generic.parse(name, files)
    target = _target(name)
    with refusing(f"a journal for {target.title}"), damage_as_value_errors():
        companion = json.loads(next(content for file, content in files.items() if file.endswith(".companion.json")))
        options = _options(companion["options"])
        journal = _read(target, options, companion, files)
        again = render(name, journal, options).files
    if again != dict(files):
        raise BadValueError(
            f"The files for {target.title} do not belong together, or one of them was changed.",
            advice="Write the journal again.",
        )
    return journal


def _target(name: str) -> Target:
    if name not in TARGETS:
        raise InputRefusedError(f"There is no target '{name}'.", advice=f"The targets are {', '.join(names())}.")
    return TARGETS[name]


class _Book:
    """The files of one export while they are made."""

    def __init__(self, target: Target, options: Options, settings: Mapping[str, str], journal: Journal) -> None:
        self._target, self._options, self._settings, self._journal = target, options, settings, journal
        self.files: dict[str, bytes] = {}
        self.parts: list[dict[str, object]] = []
        self.missing: list[str] = []

    def add(self, documents: Sequence[Document], base: Sequence[Column], kind: str) -> dict[str, Any]:
        """Write the files of these documents; give what the companion must have of them."""
        target = self._target
        documents = _by_file(documents, target)
        lines = Lines(documents, self._journal.period, self._options.companion)
        found = columns(target, base, self._options, lines.dimensions)
        spans = list(_spans(documents, target))
        names = [self._name(place, len(spans), kind) for place in range(1, len(spans) + 1)]
        batch = sha256(f"{self._journal.id}{kind}".encode()).hexdigest()[:8].upper()
        for place, span in enumerate(spans, start=1):
            lines.batches += [f"AP{batch}-{place}"] * sum(len(document.lines) for document in span)
        held = carried(found, self._options)
        if "signed" not in held:
            raise InputRefusedError(
                f"{target.title} would get no amounts.", advice="Give the columns of the amounts their fields back."
            )
        cells = [filled(column, lines, self._settings) for column in found]
        check(target, list(zip(found, cells, strict=True)), lines)
        start = 0
        for name, span in zip(names, spans, strict=True):
            ends = tuple(accumulate(len(document.lines) for document in span))
            part = tuple(cells) if len(spans) == 1 else tuple(texts[start : start + ends[-1]] for texts in cells)
            page = Page(found, part, ends, self._settings, self._options.template[:-1])
            self.files[name] = target.carrier.write(page)
            totals_of = _totals(lines, slice(start, start + ends[-1]))
            self.parts.append({"file": name, "documents": len(span), "lines": ends[-1], "totals": totals_of})
            start += ends[-1]
        self.missing += [field for field in missing(held, lines) if field not in self.missing]
        return {"files": names, "columns": lines.dimensions, **section(lines, held)}

    def _name(self, place: int, count: int, kind: str) -> str:
        number = f"-{place:03d}" if count > 1 else ""
        return f"{self._target.name}-{self._journal.period}{kind}{number}.{self._target.extension}"


def _by_file(documents: Sequence[Document], target: Target) -> list[Document]:
    """Documents of one company or currency beside each other, where the target wants a file for each."""
    groups: dict[tuple[str, ...], list[Document]] = {}
    for document in documents:
        groups.setdefault(_file_key(document, target), []).append(document)
    return [document for group in groups.values() for document in group]


def _file_key(document: Document, target: Target) -> tuple[str, ...]:
    posting = document.lines[0][1]
    return tuple({"company": posting.company, "currency": posting.currency}[each] for each in target.file_per)


def _spans(documents: Sequence[Document], target: Target) -> Iterator[list[Document]]:
    """The documents of each file, never one over two files."""
    span: list[Document] = []
    count = 0
    for document in documents:
        full = target.lines_per_file and count + len(document.lines) > target.lines_per_file
        if span and (full or _file_key(document, target) != _file_key(span[0], target)):
            yield span
            span, count = [], 0
        span.append(document)
        count += len(document.lines)
    if span:
        yield span


def _totals(lines: Lines, part: slice) -> list[dict[str, str]]:
    """Debits and credits of each company and currency in one file, as the file has them."""
    sides: dict[tuple[str, str], list[int]] = {}
    books, currencies = lines["books"][part], lines["currency"][part]
    said = (book or currency for book, currency in zip(books, currencies, strict=True))
    for *key, text in zip(lines["company"][part], said, lines["signed"][part], strict=True):
        amount = int(text.replace(".", ""))
        both = sides.setdefault((key[0], key[1]), [0, 0])
        both[amount < 0] += abs(amount)
    return [
        {
            "company": company,
            "currency": currency,
            "debit": minor_text(debit, currency),
            "credit": minor_text(credit, currency),
        }
        for (company, currency), (debit, credit) in sides.items()
    ]


def _json(companion: Mapping[str, Any]) -> bytes:
    """JSON with one text line for each line of a list, so that differences can be looked at."""

    def spelled(value: object) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def member(name: str, value: object) -> str:
        if isinstance(value, dict) and name.endswith("_lines"):
            inside = ",\n".join(member(each, inner) for each, inner in value.items())
            return f"{spelled(name)}:{{\n{inside}\n}}"
        if isinstance(value, list) and len(value) > 1:
            inside = ",\n".join(map(spelled, value))
            return f"{spelled(name)}:[\n{inside}\n]"
        return f"{spelled(name)}:{spelled(value)}"

    return ("{\n" + ",\n".join(member(name, value) for name, value in companion.items()) + "\n}\n").encode("utf-8")


def _options(found: Mapping[str, Any]) -> Options:
    return Options(
        settings=found["settings"],
        columns=found["columns"],
        companion=frozenset(found["companion"]),
        books=found["books"],
        template=tuple(tuple(row) for row in found["template"]),
    )


def _read(target: Target, options: Options, companion: Mapping[str, Any], files: Mapping[str, bytes]) -> Journal:
    entries = _fields(target, options, companion["journal_lines"], target.columns(options), files)
    quantities: tuple[Any, ...] = ()
    if "statistical_lines" in companion and target.statistical:
        made = companion["statistical_lines"]
        found = _fields(target, options, made, target.statistical(options), files)
        quantities = tuple(statistical(head, lines) for head, lines in found)
    elif "statistical" in companion:
        text = json.dumps(companion["statistical"], ensure_ascii=False, indent=2) + "\n"
        quantities = json_text.parse(text).statistical
    return Journal(
        companion["journal"],
        BillingPeriod.parse(companion["period"]),
        companion["source_hash"],
        tuple(entry(head, lines) for head, lines in entries),
        quantities,
    )


def _fields(
    target: Target, options: Options, made: Mapping[str, Any], base: Sequence[Column], files: Mapping[str, bytes]
) -> list[tuple[dict[str, str], list[dict[str, str]]]]:
    settings = target.chosen(options)
    found = columns(target, base, options, made["columns"])
    page = Page(found, (), (), settings, options.template[:-1])
    cells: list[list[str]] = [[] for _ in found]
    for name in made["files"]:
        for column, texts in zip(cells, target.carrier.read(files[name], page), strict=True):
            column.extend(texts)
    documents = [(key, length) for key, _, length, _ in made["documents"]]
    fields = recovered(found, cells, settings, documents)
    held = carried(found, options) | {"document", "signed"}
    return restored(dict(made), {field: texts for field, texts in fields.items() if field in held})
