"""One's own page: language and look, the way in, deputies, keys for programs, and what one may do where."""

from __future__ import annotations

from datetime import timedelta

from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apportion.actions.access import people as acts
from apportion.errors import InputRefusedError
from apportion.records.people import ApiToken, Delegation, Grant, Person
from apportion.review.permission import Permission
from apportion.web.frame.context import THEME_COOKIE, THEMES
from apportion.web.frame.page import Reach, Request, page
from apportion.web.frame.refusals import came_from
from apportion.web.words.role_words import PERMISSION_WORDS
from apportion.web.words.told import told_error

_A_YEAR = 366 * 24 * 60 * 60


def refused_input(form: forms.Form, error: InputRefusedError) -> None:
    """Put a refusal at the field that it is about, or over the form."""
    field = error.place.field if error.place is not None else ""
    said = told_error(error)
    form.add_error(field if field in form.fields else None, said)


class _Day(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class LookForm(forms.Form):
    """Language and theme."""

    language = forms.ChoiceField(label=_("Language"), required=False)
    theme = forms.ChoiceField(
        label=_("Look"),
        required=False,
        choices=[("", _("As my system")), ("light", _("Light")), ("dark", _("Dark"))],
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        language = self.fields["language"]
        assert isinstance(language, forms.ChoiceField)  # noqa: S101 - declared above
        language.choices = [("", _("As my browser")), *settings.LANGUAGES]


class DeputyForm(forms.Form):
    """Who stands in, and when."""

    deputy = forms.ModelChoiceField(
        label=_("Deputy"),
        queryset=Person.objects.none(),
        help_text=_("They may do what you may, and the audit log says that they did it for you."),
    )
    from_on = forms.DateField(label=_("First day"), widget=_Day())
    until_on = forms.DateField(label=_("Last day"), widget=_Day())
    reason = forms.CharField(label=_("Reason"), max_length=500, required=False)

    def __init__(self, *args: object, person: Person, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        others = Person.objects.filter(is_active=True).exclude(pk=person.pk).order_by("name")
        deputy = self.fields["deputy"]
        assert isinstance(deputy, forms.ModelChoiceField)  # noqa: S101 - declared above
        deputy.queryset = others


class TokenForm(forms.Form):
    """A key: what for, what it may do, until when."""

    name = forms.CharField(label=_("What is it for?"), max_length=300)
    scopes = forms.MultipleChoiceField(label=_("It may"), widget=forms.CheckboxSelectMultiple)
    expires_on = forms.DateField(label=_("Last day"), widget=_Day(), help_text=_("At most a year from today."))

    def __init__(self, *args: object, permissions: list[Permission], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        scopes = self.fields["scopes"]
        assert isinstance(scopes, forms.MultipleChoiceField)  # noqa: S101 - declared above
        scopes.choices = [(str(each), PERMISSION_WORDS[each]) for each in permissions]


def _permissions(request: Request) -> list[Permission]:
    return [each for each in Permission if request.actor.rights.may_somewhere(each)]


def _own(request: Request) -> Person:
    assert request.actor.person is not None  # noqa: S101 - `page` has asked
    return request.actor.person


def _token_form(request: Request, *, bound: bool = False) -> TokenForm:
    first = {"expires_on": timezone.localdate() + timedelta(days=90)}
    data = request.POST if bound else None
    return TokenForm(data, permissions=_permissions(request), initial=first, prefix="token")


def _deputy_form(request: Request, *, bound: bool = False) -> DeputyForm:
    first = {"from_on": timezone.localdate(), "until_on": timezone.localdate() + timedelta(days=14)}
    return DeputyForm(request.POST if bound else None, person=_own(request), initial=first, prefix="deputy")


def _shown(request: Request, status: int = 200, **forms_given: object) -> HttpResponse:
    person = _own(request)
    today = timezone.localdate()
    look = LookForm(initial={"language": person.language, "theme": request.COOKIES.get(THEME_COOKIE, "")})
    grants = Grant.objects.filter(person=person, ended_at__isnull=True).select_related("cost_group")
    running = Delegation.objects.filter(revoked_at__isnull=True, until_on__gte=today).order_by("from_on")
    kinds = set(Authenticator.objects.filter(user=person).values_list("type", flat=True))
    context = {
        "person": person,
        "look_form": look,
        "deputy_form": _deputy_form(request),
        "token_form": _token_form(request),
        "grants": grants.order_by("role", "cost_group__number"),
        "deputies": running.filter(person=person).select_related("deputy"),
        "stands_in": running.filter(deputy=person).select_related("person"),
        "tokens": ApiToken.objects.filter(person=person, revoked_at__isnull=True).order_by("-created_at"),
        "has_second_factor": Authenticator.Type.TOTP in kinds,
        "passwords": settings.APPORTION_PASSWORDS,
        "now": timezone.now(),
        **forms_given,
    }
    return render(request, "me/me.html", context, status=status)


@page(Reach.SELF)
def me(request: Request) -> HttpResponse:
    """The page itself."""
    return _shown(request)


@page(Reach.SELF, methods="POST")
def look(request: Request) -> HttpResponse:
    """Language (kept with the person) and theme (kept in this browser)."""
    form = LookForm(request.POST)
    if not form.is_valid():
        return _shown(request, 400, look_form=form)
    acts.set_language(request.actor, form.cleaned_data["language"])
    messages.success(request, gettext("Saved."))
    response = HttpResponseRedirect("/me/#look")
    theme = form.cleaned_data["theme"]
    _remember(response, THEME_COOKIE, theme if theme in THEMES else "")
    _remember(response, settings.LANGUAGE_COOKIE_NAME, form.cleaned_data["language"])  # for the page to sign in on
    return response


def _remember(response: HttpResponse, name: str, value: str) -> None:
    """Keep a choice in the browser; without one, forget it."""
    if value:
        secure = settings.SESSION_COOKIE_SECURE
        response.set_cookie(name, value, max_age=_A_YEAR, secure=secure, httponly=True, samesite="Lax")
    else:
        response.delete_cookie(name)


@page(Reach.PUBLIC, methods="POST")
def speak(request: Request) -> HttpResponse:
    """The language of pages that are there before anybody has signed in, kept in this browser."""
    response = HttpResponseRedirect(came_from(request) or "/")
    chosen = request.POST.get("language", "")
    if chosen in dict(settings.LANGUAGES):
        _remember(response, settings.LANGUAGE_COOKIE_NAME, chosen)
    return response


@page(Reach.SELF, methods="POST")
def add_deputy(request: Request) -> HttpResponse:
    """Name a deputy."""
    form = _deputy_form(request, bound=True)
    if form.is_valid():
        said = form.cleaned_data
        try:
            acts.delegate(request.actor, said["deputy"].pk, said["from_on"], said["until_on"], said["reason"])
        except InputRefusedError as error:
            refused_input(form, error)
        else:
            messages.success(request, gettext("%s stands in for you on these days.") % said["deputy"])
            return redirect("me")
    return _shown(request, 400, deputy_form=form)


@page(Reach.SELF, methods="POST")
def end_deputy(request: Request, delegation: int) -> HttpResponse:
    """End a delegation, as the one or the other of the two."""
    acts.revoke_delegation(request.actor, delegation)
    messages.success(request, gettext("The delegation has ended."))
    return redirect("me")


@page(Reach.SELF, methods="POST")
def add_token(request: Request) -> HttpResponse:
    """Make a key. Its text is on the answer and nowhere else, so this page is not a redirect."""
    form = _token_form(request, bound=True)
    if form.is_valid():
        said = form.cleaned_data
        try:
            token, text = acts.create_token(request.actor, said["name"], said["scopes"], said["expires_on"])
        except InputRefusedError as error:
            refused_input(form, error)
        else:
            return render(request, "me/token.html", {"token": token, "text": text})
    return _shown(request, 400, token_form=form)


@page(Reach.SELF, methods="POST")
def end_token(request: Request, token: int) -> HttpResponse:
    """Revoke a key."""
    acts.revoke_token(request.actor, token)
    messages.success(request, gettext("The key is revoked."))
    return redirect("me")


urlpatterns = [
    path("me/", me, name="me"),
    path("me/", me, name="mfa_index"),  # where django-allauth goes after a change
    path("me/look/", look, name="look"),
    path("language/", speak, name="language"),
    path("me/deputies/", add_deputy, name="add_deputy"),
    path("me/deputies/<int:delegation>/end/", end_deputy, name="end_deputy"),
    path("me/tokens/", add_token, name="add_token"),
    path("me/tokens/<int:token>/revoke/", end_token, name="end_token"),
]
