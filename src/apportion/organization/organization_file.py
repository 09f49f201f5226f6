"""Reading the organization file, YAML or CSV by the end of its name."""

from __future__ import annotations

import hashlib
from pathlib import Path

from apportion.errors import DocumentError, EmptyFileError, Place, UnreadableFileError
from apportion.organization.checks import check_versions
from apportion.organization.cost_group import Organization
from apportion.organization.document import OrganizationDocument, written_versions
from apportion.organization.table import written_rows
from apportion.yamlfile import in_file_order, load_document, read_bytes


def read(path: Path) -> Organization:
    """The organization of a ``.yaml``, ``.yml`` or ``.csv`` file.

    Raises `DocumentError` with every mistake in the order of the file, `EmptyFileError` for a file without a
    cost group, and `UnreadableFileError` for one that is missing or of another kind.
    """
    ending = path.suffix.lower()
    if ending in (".yaml", ".yml"):
        document = load_document(path, OrganizationDocument)
        written, mistakes = written_versions(document.value, document.places)
        mistakes += check_versions(written)
        digest = document.digest
    elif ending == ".csv":
        content = read_bytes(path)
        written, mistakes = written_rows(content, str(path))
        # Whether versions fit together is judged where every row could be read: a group lost to a bad date
        # would make everything below it look like a mistake.
        mistakes = mistakes or check_versions(written)
        digest = hashlib.sha256(content).hexdigest()
    else:
        raise UnreadableFileError(
            f"An organization file ends in .yaml, .yml or .csv, not in '{ending}'.", place=Place(str(path))
        )
    if mistakes:
        raise DocumentError(in_file_order(mistakes))
    if not written:
        raise EmptyFileError("There is no cost group in the file.", place=Place(str(path)))
    return Organization(tuple(version.group for version in written), digest)
