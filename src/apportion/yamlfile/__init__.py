"""Documents that people write, in YAML: read safely, and every mistake named with its line and column.

Takes the path of one file and the pydantic model of what it should say; gives the model's value, or one
`DocumentError` with all mistakes of the file in order. Scalars reach the model as the text that stands in the
file, so a code such as ``0010``, a name such as ``no`` and a date stay what they are. Anchors, aliases, tags,
merge keys and several documents in one file are refused: nothing here can run code or grow in memory. Never
looks at another file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from apportion.errors import DocumentError, EmptyFileError, Mistake, Place, UnreadableFileError
from apportion.yamlfile.complaints import NO_VALUE, complaints
from apportion.yamlfile.fields import Code, Day, Flag, Refusal, Text, refuse, refuse_all, suggestion
from apportion.yamlfile.nodes import Key, Node, Places, data_of, parse

__all__ = [
    "NO_VALUE",
    "Code",
    "Day",
    "Document",
    "Flag",
    "Key",
    "Places",
    "Refusal",
    "Text",
    "in_file_order",
    "load",
    "load_document",
    "read_bytes",
    "refuse",
    "refuse_all",
    "suggestion",
]

MOST_BYTES = 5_000_000

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Document(Generic[M]):
    """A read file: its value, where each part of it stands, and the SHA-256 of its bytes in hex."""

    value: M
    places: Places
    digest: str


def load(path: Path, model: type[M]) -> M:
    """The file as a `model`. Raises as `load_document` does."""
    return load_document(path, model).value


def load_document(path: Path, model: type[M]) -> Document[M]:
    """The file as a `model`, with places and digest.

    Raises `DocumentError` with every mistake, `EmptyFileError` where nothing is written, and
    `UnreadableFileError` where there is no such file.
    """
    content = read_bytes(path)
    file = str(path)
    parsed = parse(content, file)
    if parsed.broken:
        raise DocumentError(in_file_order(parsed.mistakes))
    if parsed.root is None:
        raise EmptyFileError(
            "The file says nothing: it is empty, or all of it is comments.",
            place=Place(file),
            advice="Write at least the keys it must have.",
        )
    places = Places(file, parsed.root)
    mistakes = list(parsed.mistakes)
    value = _validated(parsed.root, model, places, mistakes)
    if value is None or mistakes:
        raise DocumentError(in_file_order(mistakes))
    return Document(value, places, hashlib.sha256(content).hexdigest())


def _validated(root: Node, model: type[M], places: Places, mistakes: list[Mistake]) -> M | None:
    try:
        return model.model_validate(data_of(root))
    except ValidationError as error:
        mistakes += complaints(error, model, places)
        return None


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """The bytes of a document. Raises `UnreadableFileError` where there is none or it is larger than `most`."""
    place = Place(str(path))
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except FileNotFoundError:
        raise UnreadableFileError("There is no such file.", place=place, advice="Check the name.") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnreadableFileError(f"The file cannot be opened: {reason}.", place=place) from error
    if len(content) > most:
        raise UnreadableFileError(
            f"The file is larger than {most // 1_000_000} MB.",
            place=place,
            advice="Is it the right file? A document that people write is smaller.",
        )
    return content


def in_file_order(mistakes: Sequence[Mistake]) -> list[Mistake]:
    """The mistakes of one file as a reader meets them; those without a line come first."""
    return sorted(mistakes, key=lambda mistake: (mistake.place.line or 0, mistake.place.column or 0))
