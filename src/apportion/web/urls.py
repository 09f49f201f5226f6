"""Every address, screen by screen. A screen is a module with `urlpatterns` at its end, named in `SCREENS`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

SCREENS = (
    "home",
    "documents",
    "disputes",
    "close",
    "journals",
    "deliveries",
    "policies",
    "groups",
    "work",
    "summary",
    "measures",
    "people",
    "audit",
    "webhooks_page",
    "search",
    "me",
    "sign_in",
)

urlpatterns: list[URLPattern | URLResolver] = [
    *(path("", include(f"apportion.web.{name}")) for name in SCREENS),
    path("api/", include("apportion.api.urls")),
]

handler400 = "apportion.web.frame.refusals.bad_request"
handler403 = "apportion.web.frame.refusals.forbidden"
handler404 = "apportion.web.frame.refusals.not_found"
handler500 = "apportion.web.frame.refusals.failed"
