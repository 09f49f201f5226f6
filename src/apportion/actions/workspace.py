"""The workspace whose books these are."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from django.conf import settings as site
from django.utils import timezone

from apportion.actions import configured
from apportion.review.deadlines import deadline
from apportion.settings import Settings
from apportion.warehouse.store import Workspace


def workspace() -> Workspace:
    """The site's workspace, opened anew: its settings may have been edited. Raises `WorkspaceError`."""
    return Workspace.open(site.APPORTION_WORKSPACE)


def review_until(settings: Settings) -> date:
    """The last day on which what is issued today can be reviewed in time. Raises `CalendarError`."""
    return deadline(timezone.localdate(), settings.review, configured.working_days())


def without_path(text: str) -> str:
    """The text with the workspace named by its folder alone: where it lies on the machine is nobody's business here."""
    root: Path = site.APPORTION_WORKSPACE
    return text.replace(str(root), root.name) if root.is_absolute() and root.name else text
