"""Who is told of what: messages, written in the transaction of the act that they are about, and sent after it.

Each function is called inside an act. A message is written once for ever: its key says what happened, to whom it goes
and how. Mail is in its reader's language. Nobody is told what they did themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apportion.actions import configured
from apportion.actions.acting import Actor
from apportion.actions.notices import hooks, messages
from apportion.actions.notices import mail_text as text
from apportion.actions.notices.audience import Audience
from apportion.records.disputes import Comment, Dispute, DisputeState
from apportion.records.documents import Document
from apportion.records.people import Person


def issued(documents: Sequence[Document], actor: Actor) -> None:
    """Owners get one mail about all that was issued to them; channels and programs are told too."""

    def letter(mine: Sequence[Document]) -> tuple[str, str]:
        subject = ngettext(
            "To review: %(name)s, %(period)s", "To review: %(count)d documents of %(period)s", len(mine)
        ) % {"name": mine[0].name, "count": len(mine), "period": mine[0].period}
        intro = ngettext("A document was issued to you.", "Documents were issued to you.", len(mine))
        ask = _("Accept it if it is right. If a line is not, dispute that line and say why.")
        return subject, text.letter(intro, text.entries(mine), ask)

    messages.to_owners(documents, "issued", letter, actor)
    if documents:
        count, period = len(documents), documents[0].period
        messages.chat(
            f"issued:{messages.digest(documents)}",
            lambda: (
                ngettext(
                    "%(count)d document of %(period)s was issued.",
                    "%(count)d documents of %(period)s were issued.",
                    count,
                )
                % {"count": count, "period": period}
            ),
        )
    hooks.announce("issued", documents)


def voided(documents: Sequence[Document], reason: str, actor: Actor) -> None:
    """Owners hear that documents do not count any more, and why."""

    def letter(mine: Sequence[Document]) -> tuple[str, str]:
        subject = ngettext("Voided: %(name)s, %(period)s", "Voided: %(count)d documents of %(period)s", len(mine)) % {
            "name": mine[0].name,
            "count": len(mine),
            "period": mine[0].period,
        }
        then = _("If something takes its place, it is issued to you for review like any other document.")
        return subject, text.letter(_("This does not count any more."), text.entries(mine), f"{reason} {then}")

    messages.to_owners(documents, "voided", letter, actor)


def reminded(documents: Sequence[Document], days: int) -> None:
    """Owners are reminded of what still awaits review; `days` working days are left."""

    def letter(mine: Sequence[Document]) -> tuple[str, str]:
        left = ngettext("%(count)d working day left", "%(count)d working days left", days) % {"count": days}
        subject = ngettext("%(left)s: %(name)s, %(period)s", "%(left)s: %(count)d documents", len(mine)) % {
            "left": left if days else _("Last day"),
            "name": mine[0].name,
            "period": mine[0].period,
            "count": len(mine),
        }
        if configured.current().review.silence == "accepts":
            then = _("What is not disputed by then counts as accepted.")
        else:
            then = _("Whoever stands above you is told of what is still open then.")
        return subject, text.letter(_("This still awaits your review."), text.entries(mine), then)

    messages.to_owners(documents, f"reminder:{days}", letter)


def escalated(documents: Sequence[Document], days: int) -> None:
    """Whoever stands above the owners hears that nobody answered until `days` working days after the deadline."""
    audience = Audience(documents)

    def letter(mine: Sequence[Document]) -> tuple[str, str]:
        subject = ngettext(
            "Nobody answered: %(name)s, %(period)s", "Nobody answered: %(count)d documents", len(mine)
        ) % {"name": mine[0].name, "period": mine[0].period, "count": len(mine)}
        intro = ngettext(
            "The review deadline passed %(count)d working day ago, and there is no answer.",
            "The review deadline passed %(count)d working days ago, and there is no answer.",
            days,
        ) % {"count": days}
        return subject, text.letter(
            intro, text.entries(mine), _("You may accept or dispute it yourself, or ask its owners.")
        )

    messages.grouped(documents, audience.above, f"escalation:{days}", letter)
    if documents:
        count = len(documents)
        messages.chat(
            f"escalation:{days}:{messages.digest(documents)}",
            lambda: (
                ngettext("%(count)d document has no answer.", "%(count)d documents have no answer.", count)
                % {"count": count}
            ),
        )


def deemed(documents: Sequence[Document]) -> None:
    """Owners hear that their silence counted as acceptance."""

    def letter(mine: Sequence[Document]) -> tuple[str, str]:
        subject = ngettext(
            "Counts as accepted: %(name)s, %(period)s", "Count as accepted: %(count)d documents", len(mine)
        ) % {"name": mine[0].name, "period": mine[0].period, "count": len(mine)}
        intro = _("The review deadline has passed and nobody objected, so this counts as accepted.")
        ask = _("If something is wrong all the same, ask a controller to reopen it.")
        return subject, text.letter(intro, text.entries(mine), ask)

    messages.to_owners(documents, "deemed", letter)
    hooks.announce("accepted", documents)


def accepted(document: Document, actor: Actor) -> None:
    """The other owners hear who accepted."""

    def letter(mine: Sequence[Document]) -> tuple[str, str]:
        words = {"name": document.name, "period": document.period, "who": actor.name, "what": text.what(document)}
        return (
            _("Accepted: %(name)s, %(period)s") % words,
            text.letter(_("%(who)s has accepted %(what)s.") % words, text.entries(mine)),
        )

    messages.to_owners([document], "accepted", letter, actor)
    hooks.announce("accepted", [document])


def reopened(document: Document, reason: str, actor: Actor) -> None:
    """Owners hear that they are asked again, and why."""

    def letter(mine: Sequence[Document]) -> tuple[str, str]:
        words = {"name": document.name, "period": document.period, "who": actor.name, "what": text.what(document)}
        return (
            _("In review again: %(name)s, %(period)s") % words,
            text.letter(
                _("%(who)s has put %(what)s back into review:") % words, text.quoted(reason), text.entries(mine)
            ),
        )

    messages.to_owners([document], f"reopened:{messages.instant()}", letter, actor)


def extended(documents: Sequence[Document], until: date, reason: str, actor: Actor) -> None:
    """Owners hear of a later deadline."""

    def letter(mine: Sequence[Document]) -> tuple[str, str]:
        words = {"day": text.day(until), "who": actor.name}
        return (
            _("More time: review until %(day)s") % words,
            text.letter(
                _("%(who)s has moved the review deadline to %(day)s:") % words, text.quoted(reason), text.entries(mine)
            ),
        )

    messages.to_owners(documents, f"extended:{until}", letter, actor)


def disputed(dispute: Dispute, actor: Actor) -> None:
    """Controllers and the other owners hear of an objection."""
    document = dispute.document
    audience = Audience([document])

    def letter() -> tuple[str, str]:
        words = {
            "about": text.about(dispute),
            "name": document.name,
            "who": actor.name,
            "amount": text.money(dispute.amount_minor, dispute.currency),
        }
        claimed = _("Claimed: %(amount)s") % words if words["amount"] else ""
        return (
            _("Disputed: %(name)s, %(about)s") % words,
            text.letter(
                _("%(who)s disputes %(about)s of %(name)s:") % words,
                text.quoted(dispute.text),
                claimed,
                text.dispute_link(dispute),
            ),
        )

    messages.mail(
        [*audience.controllers(), *audience.owners(document)], f"disputed:{dispute.pk}", letter, document, actor
    )
    messages.chat(
        f"disputed:{dispute.pk}",
        lambda: _("Disputed: %(about)s") % {"about": text.about(dispute)},
        text.dispute_link(dispute),
    )
    hooks.announce("disputed", [document], dispute)


def withdrawn(dispute: Dispute, actor: Actor) -> None:
    """Controllers hear that nothing is left to decide."""
    words = {"name": dispute.document.name, "who": actor.name}

    def letter() -> tuple[str, str]:
        said = {**words, "about": text.about(dispute)}
        return (
            _("Dispute withdrawn: %(name)s, %(about)s") % said,
            text.letter(_("%(who)s has withdrawn the dispute about %(about)s.") % said, text.dispute_link(dispute)),
        )

    audience = Audience([dispute.document])
    messages.mail(audience.controllers(), f"withdrawn:{dispute.pk}", letter, dispute.document, actor)


def proposed(dispute: Dispute, actor: Actor) -> None:
    """The other controllers hear that a decision waits for one of them."""

    def letter() -> tuple[str, str]:
        words = {"about": text.about(dispute), "name": dispute.document.name, "who": actor.name}
        return (
            _("To approve: decision about %(name)s, %(about)s") % words,
            text.letter(
                _("%(who)s proposes how to decide the dispute about %(about)s of %(name)s:") % words,
                text.quoted(dispute.decision),
                _("Somebody else has to approve it."),
                text.dispute_link(dispute),
            ),
        )

    key = f"proposed:{dispute.pk}:{dispute.proposed_at:%Y%m%d%H%M%S%f}"
    messages.mail(Audience([dispute.document]).controllers(), key, letter, dispute.document, actor)


def sent_back(dispute: Dispute, proposed_by: Person | None, actor: Actor) -> None:
    """Who proposed a decision hears that somebody else has taken it back."""

    def letter() -> tuple[str, str]:
        words = {"about": text.about(dispute), "name": dispute.document.name, "who": actor.name}
        return (
            _("Proposal taken back: %(name)s, %(about)s") % words,
            text.letter(
                _("%(who)s has taken back the decision proposed about %(about)s.") % words, text.dispute_link(dispute)
            ),
        )

    people = [proposed_by] if proposed_by else []
    messages.mail(people, f"sent-back:{dispute.pk}:{messages.instant()}", letter, dispute.document, actor)


def decided(dispute: Dispute, notes: Sequence[Document], actor: Actor) -> None:
    """Who raised a dispute and the other owners hear what was decided; owners of notes that these were issued."""
    document = dispute.document

    def letter() -> tuple[str, str]:
        words = {
            "about": text.about(dispute),
            "name": document.name,
            "outcome": {
                DisputeState.UPHELD: _("upheld"),
                DisputeState.PARTLY_UPHELD: _("partly upheld"),
                DisputeState.REJECTED: _("rejected"),
            }[DisputeState(dispute.state)],
        }
        own = [note for note in notes if note.cost_group_id == document.cost_group_id]
        return (
            _("Decided: %(name)s, %(about)s") % words,
            text.letter(
                _("The dispute about %(about)s of %(name)s was %(outcome)s:") % words,
                text.quoted(dispute.decision),
                text.entries(own),
                text.dispute_link(dispute),
            ),
        )

    audience = Audience([document])
    people = [
        *audience.owners(document),
        *(each for each in audience.seeing(document) if each.pk == dispute.opened_by_id),
    ]
    if dispute.proposed_by is not None:
        people.append(dispute.proposed_by)
    messages.mail(people, f"decided:{dispute.pk}", letter, document, actor)
    _issued_notes(notes, actor)
    hooks.announce("issued", notes)


def commented(comment: Comment, mentioned: Sequence[Person], actor: Actor) -> None:
    """People named in a comment hear of it, and those who spoke in the same thread before."""
    document = comment.document
    thread = Comment.objects.filter(document=document, dispute=comment.dispute, line=comment.line)
    spoke = set(thread.exclude(pk=comment.pk).values_list("by", flat=True))
    if comment.dispute is not None:
        spoke.add(comment.dispute.opened_by_id)
    named = {person.pk for person in mentioned}

    def letter(is_named: bool) -> tuple[str, str]:
        words = {"who": actor.name, "name": document.name, "what": text.what(document)}
        subject = _("%(who)s names you: %(name)s") if is_named else _("%(who)s has answered: %(name)s")
        place = text.dispute_link(comment.dispute) if comment.dispute else text.document_link(document)
        return subject % words, text.letter(
            _("%(who)s writes about %(what)s of %(name)s:") % words, text.quoted(comment.text), place
        )

    messages.mail(mentioned, f"comment:{comment.pk}", lambda: letter(True), document, actor)
    others = [person for person in Audience([document]).seeing(document) if person.pk in spoke - named]
    messages.mail(others, f"comment:{comment.pk}", lambda: letter(False), document, actor)


def posted(documents: Sequence[Document]) -> None:
    """Programs hear that documents are in the ledger."""
    hooks.announce("posted", documents)


def _issued_notes(notes: Sequence[Document], actor: Actor) -> None:
    def letter(mine: Sequence[Document]) -> tuple[str, str]:
        subject = ngettext(
            "To review: %(what)s, %(name)s", "To review: %(count)d credit and debit notes", len(mine)
        ) % {
            "what": text.what(mine[0]),
            "name": mine[0].name,
            "count": len(mine),
        }
        intro = ngettext(
            "A dispute was decided, and this was issued to you because of it.",
            "A dispute was decided, and these were issued to you because of it.",
            len(mine),
        )
        ask = _("Accept it if it is right. If a line is not, dispute that line and say why.")
        return subject, text.letter(intro, text.entries(mine), ask)

    messages.to_owners(notes, "issued", letter, actor)
