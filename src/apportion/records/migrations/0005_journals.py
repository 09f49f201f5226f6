"""Journals and the pushes that bring them into a ledger."""

import apportion.post.lifecycle
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("records", "0004_disputes")]

    operations = [
        migrations.CreateModel(
            name="LedgerPush",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("target", models.CharField(max_length=200)),
                ("entry", models.CharField(max_length=200)),
                ("company", models.CharField(blank=True, max_length=200)),
                ("reverses", models.CharField(blank=True, max_length=200)),
                ("round", models.PositiveIntegerField()),
                ("key", models.CharField(max_length=20, unique=True)),
                ("content_hash", models.CharField(max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("reserved", "reserved"),
                            ("sent", "sent"),
                            ("created", "created"),
                            ("posted", "posted"),
                            ("rejected", "rejected"),
                            ("withdrawn", "withdrawn"),
                            ("reversed", "reversed"),
                        ],
                        max_length=20,
                    ),
                ),
                ("reference", models.CharField(blank=True, max_length=200)),
                ("number", models.CharField(blank=True, max_length=200)),
                ("detail", models.TextField(blank=True)),
            ],
            options={
                "indexes": [models.Index(fields=["target", "entry", "company"], name="records_led_target_90e4d2_idx")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("target", "entry", "company", "reverses", "round"), name="a_round_of_a_push_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LedgerJournal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("period", models.CharField(max_length=7)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("transfer", "transfer"),
                            ("provider", "provider"),
                            ("accrual", "accrual"),
                            ("true_up", "true up"),
                            ("prepaid", "prepaid"),
                            ("remainder", "remainder"),
                            ("showback", "showback"),
                            ("reversal", "reversal"),
                        ],
                        max_length=20,
                    ),
                ),
                ("target", models.CharField(max_length=200)),
                ("journal_id", models.CharField(max_length=200)),
                ("digest", models.CharField(max_length=64)),
                ("body", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("drawn_up", "drawn up"),
                            ("approved", "approved"),
                            ("handed_over", "handed over"),
                            ("posted", "posted"),
                            ("reversed", "reversed"),
                            ("withdrawn", "withdrawn"),
                        ],
                        default=apportion.post.lifecycle.JournalState["DRAWN_UP"],
                        max_length=20,
                    ),
                ),
                ("number", models.PositiveIntegerField(blank=True, null=True)),
                ("label", models.CharField(blank=True, max_length=200, null=True, unique=True)),
                ("reason", models.TextField(blank=True)),
                ("repair", models.JSONField(default=list)),
                ("reference", models.CharField(blank=True, max_length=200)),
                ("drawn_up_at", models.DateTimeField()),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                ("handed_over_at", models.DateTimeField(blank=True, null=True)),
                ("posted_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "drawn_up_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "handed_over_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "reverses",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversals",
                        to="records.ledgerjournal",
                    ),
                ),
                (
                    "series",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to="records.series"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="ledgerjournal",
            index=models.Index(fields=["period", "kind"], name="records_led_period_ad0fea_idx"),
        ),
        migrations.AddConstraint(
            model_name="ledgerjournal",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        (
                            apportion.post.lifecycle.JournalState["DRAWN_UP"],
                            apportion.post.lifecycle.JournalState["APPROVED"],
                            apportion.post.lifecycle.JournalState["HANDED_OVER"],
                        ),
                    )
                ),
                fields=("target",),
                name="one_journal_waits_at_a_target",
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgerjournal",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            apportion.post.lifecycle.JournalState["WITHDRAWN"],
                            apportion.post.lifecycle.JournalState["REVERSED"],
                        ],
                    ),
                    _negated=True,
                ),
                fields=("journal_id", "target"),
                name="a_journal_once_at_a_target",
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgerjournal",
            constraint=models.UniqueConstraint(fields=("series", "number"), name="a_journal_number_once_in_a_series"),
        ),
        migrations.AddConstraint(
            model_name="ledgerjournal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            apportion.post.lifecycle.JournalState["DRAWN_UP"],
                            apportion.post.lifecycle.JournalState["WITHDRAWN"],
                        ],
                    ),
                    models.Q(("approved_by__isnull", False), ("label__isnull", False)),
                    _connector="OR",
                ),
                name="approved_before_it_goes_out",
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgerjournal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approved_by__isnull", True),
                    models.Q(("approved_by", models.F("drawn_up_by")), _negated=True),
                    _connector="OR",
                ),
                name="approved_by_a_second_person",
            ),
        ),
    ]
