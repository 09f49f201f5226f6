"""What somebody typed into a form that did not arrive: kept, shown again, and sent only by them.

A session that ends while a long comment is written must not cost the comment. Passwords, codes and files are never
kept. A session that has ended does not say any more whose it was, so a signed cookie beside it does: what one person
typed is shown to nobody else who signs in with the same browser.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse

KEPT = "typed"
WRITER = "writer"
_MOST = 100_000  # characters
_SECONDS = 3600
_NEVER = ("csrfmiddlewaretoken", "password", "code", "token", "secret")
_LONG = 60


@dataclass(frozen=True, slots=True)
class Field:
    """One field; texts are shown and can be edited, the rest goes along."""

    name: str
    value: str

    @property
    def label(self) -> str:
        return self.name.rpartition("-")[2].replace("_", " ").capitalize()

    @property
    def is_text(self) -> bool:
        return " " in self.value.strip() or "\n" in self.value or len(self.value) > _LONG

    @property
    def rows(self) -> int:
        return min(12, 2 + self.value.count("\n") + len(self.value) // 50)


@dataclass(frozen=True, slots=True)
class Typed:
    """A form: where it was sent, from which page, and what stood in it."""

    path: str
    page: str
    fields: tuple[Field, ...]
    lost_files: bool


def typed_in(request: HttpRequest) -> Typed | None:
    """What this request's form held; None where there is nothing that is worth keeping, or too much of it."""
    if request.method != "POST":
        return None
    fields = tuple(
        Field(name, value)
        for name, values in request.POST.lists()
        if not any(word in name.lower() for word in _NEVER)
        for value in values
    )
    if not any(field.value for field in fields) or sum(len(field.name) + len(field.value) for field in fields) > _MOST:
        return None
    return Typed(request.get_full_path(), "", fields, bool(request.FILES))


def keep(request: HttpRequest, page: str) -> bool:
    """Keep the form of this request in the session until its person has signed in. False: there was nothing to keep."""
    found, writer = typed_in(request), _writer(request)
    if found is None or not writer:
        return False
    request.session[KEPT] = {
        "by": writer,
        "path": found.path,
        "page": page,
        "fields": [[field.name, field.value] for field in found.fields],
        "lost_files": found.lost_files,
        "at": int(time.time()),
    }
    return True


def kept(request: HttpRequest, person: int) -> Typed | None:
    """The form that was kept for this person, unless it is older than an hour."""
    found: dict[str, Any] | None = request.session.get(KEPT)
    if not found or found["by"] != str(person) or time.time() - found["at"] > _SECONDS:
        return None
    fields = tuple(Field(name, value) for name, value in found["fields"])
    return Typed(found["path"], found["page"], fields, found["lost_files"])


def forget(request: HttpRequest) -> None:
    """Let it go: it was sent, or is not wanted any more."""
    request.session.pop(KEPT, None)


def remember_writer(request: HttpRequest, response: HttpResponse, person: int) -> None:
    """Let the browser know whose forms it shows, beyond the end of the session."""
    said = _signed(person)
    if request.COOKIES.get(WRITER) != said:
        response.set_cookie(WRITER, said, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax")


@lru_cache(maxsize=4096)
def _signed(person: int) -> str:
    return Signer(salt=WRITER).sign(str(person))


def _writer(request: HttpRequest) -> str:
    """Whose page a form was sent from; empty where the browser does not say, or says something else."""
    try:
        return Signer(salt=WRITER).unsign(request.COOKIES.get(WRITER, ""))
    except BadSignature:
        return ""
