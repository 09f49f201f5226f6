"""What people do about their own way in: signing in and out, passwords and second factors, each noted in the chain."""

from __future__ import annotations

from django.db import transaction

from apportion.actions.acting import Actor, Record, append, person_of, recorded
from apportion.actions.words import one_line
from apportion.records.people import Person

_MOST = 200


def signed_in(actor: Actor, how: str) -> None:
    """Note that somebody came in, and by what: password, mfa, socialaccount."""
    with recorded(actor, "sign in") as record:
        record.about(person_of(actor))
        record.changed({}, {"by": how})


def signed_out(actor: Actor) -> None:
    """Note that somebody left."""
    with recorded(actor, "sign out") as record:
        record.about(person_of(actor))


def sign_in_refused(actor: Actor, tried: str, why: str) -> None:
    """Note an attempt that failed. `tried` is the mail address that was given, whether anybody has it or not."""
    record = Record("sign_in", "", one_line(tried, _MOST))
    record.changed({}, {"why": why})
    with transaction.atomic():
        append(actor, "refused: sign in", record)


def set_password(actor: Actor, person: Person, password: str) -> None:
    """Give a person a new password; all of their other sessions end. Only they themselves do it, or the installer."""
    with recorded(actor, "change password") as record:
        person.set_password(password)
        person.save(update_fields=["password"])
        record.about(person)


def second_factor_changed(actor: Actor, what: str) -> None:
    """Note that somebody set up a second factor, took it away, or made new recovery codes."""
    with recorded(actor, what) as record:
        record.about(person_of(actor))
