"""Database triggers that keep what is issued, said and audited as it is, whoever writes: SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_ISSUED = "OLD.issue_state <> 'open'"

# Of an issued document all but its states, their instants and its deadline stay.
_DOCUMENT = (
    "kind period series_id number label statement holder cost_group_id name about_id dispute_id showback run_digest "
    "policy_digest body_digest prepared_by_id issued_at issued_by_id"
).split()
# Of a journal what was drawn up stays, and of a push what it is about.
_JOURNAL = "period kind target journal_id digest body reverses_id drawn_up_at drawn_up_by_id".split()
_PUSH = "target entry company reverses round key content_hash".split()
_OF_ISSUED = "EXISTS (SELECT 1 FROM records_document d WHERE d.id = OLD.document_id AND d.issue_state <> 'open')"


def _changed(names: list[str]) -> str:
    return " OR ".join(f"OLD.{name} <=> NEW.{name}" for name in names)


@dataclass(frozen=True, slots=True)
class Guard:
    """Refuse `event` on `table` where `condition` holds of the row as it was (OLD) and would be (NEW)."""

    name: str
    table: str
    event: str  # UPDATE or DELETE
    condition: str
    sentence: str

    def condition_for(self, vendor: str) -> str:
        return self.condition.replace("<=>", "IS DISTINCT FROM" if vendor == "postgresql" else "IS NOT")


def _forever(table: str, sentence: str) -> list[Guard]:
    return [
        Guard(f"{table}_no_update", table, "UPDATE", "TRUE", sentence),
        Guard(f"{table}_no_delete", table, "DELETE", "TRUE", sentence),
    ]


def _of_issued(table: str) -> list[Guard]:
    sentence = "an issued document is never changed: write a credit note"
    return [
        Guard(f"{table}_frozen", table, "UPDATE", _OF_ISSUED, sentence),
        Guard(f"{table}_kept", table, "DELETE", _OF_ISSUED, sentence),
    ]


GUARDS: tuple[Guard, ...] = (
    Guard(
        "records_document_frozen",
        "records_document",
        "UPDATE",
        f"{_ISSUED} AND ({_changed(_DOCUMENT)} OR NEW.issue_state = 'open')",
        "an issued document is never changed: write a credit note",
    ),
    Guard("records_document_kept", "records_document", "DELETE", _ISSUED, "an issued document is never deleted"),
    Guard(
        "records_ledgerjournal_frozen",
        "records_ledgerjournal",
        "UPDATE",
        f"{_changed(_JOURNAL)} OR (OLD.label IS NOT NULL AND ({_changed(['series_id', 'number', 'label'])}))",
        "a journal is never changed: withdraw it or reverse it",
    ),
    Guard("records_ledgerjournal_kept", "records_ledgerjournal", "DELETE", "TRUE", "a journal is never deleted"),
    Guard(
        "records_ledgerpush_frozen", "records_ledgerpush", "UPDATE", _changed(_PUSH), "a push keeps what it is about"
    ),
    Guard("records_ledgerpush_kept", "records_ledgerpush", "DELETE", "TRUE", "a push is never deleted"),
    *_of_issued("records_documenttotal"),
    *_of_issued("records_documentline"),
    *_of_issued("records_documentbody"),
    *_forever("records_auditentry", "an audit entry is never changed"),
    *_forever("records_comment", "a comment is never changed"),
    *_forever("records_attachment", "an attachment is never changed"),
    *_forever("records_mode", "a decision about charging is never changed: make a new one"),
)


def install(connection: Any) -> None:
    """Add every trigger. `connection` is a Django database connection."""
    vendor = connection.vendor
    with connection.cursor() as cursor:
        for guard in GUARDS:
            for statement in _create(guard, vendor):
                cursor.execute(statement)


def remove(connection: Any) -> None:
    """Take every trigger away: for migrations backwards, and for emptying a test database."""
    with connection.cursor() as cursor:
        for guard in GUARDS:
            on = f" ON {guard.table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {guard.name}{on}")


def _create(guard: Guard, vendor: str) -> list[str]:
    condition = guard.condition_for(vendor)
    if vendor == "sqlite":
        return [
            f"CREATE TRIGGER {guard.name} BEFORE {guard.event} ON {guard.table} WHEN {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{guard.sentence}'); END"
        ]
    back = "NEW" if guard.event == "UPDATE" else "OLD"
    return [
        f"CREATE OR REPLACE FUNCTION {guard.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {condition} THEN RAISE EXCEPTION '{guard.sentence}' USING ERRCODE = 'integrity_constraint_violation'; "
        f"END IF; RETURN {back}; END $$",
        f"CREATE TRIGGER {guard.name} BEFORE {guard.event} ON {guard.table} "
        f"FOR EACH ROW EXECUTE FUNCTION {guard.name}()",
    ]
