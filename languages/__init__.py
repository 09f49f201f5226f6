"""The catalogues of the pages: what is to be translated is collected from the sources, and what is translated compiled.

Takes the templates and Python files of ``src/apportion``; gives ``locale/<language>/LC_MESSAGES/django.po`` (committed,
written by people) and beside it ``django.mo`` (made at set-up and when a wheel is built, never committed). Needs Babel
alone to compile, and Django to collect. The same sources give the same catalogue, byte for byte: no dates, no line
numbers, sorted by text.
"""

from __future__ import annotations

import datetime
import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PACKAGE = Path("src/apportion")
FOLDER = PACKAGE / "web" / "locale"
DOMAIN = "django"
_LONG_AGO = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)  # a compiled catalogue names a day: always this one
_HEAD = """\
# The words of Apportion's pages and mails: {name}.
msgid ""
msgstr ""
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Language: {language}\\n"
"Plural-Forms: {plural}\\n"

"""


class CatalogueError(Exception):
    """A catalogue that cannot be read or compiled; says which and why."""


def catalogues(root: Path) -> list[Path]:
    """The catalogues in the tree at ``root``, one for each language."""
    return sorted((root / FOLDER).glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def read(path: Path) -> Catalog:
    """A catalogue as it is written; a catalogue that cannot be read is a CatalogueError."""
    try:
        return read_po(io.BytesIO(path.read_bytes()), locale=language_of(path), domain=DOMAIN, abort_invalid=True)
    except (OSError, ValueError) as error:
        raise CatalogueError(f"{path}: {error}") from error


def language_of(path: Path) -> str:
    """The language of a catalogue: the folder above it."""
    return path.parts[-3]


def as_text(catalogue: Catalog, language: str) -> str:
    """A catalogue as its file says it."""
    out = io.BytesIO()
    write_po(out, catalogue, width=110, omit_header=True, sort_output=True, include_lineno=False)
    name = catalogue.locale.english_name if catalogue.locale else language
    head = _HEAD.format(name=name, language=language, plural=catalogue.plural_forms)
    return head + out.getvalue().decode().strip() + "\n"


def update(root: Path) -> dict[Path, tuple[int, int]]:
    """Bring every catalogue up to what the sources say: (messages, those without translation) of each.

    What the sources do not say any more goes; a new text comes in without a translation, never with a guessed one.
    """
    from languages.sources import collected

    counts = {}
    for path in catalogues(root):
        held = read(path)
        fresh = Catalog(locale=language_of(path), domain=DOMAIN, fuzzy=False)
        missing = 0
        for message in collected(root / PACKAGE):
            old = held.get(message.id, context=message.context)
            said = old.string if old is not None and old.pluralizable == message.pluralizable else ""
            if message.pluralizable and not said:
                said = ("",) * fresh.num_plurals
            missing += not (said and all(said))
            fresh.add(
                message.id,
                said,
                locations=message.locations,
                flags=message.flags,
                user_comments=old.user_comments if old is not None else (),
                auto_comments=message.auto_comments,
                context=message.context,
            )
        path.write_text(as_text(fresh, language_of(path)), encoding="utf-8")
        counts[path] = (len(fresh), missing)
    return counts


def compile_all(root: Path, *, always: bool = False) -> list[Path]:
    """Compile the catalogues whose ``.mo`` is missing or older than its ``.po``; the files that were written."""
    written = []
    for path in catalogues(root):
        target = path.with_suffix(".mo")
        if not always and target.is_file() and target.stat().st_mtime >= path.stat().st_mtime:
            continue
        catalogue = read(path)
        catalogue.creation_date = catalogue.revision_date = _LONG_AGO
        out = io.BytesIO()
        write_mo(out, catalogue)
        partial = target.with_suffix(".mo.partial")
        partial.write_bytes(out.getvalue())
        partial.replace(target)  # a site that is running reads the old one or the new one, never half of it
        written.append(target)
    return written
