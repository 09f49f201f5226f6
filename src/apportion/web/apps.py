"""How Django knows this room."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Pages and templates; no tables."""

    name = "apportion.web"
    label = "web"
