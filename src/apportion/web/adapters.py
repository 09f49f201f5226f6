"""Where django-allauth asks how this site does things: mails, audit entries, who may come in from outside."""

from __future__ import annotations

import base64
import hashlib
import logging
from smtplib import SMTPException
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from cryptography.fernet import Fernet
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apportion.actions.access import signing_in
from apportion.actions.access.people import add_from_outside
from apportion.actions.acting import Actor, actor_of
from apportion.actions.notices.mail_text import link
from apportion.errors import ApportionError
from apportion.records.people import Person
from apportion.records.rights import NOBODY, ForbiddenError
from apportion.web.frame.page import address_of
from apportion.web.frame.refusals import refusal_page

_LOG = logging.getLogger("apportion.sign_in")


class StrangerError(ForbiddenError):
    """Somebody whom the sign-in provider knows and this site does not."""

    code = "NOT_A_PERSON_HERE"


class SingleSignOnError(ApportionError):
    """The company's sign-in provider did not say who somebody is."""

    code = "SINGLE_SIGN_ON_FAILED"


def acting(request: HttpRequest, person: Person | None) -> Actor:
    """A person who is coming in, or nobody: as the request's own actor knows them only afterwards."""
    number, address = getattr(request, "request_id", ""), address_of(request)
    return actor_of(person, "web", number, address) if person else Actor(None, NOBODY, "web", number, address)


class SignInAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Signing in with a password of one's own."""

    error_messages: ClassVar = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": gettext_lazy("The mail address or the password is not right."),
        "too_many_login_attempts": gettext_lazy("There were too many attempts. Wait five minutes, then try again."),
        "incorrect_password": gettext_lazy("The password is not right."),
        "enter_current_password": gettext_lazy("This is not your present password."),
        "rate_limited": gettext_lazy("There were too many attempts. Wait a few minutes, then try again."),
    }

    def get_client_ip(self, request: HttpRequest) -> str:
        """Whose attempts are counted together."""
        return address_of(request)

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody adds themselves."""
        return False

    def post_login(self, request: HttpRequest, user: Person, **kwargs: Any) -> HttpResponse:
        """Came in."""
        records = request.session.get("account_authentication_methods", [])
        how = ", ".join(dict.fromkeys(record.get("method", "") for record in records))
        signing_in.signed_in(acting(request, user), how or "password")
        return cast(HttpResponse, super().post_login(request, user, **kwargs))

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Did not come in. The password that was tried is noted nowhere."""
        signing_in.sign_in_refused(acting(request, None), str(credentials.get("email", "")), "wrong mail or password")

    def logout(self, request: HttpRequest) -> None:
        """Leaves."""
        if isinstance(request.user, Person):
            signing_in.signed_out(acting(request, request.user))
        super().logout(request)

    def set_password(self, user: Person, password: str) -> None:
        """By the person themselves, on their page or by the link in a mail."""
        signing_in.set_password(acting(self.request, user), user, password)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Back to where the link was."""
        return reverse("me")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A mail that cannot be sent is noted in the log; the page says the same, and so tells nobody who exists."""
        if "password_reset_url" in context:  # the site's own address: whoever asks says what stands in `Host`
            context = {**context, "password_reset_url": link(urlsplit(context["password_reset_url"]).path)}
        try:
            super().send_mail(template_prefix, email, {**context, "company": settings.APPORTION_COMPANY})
        except (OSError, SMTPException):
            _LOG.exception("A mail could not be sent: %s", template_prefix, extra={"request": self.request})

    def send_notification_mail(self, template_prefix: str, user: Person, *args: Any, **kwargs: Any) -> None:
        """Tell a person that their way in has changed."""
        context = {"what": template_prefix.rpartition("/")[2], "person": user, **(kwargs.get("context") or {})}
        self.send_mail("account/email/changed", user.email, context)


class SingleSignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Signing in with the company's own provider: by the provider's name for a person, first by verified mail."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find the person, or refuse. A link to a provider's account is only made by its verified mail address."""
        if sociallogin.state.get("process") not in {None, "", "login"}:
            raise ImmediateHttpResponse(refusal_page(request, ForbiddenError(_("This is no way to sign in."))))
        if sociallogin.is_existing:
            return
        verified = [address.email for address in sociallogin.email_addresses if address.verified]
        person = Person.objects.filter(email__iexact=verified[0]).first() if verified else None
        found = settings.APPORTION_SINGLE_SIGN_ON
        if person is None and verified and found is not None and found.unknown == "add":
            told = sociallogin.account.extra_data.get("userinfo", sociallogin.account.extra_data)
            person = add_from_outside(acting(request, None), verified[0], str(told.get("name") or ""))
        if person is None:
            self._refuse(request, sociallogin, bool(verified))
        sociallogin.connect(request, person)

    def _refuse(self, request: HttpRequest, sociallogin: SocialLogin, is_verified: bool) -> None:
        tried = next((address.email for address in sociallogin.email_addresses), sociallogin.account.uid)
        if is_verified:
            error = StrangerError(
                _("Nobody here has the mail address %(address)s.") % {"address": tried},
                advice=_("Ask an administrator of Apportion to add you."),
            )
        else:
            error = StrangerError(
                _("Your sign-in provider has not verified your mail address."),
                advice=_("Have it verified there, then sign in again."),
            )
        signing_in.sign_in_refused(acting(request, None), tried, error.sentence)
        raise ImmediateHttpResponse(refusal_page(request, error))

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """The provider was asked in vain, or somebody came back without having been sent."""
        said = f"{error or ''} {exception or ''}".strip()
        if str(error) != "cancelled":
            raise ImmediateHttpResponse(single_sign_on_failed(request, provider.name, said))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Whoever comes this far was not found."""
        return False

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """That an account of the company is used is no news."""


def single_sign_on_failed(request: HttpRequest, provider: str, said: str) -> HttpResponse:
    """The page for it; what the provider said goes to the log."""
    _LOG.warning("Single sign-on failed: %s", said, extra={"request": request})
    refusal = SingleSignOnError(
        _("Signing in with %(provider)s did not work.") % {"provider": provider},
        advice=_("Begin again from the sign-in page. If it happens again, ask whoever runs Apportion."),
    )
    return refusal_page(request, refusal, status=403)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors: secrets are kept encrypted with a key that is not in the database."""

    error_messages: ClassVar = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": gettext_lazy("The code is not right. Codes change every 30 seconds, and each is used once."),
    }

    def encrypt(self, text: str) -> str:
        """For the database."""
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """From the database."""
        return _cipher().decrypt(encrypted_text.encode()).decode()


def _cipher() -> Fernet:
    key = hashlib.sha256(b"apportion second factor" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
