"""Issued documents, their numbers, totals and lines, and the close of a period."""

import apportion.invoice.paper
import apportion.review.states
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("records", "0002_policies")]

    operations = [
        migrations.CreateModel(
            name="Document",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("statement", "statement"),
                            ("invoice", "invoice"),
                            ("credit_note", "credit note"),
                            ("debit_note", "debit note"),
                        ],
                        max_length=20,
                    ),
                ),
                ("period", models.CharField(max_length=7)),
                ("number", models.PositiveIntegerField(blank=True, null=True)),
                ("label", models.CharField(blank=True, max_length=200, null=True, unique=True)),
                ("statement", models.CharField(blank=True, max_length=200)),
                ("holder", models.CharField(max_length=20)),
                ("name", models.CharField(max_length=300)),
                ("showback", models.BooleanField(default=False)),
                ("run_digest", models.CharField(blank=True, max_length=64)),
                ("policy_digest", models.CharField(blank=True, max_length=64)),
                ("body_digest", models.CharField(max_length=64)),
                (
                    "issue_state",
                    models.CharField(
                        choices=[("open", "open"), ("issued", "issued"), ("voided", "voided")],
                        default=apportion.review.states.Issue["OPEN"],
                        max_length=20,
                    ),
                ),
                (
                    "review_state",
                    models.CharField(
                        choices=[
                            ("none", "none"),
                            ("awaiting_review", "awaiting review"),
                            ("accepted", "accepted"),
                            ("deemed_accepted", "deemed accepted"),
                            ("disputed", "disputed"),
                        ],
                        default=apportion.review.states.Review["NONE"],
                        max_length=20,
                    ),
                ),
                (
                    "posting_state",
                    models.CharField(
                        choices=[
                            ("unposted", "unposted"),
                            ("exported", "exported"),
                            ("posted", "posted"),
                            ("reversed", "reversed"),
                        ],
                        default=apportion.review.states.Posting["UNPOSTED"],
                        max_length=20,
                    ),
                ),
                ("issued_at", models.DateTimeField(blank=True, null=True)),
                ("review_until", models.DateField(blank=True, null=True)),
                ("reviewed_at", models.DateTimeField(blank=True, null=True)),
                ("voided_at", models.DateTimeField(blank=True, null=True)),
                ("posted_at", models.DateTimeField(blank=True, null=True)),
                ("journal", models.CharField(blank=True, max_length=200)),
                ("ledger_reference", models.CharField(blank=True, max_length=200)),
                (
                    "about",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notes",
                        to="records.document",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Series",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200, unique=True)),
                ("last_number", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Close",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("period", models.CharField(max_length=7, unique=True)),
                ("run_digest", models.CharField(blank=True, max_length=64)),
                ("issued_run_digest", models.CharField(blank=True, max_length=64)),
                ("tie_out", models.JSONField(default=dict)),
                ("summary", models.JSONField(default=dict)),
                ("tagged", models.JSONField(default=dict)),
                ("data_complete_at", models.DateTimeField(blank=True, null=True)),
                ("allocated_at", models.DateTimeField(blank=True, null=True)),
                ("issued_at", models.DateTimeField(blank=True, null=True)),
                ("review_until", models.DateField(blank=True, null=True)),
                ("posted_at", models.DateTimeField(blank=True, null=True)),
                ("sealed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "allocated_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "data_complete_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "issued_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "posted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "sealed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DocumentBody",
            fields=[
                (
                    "document",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="body",
                        serialize=False,
                        to="records.document",
                    ),
                ),
                ("text", models.TextField()),
            ],
        ),
        migrations.AddField(
            model_name="document",
            name="cost_group",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="documents",
                to="records.costgroup",
            ),
        ),
        migrations.AddField(
            model_name="document",
            name="exported_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="document",
            name="issued_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="document",
            name="prepared_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="document",
            name="reviewed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="document",
            name="series",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="records.series"
            ),
        ),
        migrations.CreateModel(
            name="DocumentLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("direct", "direct"), ("share", "share"), ("adjustment", "adjustment")], max_length=12
                    ),
                ),
                ("service", models.CharField(blank=True, max_length=300)),
                ("charge_category", models.CharField(blank=True, max_length=40)),
                ("pool_id", models.CharField(blank=True, max_length=200)),
                ("invoice_issuer", models.CharField(blank=True, max_length=300)),
                ("invoice_id", models.CharField(blank=True, max_length=300)),
                ("billing_account_id", models.CharField(blank=True, max_length=300)),
                ("billed_currency", models.CharField(max_length=3)),
                ("billed_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("amount_minor", models.BigIntegerField()),
                ("corrects", models.CharField(blank=True, max_length=7)),
                (
                    "document",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="records.document"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("document", "number"), name="a_line_number_once_in_a_document")
                ],
            },
        ),
        migrations.CreateModel(
            name="DocumentTotal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("currency", models.CharField(max_length=3)),
                ("amount_minor", models.BigIntegerField()),
                ("direct_minor", models.BigIntegerField()),
                ("shared_minor", models.BigIntegerField()),
                ("adjusted_minor", models.BigIntegerField(default=0)),
                ("before_minor", models.BigIntegerField(blank=True, null=True)),
                ("budget_minor", models.BigIntegerField(blank=True, null=True)),
                ("change_parts", models.JSONField(default=dict)),
                (
                    "document",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="totals", to="records.document"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("document", "currency"), name="one_total_for_a_currency"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "amount_minor",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("direct_minor"), "+", models.F("shared_minor")
                                    ),
                                    "+",
                                    models.F("adjusted_minor"),
                                ),
                            )
                        ),
                        name="total_is_the_sum_of_its_parts",
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(fields=["period", "kind", "review_state"], name="records_doc_period_71a628_idx"),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(fields=["cost_group", "period"], name="records_doc_cost_gr_4e60b1_idx"),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(fields=["review_state", "review_until"], name="records_doc_review__051aff_idx"),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.UniqueConstraint(fields=("series", "number"), name="a_number_once_in_a_series"),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("issue_state", apportion.review.states.Issue["OPEN"]),
                    models.Q(
                        ("issued_at__isnull", False),
                        ("label__isnull", False),
                        ("number__isnull", False),
                        ("series__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="issued_with_a_number",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("posting_state", apportion.review.states.Posting["UNPOSTED"]),
                    models.Q(
                        models.Q(("kind", apportion.invoice.paper.PaperKind["STATEMENT"]), _negated=True),
                        ("showback", False),
                        models.Q(
                            ("posting_state", apportion.review.states.Posting["REVERSED"]),
                            (
                                "review_state__in",
                                [apportion.review.states.Review["ACCEPTED"], apportion.review.states.Review["DEEMED"]],
                            ),
                            _connector="OR",
                        ),
                    ),
                    _connector="OR",
                ),
                name="posted_only_if_accepted_and_charged",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("issue_state", apportion.review.states.Issue["ISSUED"]),
                    (
                        "kind__in",
                        [apportion.invoice.paper.PaperKind["STATEMENT"], apportion.invoice.paper.PaperKind["INVOICE"]],
                    ),
                    ("cost_group__isnull", False),
                ),
                fields=("period", "cost_group"),
                name="one_document_for_a_group_and_period",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("issue_state", apportion.review.states.Issue["ISSUED"]),
                    (
                        "kind__in",
                        [apportion.invoice.paper.PaperKind["STATEMENT"], apportion.invoice.paper.PaperKind["INVOICE"]],
                    ),
                    ("cost_group__isnull", True),
                ),
                fields=("period", "holder"),
                name="one_document_for_the_centre_and_period",
            ),
        ),
    ]
