"""Roles and permissions in words."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apportion.records.people import OwnerKind
from apportion.review.permission import Permission, Role

ROLE_WORDS = {
    Role.ANALYST: _("Analyst"),
    Role.CONTROLLER: _("Controller"),
    Role.OWNER: _("Owner"),
    Role.EXECUTIVE: _("Executive"),
    Role.AUDITOR: _("Auditor"),
    Role.ADMINISTRATOR: _("Administrator"),
}
ROLE_TASKS = {
    Role.ANALYST: _("prepares the month: data, findings, allocation, proposals"),
    Role.CONTROLLER: _("issues, decides disputes, approves policies, posts and seals"),
    Role.OWNER: _("accepts or disputes for a cost group and all below it"),
    Role.EXECUTIVE: _("sees the summary and accepts for a part of the tree"),
    Role.AUDITOR: _("sees everything, and the audit log; changes nothing"),
    Role.ADMINISTRATOR: _("adds people and gives roles; sees no documents"),
}
OWNER_WORDS = {
    OwnerKind.FINANCE: _("finance"),
    OwnerKind.TECHNICAL: _("technical"),
    OwnerKind.BUSINESS: _("business"),
}
PERMISSION_WORDS = {
    Permission.SEE_DOCUMENTS: _("read documents and disputes"),
    Permission.ACCEPT: _("accept documents"),
    Permission.DISPUTE: _("dispute documents"),
    Permission.COMMENT: _("comment"),
    Permission.SEE_CLOSE: _("read the close, deliveries, findings and measures"),
    Permission.PREPARE: _("prepare: load data, allocate, answer findings, propose policies"),
    Permission.ISSUE: _("issue and void documents"),
    Permission.DECIDE: _("decide disputes and reopen reviews"),
    Permission.MOVE_TO_CHARGEBACK: _("move cost groups to chargeback"),
    Permission.APPROVE_POLICY: _("approve policies"),
    Permission.POST: _("export, post and reverse"),
    Permission.SEAL: _("seal periods"),
    Permission.SEE_AUDIT: _("read the audit log"),
    Permission.SEE_SUMMARY: _("read the summary"),
    Permission.MANAGE_PEOPLE: _("manage people and roles"),
}
