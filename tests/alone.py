"""Acts in a process of its own, over the books of a workspace: ``python -m tests.alone ROOT ACT``."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.books import Books


def main(root: Path, act: str, at: float) -> None:
    """Set Django up, wait for the instant, do it, and print what came of it."""
    from apportion import records

    records.boot(root)
    from apportion.records import upkeep

    if act == "prepare":
        upkeep.migrate()
        from tests.books import people

        people()
        _books(root).allocated()
        return
    from django.db import connection

    from apportion.actions.close import issuing
    from apportion.actions.review import accepting, disputing
    from apportion.errors import ApportionError
    from apportion.records import convert
    from apportion.records.documents import Document
    from tests.books import OCTOBER

    books = _books(root)
    connection.ensure_connection()
    if act == "kill":
        real = convert.keep

        def keep(*given: Any, **named: Any) -> list[Document]:
            real(*given, **named)
            os.kill(os.getpid(), 9)
            raise AssertionError("it is dead")

        vars(convert)["keep"] = keep
    time.sleep(max(at - time.time(), 0))
    try:
        if act in {"issue", "kill"}:
            done = issuing.issue(books.actor("controller"), OCTOBER)
            print(f"{done.made} {done.documents} {done.was_before}")
        else:
            red = Document.objects.get(cost_group__code="red", period="2026-10")
            if act == "accept":
                accepting.accept(books.actor("red"), red.pk)
            else:
                disputing.dispute(books.actor("finance"), red.pk, line=1, reason="not_ours", text="Not ours")
            print("done")
    except ApportionError as error:
        print(error.code)


def _books(root: Path) -> Books:
    from apportion.warehouse.store import Workspace
    from tests.books import Books

    return Books(Workspace.open(root))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]) if len(sys.argv) > 3 else 0)
