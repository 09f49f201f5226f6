"""``python -m vendoring``: bring the files in where they are missing or older than the lock."""

from __future__ import annotations

import sys
from pathlib import Path

from vendoring import RECORD, VendoringError, vendor

if __name__ == "__main__":
    root = Path(__file__).parents[1]
    try:
        vendor(root)
    except VendoringError as error:
        sys.exit(str(error))
    (root / RECORD).touch()  # make goes by the time
