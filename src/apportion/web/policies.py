"""Versions of the policy: what is in use, what is proposed, what each would change, and who approves it."""

from __future__ import annotations

from datetime import UTC, datetime

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apportion import organization as organization_room
from apportion.actions.policy import policies as acts
from apportion.actions.policy import policy_simulation, policy_text
from apportion.actions.policy.claims import described
from apportion.actions.workspace import workspace
from apportion.errors import ApportionError, DocumentError, InputRefusedError, NotFoundError
from apportion.methodology.compiled import compiled
from apportion.methodology.render import html, markdown, pdf
from apportion.periods import BillingPeriod
from apportion.records.closes import Close
from apportion.records.policies import PolicyState, PolicyVersion
from apportion.records.work import WorkState
from apportion.review.permission import Permission
from apportion.web import policy_view
from apportion.web.close import period_of
from apportion.web.frame.page import Reach, Request, page
from apportion.web.me import refused_input
from apportion.web.words.told import told_error

_ON_A_PAGE = 25
_MOST_BYTES = 1_000_000
_SEE = Permission.SEE_CLOSE
# A page of its own, with its own style in it: nothing but that style is allowed on it.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class TextForm(forms.Form):
    """A text of the policy, typed or as a file."""

    text = forms.CharField(
        label=gettext_lazy("Text"),
        required=False,
        strip=False,
        max_length=_MOST_BYTES,
        widget=forms.Textarea(attrs={"rows": 32, "spellcheck": "false", "wrap": "off", "autocomplete": "off"}),
    )
    file = forms.FileField(
        label=gettext_lazy("Or a file"),
        required=False,
        help_text=gettext_lazy("It takes the place of the text above."),
        widget=forms.ClearableFileInput(attrs={"accept": ".yaml,.yml,text/yaml"}),
    )
    note = forms.CharField(
        label=gettext_lazy("Why it should change"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def clean(self) -> dict[str, object]:
        """The file's text, where one was given."""
        said = super().clean() or {}
        file = said.get("file")
        if file is not None:
            if file.size > _MOST_BYTES:
                self.add_error("file", _("The file is larger than 1 MB. Is it the right one?"))
                return said
            try:
                said["text"] = file.read().decode("utf-8")
            except UnicodeDecodeError:
                self.add_error("file", _("The file is not UTF-8 text."))
        if not str(said.get("text") or "").strip() and not self.errors:
            self.add_error("text", _("There is no text."))
        return said


@page(Reach.EVERYWHERE, _SEE)
def policies(request: Request) -> HttpResponse:
    """Every version, the latest first."""
    current = acts.adopt()
    rows = PolicyVersion.objects.select_related("author", "decided_by").defer("text", "simulation").order_by("-pk")
    shown = Paginator(rows, _ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": shown,
        "rows": [(row, policy_view.STATES[row.state]) for row in shown],
        "active": current.version,
        "policy": policy_text.parsed(current.version.text) if current.version else None,
        "mistakes": policy_view.mistakes(current.error) if current.error else [],
        "may": request.actor.rights.may(Permission.PREPARE),
        "file": workspace().settings.policy,
    }
    return render(request, "policies/list.html", context)


def _version(pk: int) -> PolicyVersion:
    rows = PolicyVersion.objects.select_related("author", "decided_by", "based_on")
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotFoundError(_("There is no such version of the policy."), advice=_("Begin at the list of versions."))
    return found


@page(Reach.EVERYWHERE, _SEE)
def policy(request: Request, version: int) -> HttpResponse:
    """One version: what it changes, whom it would move, its text, and who decides."""
    acts.adopt()
    return _shown(request, _version(version))


def _shown(request: Request, row: PolicyVersion, refused: str = "", status: int = 200) -> HttpResponse:
    rights, person = request.actor.rights, request.actor.person
    is_open = row.state in (PolicyState.DRAFT, PolicyState.PROPOSED)
    against = acts.active() if is_open else row.based_on
    is_author = person is not None and row.author_id == person.pk
    work = policy_simulation.latest(row.pk) if is_open else None
    allocated = Close.objects.filter(allocated_at__isnull=False).order_by("-period").values_list("period", flat=True)
    context = {
        "version": row,
        "badge": policy_view.STATES[row.state],
        "policy": policy_text.parsed(row.text),
        "against": against,
        "is_open": is_open,
        "is_outdated": is_open and against is not None and row.based_on_id != against.pk,
        "sections": policy_view.between(against, row) if against is not None else [],
        "simulation": policy_view.simulation(row.simulation),
        "work": work,
        "is_running": work is not None and work.state in (WorkState.WAITING, WorkState.RUNNING),
        "has_failed": work is not None and work.state == WorkState.FAILED,
        "periods": list(allocated[:24]) if is_open else [],
        "lines": policy_view.lines(row.text, (), against.text if against is not None and is_open else None),
        "may_prepare": rights.may(Permission.PREPARE),
        "may_approve": rights.may(Permission.APPROVE_POLICY),
        "is_author": is_author,
        "claims": _claims(row),
        "refused": refused,
    }
    return render(request, "policies/version.html", context, status=status)


def _claims(row: PolicyVersion) -> list[dict[str, object]]:
    """The answers from the work list that a version has rules for."""
    rows = row.claims.select_related("cost_group", "by").order_by("pk")[:50]
    return [
        {"words": described(each.match), "cost_group": each.cost_group, "by": each.by, "note": each.note}
        for each in rows
    ]


@page(Reach.EVERYWHERE, Permission.PREPARE, methods="GET POST")
def new_policy(request: Request) -> HttpResponse:
    """Write a new version, from the one in use or (``?from=``) another."""
    current = acts.adopt()
    number = request.GET.get("from", "")
    source = _version(int(number)) if number.isascii() and number.isdigit() and len(number) < 10 else current.version
    form = TextForm(request.POST or None, request.FILES or None, initial={"text": source.text if source else ""})
    return _edited(request, form, None, source)


@page(Reach.EVERYWHERE, Permission.PREPARE, methods="GET POST")
def edit_policy(request: Request, version: int) -> HttpResponse:
    """Change a draft of one's own."""
    row = _version(version)
    form = TextForm(request.POST or None, request.FILES or None, initial={"text": row.text, "note": row.note})
    return _edited(request, form, row, row)


def _edited(request: Request, form: TextForm, row: PolicyVersion | None, source: PolicyVersion | None) -> HttpResponse:
    wrong: ApportionError | None = None
    if request.method == "POST" and form.is_valid():
        text, note = form.cleaned_data["text"], form.cleaned_data["note"]
        try:
            if row is not None:
                done = acts.edit(request.actor, row.pk, text, note)
            else:
                done = acts.draft(request.actor, text, note)
        except DocumentError as error:
            wrong = error
            form = TextForm({"text": text, "note": note})  # what a file brought is shown too
        except InputRefusedError as error:
            refused_input(form, error)
        else:
            messages.success(request, _("The draft is kept. Nothing is in use yet: simulate it, then propose it."))
            return redirect("policy", done.pk)
    mistakes = policy_view.mistakes(wrong) if wrong is not None else []
    numbers = [mistake.place.line for mistake in mistakes if mistake.place.line]
    context = {
        "form": form,
        "version": row,
        "source": source,
        "mistakes": mistakes,
        "lines": policy_view.lines(str(form["text"].value() or ""), numbers) if mistakes else [],
    }
    return render(request, "policies/edit.html", context, status=400 if mistakes or form.errors else 200)


@page(Reach.EVERYWHERE, Permission.PREPARE, methods="POST")
def propose_policy(request: Request, version: int) -> HttpResponse:
    """Ask for a second person's approval, and work out meanwhile what it would change."""
    try:
        row = acts.propose(request.actor, version, request.POST.get("note", ""))
    except InputRefusedError as error:
        return _shown(request, _version(version), told_error(error), 400)
    latest = Close.objects.filter(allocated_at__isnull=False).order_by("-period").values_list("period", flat=True)
    if not row.simulation and (period := latest.first()):
        policy_simulation.ask_to_simulate(request.actor, row.pk, BillingPeriod.parse(period))
    messages.success(request, _("Proposed. Somebody else who may approve it decides."))
    return redirect("policy", version)


@page(Reach.EVERYWHERE, Permission.APPROVE_POLICY, methods="POST")
def approve_policy(request: Request, version: int) -> HttpResponse:
    """Put it into use."""
    acts.approve(request.actor, version, request.POST.get("reason", "")[:2000])
    messages.success(request, _("It is in use: the next allocation follows it."))
    return redirect("policy", version)


@page(Reach.EVERYWHERE, Permission.PREPARE, methods="POST")
def reject_policy(request: Request, version: int) -> HttpResponse:
    """Say no, or take one's own back."""
    acts.reject(request.actor, version, request.POST.get("reason", ""))
    messages.success(request, _("It is rejected. Nothing was changed."))
    return redirect("policy", version)


@page(Reach.EVERYWHERE, Permission.PREPARE, methods="POST")
def simulate_policy(request: Request, version: int) -> HttpResponse:
    """Work out in the background what it would change in a period."""
    policy_simulation.ask_to_simulate(request.actor, version, period_of(request.POST.get("period", "")))
    messages.info(request, _("It is being worked out. Nothing is changed by it."))
    return redirect("policy", version)


@page(Reach.EVERYWHERE, _SEE)
def policy_progress(request: Request, version: int) -> HttpResponse:
    """The running simulation, asked for again and again; then the whole page is loaded anew."""
    work = policy_simulation.latest(_version(version).pk)
    is_running = work is not None and work.state in (WorkState.WAITING, WorkState.RUNNING)
    context = {"work": work, "is_running": is_running, "version": {"pk": version}}
    response = render(request, "policies/progress.html", context)
    if request.headers.get("HX-Request") and not is_running:
        response["HX-Refresh"] = "true"
    return response


@page(Reach.EVERYWHERE, _SEE)
def policy_file(request: Request, version: int, format: str) -> HttpResponse:  # noqa: A002 - as the address calls it
    """The text itself (yaml), or the methodology that it means, as people read it (html, pdf, md)."""
    row = _version(version)
    name = f"policy-{row.digest[:12]}"
    if format == "yaml":
        return _attached(row.text.encode(), "application/yaml; charset=utf-8", f"{name}.yaml")
    place = workspace()
    organization = organization_room.read(place.root / place.settings.organization)
    made = compiled(
        policy_text.parsed(row.text),
        organization,
        datetime.now(UTC).date(),
        company=place.settings.company,
        exchange=place.settings.exchange,
    )
    if format == "html":
        return HttpResponse(html.render(made), headers={"Content-Security-Policy": _POLICY})
    if format == "pdf":
        return _attached(pdf.render(made), "application/pdf", f"{name}.pdf")
    if format == "md":
        return _attached(markdown.render(made).encode(), "text/markdown; charset=utf-8", f"{name}.md")
    raise NotFoundError(_("There is no such kind of file."), advice=_("Choose yaml, html, pdf or md."))


def _attached(content: bytes, media_type: str, name: str) -> HttpResponse:
    headers = {
        "Content-Type": media_type,
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(content, headers=headers)


urlpatterns = [
    path("policies/", policies, name="policies"),
    path("policies/new/", new_policy, name="new_policy"),
    path("policies/<int:version>/", policy, name="policy"),
    path("policies/<int:version>/edit/", edit_policy, name="edit_policy"),
    path("policies/<int:version>/propose/", propose_policy, name="propose_policy"),
    path("policies/<int:version>/approve/", approve_policy, name="approve_policy"),
    path("policies/<int:version>/reject/", reject_policy, name="reject_policy"),
    path("policies/<int:version>/simulate/", simulate_policy, name="simulate_policy"),
    path("policies/<int:version>/progress/", policy_progress, name="policy_progress"),
    path("policies/<int:version>/file/<str:format>/", policy_file, name="policy_file"),
]
