"""The program: reads the command line, runs one command, and turns whatever happens into an exit status."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress

from apportion.cli import failures


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit status (see `apportion.cli.failures`). `arguments` None: those of the process."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a name that the terminal cannot show is no reason to stop
    try:
        status = _run(given)
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go_of_output()
        return failures.PIPE_CLOSED
    return status


def _run(given: list[str]) -> int:
    # What is asked for has to be known even where the rest of the command line makes no sense.
    as_json = "--json" in given[: given.index("--")] if "--" in given else "--json" in given
    try:
        from apportion.cli.app import command

        ended = command().main(args=given, prog_name="apportion", standalone_mode=False)
    except BrokenPipeError:
        raise
    except BaseException as error:  # every way out gets a sentence and a status
        failed = failures.failure(error)
        if failed is None:
            if isinstance(error, SystemExit):
                raise
            traceback.print_exception(error, file=sys.stderr)
            failed = failures.fault(error)
        return failures.report(failed, as_json=as_json)
    if ended == failures.INTERRUPTED:
        return failures.report(failures.interrupted(), as_json=as_json)
    return ended if isinstance(ended, int) else 0


def _let_go_of_output() -> None:
    """Python flushes standard output once more at exit; let it flush into nothing."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
