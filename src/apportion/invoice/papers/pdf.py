"""Documents as PDF: PDF/A-3a to keep and PDF/UA-1 for screen readers in one file, searchable, with its fonts inside.

The same paper, locale and fonts give the same bytes: the time in the file is the paper's own, and fonts come from the
package. Only where these have no letter for a script, the fonts of the machine are asked; where none has one, the file
still holds the text, but cannot call itself accessible.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, time
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from apportion.errors import BadValueError
from apportion.invoice.paper import Paper
from apportion.invoice.papers.page import labels, page
from apportion.invoice.papers.words import Words, clean, words
from apportion.periods import BillingPeriod

if TYPE_CHECKING:
    from typst import Compiler, PDFStandards

FONTS = Path(__file__).parent.parent / "render" / "fonts"  # where it is absent, the typesetter has letters of its own
FAMILIES = ("Source Sans 3", "Libertinus Serif", "DejaVu Sans Mono")

_TEMPLATE = Path(__file__).with_name("paper.typ")
_ARCHIVE: PDFStandards = ["a-3a", "ua-1"]
_PLAIN: PDFStandards = []
_AHEAD = 4  # documents that wait for each process, so that no process waits for one


def pdf(papers: Paper | Sequence[Paper], locale: str = "en") -> bytes:
    """One file of one document, or of several, each with its own page numbers and bookmark.

    Raises `BadValueError` for a locale that does not exist, and for no document at all.
    """
    several = [papers] if isinstance(papers, Paper) else list(papers)
    if not several:
        raise BadValueError("There is no document to print.", advice="Choose one at least.")
    said = words(locale)
    data = json.dumps(_data(several, said), ensure_ascii=False, separators=(",", ":"))
    return _typeset(data, max(_made_at(paper) for paper in several))


def pdfs(papers: Iterable[Paper], locale: str = "en", *, workers: int | None = None) -> Iterator[bytes]:
    """A file for each document, in their order, made by `workers` processes beside this one (one for each processor).

    Documents are taken from `papers` as they are needed. Processes are started afresh, never forked, and end with the
    iterator. With one worker, everything is made here.
    """
    count = workers or os.cpu_count() or 1
    if count == 1:
        for paper in papers:
            yield pdf(paper, locale)
        return
    waiting = iter(papers)
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        begun = [pool.submit(pdf, paper, locale) for paper in islice(waiting, count * _AHEAD)]
        try:
            while begun:
                made = begun.pop(0).result()
                begun += [pool.submit(pdf, paper, locale) for paper in islice(waiting, 1)]
                yield made
        finally:
            for each in begun:
                each.cancel()


def _data(papers: Sequence[Paper], said: Words) -> dict[str, object]:
    pages = [page(paper, said) for paper in papers]
    title = pages[0]["title"] if len(pages) == 1 else said.say("{count} documents", count=said.count(len(pages)))
    return {
        "title": title,
        "author": clean(papers[0].company),
        "lang": said.language,
        "fonts": FAMILIES,
        "words": labels(said),
        "papers": pages,
    }


def _made_at(paper: Paper) -> datetime:
    """The day of issue; for a draft the end of its period, so that it too is the same twice."""
    day = paper.issued_on or BillingPeriod.parse(paper.period).ends_on
    return datetime.combine(day, time(), UTC)


def _typeset(data: str, made_at: datetime) -> bytes:
    import typst  # only here: it is large, and other formats do without

    for ignores_system in (True, False):
        try:
            return _compiled(data, _ARCHIVE, made_at, ignores_system=ignores_system)
        except typst.TypstError as error:
            if "could not be displayed" not in error.message:
                raise
    return _compiled(data, _PLAIN, made_at, ignores_system=True)


def _compiled(data: str, standards: PDFStandards, made_at: datetime, *, ignores_system: bool) -> bytes:
    with _compiler(FONTS, ignores_system) as compiler:
        made = compiler.compile(format="pdf", sys_inputs={"d": data}, pdf_standards=standards, timestamp=made_at)
    if not isinstance(made, bytes):
        raise TypeError("A PDF is one file.")
    return made


# Fonts and template are read once. A compiler works for one thread at a time; while it does, others may run.
_free: dict[tuple[Path, bool], list[Compiler]] = {}


@contextmanager
def _compiler(fonts: Path, ignores_system: bool) -> Iterator[Compiler]:
    import typst

    free = _free.setdefault((fonts, ignores_system), [])
    try:
        compiler = free.pop()
    except IndexError:
        folders = [str(fonts)] if fonts.is_dir() else []
        compiler = typst.Compiler(
            str(_TEMPLATE), root=str(_TEMPLATE.parent), font_paths=folders, ignore_system_fonts=ignores_system
        )
    try:
        yield compiler
    finally:
        if len(free) < (os.cpu_count() or 1):
            free.append(compiler)
