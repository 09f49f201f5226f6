"""Where sessions are kept: in Django's own table, read with one plain query, each content unpacked once."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from django.contrib.sessions.backends import db
from django.db import connection
from django.utils import timezone

from apportion.records.ready import fetched

_LOAD = "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s"


class SessionStore(db.SessionStore):
    """As Django's: the same rows, signed alike. What has ended or run out is empty from the next request on."""

    def load(self) -> dict[str, Any]:
        """What the session holds now; nothing where there is none."""
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        found = fetched(_LOAD, [self.session_key, now])
        if not found:
            self._session_key = None
            return {}
        unpacked: dict[str, Any] = json.loads(_unpacked(found[0][0]))
        return unpacked


@lru_cache(maxsize=1024)
def _unpacked(text: str) -> str:
    """The content as JSON: the signature of the same text is the same, so it is checked once."""
    return json.dumps(SessionStore().decode(text))
