"""Who did what and when on a document, from the audit chain, and comments as they are shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apportion.records.audit import AuditEntry
from apportion.records.documents import Document
from apportion.records.people import Person

_MOST = 60
_MENTION = re.compile(r"(?<![\w@.+-])(@[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*(?:@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)?)")
_ICONS = {
    "issue": "file-check",
    "accept": "circle-check",
    "deem accepted": "clock",
    "dispute": "message-question",
    "withdraw dispute": "arrow-back-up",
    "propose decision": "scale",
    "withdraw proposal": "arrow-back-up",
    "approve decision": "checks",
    "comment": "message",
    "attach": "paperclip",
    "reopen": "rotate",
    "extend deadline": "calendar-due",
    "void": "ban",
    "export journal": "upload",
    "confirm posted": "building-bank",
    "reverse": "arrow-back-up",
}


# What an act is called after the name of who did it.
_SENTENCES = {
    "issue": gettext_lazy("issued it"),
    "accept": gettext_lazy("accepted it"),
    "deem accepted": gettext_lazy("took silence as acceptance: the deadline had passed"),
    "dispute": gettext_lazy("disputed it"),
    "withdraw dispute": gettext_lazy("withdrew the dispute"),
    "propose decision": gettext_lazy("proposed a decision"),
    "withdraw proposal": gettext_lazy("took the proposed decision back"),
    "approve decision": gettext_lazy("approved the decision"),
    "comment": gettext_lazy("commented"),
    "attach": gettext_lazy("added files"),
    "reopen": gettext_lazy("opened the review again"),
    "extend deadline": gettext_lazy("gave more time"),
    "void": gettext_lazy("voided it"),
    "export journal": gettext_lazy("exported it for the ledger"),
    "confirm posted": gettext_lazy("noted that it is posted"),
    "reverse": gettext_lazy("reversed its posting"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    at: datetime
    who: str
    sentence: str
    icon: str
    about: str = ""
    reason: str = ""


_UNAPPROVED = {"propose decision", "withdraw proposal"}


def events(
    document: Document,
    disputes: Iterable[int],
    *,
    only_disputes: bool = False,
    inside: bool = False,
    entries: bool = True,
) -> list[Event]:
    """What happened to a document and its disputes, the latest first. One query; load `issued_by` with the document.

    None where the caller knows that the audit chain has no `entries` about any of them. What controllers write to each
    other about a decision that is not taken is only told `inside` the close.
    """
    found = _entries(document, disputes, only_disputes=only_disputes, inside=inside) if entries else []
    if document.issued_at is not None and not only_disputes:
        who = str(document.issued_by) if document.issued_by else "Apportion"
        found.append(Event(document.issued_at, who, str(_SENTENCES["issue"]), _ICONS["issue"]))
    return sorted(found, key=lambda event: event.at, reverse=True)


def _entries(document: Document, disputes: Iterable[int], *, only_disputes: bool, inside: bool) -> list[Event]:
    numbers = [str(number) for number in disputes]
    condition = Q(subject_kind="dispute", subject_id__in=numbers)
    if not only_disputes:
        condition |= Q(subject_kind="document", subject_id=str(document.pk))
    rows = AuditEntry.objects.filter(condition).exclude(act__startswith="refused").order_by("-number")
    return [
        _event(row, inside=inside)
        for row in rows.only("at", "person_name", "act", "subject_kind", "reason", "after")[:_MOST]
    ]


def _event(row: AuditEntry, *, inside: bool) -> Event:
    about = ""
    if row.act == "dispute":
        line = json.loads(row.after).get("line")
        about = _("line %s") % line if line is not None else _("the whole")
    elif row.act == "extend deadline":
        about = _("until %s") % json.loads(row.after).get("review_until", "")
    reason = row.reason if inside or row.act not in _UNAPPROVED else ""
    return Event(
        row.at, row.person_name, str(_SENTENCES.get(row.act, row.act)), _ICONS.get(row.act, "history"), about, reason
    )


def said(text: str) -> SafeString:
    """A comment as HTML: everything escaped, people who are named stand out, lines stay lines."""
    lines = []
    for line in text.split("\n"):
        pieces = _MENTION.split(line)
        lines.append(
            format_html_join(
                "",
                "{}",
                (
                    (format_html('<strong class="named">{}</strong>', piece) if number % 2 else piece,)
                    for number, piece in enumerate(pieces)
                ),
            )
        )
    return format_html_join(SafeString("<br>"), "{}", ((line,) for line in lines))


def handles(people: Sequence[Person]) -> list[tuple[Person, str]]:
    """How each can be named in a comment: by the beginning of the mail address, if nobody else has the same."""
    begins = [person.email.partition("@")[0].lower() for person in people]
    return [
        (person, f"@{begin if begins.count(begin) == 1 else person.email}")
        for person, begin in zip(people, begins, strict=True)
    ]
