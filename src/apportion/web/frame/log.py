"""Lines of the log. Nothing here may know a model: logging is set up before there are any."""

from __future__ import annotations

import logging
from typing import Any


class RequestNumber(logging.Filter):
    """Gives each line of the log the number of its request, which the page of an error shows."""

    def filter(self, record: logging.LogRecord) -> bool:
        request: Any = getattr(record, "request", None)
        record.request_number = getattr(request, "request_id", "-")
        return True
