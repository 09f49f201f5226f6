"""Issued documents: statements, invoices, credit and debit notes. Frozen when issued, by the database itself.

Amounts are integers in minor units of the currency beside them.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from apportion.invoice.paper import PaperKind, PaperLineKind
from apportion.records.kinds import CODE_LENGTH, DIGEST_LENGTH, NAME_LENGTH, PERIOD_LENGTH, choices
from apportion.review.states import Issue, Posting, Review


class Series(models.Model):
    """One run of numbers without a gap: for a kind of document, a legal entity and a fiscal year."""

    name = models.CharField(max_length=CODE_LENGTH, unique=True)  # as `invoice.series` writes it
    last_number = models.PositiveIntegerField(default=0)


_MONTHLY = models.Q(kind__in=[PaperKind.STATEMENT, PaperKind.INVOICE], issue_state=Issue.ISSUED)


class Document(models.Model):
    """A document and where it stands. Only the states, their instants and `review_until` change after it is issued.

    `holder` is cost_group, unallocated or kept_central. `statement` is the run's number of it, for explaining a line.
    Credit and debit notes name the document they are `about` and the dispute that led to them.
    """

    kind = models.CharField(max_length=20, choices=choices(PaperKind))
    period = models.CharField(max_length=PERIOD_LENGTH)
    series = models.ForeignKey(Series, models.PROTECT, null=True, blank=True)
    number = models.PositiveIntegerField(null=True, blank=True)
    label = models.CharField(max_length=CODE_LENGTH, null=True, blank=True, unique=True)
    statement = models.CharField(max_length=CODE_LENGTH, blank=True)
    holder = models.CharField(max_length=20)
    cost_group = models.ForeignKey("CostGroup", models.PROTECT, null=True, blank=True, related_name="documents")
    name = models.CharField(max_length=NAME_LENGTH)
    about = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="notes")
    dispute = models.ForeignKey("Dispute", models.PROTECT, null=True, blank=True, related_name="documents")
    showback = models.BooleanField(default=False)  # a note to somebody in showback; a statement is in showback anyway
    run_digest = models.CharField(max_length=DIGEST_LENGTH, blank=True)
    policy_digest = models.CharField(max_length=DIGEST_LENGTH, blank=True)
    body_digest = models.CharField(max_length=DIGEST_LENGTH)  # SHA-256 of the body
    issue_state = models.CharField(max_length=20, choices=choices(Issue), default=Issue.OPEN)
    review_state = models.CharField(max_length=20, choices=choices(Review), default=Review.NONE)
    posting_state = models.CharField(max_length=20, choices=choices(Posting), default=Posting.UNPOSTED)
    prepared_by = models.ForeignKey("Person", models.PROTECT, null=True, related_name="+")
    issued_at = models.DateTimeField(null=True, blank=True)
    issued_by = models.ForeignKey("Person", models.PROTECT, null=True, related_name="+")
    review_until = models.DateField(null=True, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey("Person", models.PROTECT, null=True, related_name="+")
    voided_at = models.DateTimeField(null=True, blank=True)
    posted_at = models.DateTimeField(null=True, blank=True)
    journal = models.CharField(max_length=CODE_LENGTH, blank=True)  # the id of the journal it was exported with
    ledger_reference = models.CharField(max_length=CODE_LENGTH, blank=True)  # what the ledger calls its posting
    exported_by = models.ForeignKey("Person", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["series", "number"], name="a_number_once_in_a_series"),
            models.CheckConstraint(
                condition=models.Q(issue_state=Issue.OPEN)
                | models.Q(label__isnull=False, series__isnull=False, number__isnull=False, issued_at__isnull=False),
                name="issued_with_a_number",
            ),
            models.CheckConstraint(
                # What was reversed is out of the ledger again, and may be reopened, disputed or voided.
                condition=models.Q(posting_state=Posting.UNPOSTED)
                | (
                    ~models.Q(kind=PaperKind.STATEMENT)
                    & models.Q(showback=False)
                    & (
                        models.Q(posting_state=Posting.REVERSED)
                        | models.Q(review_state__in=[Review.ACCEPTED, Review.DEEMED])
                    )
                ),
                name="posted_only_if_accepted_and_charged",
            ),
            models.UniqueConstraint(
                fields=["period", "cost_group"],
                condition=_MONTHLY & models.Q(cost_group__isnull=False),
                name="one_document_for_a_group_and_period",
            ),
            models.UniqueConstraint(
                fields=["period", "holder"],
                condition=_MONTHLY & models.Q(cost_group__isnull=True),
                name="one_document_for_the_centre_and_period",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["period", "kind", "review_state"]),
            models.Index(fields=["cost_group", "period"]),
            models.Index(fields=["review_state", "review_until"]),
        ]

    def __str__(self) -> str:
        return self.label or f"draft {self.pk}"


class DocumentTotal(models.Model):
    """The total of a document in one currency."""

    document = models.ForeignKey(Document, models.CASCADE, related_name="totals")
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    direct_minor = models.BigIntegerField()
    shared_minor = models.BigIntegerField()
    adjusted_minor = models.BigIntegerField(default=0)
    before_minor = models.BigIntegerField(null=True, blank=True)  # the month before; null where there was none
    budget_minor = models.BigIntegerField(null=True, blank=True)
    change_parts = models.JSONField(default=dict)  # why it differs from the month before: minor units by `Part`

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["document", "currency"], name="one_total_for_a_currency"),
            models.CheckConstraint(
                condition=models.Q(
                    amount_minor=models.F("direct_minor") + models.F("shared_minor") + models.F("adjusted_minor")
                ),
                name="total_is_the_sum_of_its_parts",
            ),
        ]


class DocumentLine(models.Model):
    """One line, for lists, search and the ledger; the body has all of its text."""

    document = models.ForeignKey(Document, models.CASCADE, related_name="lines")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, choices=choices(PaperLineKind))
    service = models.CharField(max_length=NAME_LENGTH, blank=True)
    charge_category = models.CharField(max_length=40, blank=True)
    pool_id = models.CharField(max_length=CODE_LENGTH, blank=True)
    invoice_issuer = models.CharField(max_length=NAME_LENGTH, blank=True)
    invoice_id = models.CharField(max_length=NAME_LENGTH, blank=True)
    billing_account_id = models.CharField(max_length=NAME_LENGTH, blank=True)
    billed_currency = models.CharField(max_length=3)
    billed_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    corrects = models.CharField(max_length=PERIOD_LENGTH, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["document", "number"], name="a_line_number_once_in_a_document")
        ]


class DocumentBody(models.Model):
    """The whole paper as `invoice.paper.to_json` writes it: what every rendering is made from."""

    document = models.OneToOneField(Document, models.CASCADE, primary_key=True, related_name="body")
    text = models.TextField()
