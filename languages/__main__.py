"""``python -m languages`` compiles what has changed; ``python -m languages collect`` brings catalogues up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from languages import CatalogueError, compile_all, update

ROOT = Path(__file__).parents[1]


def main(arguments: list[str]) -> None:
    """What the command line asks for."""
    if arguments == ["collect"]:
        for path, (count, missing) in update(ROOT).items():
            print(f"{path.relative_to(ROOT)}: {count} messages, {missing} without a translation")
    elif arguments:
        sys.exit(__doc__)
    compile_all(ROOT)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (CatalogueError, SyntaxError) as error:
        sys.exit(str(error))
