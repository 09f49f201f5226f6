"""Who pays, who answers, and how they are written in the ledger: the dated tree of cost groups.

Takes an organization file (YAML or CSV), gives `Organization`. Never knows of charges or rules.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apportion.organization.cost_group import Organization

__all__ = ["read"]


def read(path: Path) -> Organization:
    """The organization of a file; see `apportion.organization.organization_file.read`."""
    # Imported here, so that rooms which only need the shapes do not load the reader's libraries.
    from apportion.organization import organization_file

    return organization_file.read(path)
