"""Every model of the books, where Django looks for them; each lives in a module of its own idea."""

from apportion.records.audit import AuditEntry, AuditHead
from apportion.records.closes import Close
from apportion.records.disputes import Attachment, Comment, Dispute, Mention
from apportion.records.documents import Document, DocumentBody, DocumentLine, DocumentTotal, Series
from apportion.records.groups import CostGroup, Mode
from apportion.records.journals import LedgerJournal, LedgerPush
from apportion.records.people import ApiToken, Delegation, Grant, Person
from apportion.records.policies import Claim, PolicyVersion
from apportion.records.work import IdempotencyKey, Message, SentNotice, WebhookEndpoint, Work

__all__ = [
    "ApiToken",
    "Attachment",
    "AuditEntry",
    "AuditHead",
    "Claim",
    "Close",
    "Comment",
    "CostGroup",
    "Delegation",
    "Dispute",
    "Document",
    "DocumentBody",
    "DocumentLine",
    "DocumentTotal",
    "Grant",
    "IdempotencyKey",
    "LedgerJournal",
    "LedgerPush",
    "Mention",
    "Message",
    "Mode",
    "Person",
    "PolicyVersion",
    "SentNotice",
    "Series",
    "WebhookEndpoint",
    "Work",
]
