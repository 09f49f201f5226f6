"""The forms of signing in: django-allauth's, with our words and nothing else."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as account_forms
from allauth.mfa.base import forms as second_factor_forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts
from django.utils.functional import lazy
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apportion.actions.access import signing_in
from apportion.web.adapters import acting


def _rules() -> SafeString:
    return format_html_join("", "<div>{}</div>", ((text,) for text in password_validators_help_texts()))


_password_rules = lazy(_rules, SafeString)
_CODE = {"autocomplete": "one-time-code", "inputmode": "text", "autocapitalize": "off", "spellcheck": "false"}


def _plain(form: forms.Form, labels: dict[str, Any]) -> None:
    """Labels instead of placeholders, which vanish when they are needed; rules of passwords where one is made up."""
    for name, label in labels.items():
        field = form.fields.get(name)
        if field is not None:
            field.label = label
            field.widget.attrs.pop("placeholder", None)
            field.help_text = _password_rules() if name == "password1" else ""


class SignInForm(account_forms.LoginForm):  # type: ignore[misc]
    """Mail address and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self, {"login": _("Mail address"), "password": _("Password")})
        self.fields["login"].widget.attrs["autocomplete"] = "username"


class ForgottenForm(account_forms.ResetPasswordForm):  # type: ignore[misc]
    """Where to send the link."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self, {"email": _("Mail address")})


class NewPasswordForm(account_forms.ResetPasswordKeyForm):  # type: ignore[misc]
    """A new password, by the link in a mail."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self, {"password1": _("New password"), "password2": _("New password, once more")})


class ChangeForm(account_forms.ChangePasswordForm):  # type: ignore[misc]
    """A new password, knowing the old one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = {"password1": _("New password"), "password2": _("New password, once more")}
        _plain(self, {"oldpassword": _("Present password"), **labels})


class FirstForm(account_forms.SetPasswordForm):  # type: ignore[misc]
    """A first password, for who came in from outside until now."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self, {"password1": _("New password"), "password2": _("New password, once more")})


class AgainForm(account_forms.ReauthenticateForm):  # type: ignore[misc]
    """The password once more, before something about the way in is changed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self, {"password": _("Password")})


class CodeForm(second_factor_forms.AuthenticateForm):  # type: ignore[misc]
    """The second factor, after the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self, {"code": _("Code")})
        self.fields["code"].widget.attrs.update(_CODE)

    def _emit_authentication_failed(self, authenticator: Authenticator) -> None:
        super()._emit_authentication_failed(authenticator)
        from allauth.core import context

        signing_in.sign_in_refused(acting(context.request, self.user), self.user.email, "wrong code")


class CodeAgainForm(second_factor_forms.ReauthenticateForm):  # type: ignore[misc]
    """The second factor once more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self, {"code": _("Code")})
        self.fields["code"].widget.attrs.update(_CODE)


class FirstCodeForm(ActivateTOTPForm):  # type: ignore[misc]
    """The first code of a new second factor."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self, {"code": _("Code that the app shows now")})
        self.fields["code"].widget.attrs.update({**_CODE, "inputmode": "numeric"})
