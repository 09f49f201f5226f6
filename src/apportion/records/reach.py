"""The one way to a document, dispute or cost group: what a person may not see does not exist for them."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from apportion.errors import NotFoundError
from apportion.records.disputes import Dispute
from apportion.records.documents import Document
from apportion.records.groups import CostGroup
from apportion.records.rights import Rights
from apportion.records.stamp import kept
from apportion.review.permission import Permission
from apportion.review.states import Issue

_GONE = "Perhaps it is of a cost group that you do not answer for: ask its owner, or begin at your own list."


def documents(rights: Rights) -> QuerySet[Document]:
    """The documents that these rights reach. What is not issued yet is for those who prepare the close."""
    found = Document.objects.filter(rights.within(Permission.SEE_DOCUMENTS, "cost_group__"))
    return found if rights.may(Permission.SEE_CLOSE) else found.filter(~Q(issue_state=Issue.OPEN))


def periods(stamp: str, rights: Rights) -> tuple[str, ...]:
    """The billing periods that have any of `documents`, the latest first; kept until the next act."""
    everywhere = rights.everywhere & {Permission.SEE_DOCUMENTS, Permission.SEE_CLOSE}
    return _periods(stamp, everywhere, rights.below.get(Permission.SEE_DOCUMENTS, ()))


@kept(256)
def _periods(stamp: str, everywhere: frozenset[Permission], paths: tuple[str, ...]) -> tuple[str, ...]:
    """As many rows as there are documents are looked through."""
    found = documents(Rights(everywhere, {Permission.SEE_DOCUMENTS: paths}))
    return tuple(found.order_by("-period").values_list("period", flat=True).distinct())


def document(rights: Rights, pk: int) -> Document:
    """One of them. Raises `NotFoundError` for any other, whether it exists or not."""
    found = documents(rights).select_related("cost_group", "about").filter(pk=pk).first()
    if found is None:
        raise NotFoundError("There is no such document for you.", advice=_GONE)
    return found


def reaches(rights: Rights, row: Document) -> bool:
    """Whether a document that is loaded with its cost group is one of `documents`, asked without the database."""
    if row.issue_state == Issue.OPEN and not rights.may(Permission.SEE_CLOSE):
        return False
    return rights.may(Permission.SEE_DOCUMENTS, path_of(row))


def disputes(rights: Rights) -> QuerySet[Dispute]:
    """The disputes about documents that these rights reach."""
    return Dispute.objects.filter(document__in=documents(rights))


def dispute(rights: Rights, pk: int) -> Dispute:
    """One of them. Raises `NotFoundError`."""
    found = disputes(rights).select_related("document", "document__cost_group").filter(pk=pk).first()
    if found is None:
        raise NotFoundError("There is no such dispute for you.", advice=_GONE)
    return found


def cost_groups(rights: Rights) -> QuerySet[CostGroup]:
    """The cost groups that these rights reach, in the order of the tree."""
    return CostGroup.objects.filter(rights.within(Permission.SEE_DOCUMENTS)).order_by("number")


def cost_group(rights: Rights, pk: int) -> CostGroup:
    """One of them. Raises `NotFoundError`."""
    found = cost_groups(rights).filter(pk=pk).first()
    if found is None:
        raise NotFoundError("There is no such cost group for you.", advice=_GONE)
    return found


def path_of(document: Document) -> str | None:
    """The path that rights to a document are asked for; None for unallocated and kept central."""
    return document.cost_group.path if document.cost_group is not None else None
