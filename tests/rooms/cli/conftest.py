"""A small company's month, brought in through the command line itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from apportion.cli import main
from tests.rooms.cli.harbour import Said, Say, focus_csv, october, write_documents


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Run the command line inside this process."""

    def run(*words: str | Path) -> Said:
        capsys.readouterr()
        status = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return Said(status, out, err)

    return run


@pytest.fixture(scope="session")
def allocated_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with October 2026, loaded and allocated; to be copied, not changed."""
    root = tmp_path_factory.mktemp("cli") / "harbour"
    root.mkdir()
    write_documents(root)
    (root / "october.csv").write_text(focus_csv(october()), encoding="utf-8")
    for words in (
        ["init", str(root)],
        ["ingest", str(root / "october.csv"), "--source", "cloud"],
        ["allocate", "2026-10"],
    ):
        assert main(["--workspace", str(root), *words]) == 0
    return root


@pytest.fixture
def harbour(allocated_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that workspace, with the current directory in it."""
    root = tmp_path / "harbour"
    shutil.copytree(allocated_once, root)
    monkeypatch.chdir(root)
    monkeypatch.delenv("APPORTION_WORKSPACE", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    return root
