"""The workspace's settings as acts ask for them: read anew when the file has changed."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path

from django.conf import settings as django_settings
from django.utils import timezone

from apportion import settings as settings_file
from apportion.actions.moving import Silence
from apportion.review.workdays import Workdays, workdays
from apportion.settings import Settings


def current() -> Settings:
    """The settings of the site's workspace; the plain ones where it has no file. Raises `DocumentError`."""
    path: Path = django_settings.APPORTION_WORKSPACE / settings_file.FILE_NAME
    try:
        status = path.stat()
    except OSError:
        return Settings(company="Apportion")
    return _read(path.parent, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4)
def _read(root: Path, changed_at: int, size: int) -> Settings:
    return settings_file.load(root)


def working_days() -> Workdays:
    """The working days of the settings' country. Raises `CalendarError`."""
    calendar = current().close_calendar
    return workdays(calendar.country, calendar.subdivision)


def silence(today: date | None = None) -> Silence:
    """What a review deadline that has passed means today."""
    return Silence(current().review.silence == "accepts", today or timezone.localdate())
