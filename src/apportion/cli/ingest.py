"""``apportion ingest``."""

from __future__ import annotations

from typing import Any

from apportion.cli.face import Face


def run(face: Face) -> None:
    """Load."""


def load(face: Face, workspace: Any, paths: Any, **k: Any) -> Any:
    """x."""


def document(receipt: Any) -> dict[str, object]:
    """x."""
    return {}


def sentence(receipt: Any) -> str:
    """x."""
    return ""
