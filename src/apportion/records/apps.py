"""How Django knows this room."""

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    """The books; their tables begin with `records_`."""

    name = "apportion.records"
    label = "records"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Books and people"
