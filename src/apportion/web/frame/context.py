"""What every page knows: who acts, what they may open, and how the page looks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apportion.actions.acting import Actor
from apportion.review.permission import Permission

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

THEMES = ("light", "dark")
THEME_COOKIE = "theme"


@dataclass(frozen=True, slots=True)
class _Place:
    """An entry of the navigation: shown to whoever has the permission anywhere (or is signed in, without one)."""

    name: str
    label: _StrPromise
    icon: str
    permission: Permission | None = None


_P = Permission
PLACES = (
    _Place("home", _("Home"), "home"),
    _Place("documents", _("Documents"), "file-invoice", _P.SEE_DOCUMENTS),
    _Place("disputes", _("Disputes"), "messages", _P.SEE_DOCUMENTS),
    _Place("close", _("Close"), "calendar-event", _P.SEE_CLOSE),
    _Place("journals", _("Journals"), "building-bank", _P.SEE_CLOSE),
    _Place("policies", _("Policy"), "book", _P.SEE_CLOSE),
    _Place("groups", _("Cost groups"), "sitemap", _P.SEE_DOCUMENTS),
    _Place("work_list", _("Work list"), "list-check", _P.SEE_CLOSE),
    _Place("summary", _("Summary"), "report", _P.SEE_SUMMARY),
    _Place("measures", _("Measures"), "chart-line", _P.SEE_CLOSE),
    _Place("people", _("People"), "users", _P.MANAGE_PEOPLE),
    _Place("message_list", _("Messages"), "mail", _P.MANAGE_PEOPLE),
    _Place("audit", _("Audit"), "shield-check", _P.SEE_AUDIT),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A link of the navigation."""

    label: str
    icon: str
    url: str
    is_current: bool


def navigation(actor: Actor | None, path: str) -> list[Entry]:
    """The places that somebody may open, in their order; the one they are in is marked."""
    if actor is None or actor.person is None:
        return []
    found = []
    for place in PLACES:
        if place.permission is not None and not actor.rights.may_somewhere(place.permission):
            continue
        url = _address(place.name)
        is_current = path == url if url == "/" else path.startswith(url)
        found.append(Entry(str(place.label), place.icon, url, is_current))
    return found


@cache
def _address(name: str) -> str:
    return reverse(name)


def theme_of(request: HttpRequest) -> str:
    """``light`` or ``dark`` where the person chose one; empty leaves it to their system."""
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else ""


def _ways_in() -> dict[str, object]:
    outside = settings.APPORTION_SINGLE_SIGN_ON
    return {"passwords": settings.APPORTION_PASSWORDS, "provider": outside.name if outside is not None else ""}


def page(request: HttpRequest) -> dict[str, object]:
    """For the frame around the page."""
    actor: Actor | None = getattr(request, "actor", None)
    return {
        "actor": actor,
        "company": settings.APPORTION_COMPANY,
        "languages": settings.LANGUAGES,  # each by its own name
        "navigation": navigation(actor, request.path),
        "request_id": getattr(request, "request_id", ""),
        "searched": request.GET.get("q", ""),
        "sign_in": _ways_in(),
        "theme": theme_of(request),
    }
