"""Saying something: comments and files on a document, a line or a dispute, and who can be named in them."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext

from apportion.actions.acting import person_of
from apportion.actions.notices.audience import who_see
from apportion.actions.review import attaching, commenting
from apportion.actions.words import cleaned
from apportion.errors import ApportionError, InputRefusedError, NotFoundError
from apportion.records import reach
from apportion.records.attachments import headers
from apportion.records.disputes import Comment
from apportion.review.permission import Permission
from apportion.web import timeline
from apportion.web.document import CommentForm, shown
from apportion.web.frame.answers import at_field, back_to, say_no, uploads
from apportion.web.frame.page import Reach, Request, page

_TWICE = timedelta(minutes=2)


def speak(
    request: Request, document: int, form: CommentForm, *, line: int | None = None, dispute: int | None = None
) -> bool:
    """Keep what a valid form says with its files, all or nothing; says whether it did. Sent twice, it is said once.

    What is refused because of the input stands in the form then; other refusals rise.
    """
    text = form.cleaned_data["text"]
    try:
        with transaction.atomic():
            if not _is_said(request, document, cleaned(text), line, dispute):
                commenting.comment(request.actor, document, text, line=line, dispute=dispute)
                if files := uploads(request, "attachments"):
                    attaching.attach(request.actor, document, files, dispute=dispute)
    except InputRefusedError as error:
        at_field(form, error, "text")
        return False
    return True


def _is_said(request: Request, document: int, text: str, line: int | None, dispute: int | None) -> bool:
    return Comment.objects.filter(
        document=document,
        line=line,
        dispute=dispute,
        by=person_of(request.actor),
        text=text,
        at__gte=timezone.now() - _TWICE,
    ).exists()


@page(Reach.OBJECT, Permission.COMMENT, methods="POST")
def comment(request: Request, document: int) -> HttpResponse:
    """Say something about a document or, where `line` is sent along, about one of its lines."""
    reach.document(request.actor.rights, document)
    form = CommentForm(request.POST)
    line = _line(request.POST.get("line", ""))
    try:
        if form.is_valid() and speak(request, document, form, line=line):
            messages.success(request, gettext("Your comment is there, and those who are named are told."))
            if line is not None:
                return back_to("line", document, line, anchor="thread")
            return back_to("document", document, anchor="thread")
    except ApportionError as error:
        say_no(request, error)
        return back_to("document", document)
    return shown(request, document, status=400, comment_form=form)


def _line(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise NotFoundError(gettext("There is no such line."), advice=gettext("Open the document, and choose a line."))
    return int(text)


@page(Reach.OBJECT, Permission.COMMENT, methods="POST")
def attach(request: Request, document: int) -> HttpResponse:
    """Add files to a document."""
    try:
        kept = attaching.attach(request.actor, document, uploads(request, "attachments"))
        messages.success(request, gettext("%d file(s) added.") % len(kept))
    except ApportionError as error:
        say_no(request, error)
    return back_to("document", document, anchor="thread")


@page(Reach.OBJECT, Permission.SEE_DOCUMENTS)
def attachment(request: Request, attachment: int) -> HttpResponse:
    """A file, to be saved."""
    row, place = attaching.open_attachment(request.actor, attachment)
    try:
        content = place.read_bytes()  # no more than the settings let anybody send
    except OSError:
        raise NotFoundError(
            gettext("The file is not in the workspace any more."), advice=gettext("Ask for a backup of it.")
        ) from None
    return HttpResponse(content, headers=headers(row.name, row.media_type))


@page(Reach.OBJECT, Permission.SEE_DOCUMENTS)
def readers(request: Request, document: int) -> HttpResponse:
    """Who may read a document, and by what they are named in a comment."""
    row = reach.document(request.actor.rights, document)
    context = {"document": row, "people": timeline.handles(who_see(row))}
    part = request.headers.get("HX-Request") == "true"
    return render(request, "documents/readers_part.html" if part else "documents/readers.html", context)


urlpatterns = [
    path("documents/<int:document>/comment/", comment, name="comment"),
    path("documents/<int:document>/attach/", attach, name="attach"),
    path("documents/<int:document>/readers/", readers, name="readers"),
    path("attachments/<int:attachment>/", attachment, name="attachment"),
]
