"""The books and the people: what is issued, said, decided and posted, and who may do what, in a database.

Takes papers and acts from the rooms above, gives Django models and the rights of a person. The one bridge between these
models and the core is `convert`. Never decides what may happen (`review.states` does) and is never written to but by
`actions`.
"""

from __future__ import annotations

import os
from pathlib import Path

WORKSPACE = "APPORTION_WORKSPACE"
DATABASE = "APPORTION_DATABASE"
WEB_BALANCE = "APPORTION_WEB_BALANCE"  # the file that the web processes of one server share


def boot(root: Path) -> None:
    """Set Django up for the books of the workspace at `root`. Call it once, before any model is imported.

    Raises `DocumentError` for mistakes in the workspace's settings, `WorkspaceError` where a setting cannot be used.
    """
    import django

    os.environ[WORKSPACE] = str(root.resolve())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "apportion.records.configuration")
    django.setup()


def secret(variable: str, file: str, root: Path) -> str:
    """A secret from the environment, else the first line of a file (relative to `root`); empty where there is neither.

    Raises `InputRefusedError` for a file that others on this machine can use.
    """
    from apportion.post.erp.secret import secret as checked

    is_there = os.environ.get(variable) or (file and (root / file).is_file())
    return checked(variable, file, root).text if is_there else ""
