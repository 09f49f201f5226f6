"""Django's templates, except that a page leaves nothing behind when it is rendered.

Django's context and the values that were put into it point at each other, so that all of them would stay in memory
until the garbage collector looks for such circles. Under load it then looks often, and stops every page meanwhile.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template import TemplateDoesNotExist
from django.template.backends import django as engine
from django.template.context import make_context
from django.utils.safestring import SafeString
from django.utils.translation import get_language


class _Template(engine.Template):
    def render(self, context: dict[str, Any] | None = None, request: HttpRequest | None = None) -> SafeString:
        made = make_context(context, request, autoescape=self.backend.engine.autoescape)
        vars(made)["language"] = get_language()  # for tags that ask often: see `templatetags.literal`
        try:
            return self.template.render(made)
        except TemplateDoesNotExist as error:
            engine.reraise(error, self.backend)
            raise
        finally:
            del made.dicts[1:]


class Templates(engine.DjangoTemplates):
    """The engine of the settings."""

    def from_string(self, template_code: str) -> _Template:
        """A template that is written out."""
        return _Template(self.engine.from_string(template_code), self)

    def get_template(self, template_name: str) -> _Template:
        """A template by its name. Raises `TemplateDoesNotExist`."""
        return _Template(super().get_template(template_name).template, self)
