"""Messages as rows: written once for ever, in the transaction of their reason, each in its reader's language."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from django.conf import settings as site
from django.db.models import Prefetch
from django.utils import timezone, translation

from apportion.actions import configured
from apportion.actions.acting import Actor
from apportion.actions.notices import mail_text as text
from apportion.actions.notices.audience import Audience, fetched
from apportion.actions.words import one_line, visible
from apportion.records import secret
from apportion.records.documents import Document, DocumentTotal
from apportion.records.kinds import NAME_LENGTH
from apportion.records.people import Person
from apportion.records.work import Channel, Message

CHATS = {Channel.SLACK: "APPORTION_SLACK_URL", Channel.TEAMS: "APPORTION_TEAMS_URL"}
Letter = Callable[[Sequence[Document]], tuple[str, str]]
"""Subject and body of a mail about some documents, in the language that is active."""


def chat_url(channel: Channel) -> str:
    """The secret address of a channel; empty where there is none."""
    chat = configured.current().chat
    file = chat.slack_file if channel is Channel.SLACK else chat.teams_file
    return secret(CHATS[channel], file, site.APPORTION_WORKSPACE)


def to_owners(documents: Sequence[Document], event: str, letter: Letter, actor: Actor | None = None) -> None:
    """One mail for each owner about all of their documents; not to the actor."""
    grouped(documents, Audience(documents).owners, event, letter, actor)


def grouped(
    documents: Sequence[Document],
    whom: Callable[[Document], Iterable[Person]],
    event: str,
    letter: Letter,
    actor: Actor | None = None,
) -> None:
    """One mail for each person whom `whom` names, about all of their documents; not to the actor."""
    theirs: dict[int, list[Document]] = {}
    people: dict[int, Person] = {}
    for document in documents:
        for person in whom(document):
            people[person.pk] = person
            theirs.setdefault(person.pk, []).append(document)
    fetched(documents, Prefetch("totals", DocumentTotal.objects.order_by("currency")))
    made = []
    for number, mine in theirs.items():
        if actor is None or actor.person is None or actor.person.pk != number:
            one = mine[0] if len(mine) == 1 else None
            made.append(_message(people[number], f"{event}:{digest(mine)}", lambda mine=mine: letter(mine), one))  # type: ignore[misc]
    _write(made)


def mail(
    people: Iterable[Person],
    key: str,
    letter: Callable[[], tuple[str, str]],
    document: Document | None = None,
    actor: Actor | None = None,
) -> None:
    """The same mail for each of these people, once; not to the actor."""
    once = {person.pk: person for person in people if person.is_active}
    if actor is not None and actor.person is not None:
        once.pop(actor.person.pk, None)
    _write([_message(person, key, letter, document) for person in once.values()])


def _message(person: Person, key: str, letter: Callable[[], tuple[str, str]], document: Document | None) -> Message:
    with translation.override(person.language or configured.current().site.language):
        subject, body = letter()
    return Message(
        channel=Channel.MAIL,
        recipient=person.email,
        subject=one_line(subject, NAME_LENGTH),
        body=visible(body),
        key=f"{key}:mail:{person.pk}",
        person=person,
        document=document,
    )


def chat(key: str, sentence: Callable[[], str], place: str = "") -> None:
    """Tell the channels that there are, in the site's language; never an amount."""
    channels = [channel for channel in CHATS if chat_url(channel)]
    if not channels:
        return
    with translation.override(configured.current().site.language):
        said = sentence()
    body = "\n".join((said, place or text.list_link()))
    subject = one_line(said, NAME_LENGTH)
    _write(
        [
            Message(channel=channel, recipient=str(channel), subject=subject, body=body, key=f"{key}:{channel}")
            for channel in channels
        ]
    )


def _write(messages: Sequence[Message]) -> None:
    Message.objects.bulk_create(messages, batch_size=500, ignore_conflicts=True)


def digest(documents: Sequence[Document]) -> str:
    """Which documents, at which time of their review: accepted, reopened and accepted again is told twice."""
    words = ",".join(f"{each.pk}@{each.reviewed_at or each.review_until or ''}" for each in documents)
    return hashlib.sha256(words.encode()).hexdigest()[:20]


def instant() -> str:
    """What makes the key of something that may happen again its own."""
    return f"{timezone.now():%Y%m%d%H%M%S%f}"
