"""Tags that are found once for each language say what Django's own say."""

from __future__ import annotations

import pytest
from django.template import Context, Template
from django.template.base import Node
from django.urls import NoReverseMatch
from django.utils import translation

from apportion.web.templatetags.literal import AddressNode, SaidNode

LITERAL = [
    '{% translate "Documents" %}',
    "{% translate 'Documents' %}",
    '{% static "apportion/mark.svg" %}',
    '{% url "home" %}',
    "{% url 'documents' %}",
    '{% icon "check" %}',
    '{% icon "check" "Done & dusted" %}',
]
NOT_LITERAL = [
    '{% translate "Documents"|upper %}',
    "{% translate word %}",
    '{% translate "Documents" as said %}{{ said }}',
    '{% translate "May" context "month" %}',
    '{% icon "check" _("Done") %}',
    "{% icon word %}",
    "{% static word %}",
    "{% url 'document' 12 %}",
    "{% url 'document' document=12 %}",
    '{% url "home" as address %}{{ address }}',
    '{% icon "check" as drawn %}{{ drawn }}',
]


def _first(source: str) -> Node:
    return Template(source).nodelist[0]


@pytest.mark.parametrize("source", LITERAL)
def test_a_text_is_said_in_each_language_as_before(source: str) -> None:
    node = _first(source)
    assert isinstance(node, SaidNode)
    for language in ("en", "de", "en"):
        with translation.override(language):
            assert node.render(Context({"word": "other"})) == node._node.render(Context())


def test_a_text_is_said_in_the_language_of_the_page() -> None:
    node = _first('{% translate "Documents" %}')
    said = {}
    for language in ("en", "de"):
        with translation.override(language):
            said[language] = node.render(Context())
    assert said == {"en": "Documents", "de": "Dokumente"}


@pytest.mark.parametrize("source", NOT_LITERAL)
def test_what_depends_on_anything_else_is_asked_each_time(source: str) -> None:
    assert not isinstance(_first(source), SaidNode)
    for word in ("Close", "Home"):
        Template(source).render(Context({"word": word}))


def test_a_variable_is_said_as_it_is_now() -> None:
    page = Template("{% translate word %}")
    assert [page.render(Context({"word": word})) for word in ("Close", "Home")] == ["Close", "Home"]


ADDRESSES = [
    ("{% url 'document' row %}", "/documents/{row}/"),
    ("{% url 'document' 12 %}", "/documents/12/"),
    ("{% url 'download' row 'pdf' %}", "/documents/{row}/download/pdf/"),
    ("{% url 'line' row line %}", "/documents/{row}/lines/{line}/"),
    ("{% url 'document' row as here %}{{ here }}?a=1", "/documents/{row}/?a=1"),
]


@pytest.mark.parametrize(("source", "address"), ADDRESSES)
def test_an_address_of_numbers_has_the_numbers_of_each_time(source: str, address: str) -> None:
    made = Template(source)
    assert len(made.nodelist.get_nodes_by_type(AddressNode)) == 1
    for row, line in ((1, 2), (987, 0), (10**15, 7), (1, 2)):
        assert made.render(Context({"row": row, "line": line})) == address.format(row=row, line=line)


@pytest.mark.parametrize("wrong", [-1, None, "", "1/../2", True])
def test_what_is_no_number_is_for_django_to_refuse(wrong: object) -> None:
    made = Template("{% url 'document' row %}")
    assert made.render(Context({"row": 5})) == "/documents/5/"
    with pytest.raises(NoReverseMatch):
        made.render(Context({"row": wrong}))


def test_a_number_as_text_is_a_number() -> None:
    assert Template("{% url 'document' row %}").render(Context({"row": "5"})) == "/documents/5/"
