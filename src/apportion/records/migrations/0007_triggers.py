"""What is issued, said and audited stays as it is: the database's own triggers."""

from typing import ClassVar

from django.db import migrations

from apportion.records import triggers


def _install(apps, schema_editor):  # type: ignore[no-untyped-def]
    triggers.install(schema_editor.connection)


def _remove(apps, schema_editor):  # type: ignore[no-untyped-def]
    triggers.remove(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("records", "0006_work")]
    operations: ClassVar = [migrations.RunPython(_install, _remove)]
