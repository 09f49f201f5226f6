"""What tests of opening targets share: settings of one target, and what they come to."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from apportion import settings
from apportion.errors import ApportionError
from apportion.post.erp.opening import checked, opened
from apportion.settings.targets import TargetSettings

NOVEMBER = date(2026, 11, 1)


def described(root: Path, keys: str) -> TargetSettings:
    """The target `books` of a settings file with these keys, each on a line of its own."""
    body = "".join(f"    {line.strip()}\n" for line in keys.strip().splitlines())
    (root / "apportion.yaml").write_text(f"company: Nimbus\ntargets:\n  books:\n{body}", encoding="utf-8")
    return settings.load(root).targets["books"]


def wrong(root: Path, keys: str) -> list[tuple[int | None, str, str]]:
    """Line, code and words of what is wrong with a target that the settings take."""
    found = checked("books", described(root, keys), root)
    assert all(each.place.file == str(root / "apportion.yaml") for each in found)
    return [(each.place.line, each.code, f"{each.sentence} {each.advice}".strip()) for each in found]


def refused(root: Path, keys: str) -> str:
    """What opening says."""
    with pytest.raises(ApportionError) as said:
        opened("books", described(root, keys), root)
    return str(said.value)


def kept(root: Path, text: str, name: str = "ledger.key", rights: int = 0o600) -> str:
    """A file of a secret, and its name."""
    (root / name).write_text(text + "\n", encoding="utf-8")
    (root / name).chmod(rights)
    return name
