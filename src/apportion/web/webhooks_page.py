"""What leaves the house: messages that wait, were sent or given up, and programs that are told. For administrators."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Max, Prefetch, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apportion.actions.notices import hooks, sending
from apportion.errors import InputRefusedError
from apportion.records.work import Channel, Message, MessageState, WebhookEndpoint
from apportion.review.permission import Permission
from apportion.web.frame.page import Reach, Request, page
from apportion.web.me import refused_input

_MANAGE = Permission.MANAGE_PEOPLE
_ON_A_PAGE = 50
_LAST_DELIVERIES = 5
EVENT_WORDS = {
    "issued": _("documents are issued"),
    "accepted": _("a document is accepted"),
    "disputed": _("a document is disputed"),
    "posted": _("a document is posted"),
}
CHANNEL_WORDS = {
    Channel.MAIL: _("Mail"),
    Channel.SLACK: "Slack",
    Channel.TEAMS: "Teams",
    Channel.WEBHOOK: _("Webhook"),
}


class EndpointForm(forms.Form):
    """A program, and what it wants to be told."""

    url = forms.CharField(
        label=_("Address"),
        max_length=1000,
        help_text=_("Of the program, as in https://hooks.example.com/apportion."),
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
    )
    events = forms.MultipleChoiceField(
        label=_("Tell it when"), choices=list(EVENT_WORDS.items()), widget=forms.CheckboxSelectMultiple
    )


class FilterForm(forms.Form):
    """What the list of messages shows."""

    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", _("Waiting or given up")),
            ("waiting", _("Waiting")),
            ("failed", _("Given up")),
            ("sent", _("Sent")),
            ("all", _("All")),
        ],
    )
    channel = forms.ChoiceField(label=_("Way"), required=False, choices=[("", _("Any way")), *CHANNEL_WORDS.items()])
    q = forms.CharField(label=_("To, or about"), required=False, max_length=200)


@page(Reach.EVERYWHERE, _MANAGE)
def message_list(request: Request) -> HttpResponse:
    """Messages with why they are not sent, the latest first."""
    form = FilterForm(request.GET)
    form.is_valid()
    said = form.cleaned_data
    rows = Message.objects.order_by("-created_at", "-pk").defer("body").select_related("endpoint")
    state = said.get("state", "")
    if state in {*MessageState}:
        rows = rows.filter(state=state)
    elif state != "all":
        rows = rows.exclude(state=MessageState.SENT).order_by("state", "-created_at", "-pk")  # given up first
    if said.get("channel"):
        rows = rows.filter(channel=said["channel"])
    if said.get("q"):
        rows = rows.filter(Q(recipient__icontains=said["q"]) | Q(subject__icontains=said["q"]))
    shown = Paginator(rows, _ON_A_PAGE).get_page(request.GET.get("page"))
    for each in shown:
        each.way = CHANNEL_WORDS.get(Channel(each.channel), each.channel)  # type: ignore[attr-defined]
        each.may_send_again = each.state == MessageState.FAILED and (  # type: ignore[attr-defined]
            each.endpoint is None or each.endpoint.is_active
        )
    counts = dict(Message.objects.values_list("state").annotate(count=Count("pk")).order_by())
    context = {
        "page": shown,
        "filters": form,
        "is_filtered": any(said.values()),
        "waiting": counts.get(MessageState.WAITING, 0),
        "failed": counts.get(MessageState.FAILED, 0),
        "sent": counts.get(MessageState.SENT, 0),
        "has_mail": sending.has_mail(),
        "now": timezone.now(),
    }
    return render(request, "webhooks/messages.html", context)


@page(Reach.EVERYWHERE, _MANAGE, methods="POST")
def send_again(request: Request, message: int) -> HttpResponse:
    """Let a message that was given up be tried again."""
    sending.send_again(request.actor, message)
    messages.success(request, gettext("It will be sent again within a minute."))
    return redirect("message_list")


def _shown(request: Request, form: EndpointForm, status: int = 200) -> HttpResponse:
    counted = Count("messages", filter=Q(messages__state=MessageState.SENT))
    endpoints = list(
        WebhookEndpoint.objects.order_by("-is_active", "-created_at")
        .select_related("created_by")
        .annotate(
            sent=counted,
            waiting=Count("messages", filter=Q(messages__state=MessageState.WAITING)),
            failed=Count("messages", filter=Q(messages__state=MessageState.FAILED)),
            last_sent_at=Max("messages__sent_at"),
        )
        .prefetch_related(
            Prefetch(
                "messages",
                Message.objects.defer("body").select_related("document").order_by("-pk")[:_LAST_DELIVERIES],
                to_attr="latest",
            )
        )[:100]
    )
    for each in endpoints:
        each.told = [str(EVENT_WORDS.get(event, event)) for event in each.events]  # type: ignore[attr-defined]
    context = {"form": form, "endpoints": endpoints, "now": timezone.now()}
    return render(request, "webhooks/list.html", context, status=status)


@page(Reach.EVERYWHERE, _MANAGE)
def webhooks(request: Request) -> HttpResponse:
    """The programs, with their last deliveries and what went wrong."""
    return _shown(request, EndpointForm(initial={"events": list(hooks.EVENTS)}))


@page(Reach.EVERYWHERE, _MANAGE, methods="POST")
def add_webhook(request: Request) -> HttpResponse:
    """Add a program. Its secret is on the answer and nowhere else, so this page is not a redirect."""
    form = EndpointForm(request.POST)
    if form.is_valid():
        try:
            made = hooks.add_endpoint(request.actor, form.cleaned_data["url"], form.cleaned_data["events"])
        except InputRefusedError as error:
            refused_input(form, error)
        else:
            return render(request, "webhooks/secret.html", {"endpoint": made, "signature": hooks.SIGNATURE})
    return _shown(request, form, 400)


@page(Reach.EVERYWHERE, _MANAGE, methods="POST")
def remove_webhook(request: Request, endpoint: int) -> HttpResponse:
    """Tell a program nothing any more."""
    hooks.remove_endpoint(request.actor, endpoint)
    messages.success(request, gettext("The program is told nothing any more."))
    return redirect("webhooks")


urlpatterns = [
    path("messages/", message_list, name="message_list"),
    path("messages/<int:message>/again/", send_again, name="send_again"),
    path("messages/webhooks/", webhooks, name="webhooks"),
    path("messages/webhooks/add/", add_webhook, name="add_webhook"),
    path("messages/webhooks/<int:endpoint>/remove/", remove_webhook, name="remove_webhook"),
]
