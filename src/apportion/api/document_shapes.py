"""How documents, their lines and totals are written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date

from ninja import Schema
from pydantic import Field

from apportion.api.shapes import GroupName, Instant, Money, Named, group_name, money, money_or_none, named
from apportion.invoice.paper import Change, Paper, PaperKind, PaperLine, PaperLineKind, Part
from apportion.records.documents import Document, DocumentLine, DocumentTotal
from apportion.review.states import Issue, Posting, Review


class TotalOut(Schema):
    """The total in one currency; `before` is the month before, `budget` what was planned."""

    total: Money
    direct: Money
    shared: Money
    adjusted: Money
    before: Money | None
    budget: Money | None


class About(Schema):
    """The document that a note is about, or that this one took the place of."""

    id: int
    label: str | None


class DocumentOut(Schema):
    """A statement, invoice, credit or debit note, and where it stands."""

    id: int
    etag: str = Field(description="For If-Match: changes with every state")
    kind: PaperKind
    label: str | None = Field(description="Its number; drafts have none")
    period: str
    holder: str = Field(description="cost_group, unallocated or kept_central")
    cost_group: GroupName | None
    name: str
    showback: bool = Field(description="For reading only: it is never posted")
    issue: Issue
    review: Review
    posting: Posting
    issued_at: Instant | None
    issued_by: Named | None
    review_until: date | None
    reviewed_at: Instant | None
    reviewed_by: Named | None
    voided_at: Instant | None
    posted_at: Instant | None
    journal: str
    ledger_reference: str
    about: About | None
    dispute: int | None = Field(description="The dispute that led to this note")
    totals: list[TotalOut]


class LineOut(Schema):
    """One line. `billed` is what the provider billed it in, `amount` what it adds to the document's total."""

    number: int
    kind: PaperLineKind
    heading: str
    service: str
    charge_category: str
    pool: str
    pool_name: str
    method: str
    reason: str = Field(description="Why the line is here, in a sentence")
    invoice_issuer: str
    invoice_id: str
    billing_account_id: str
    billed: Money
    amount: Money
    rate: str
    rows: int
    corrects: str
    of_line: str


class ChangePart(Schema):
    """Part of a change."""

    part: Part
    amount: Money


class DriverOut(Schema):
    """One of the largest reasons behind a part."""

    part: Part
    about: str
    amount: Money


class ChangeOut(Schema):
    """Why a total differs from the month before: the parts sum to the difference."""

    before: Money
    after: Money
    parts: list[ChangePart]
    drivers: list[DriverOut]


class MonthOut(Schema):
    """What the same holder carried in one month."""

    period: str
    total: Money


class GroupStep(Schema):
    """A cost group on the way from the top of the tree."""

    code: str
    name: str


class OwnersOut(Schema):
    """Who answers, as the organization file named them when it was issued."""

    finance: str
    technical: str
    business: str


class CodingOut(Schema):
    """The codes for the ledger, as they were when it was issued."""

    company: str
    cost_center: str
    department: str
    ledger_account: str


class Digests(Schema):
    """SHA-256 of what it was made from."""

    policy: str
    organization: str
    snapshot: str
    run: str
    body: str


class DocumentWhole(DocumentOut):
    """A document with all of its content."""

    company: str
    cost_basis: str
    policy_name: str
    path: list[GroupStep]
    owners: OwnersOut
    coding: CodingOut
    note: str
    lines: list[LineOut]
    changes: list[ChangeOut]
    history: list[MonthOut]
    digests: Digests
    may: list[str] = Field(description="What you could do with it now: accept, dispute, comment, reopen, void …")


def etag(row: Document) -> str:
    """Changes whenever something of a document changes: its content never does."""
    states = (row.issue_state, row.review_state, row.posting_state)
    instants = (row.review_until, row.reviewed_at, row.posted_at)
    parts = (row.pk, row.body_digest, states, instants, row.journal, row.ledger_reference)
    return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'


def fields(row: Document) -> dict[str, object]:
    """What list and whole have in common. Load it with `cost_group`, `about`, people and `totals`."""
    return {
        "id": row.pk,
        "etag": etag(row),
        "kind": PaperKind(row.kind),
        "label": row.label,
        "period": row.period,
        "holder": row.holder,
        "cost_group": group_name(row.cost_group),
        "name": row.name,
        "showback": row.showback or row.kind == PaperKind.STATEMENT,
        "issue": Issue(row.issue_state),
        "review": Review(row.review_state),
        "posting": Posting(row.posting_state),
        "issued_at": row.issued_at,
        "issued_by": named(row.issued_by),
        "review_until": row.review_until,
        "reviewed_at": row.reviewed_at,
        "reviewed_by": named(row.reviewed_by),
        "voided_at": row.voided_at,
        "posted_at": row.posted_at,
        "journal": row.journal,
        "ledger_reference": row.ledger_reference,
        "about": About(id=row.about.pk, label=row.about.label) if row.about is not None else None,
        "dispute": row.dispute_id,
        "totals": totals(row.totals.all()),
    }


def document(row: Document) -> DocumentOut:
    """A document in a list."""
    return DocumentOut(**fields(row))  # type: ignore[arg-type]


def whole(row: Document, paper: Paper, may: list[str]) -> DocumentWhole:
    """A document with its content."""
    return DocumentWhole(
        **fields(row),  # type: ignore[arg-type]
        company=paper.company,
        cost_basis=paper.cost_basis,
        policy_name=paper.policy_name,
        path=[GroupStep(code=code, name=name) for code, name in paper.path],
        owners=OwnersOut(
            finance=paper.owners.finance, technical=paper.owners.technical, business=paper.owners.business
        ),
        coding=CodingOut(
            company=paper.coding.company,
            cost_center=paper.coding.cost_center,
            department=paper.coding.department,
            ledger_account=paper.coding.ledger_account,
        ),
        note=paper.note,
        lines=[line(each) for each in paper.lines],
        changes=[change(each) for each in paper.changes],
        history=[MonthOut(period=each.period, total=money(each.minor, each.currency)) for each in paper.history],
        digests=Digests(
            policy=paper.policy_digest,
            organization=paper.organization_digest,
            snapshot=paper.snapshot_digest,
            run=paper.run_digest,
            body=row.body_digest,
        ),
        may=may,
    )


def totals(rows: Iterable[DocumentTotal]) -> list[TotalOut]:
    """Totals in the order of their currencies."""
    return [
        TotalOut(
            total=money(row.amount_minor, row.currency),
            direct=money(row.direct_minor, row.currency),
            shared=money(row.shared_minor, row.currency),
            adjusted=money(row.adjusted_minor, row.currency),
            before=money_or_none(row.before_minor, row.currency),
            budget=money_or_none(row.budget_minor, row.currency),
        )
        for row in sorted(rows, key=lambda row: row.currency)
    ]


def line(each: PaperLine) -> LineOut:
    """A line as it is printed."""
    return LineOut(
        number=each.number,
        kind=each.kind,
        heading=each.heading,
        service=each.service,
        charge_category=each.charge_category,
        pool=each.pool_id,
        pool_name=each.pool_name,
        method=each.method,
        reason=each.reason,
        invoice_issuer=each.invoice_issuer,
        invoice_id=each.invoice_id,
        billing_account_id=each.billing_account_id,
        billed=money(each.billed_minor, each.billed_currency),
        amount=money(each.minor, each.currency),
        rate=each.rate,
        rows=each.rows,
        corrects=each.corrects,
        of_line=each.of_line,
    )


def change(each: Change) -> ChangeOut:
    """Why a total changed."""
    return ChangeOut(
        before=money(each.before_minor, each.currency),
        after=money(each.after_minor, each.currency),
        parts=[ChangePart(part=part, amount=money(minor, each.currency)) for part, minor in each.parts],
        drivers=[
            DriverOut(part=driver.part, about=driver.about, amount=money(driver.minor, each.currency))
            for driver in each.drivers
        ],
    )


class FoundLine(Schema):
    """A line among those of several documents."""

    document: int
    label: str | None
    period: str
    cost_group: GroupName | None
    number: int
    kind: PaperLineKind
    service: str
    charge_category: str
    pool: str
    invoice_issuer: str
    invoice_id: str
    billed: Money
    amount: Money


def found_line(row: DocumentLine) -> FoundLine:
    """A row of the books; load it with its document and cost group."""
    return FoundLine(
        document=row.document_id,
        label=row.document.label,
        period=row.document.period,
        cost_group=group_name(row.document.cost_group),
        number=row.number,
        kind=PaperLineKind(row.kind),
        service=row.service,
        charge_category=row.charge_category,
        pool=row.pool_id,
        invoice_issuer=row.invoice_issuer,
        invoice_id=row.invoice_id,
        billed=money(row.billed_minor, row.billed_currency),
        amount=money(row.amount_minor, row.currency),
    )
