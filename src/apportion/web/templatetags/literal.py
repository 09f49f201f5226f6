"""The tags that pages use most, for what is written out in a template: found once for each language, then only said.

``{% translate "Open" %}``, ``{% static "site.css" %}``, ``{% url "home" %}`` and ``{% icon "check" %}`` give the same
again and again, and a page has a hundred of them. ``{% url "document" row.pk %}`` gives the same but for the number.
With a variable, a filter, a context or ``as`` they are what they were, unchanged.
"""

from __future__ import annotations

from typing import Any, cast

from django import template
from django.template.base import FilterExpression, Node, Parser, Token, Variable
from django.template.context import Context
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as do_url
from django.templatetags.i18n import TranslateNode, do_translate
from django.templatetags.static import StaticNode
from django.urls import reverse
from django.utils.html import escape
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


class AddressNode(Node):
    """An ``{% url %}`` of whole numbers: the address is found once, then only the numbers are put into it."""

    def __init__(self, node: URLNode) -> None:
        self._node = node
        self._pieces: dict[str | None, list[str]] = {}

    def render(self, context: Context) -> str:
        """As Django's tag does it, which is also asked wherever something is no whole number."""
        node = self._node
        numbers = [argument.resolve(context) for argument in node.args if not is_literal(argument)]
        if not all(type(number) is int and number >= 0 for number in numbers):
            return node.render(context)
        language = vars(context).get("language") or get_language()
        pieces = self._pieces.get(language)
        if pieces is None:
            pieces = self._pieces[language] = self._found(context, len(numbers))
        *before, end = pieces
        address = "".join(f"{piece}{number}" for piece, number in zip(before, numbers, strict=True)) + end
        if node.asvar:
            context[node.asvar] = address
            return ""
        return address

    def _found(self, context: Context, count: int) -> list[str]:
        """What stands before, between and behind the numbers."""
        others = [_STAND_IN + place for place in range(count)]
        places = iter(others)
        given = [argument.resolve(context) if is_literal(argument) else next(places) for argument in self._node.args]
        rest: str = escape(reverse(self._node.view_name.resolve(context), args=given))
        pieces = []
        for number in others:
            piece, rest = rest.split(str(number))  # fails where it is not there once: then the tag is not for this
            pieces.append(piece)
        return [*pieces, rest]


_STAND_IN = 7_406_182_935_100


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
    if node.kwargs or not is_literal(node.view_name):
        return node
    if node.args:
        return AddressNode(node)
    return node if node.asvar else SaidNode(node)


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
