"""Calls that may be repeated: the same key and request get the same answer, and nothing is done twice.

The key is claimed in a transaction of its own, so that a repeat that comes while the first is still under way is told
so. What the call does and the answer to it are then saved in one transaction: a process that is killed leaves either
both or neither, and a claim that nobody works on any more may be taken over.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from apportion.errors import ApportionError, InputRefusedError, Place
from apportion.records.people import Person
from apportion.records.work import IdempotencyKey

UNDER_WAY = timedelta(seconds=60)
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
FIELD = "Idempotency-Key"


class KeyReusedError(InputRefusedError):
    """A key that was used for another request."""

    code = "KEY_REUSED"


class StillUnderWayError(ApportionError):
    """A repeat of a call whose first answer is not there yet."""

    code = "STILL_UNDER_WAY"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call came to, as it is sent; `is_repeated` where it was kept from an earlier call."""

    status: int
    body: str
    is_repeated: bool = False


def once(person: Person, key: str, route: str, digest: str, act: Callable[[], Answer]) -> Answer:
    """Do `act` for this key once; later calls with the same `route` and `digest` get its answer.

    `act` answers for its own refusals (they are kept too) and leaves nothing behind when it refuses; anything it raises
    takes the claim back, so that the call can be sent again. Raises `KeyReusedError` for another request under the same
    key, `StillUnderWayError` while the first one runs, `InputRefusedError` for a key that is none.
    """
    if not _KEY.fullmatch(key):
        raise InputRefusedError(
            "The key of a call is 1 to 200 visible ASCII characters.", place=Place(field=FIELD), advice="Use a UUID."
        )
    claim, is_new = _claimed(person, key, route, digest)
    if not is_new:
        if (claim.route, claim.request_digest) != (route, digest):
            raise KeyReusedError(
                "This key was used for another request.", place=Place(field=FIELD), advice="Use a new key for each."
            )
        if claim.status is not None:
            return Answer(claim.status, claim.answer, is_repeated=True)
        _take_over(claim)
    try:
        return _done(claim, act)
    except BaseException:
        IdempotencyKey.objects.filter(pk=claim.pk, status__isnull=True).delete()
        raise


def _claimed(person: Person, key: str, route: str, digest: str) -> tuple[IdempotencyKey, bool]:
    try:
        with transaction.atomic():
            made = IdempotencyKey.objects.create(person=person, key=key, route=route, request_digest=digest)
            return made, True
    except IntegrityError:
        found = IdempotencyKey.objects.filter(person=person, key=key).first()
        if found is None:  # the first was taken back in between
            return _claimed(person, key, route, digest)
        return found, False


def _take_over(claim: IdempotencyKey) -> None:
    """Go on with a claim that was left: only one of several who try comes through."""
    now = timezone.now()
    left = IdempotencyKey.objects.filter(pk=claim.pk, status__isnull=True, at__lt=now - UNDER_WAY)
    if not left.update(at=now):
        raise StillUnderWayError(
            "The first call with this key is still under way.", advice="Send it again in a few seconds."
        )


def _done(claim: IdempotencyKey, act: Callable[[], Answer]) -> Answer:
    with transaction.atomic():
        row = IdempotencyKey.objects.select_for_update().filter(pk=claim.pk).first()
        if row is None:
            raise StillUnderWayError("Another call with this key has just failed.", advice="Send it again.")
        if row.status is not None:  # who was taken for gone had only been slow
            return Answer(row.status, row.answer, is_repeated=True)
        answer = act()
        row.status, row.answer = answer.status, answer.body
        row.save(update_fields=["status", "answer"])
        return answer
