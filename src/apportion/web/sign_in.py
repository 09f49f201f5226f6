"""Ways in and out: passwords, second factors, the company's single sign-on. Only what is needed of django-allauth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from allauth.account import views as account
from allauth.mfa.base import views as second_factor
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.socialaccount import views as outside
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect import views as openid
from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, re_path
from django.views.decorators.debug import sensitive_post_parameters
from requests import RequestException

from apportion.actions.access import signing_in
from apportion.web.adapters import single_sign_on_failed
from apportion.web.frame.page import Reach, Request, View, page
from apportion.web.frame.typed import forget, kept


def _public(view: View, methods: str = "GET") -> View:
    return page(Reach.PUBLIC, methods=methods)(sensitive_post_parameters()(view))


def _own(view: View, methods: str = "GET") -> View:
    return page(Reach.SELF, methods=methods)(sensitive_post_parameters()(view))


def _with_passwords(view: View) -> View:
    """Not there for a company that signs in elsewhere."""

    def there(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.APPORTION_PASSWORDS:
            raise Http404
        return view(request, *args, **kwargs)

    return there


def _noted(act: str, view: View) -> View:
    """Changes of the second factor stand in the audit chain: in one transaction with the change."""

    def noting(request: Request) -> HttpResponse:
        with transaction.atomic():
            held = Authenticator.objects.filter(user=request.actor.person)
            before = {*held.values_list("pk", flat=True)}
            response = view(request)
            if {*held.values_list("pk", flat=True)} != before:
                signing_in.second_factor_changed(request.actor, act)
        return response

    return noting


_activate = _noted("set up second factor", totp.activate_totp)
_deactivate = _noted("remove second factor", totp.deactivate_totp)
_new_codes = _noted("make recovery codes", codes.generate_recovery_codes)


@page(Reach.PUBLIC, methods="GET POST")
def sign_in(request: Request) -> HttpResponse:
    """The page on which everything begins."""
    if request.method == "POST" and not settings.APPORTION_PASSWORDS:
        raise Http404
    return account.login(request)  # type: ignore[no-any-return]


@page(Reach.PUBLIC, methods="POST")
def sign_out(request: Request) -> HttpResponse:
    """By a button, so that no link or picture of another site can do it."""
    return account.logout(request)  # type: ignore[no-any-return]


@page(Reach.PUBLIC, methods="POST")
def go_outside(request: Request, provider_id: str) -> HttpResponse:
    """On to the company's provider, over a page of our own.

    A form may only lead to this site (`form-action 'self'`), which browsers hold against redirects too, and where the
    provider's own redirects lead nobody knows: so the form ends here, and the page goes on.
    """
    if settings.APPORTION_SINGLE_SIGN_ON is None:
        raise Http404
    response = _asked(request, lambda: openid.login(request, provider_id=provider_id))
    target = response.headers.get("Location", "")
    if not urlsplit(target).netloc:
        return response
    context = {"target": target, "provider": settings.APPORTION_SINGLE_SIGN_ON.name}
    answer = render(request, "socialaccount/leaving.html", context)
    answer["Refresh"] = f"0; url={target}"
    return answer


@page(Reach.PUBLIC)
def came_back(request: Request, provider_id: str) -> HttpResponse:
    """From the company's provider."""
    if settings.APPORTION_SINGLE_SIGN_ON is None:
        raise Http404
    return _asked(request, lambda: openid.callback(request, provider_id=provider_id))


def _asked(request: Request, ask: Callable[[], HttpResponse]) -> HttpResponse:
    """A provider that does not answer, or not as providers do, is no mistake of ours."""
    try:
        return ask()
    except (RequestException, OAuth2Error, KeyError, ValueError) as error:
        found = settings.APPORTION_SINGLE_SIGN_ON
        return single_sign_on_failed(request, found.name if found else "", repr(error))


@page(Reach.SELF, methods="GET POST")
def resume(request: Request) -> HttpResponse:
    """The form that was being sent when the session had ended: shown, to be sent by the person or let go."""
    person = request.actor.person
    found = kept(request, person.pk) if person is not None else None
    if request.method == "POST" or found is None:
        forget(request)
        return redirect(found.page if found is not None and found.page else "/")
    return render(request, "sign_in/resume.html", {"typed": found})


_RESET = "sign-in/password/"
urlpatterns = [
    path("sign-in/", sign_in, name="account_login"),
    path("sign-out/", sign_out, name="account_logout"),
    path("sign-in/inactive/", _public(account.account_inactive), name="account_inactive"),
    path("sign-in/code/", _public(second_factor.authenticate, "GET POST"), name="mfa_authenticate"),
    path("sign-in/again/", resume, name="resume"),
    path("sign-in/company/", go_outside, {"provider_id": "company"}, name="openid_connect_login"),
    path("sign-in/company/back/", came_back, {"provider_id": "company"}, name="openid_connect_callback"),
    path("sign-in/company/cancelled/", _public(outside.login_cancelled), name="socialaccount_login_cancelled"),
    path(_RESET, _public(_with_passwords(account.password_reset), "GET POST"), name="account_reset_password"),
    path(_RESET + "sent/", _public(account.password_reset_done), name="account_reset_password_done"),
    path(
        _RESET + "changed/",
        _public(account.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
    re_path(
        rf"^{_RESET}(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        _public(_with_passwords(account.password_reset_from_key), "GET POST"),
        name="account_reset_password_from_key",
    ),
    path("me/confirm/", _own(account.reauthenticate, "GET POST"), name="account_reauthenticate"),
    path("me/confirm/code/", _own(second_factor.reauthenticate, "GET POST"), name="mfa_reauthenticate"),
    path("me/password/", _own(_with_passwords(account.password_change), "GET POST"), name="account_change_password"),
    path("me/password/first/", _own(_with_passwords(account.password_set), "GET POST"), name="account_set_password"),
    path("me/second-factor/", _own(_activate, "GET POST"), name="mfa_activate_totp"),
    path("me/second-factor/off/", _own(_deactivate, "GET POST"), name="mfa_deactivate_totp"),
    path("me/second-factor/codes/", _own(codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path("me/second-factor/codes/new/", _own(_new_codes, "GET POST"), name="mfa_generate_recovery_codes"),
]
