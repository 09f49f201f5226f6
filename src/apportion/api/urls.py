"""Where the API lives: under ``/api/v1/``, and nothing else under ``/api/``."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, re_path
from django.views.decorators.csrf import csrf_exempt

from apportion.api.problems import MethodError, NoSuchRouteError, refuse, translated
from apportion.api.site import api

_View = Callable[..., HttpResponseBase]


def _answering(view: _View) -> _View:
    """Turn what the framework answers by itself into problems too: wrong methods, and addresses without a route."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except Exception as error:
            return refuse(request, translated(error))
        if response.status_code == 405:
            allowed = response.headers.get("Allow", "")
            problem = refuse(request, MethodError(f"There is no {request.method} here.", advice=f"There is {allowed}."))
            problem["Allow"] = allowed
            return problem
        return response

    return answered


@csrf_exempt
def nowhere(request: HttpRequest) -> HttpResponse:
    """Whatever is not a route."""
    return refuse(
        request,
        NoSuchRouteError("There is nothing at this address.", advice="See /api/v1/openapi.json for what there is."),
    )


def _patterns() -> list[URLPattern]:
    found = []
    for pattern in api.urls[0]:
        assert isinstance(pattern, URLPattern)  # noqa: S101 - the framework makes no others
        pattern.callback = _answering(pattern.callback)
        found.append(pattern)
    return found


urlpatterns = [
    path("v1/", (_patterns(), "ninja", "api")),
    re_path("^.*$", nowhere),
]
