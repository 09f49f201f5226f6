"""What a stranger meets: help, wrong words, wrong places, and what goes wrong outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import typer

from apportion.cli import act, app, face, failures, program
from apportion.cli.reference import helps
from apportion.errors import Mistake, Place
from apportion.settings import FILE_NAME
from tests.rooms.cli.harbour import Say

PROGRAM = [sys.executable, "-m", "apportion.cli"]
HEAVY = ("duckdb", "yaml", "rich", "sqlite3", "apportion.warehouse.store")


@pytest.mark.slow
def test_help_and_version_come_without_loading_the_engine() -> None:
    script = (
        "import sys; from apportion.cli import main\n"
        "for words in (['--help'], ['--version'], ['close', '--help'], ['policy']):\n"
        "    assert main(words) == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert "Closes the cloud bill" in done.stdout
    assert "\napportion 0." in done.stdout


def test_every_command_has_an_example_that_names_it() -> None:
    found = dict(helps())
    assert len(found) == 47
    for path, text in found.items():
        if "Commands:" not in text:  # a group of commands only lists them
            assert "Example" in text
            assert f"    {path}" in text
            assert "--json" in text
            assert "--workspace" in text


def test_the_settings_file_is_looked_for_under_its_own_name() -> None:
    assert face.SETTINGS == FILE_NAME


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tieout", "2026-10"], "No such command 'tieout'. Did you mean 'tie-out'?"),
        (["tie-out"], "Missing argument 'PERIOD'."),
        (["tie-out", "2026-13"], "'2026-13' is not a billing period. Write it as YYYY-MM, for example 2026-10."),
        (["close", "October"], "'October' is not a billing period."),
        (["findings", "--period", "x"], "'x' is not a billing period."),
        (["periods", "--colour"], "No such option: --colour"),
        (["explain", "ST-1", "--rows", "many"], "'many' is not a whole number from 0."),
        (["explain", "ST-1", "--rows", "5000"], "At most 1,000 rows are shown of each amount."),
        (["policy", "chek"], "No such command 'chek'. Did you mean 'check'"),
    ],
)
def test_wrong_usage_is_said_in_a_sentence(say: Say, words: list[str], said: str) -> None:
    done = say(*words)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("error USAGE: ")
    assert said in done.err
    assert "advice: See: apportion" in done.err


def test_a_number_that_no_statement_has_is_wrong_usage(harbour: Path, say: Say) -> None:
    done = say("explain", "3")
    assert done.status == 2
    assert "'3' is not a statement number. It looks like ST-2026-10-0001" in done.err


def test_wrong_usage_is_a_document_too(say: Say) -> None:
    done = say("tieout", "2026-10", "--json")
    assert (done.status, done.err) == (2, "")
    assert done.json["error"]["code"] == "USAGE"


def test_without_a_workspace_the_way_to_one_is_said(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = say("periods")
    assert (done.status, done.out) == (4, "")
    assert done.err.splitlines() == [
        f"error NO_WORKSPACE: There is no workspace in {tmp_path} or above it.",
        "  advice: Make one with: apportion init DIR, or name one with --workspace DIR.",
    ]


def test_a_named_workspace_is_not_looked_for_above(harbour: Path, say: Say) -> None:
    inside = harbour / "notes"
    inside.mkdir()
    assert say("periods").status == 0
    missing, empty = say("periods", "--workspace", "typo"), say("periods", "--workspace", inside)
    assert (missing.status, empty.status) == (4, 4)
    assert "There is no directory typo." in missing.err
    assert "notes is no workspace: it has no apportion.yaml." in empty.err


def test_the_workspace_is_named_before_or_after_the_command_or_by_the_environment(
    harbour: Path, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before, after = say("--workspace", harbour, "--json", "periods"), say("periods", "-w", harbour, "--json")
    monkeypatch.setenv("APPORTION_WORKSPACE", str(harbour))
    assert before.json == after.json == say("periods", "--json").json
    assert before.json["periods"][0]["period"] == "2026-10"


def test_a_workspace_is_found_from_a_directory_inside_it(
    harbour: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    (harbour / "notes").mkdir()
    monkeypatch.chdir(harbour / "notes")
    assert say("periods").status == 0


@pytest.mark.slow
def test_a_workspace_in_use_is_said_to_be_busy(harbour: Path, say: Say) -> None:
    script = (
        "import sys; from pathlib import Path; from apportion.warehouse.store import Workspace\n"
        "with Workspace.open(Path(sys.argv[1])).lock('a long close'): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(harbour)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        done = say("allocate", "2026-10")
        other.communicate()
    assert done.status == 4
    assert done.err.startswith("error WORKSPACE_BUSY: The workspace is in use by process ")
    assert "a long close" in done.err


# What goes wrong outside.


class Trouble:
    """A command line whose only command fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def brings(self, error: BaseException) -> int:
        made = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
        made.callback()(app._before)

        def run(face: face.Face) -> None:
            """Fail."""
            raise error

        act.act(made, "fail")(run)
        self._monkeypatch.setattr(app, "command", lambda: typer.main.get_command(made))
        return program.main(["fail"])


@pytest.fixture
def trouble(monkeypatch: pytest.MonkeyPatch) -> Trouble:
    return Trouble(monkeypatch)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (KeyboardInterrupt(), 130, "error INTERRUPTED: Stopped before the end."),
        (RuntimeError("Query interrupted"), 130, "error INTERRUPTED"),
        (duckdb.InterruptException("INTERRUPT Error: Interrupted!"), 130, "error INTERRUPTED"),
        (PermissionError(13, "Permission denied", "/etc/x.csv"), 4, "The disk refuses: permission denied."),
        (OSError(28, "No space left on device"), 4, "error STORAGE: The disk refuses: no space left on device."),
        (duckdb.IOException("IO Error: No space left on device"), 4, "error STORAGE: The disk is full."),
        (duckdb.IOException("IO Error: Could not read"), 4, "error ENGINE: The engine cannot read or write a file"),
        (duckdb.OutOfMemoryException("Out of Memory Error: no\nmore"), 4, "error ENGINE: The engine needs more memory"),
        (
            duckdb.ConversionException("Conversion Error: 'x'\nLINE 1"),
            4,
            "refuses the cost data: Conversion Error: 'x'.",
        ),
    ],
)
def test_foreseeable_trouble_has_a_sentence_and_no_traceback(
    trouble: Trouble, capsys: pytest.CaptureFixture[str], error: BaseException, status: int, said: str
) -> None:
    assert trouble.brings(error) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert "Traceback" not in err
    assert "LINE 1" not in err


def test_a_fault_of_the_program_shows_where_and_has_a_status_of_its_own(
    trouble: Trouble, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trouble.brings(ZeroDivisionError("of a period")) == 70
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "error FAULT: This is a fault of Apportion: ZeroDivisionError: of a period" in err


def test_names_in_errors_cannot_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    mistake = Mistake("BAD", "Says \x1b[31mred\x1b[0m.", Place("pol\x1bicy.yaml", 3, 5))
    failed = failures.Failure("BAD", "Two.", 1, mistakes=(mistake, mistake))
    assert failures.report(failed, as_json=False) == 1
    err = capsys.readouterr().err
    assert "\x1b" not in err
    assert "icy.yaml:3:5: BAD: Says" in err


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_error(harbour: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        done = subprocess.run(
            [*PROGRAM, "explain", "ST-2026-10-0001"], stdout=closed, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.slow
def test_an_interrupt_ends_with_its_own_status(harbour: Path) -> None:
    """Ctrl-C while another process holds a pipe: the command waits for input that never comes."""
    fifo = harbour / "endless.csv"
    os.mkfifo(fifo)
    words = [*PROGRAM, "policy", "check", str(fifo)]
    # Opening the other side of the pipe returns when the command has opened its own.
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as running, fifo.open("w"):
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert err.startswith("error INTERRUPTED")
