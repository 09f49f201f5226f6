"""The books guard themselves: the audit chain, and what is issued."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from apportion.actions.acting import Record, append, timer
from apportion.records import chain, triggers
from apportion.records.audit import AuditEntry
from apportion.records.documents import Document, DocumentBody, Series

pytestmark = pytest.mark.django_db


def _entries(count: int) -> None:
    for number in range(count):
        append(
            timer(), "test", Record("thing", str(number), f"Thing {number}", {"a": number}, {"a": number + 1}), "why"
        )


def test_a_chain_holds_and_every_change_breaks_it() -> None:
    _entries(4)
    assert chain.verify().breaks == ()
    triggers.remove(connection)
    fields = [field for field in AuditEntry._meta.concrete_fields if field.name != "person"]
    changed: dict[str, object] = {"at": datetime(2020, 1, 1, tzinfo=UTC), "number": 77}
    for field in fields:
        with transaction.atomic():
            value = changed.get(field.name, "x" * 12)
            assert AuditEntry.objects.filter(number=2).update(**{field.name: value}) == 1
            assert chain.verify().breaks, field.name
            transaction.set_rollback(True)
    AuditEntry.objects.filter(number=4).delete()
    assert chain.verify().breaks


@pytest.mark.parametrize("statement", ["UPDATE records_auditentry SET reason = 'x'", "DELETE FROM records_auditentry"])
def test_the_database_refuses_to_change_an_entry(statement: str) -> None:
    _entries(1)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_database_refuses_to_change_an_issued_document() -> None:
    series = Series.objects.create(name="A", last_number=1)
    document = Document.objects.create(
        kind="invoice",
        period="2026-10",
        holder="unallocated",
        name="N",
        body_digest="0",
        series=series,
        number=1,
        label="A-1",
        issue_state="issued",
        issued_at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    DocumentBody.objects.create(document=document, text="{}")
    for refused in (
        lambda: Document.objects.update(name="other"),
        lambda: Document.objects.update(issue_state="open"),
        lambda: DocumentBody.objects.update(text="[]"),
        lambda: DocumentBody.objects.all().delete(),
        lambda: Document.objects.all().delete(),
        lambda: Document.objects.update(posting_state="posted"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            refused()
    assert Document.objects.update(review_state="accepted") == 1
