"""What every page knows: who acts and what they may open."""

from __future__ import annotations

from django.http import HttpRequest


def page(request: HttpRequest) -> dict[str, object]:
    """The actor, for the frame around the page."""
    return {"actor": getattr(request, "actor", None)}
