"""What went wrong, for a person or a script; and the exit statuses.

0 fine · 1 an input or document was refused · 2 wrong usage · 3 the books do not agree · 4 the surroundings do not
allow it · 70 a fault of the program · 130 interrupted · 141 whoever read the output went away.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import typer

from apportion.cli.face import clean, print_json, shown_path
from apportion.errors import ApportionError, DocumentError, Mistake, Place
from apportion.warehouse import engine_errors

REFUSED, USAGE, BOOKS_DIFFER, SURROUNDINGS, FAULT, INTERRUPTED, PIPE_CLOSED = 1, 2, 3, 4, 70, 130, 141

# The class above `BadParameter` is what every misuse raises; its name differs between versions of the parser.
UsageError: type[Exception] = typer.BadParameter.__bases__[0]


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure: its code, sentence, place and advice, and the exit status; `mistakes` of a document, all."""

    code: str
    sentence: str
    exit_status: int
    place: Place | None = None
    advice: str = ""
    mistakes: tuple[Mistake, ...] = ()


def failure(error: BaseException) -> Failure | None:
    """What a foreseeable error comes to; None for a fault of the program."""
    error = engine_errors.explained(error) or error
    if isinstance(error, ApportionError):
        mistakes = error.mistakes if isinstance(error, DocumentError) else ()
        return Failure(error.code, error.sentence, error.exit_status, error.place, error.advice, mistakes)
    if isinstance(error, UsageError):
        return _usage(error)
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return interrupted()
    if isinstance(error, OSError):
        place = Place(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None
        reason = error.strerror or type(error).__name__
        return Failure("STORAGE", f"The disk refuses: {reason.lower()}.", SURROUNDINGS, place, "Check the path.")
    return None


def interrupted() -> Failure:
    """The user or the machine asked to stop."""
    return Failure(
        "INTERRUPTED",
        "Stopped before the end.",
        INTERRUPTED,
        advice="What was finished stays; what was under way changed nothing.",
    )


def fault(error: BaseException) -> Failure:
    """An error that nobody foresaw."""
    return Failure(
        "FAULT",
        f"This is a fault of Apportion: {type(error).__name__}: {error}",
        FAULT,
        advice="Please report it, with the command and the lines above.",
    )


def _usage(error: Exception) -> Failure:
    text = getattr(error, "format_message", lambda: str(error))()
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "apportion"
    return Failure("USAGE", text if text.endswith((".", "?", ")")) else f"{text}.", USAGE, advice=f"See: {path} --help")


def document(failed: Failure) -> Mapping[str, object]:
    """The failure as the document of ``--json``."""
    return {
        "error": {
            "code": failed.code,
            "sentence": failed.sentence,
            "place": place_document(failed.place),
            "advice": failed.advice,
            "mistakes": [mistake_document(mistake) for mistake in failed.mistakes],
        }
    }


def mistake_document(mistake: Mistake) -> dict[str, object]:
    """A mistake in a document, as it is written in JSON."""
    return {
        "code": mistake.code,
        "sentence": mistake.sentence,
        "place": place_document(mistake.place),
        "advice": mistake.advice,
    }


def place_document(place: Place | None) -> dict[str, object] | None:
    """A place, as it is written in JSON; None where there is none."""
    if place is None or not str(place):
        return None
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "row": place.row,
        "field": place.field,
    }


def report(failed: Failure, *, as_json: bool) -> int:
    """Print the failure, on standard error or as a document on standard output; give the exit status."""
    if as_json:
        print_json(document(failed))
    else:
        for line in _lines(failed):
            print(line, file=sys.stderr)
    return failed.exit_status


def _lines(failed: Failure) -> list[str]:
    if len(failed.mistakes) > 1:
        return [_headline(failed.code, f"{len(failed.mistakes)} mistakes."), *map(mistake_line, failed.mistakes)]
    lines = [_headline(failed.code, failed.sentence)]
    if failed.place is not None and str(failed.place):
        lines.append(f"  place:  {place_text(failed.place)}")
    if failed.advice:
        lines.append(f"  advice: {clean(failed.advice)}")
    return lines


def _headline(code: str, sentence: str) -> str:
    word = "error"
    if sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb":
        word = "\033[1;31merror\033[0m"
    return f"{word} {code}: {clean(sentence)}"


def mistake_line(mistake: Mistake) -> str:
    """``file:line:column: code: sentence advice``, which editors understand."""
    advice = f" {mistake.advice}" if mistake.advice else ""
    return clean(f"{place_text(mistake.place)}: {mistake.code}: {mistake.sentence}{advice}")


def place_text(place: Place) -> str:
    """A place with its file as short as it can be typed here."""
    file = shown_path(place.file) if place.file else ""
    return clean(str(Place(file, place.line, place.column, place.row, place.field)))
