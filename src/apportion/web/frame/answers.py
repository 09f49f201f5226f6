"""What a page says after an act: that it is done, or why not, on the page as it is now."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from apportion.actions.review.attaching import Upload
from apportion.errors import ApportionError, NotFoundError
from apportion.records.rights import ForbiddenError
from apportion.web.frame.page import Request
from apportion.web.words.told import told_error


def back_to(name: str, *where: object, anchor: str = "") -> HttpResponse:
    """A redirect to a page, perhaps to a place on it."""
    return HttpResponseRedirect(reverse(name, args=where) + (f"#{anchor}" if anchor else ""))


def say_no(request: Request, error: ApportionError) -> None:
    """Tell on the next page why nothing was done. What may not be seen or done at all rises instead."""
    if isinstance(error, ForbiddenError | NotFoundError):
        raise error
    messages.error(request, told_error(error))


def at_field(form: forms.Form, error: ApportionError, others: str | None = None) -> None:
    """Put a refusal at the field that it is about, else at `others`, else over the form."""
    field = error.place.field if error.place is not None else ""
    target = field if field in form.fields else others
    form.add_error(target, told_error(error))


def uploads(request: Request, field: str) -> list[Upload]:
    """The files of a form, as their sender names them."""
    return [
        Upload(file.name or "", file.content_type or "", file)  # type: ignore[arg-type]
        for file in request.FILES.getlist(field)
    ]
