"""On a terminal there is colour and progress; in a pipe neither."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

PROGRAM = [sys.executable, "-m", "apportion.cli"]


def on_a_terminal(words: list[str], directory: Path, **environment: str) -> tuple[int, str]:
    """Run a command with a terminal of 100 columns as its output and errors; its status and what was shown."""
    ours, theirs = pty.openpty()
    settings = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **environment}
    with subprocess.Popen([*PROGRAM, *words], cwd=directory, stdout=theirs, stderr=theirs, env=settings) as running:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # the terminal is gone when the last one who holds it ends
            while part := os.read(ours, 65536):
                shown += part
    os.close(ours)
    return running.returncode, shown.decode()


@pytest.mark.slow
def test_colour_stands_out_on_a_terminal_and_no_color_is_honoured(harbour: Path) -> None:
    status, shown = on_a_terminal(["tie-out", "2026-10"], harbour)
    assert status == 0
    assert "\x1b[1;32mTie-out of 2026-10" in shown
    _, plain = on_a_terminal(["tie-out", "2026-10"], harbour, NO_COLOR="1")
    assert "\x1b[1;32m" not in plain
    assert "\x1b[32m" not in plain
    status, error = on_a_terminal(["tie-out", "2026-09"], harbour)
    assert status == 1
    assert "\x1b[1;31merror\x1b[0m NOT_FOUND" in error
    _, plain = on_a_terminal(["tie-out", "2026-09"], harbour, NO_COLOR="1")
    assert "\x1b" not in plain


@pytest.mark.slow
def test_long_work_shows_rows_on_a_terminal_only(harbour: Path) -> None:
    _, shown = on_a_terminal(["allocate", "2026-10"], harbour)
    assert "Allocating 2026-10" in shown
    assert "45 of 45 rows" in shown or "0 of 45 rows" in shown
    _, quiet = on_a_terminal(["allocate", "2026-10", "--json"], harbour)
    assert "Allocating" not in quiet
    piped = subprocess.run([*PROGRAM, "allocate", "2026-10"], cwd=harbour, capture_output=True, text=True, check=True)
    assert piped.stderr == ""
    assert "\x1b" not in piped.stdout
