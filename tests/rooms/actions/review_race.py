"""Two people at once, in a process of its own with books of its own: run by `test_review_races.py`.

Prints one line of JSON for each race: what each of the two got, and how the books stand.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from apportion.actions.review import accepting, deciding, disputing, reviewing  # noqa: E402
from apportion.errors import ApportionError  # noqa: E402
from apportion.records import chain  # noqa: E402
from apportion.records.audit import AuditEntry  # noqa: E402
from apportion.records.disputes import Dispute  # noqa: E402
from apportion.records.documents import Document, Series  # noqa: E402
from tests.rooms.actions import review_world  # noqa: E402
from tests.rooms.actions.review_world import World  # noqa: E402

Act = Callable[[], Any]


def at_once(*acts: Act) -> list[str]:
    """Run them at the same moment; ``done``, or the code of the refusal."""
    start, found = threading.Barrier(len(acts)), [""] * len(acts)

    def run(place: int, act: Act) -> None:
        try:
            start.wait()
            act()
            found[place] = "done"
        except ApportionError as error:
            found[place] = error.code
        except Exception as error:
            found[place] = f"broken: {type(error).__name__}: {error}"
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def _dispute(world: World, who: str, document: Document, line: int | None) -> Dispute:
    return disputing.dispute(world.actor(who), document.pk, line=line, reason="not_ours", text="No")


def _proposed(world: World, document: Document, line: int) -> Dispute:
    made = _dispute(world, "ada", document, line)
    return deciding.propose_decision(
        world.actor("cora"), made.pk, "upheld", reason="Yes", settle="cost_group", settle_to=world.groups["labs"].pk
    )


def races(world: World, period: str) -> dict[str, list[str]]:
    """Each race on documents of a month of its own."""
    shop = review_world.issue(world, period)["shop"]

    def accept(who: str) -> object:
        return accepting.accept(world.actor(who), shop.pk)

    def first_line(who: str) -> object:
        return _dispute(world, who, shop, 1)

    found = {"accept and accept": at_once(partial(accept, "ada"), partial(accept, "tom"))}
    reviewing.reopen(world.actor("cora"), shop.pk, "again")
    found["accept and dispute"] = at_once(partial(accept, "ada"), partial(first_line, "tom"))
    shop.refresh_from_db()
    if shop.review_state == "accepted":
        reviewing.reopen(world.actor("cora"), shop.pk, "again")
    for each in shop.disputes.filter(state="open"):
        disputing.withdraw(world.actor("ada"), each.pk)
    found["one line twice"] = at_once(partial(first_line, "ada"), partial(first_line, "tom"))
    disputed = shop.disputes.get(state="open").pk
    found["withdraw and propose"] = at_once(
        lambda: disputing.withdraw(world.actor("ada"), disputed),
        lambda: deciding.propose_decision(world.actor("cora"), disputed, "rejected", reason="No"),
    )
    for each in shop.disputes.filter(state__in=("open", "proposed")):
        disputing.withdraw(world.actor("ada"), each.pk)
    waiting = _proposed(world, shop, 1).pk
    found["approve twice"] = at_once(*[lambda: deciding.approve_decision(world.actor("carl"), waiting)] * 3)
    other = _proposed(world, shop, 3).pk
    found["approve and take back"] = at_once(
        lambda: deciding.approve_decision(world.actor("carl"), other),
        lambda: deciding.withdraw_proposal(world.actor("cora"), other),
    )
    return found


def standing() -> dict[str, object]:
    """How the books stand after all of it."""
    gaps = [
        series.name
        for series in Series.objects.all()
        if list(Document.objects.filter(series=series).order_by("number").values_list("number", flat=True))
        != list(range(1, series.last_number + 1))
    ]
    notes = Document.objects.filter(about__isnull=False, issue_state="issued")
    return {
        "breaks": len(chain.verify().breaks),
        "gaps": gaps,
        "drafts": Document.objects.filter(issue_state="open").count(),
        "upheld": Dispute.objects.filter(state="upheld").count(),
        "notes": notes.count(),
        "net": sum(total.amount_minor for note in notes for total in note.totals.all()),
        "entries": AuditEntry.objects.count(),
    }


def main(rounds: int) -> None:
    """Migrate, and run each race so many times."""
    call_command("migrate", verbosity=0)
    world = review_world.build()
    for number in range(rounds):
        print(json.dumps(races(world, f"20{20 + number}-01")), flush=True)
    print(json.dumps(standing()))


if __name__ == "__main__":
    main(int(sys.argv[1]))
