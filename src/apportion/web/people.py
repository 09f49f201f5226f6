"""People and their rights: for administrators."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apportion.actions.access import people as acts
from apportion.errors import InputRefusedError, NotFoundError
from apportion.records.audit import AuditEntry
from apportion.records.groups import CostGroup
from apportion.records.people import ApiToken, Delegation, Grant, Person
from apportion.review.permission import IN_THE_TREE, Permission, Role
from apportion.web.frame.page import Reach, Request, page
from apportion.web.me import refused_input
from apportion.web.words.audit_words import act_words, via_words
from apportion.web.words.role_words import OWNER_WORDS, ROLE_TASKS, ROLE_WORDS

_ON_A_PAGE = 50
_ACTIVITY = 20
_MANAGE = Permission.MANAGE_PEOPLE


class FilterForm(forms.Form):
    """What the list shows."""

    q = forms.CharField(label=_("Name or mail address"), required=False, max_length=200)
    role = forms.ChoiceField(label=_("Role"), required=False, choices=[("", _("Any role")), *ROLE_WORDS.items()])
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("Active")), ("left", _("Deactivated")), ("none", _("Active without a role"))],
    )


class AddForm(forms.Form):
    """A new person."""

    name = forms.CharField(label=_("Name"), max_length=300)
    email = forms.EmailField(
        label=_("Mail address"),
        help_text=_("They sign in with it, and choose a password by 'Forgotten password?' or use single sign-on."),
    )


class NameForm(forms.Form):
    """A person's name."""

    name = forms.CharField(label=_("Name"), max_length=300)


class RoleForm(forms.Form):
    """A role, and for owners and executives where it holds."""

    role = forms.ChoiceField(label=_("Role"))
    cost_group = forms.CharField(
        label=_("Cost group (for owners and executives)"),
        required=False,
        max_length=200,
        help_text=_("Its code. The role holds for it and for all below it."),
    )
    owner_kind = forms.ChoiceField(
        label=_("Answers for (owners)"), required=False, choices=[("", "–"), *OWNER_WORDS.items()]
    )
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        role = self.fields["role"]
        assert isinstance(role, forms.ChoiceField)  # noqa: S101 - declared above
        role.choices = [("", _("Choose one")), *((each, f"{ROLE_WORDS[each]}: {ROLE_TASKS[each]}") for each in Role)]
        self.fields["cost_group"].widget.attrs |= {"list": "cost-groups", "autocomplete": "off"}


@page(Reach.EVERYWHERE, _MANAGE)
def people(request: Request) -> HttpResponse:
    """Everybody, by name."""
    form = FilterForm(request.GET)
    form.is_valid()
    said = form.cleaned_data
    found = Person.objects.order_by("name", "pk").filter(is_active=said.get("state") != "left")
    if said.get("q"):
        found = found.filter(Q(name__icontains=said["q"]) | Q(email__icontains=said["q"]))
    holding = Grant.objects.filter(ended_at__isnull=True)
    if said.get("role"):
        found = found.filter(pk__in=holding.filter(role=said["role"]).values("person"))
    if said.get("state") == "none":
        found = found.exclude(pk__in=holding.values("person"))
    running = Prefetch("grants", holding.select_related("cost_group").order_by("role"), to_attr="roles")
    shown = Paginator(found.prefetch_related(running), _ON_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "people/list.html", {"page": shown, "filters": form, "is_filtered": any(said.values())})


@page(Reach.EVERYWHERE, _MANAGE, methods="GET POST")
def add_person(request: Request) -> HttpResponse:
    """Add somebody."""
    form = AddForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            person = acts.add_person(request.actor, form.cleaned_data["email"], form.cleaned_data["name"])
        except InputRefusedError as error:
            refused_input(form, error)
        else:
            messages.success(request, gettext("%s is added. Now give them a role.") % person)
            return redirect("person", person.pk)
    return render(request, "people/add.html", {"form": form}, status=400 if form.errors else 200)


def _found(pk: int) -> Person:
    person = Person.objects.filter(pk=pk).first()
    if person is None:
        raise NotFoundError(gettext("There is no such person."), advice=gettext("Look for them in the list."))
    return person


def _shown(request: Request, pk: int, status: int = 200, **forms_given: object) -> HttpResponse:
    found = _found(pk)
    grants = Grant.objects.filter(person=found).select_related("cost_group", "granted_by")
    delegations = Delegation.objects.filter(Q(person=found) | Q(deputy=found)).select_related("person", "deputy")
    context = {
        "person": found,
        "is_self": request.actor.person == found,
        "grants": grants.filter(ended_at__isnull=True).order_by("role", "cost_group__number"),
        "ended": grants.filter(ended_at__isnull=False).order_by("-ended_at")[:_ACTIVITY],
        "delegations": delegations.order_by("-from_on")[:_ACTIVITY],
        "tokens": ApiToken.objects.filter(person=found, revoked_at__isnull=True, expires_at__gt=timezone.now()),
        "activity": [
            (entry, act_words(entry.act), via_words(entry.via))
            for entry in AuditEntry.objects.filter(person=found).order_by("-number")[:_ACTIVITY]
        ],
        "name_form": NameForm(initial={"name": found.name}),
        "role_form": RoleForm(),
        "groups": CostGroup.objects.filter(is_current=True).order_by("number").only("code", "name", "depth")[:2000],
        "today": timezone.localdate(),
        **forms_given,
    }
    return render(request, "people/person.html", context, status=status)


@page(Reach.EVERYWHERE, _MANAGE)
def person(request: Request, person: int) -> HttpResponse:
    """One person: roles, deputies, keys, and what they did."""
    return _shown(request, person)


@page(Reach.EVERYWHERE, _MANAGE, methods="POST")
def rename_person(request: Request, person: int) -> HttpResponse:
    """Write their name anew."""
    form = NameForm(request.POST)
    if form.is_valid():
        try:
            acts.rename_person(request.actor, person, form.cleaned_data["name"])
        except InputRefusedError as error:
            refused_input(form, error)
        else:
            messages.success(request, gettext("Saved."))
            return redirect("person", person)
    return _shown(request, person, 400, name_form=form)


@page(Reach.EVERYWHERE, _MANAGE, methods="POST")
def give_role(request: Request, person: int) -> HttpResponse:
    """Give them a role."""
    form = RoleForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        role = Role(said["role"])
        try:
            group = _group(said["cost_group"]) if role in IN_THE_TREE else None
            kind = said["owner_kind"] if role is Role.OWNER else ""
            acts.grant_role(request.actor, person, role, group, kind, said["reason"])
        except InputRefusedError as error:
            refused_input(form, error)
        else:
            messages.success(request, gettext("The role is given, from this moment on."))
            return redirect("person", person)
    return _shown(request, person, 400, role_form=form)


def _group(code: str) -> int | None:
    """The cost group of a code; None where nothing was written, zero (which no group is) for an unknown one."""
    if not code.strip():
        return None
    found = CostGroup.objects.filter(code=code.strip()).values_list("pk", flat=True).first()
    return found or 0


@page(Reach.EVERYWHERE, _MANAGE, methods="POST")
def end_role(request: Request, grant: int) -> HttpResponse:
    """Take a role away."""
    ended = acts.end_grant(request.actor, grant, request.POST.get("reason", "")[:500])
    messages.success(request, gettext("The role has ended."))
    return redirect("person", ended.person_id)


@page(Reach.EVERYWHERE, _MANAGE, methods="POST")
def deactivate_person(request: Request, person: int) -> HttpResponse:
    """They leave."""
    acts.deactivate_person(request.actor, person, request.POST.get("reason", "")[:500])
    messages.success(request, gettext("They can do nothing here any more. What they did stays."))
    return redirect("person", person)


@page(Reach.EVERYWHERE, _MANAGE, methods="POST")
def reactivate_person(request: Request, person: int) -> HttpResponse:
    """They come back."""
    acts.reactivate_person(request.actor, person, request.POST.get("reason", "")[:500])
    messages.success(request, gettext("They can sign in again, with the roles that are listed here."))
    return redirect("person", person)


@page(Reach.EVERYWHERE, _MANAGE, methods="POST")
def end_their_token(request: Request, token: int) -> HttpResponse:
    """Revoke a key of somebody."""
    ended = acts.revoke_token(request.actor, token, request.POST.get("reason", "")[:500])
    messages.success(request, gettext("The key is revoked."))
    return redirect("person", ended.person_id)


@page(Reach.EVERYWHERE, _MANAGE, methods="POST")
def end_their_deputy(request: Request, delegation: int) -> HttpResponse:
    """End a delegation of somebody."""
    ended = acts.revoke_delegation(request.actor, delegation, request.POST.get("reason", "")[:500])
    messages.success(request, gettext("The delegation has ended."))
    return redirect("person", ended.person_id)


urlpatterns = [
    path("people/", people, name="people"),
    path("people/add/", add_person, name="add_person"),
    path("people/<int:person>/", person, name="person"),
    path("people/<int:person>/name/", rename_person, name="rename_person"),
    path("people/<int:person>/roles/", give_role, name="give_role"),
    path("people/<int:person>/deactivate/", deactivate_person, name="deactivate_person"),
    path("people/<int:person>/reactivate/", reactivate_person, name="reactivate_person"),
    path("people/roles/<int:grant>/end/", end_role, name="end_role"),
    path("people/tokens/<int:token>/revoke/", end_their_token, name="end_their_token"),
    path("people/delegations/<int:delegation>/end/", end_their_deputy, name="end_their_deputy"),
]
