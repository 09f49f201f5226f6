"""The tags that pages use most, for what is written out in a template: found once for each language, then only said.

``{% translate "Open" %}``, ``{% static "site.css" %}``, ``{% url "home" %}`` and ``{% icon "check" %}`` give the same
again and again, and a page has a hundred of them.
With a variable, a filter, a context or ``as`` they are what they were, unchanged.
"""

from __future__ import annotations

from typing import Any, cast

from django import template
from django.template.base import FilterExpression, Node, Parser, Token, Variable
from django.template.context import Context
from django.template.defaulttags import url as do_url
from django.templatetags.i18n import TranslateNode, do_translate
from django.templatetags.static import StaticNode
from django.utils.safestring import SafeString
from django.utils.translation import get_language


class SaidNode(Node):
    """Another node whose result depends on nothing but the language."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._said: dict[str | None, SafeString] = {}

    def render(self, context: Context) -> SafeString:
        """As the other node says it, asked once."""
        language = vars(context).get("language") or get_language()
        found = self._said.get(language)
        if found is None:
            found = self._said[language] = cast(SafeString, self._node.render(context))
        return found


def is_literal(expression: object) -> bool:
    """Whether an argument of a tag is a text as it stands there."""
    if not isinstance(expression, FilterExpression) or expression.filters:
        return False
    found: Any = expression.var
    if isinstance(found, Variable):
        return isinstance(found.literal, str) and not found.translate
    return isinstance(found, str)


def translate(parser: Parser, token: Token) -> Node:
    """``{% translate %}``."""
    node = do_translate(parser, token)
    if not isinstance(node, TranslateNode) or node.asvar or node.message_context or node.noop:
        return node
    expression = node.filter_expression
    is_text = isinstance(expression.var, Variable) and isinstance(expression.var.literal, str)
    return SaidNode(node) if is_text and not expression.filters else node


def static(parser: Parser, token: Token) -> Node:
    """``{% static %}``."""
    node = StaticNode.handle_token(parser, token)
    return SaidNode(node) if not node.varname and is_literal(node.path) else node


def url(parser: Parser, token: Token) -> Node:
    """``{% url %}``."""
    node = do_url(parser, token)
    plain = not node.args and not node.kwargs and not node.asvar and is_literal(node.view_name)
    return SaidNode(node) if plain else node


def add_to(register: template.Library) -> None:
    """Put them in place of Django's, and of this site's own icon."""
    register.tag("translate", translate)
    register.tag("static", static)
    register.tag("url", url)
    drawn = register.tags["icon"]

    def icon(parser: Parser, token: Token) -> Node:
        node: Any = drawn(parser, token)
        plain = not node.kwargs and not node.target_var and all(map(is_literal, node.args))
        return SaidNode(node) if plain else cast(Node, node)

    register.tag("icon", icon)
