"""A process of its own for `test_api_crossing`: many calls with the same key at once, and what came of them as JSON."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from apportion.records import boot

CALLS = 12


def main(root: Path) -> None:
    """Make books at `root`, then let every thread add the same person under the same Idempotency-Key."""
    boot(root)
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from apportion.actions.access.people import first_administrator
    from apportion.records.audit import AuditEntry
    from apportion.records.people import Person
    from tests.web.api_calls import key_of

    call_command("migrate", verbosity=0)
    key = key_of(first_administrator("admin@example.com", "Administrator", None))

    def call(number: int) -> tuple[int, str]:
        try:
            body = json.dumps({"email": f"new-{number % 2}@example.com", "name": "New"})
            headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"same-{number % 2}"}
            sent = Client(raise_request_exception=False, SERVER_NAME="localhost").post(
                "/api/v1/people", body, content_type="application/json", headers=headers
            )
            return sent.status_code, sent.json().get("code", "") or str(sent.json()["id"])
        finally:
            connection.close()

    with ThreadPoolExecutor(CALLS) as pool:
        answers = list(pool.map(call, range(CALLS)))
    again = [call(number) for number in range(2)]
    found = {
        "answers": answers,
        "again": again,
        "people": Person.objects.filter(name="New").count(),
        "entries": AuditEntry.objects.filter(act="add person").count(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
