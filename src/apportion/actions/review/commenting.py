"""Comments on a document, a line or a dispute, and the people that they name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from apportion.actions.acting import Actor, person_of, recorded
from apportion.actions.moving import lock
from apportion.actions.notices import telling
from apportion.actions.notices.audience import who_see
from apportion.actions.words import said
from apportion.errors import InputRefusedError, NotFoundError, Place
from apportion.records import reach
from apportion.records.disputes import Comment, Dispute, Mention
from apportion.records.documents import Document
from apportion.records.people import Person
from apportion.review.permission import Permission
from apportion.review.states import Issue, StateError

MOST_MENTIONS = 20
# @anna.berg or @anna.berg@company.example, not the middle of a mail address; a full stop at the end is the sentence's.
_MENTION = re.compile(r"(?<![\w@.+-])@([A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*(?:@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)?)")


def comment(
    actor: Actor,
    document: int,
    text: str,
    *,
    line: int | None = None,
    dispute: int | None = None,
    mention: Sequence[int] = (),
) -> Comment:
    """Say something about a document, one of its lines, or a dispute of it; it is never changed or deleted.

    People are named in the text (``@anna.berg``, or with the whole mail address where two share that beginning) or by
    number in `mention`; only those who may see the document can be. Raises `NotFoundError`, `ForbiddenError`,
    `StateError` for a draft, and `InputRefusedError`.
    """
    person = person_of(actor)
    found = reach.document(actor.rights, document)
    actor.rights.require(Permission.COMMENT, reach.path_of(found))
    words = said(text, "text", "Write what you want to say.")
    about = _dispute(actor, document, dispute)
    if line is not None and not found.lines.filter(number=line).exists():
        raise NotFoundError(f"{found} has no line {line}.", advice="Open the document again and choose a line.")
    with recorded(actor, "comment") as record:
        row = lock(document)
        if row.issue_state == Issue.OPEN:
            raise StateError(f"{row} is not issued yet.", advice="Comment once it is.")
        named = mentioned(row, words, mention)
        made = Comment.objects.create(document=row, dispute=about, line=line, text=words, by=person)
        Mention.objects.bulk_create(Mention(comment=made, person=each) for each in named)
        record.about(row)
        record.changed(
            {}, {"comment": made.pk, "line": line, "text": words, "mentions": [each.email for each in named]}
        )
        telling.commented(made, named, actor)
    return made


def mentioned(document: Document, text: str, chosen: Iterable[int] = ()) -> list[Person]:
    """The people named in a text or chosen by number, each once.

    A name that fits nobody, or several, stays plain text. Raises `InputRefusedError` for a chosen person who may not
    see the document, and for too many.
    """
    names = [name.lower() for name in _MENTION.findall(text)]
    wanted = list(chosen)
    if not names and not wanted:
        return []
    seeing = who_see(document)
    by_number = {person.pk: person for person in seeing}
    by_name: dict[str, list[Person]] = {}
    for person in seeing:
        by_name.setdefault(person.email.lower(), []).append(person)
        by_name.setdefault(person.email.lower().partition("@")[0], []).append(person)
    if unknown := [number for number in wanted if number not in by_number]:
        raise InputRefusedError(
            f"{len(unknown)} of the people chosen may not see {document}.",
            place=Place(field="mention"),
            advice="Choose from the list of those who may.",
        )
    found = [by_number[number] for number in wanted]
    found += [people[0] for name in names if len(people := by_name.get(name, [])) == 1]
    unique = list({person.pk: person for person in found}.values())
    if len(unique) > MOST_MENTIONS:
        raise InputRefusedError(f"More than {MOST_MENTIONS} people are named.", place=Place(field="mention"))
    return unique


def _dispute(actor: Actor, document: int, dispute: int | None) -> Dispute | None:
    if dispute is None:
        return None
    found = reach.dispute(actor.rights, dispute)
    if found.document_id != document:
        raise NotFoundError("That dispute is about another document.", advice="Open it from its own document.")
    return found
