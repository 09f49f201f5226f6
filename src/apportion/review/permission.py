"""Roles, and what each may do. Where in the tree somebody may do it is for `records.rights` to say."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a person is in the close. An owner and an executive have theirs for a part of the tree."""

    ANALYST = "analyst"
    CONTROLLER = "controller"
    OWNER = "owner"
    EXECUTIVE = "executive"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    """One thing that a person may do or see."""

    SEE_DOCUMENTS = "see_documents"  # statements, invoices and their disputes, below one's part of the tree
    ACCEPT = "accept"
    DISPUTE = "dispute"
    COMMENT = "comment"
    SEE_CLOSE = "see_close"  # the whole month: calendar, tie-out, deliveries, findings, work list, KPIs
    PREPARE = "prepare"  # ingest, allocate, answer findings, propose rules and policies, simulate
    ISSUE = "issue"
    DECIDE = "decide"  # propose and approve what becomes of a dispute, reopen a review
    MOVE_TO_CHARGEBACK = "move_to_chargeback"
    APPROVE_POLICY = "approve_policy"
    POST = "post"
    SEAL = "seal"
    SEE_AUDIT = "see_audit"
    SEE_SUMMARY = "see_summary"  # the executive page, for one's part of the tree
    MANAGE_PEOPLE = "manage_people"


_P = Permission
_OWNED = {_P.SEE_DOCUMENTS, _P.ACCEPT, _P.DISPUTE, _P.COMMENT}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(_OWNED),
    Role.EXECUTIVE: frozenset(_OWNED | {_P.SEE_SUMMARY}),
    Role.ANALYST: frozenset({_P.SEE_DOCUMENTS, _P.COMMENT, _P.SEE_CLOSE, _P.PREPARE, _P.SEE_SUMMARY}),
    Role.CONTROLLER: frozenset(
        {
            _P.SEE_DOCUMENTS,
            _P.COMMENT,
            _P.SEE_CLOSE,
            _P.PREPARE,
            _P.ISSUE,
            _P.DECIDE,
            _P.MOVE_TO_CHARGEBACK,
            _P.APPROVE_POLICY,
            _P.POST,
            _P.SEAL,
            _P.SEE_SUMMARY,
            _P.SEE_AUDIT,
        }
    ),
    Role.AUDITOR: frozenset({_P.SEE_DOCUMENTS, _P.SEE_CLOSE, _P.SEE_SUMMARY, _P.SEE_AUDIT}),
    Role.ADMINISTRATOR: frozenset({_P.MANAGE_PEOPLE, _P.SEE_AUDIT}),
}

# Roles that are held for a part of the tree; the others see all of it.
IN_THE_TREE = frozenset({Role.OWNER, Role.EXECUTIVE})
