"""A corpus of organizations that are wrong on purpose, each with every mistake, its place and its sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from apportion import organization
from apportion.errors import DocumentError

CORPUS = Path(__file__).parent / "wrong_organizations"
FILES = sorted(path for path in CORPUS.iterdir() if path.suffix != ".txt")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_mistake_is_named(path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        organization.read(path)
    found = "".join(f"{mistake}\n" for mistake in caught.value.mistakes).replace(f"{path}:", "")
    expected = path.with_name(path.name + ".txt").read_text(encoding="utf-8")
    assert found == expected


def test_every_file_of_the_corpus_has_its_expectation() -> None:
    assert {path.name + ".txt" for path in FILES} == {path.name for path in CORPUS.glob("*.txt")}
    assert len(FILES) >= 10
