"""When a wheel is built: scripts, styles, icons and fonts come into it, and compiled catalogues.

See ``vendoring`` and ``languages``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class VendoringHook(BuildHookInterface[Any]):
    """Fills the folders that the repository leaves out, unless they are filled already."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the files of the wheel are collected."""
        sys.path.insert(0, self.root)  # a build does not run in the project's folder of modules
        try:
            from languages import compile_all
            from vendoring import vendor
        finally:
            sys.path.remove(self.root)
        vendor(Path(self.root))
        compile_all(Path(self.root))
