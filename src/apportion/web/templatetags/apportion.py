"""Filters and tags of every template: amounts, days, states, icons and small pictures. No ``{% load %}`` is needed.

Amounts are integers in minor units and stay exact; what is told by colour is told by a word or a sign as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from html import escape
from typing import Protocol

from django import template
from django.forms import BoundField, Form
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

from apportion.invoice.papers.words import Words
from apportion.records.people import Grant, OwnerKind
from apportion.review.permission import Permission, Role
from apportion.web.drawing.pictures import columns, line
from apportion.web.templatetags.literal import add_to
from apportion.web.words import figures, journal_words
from apportion.web.words.badges import Badge, badge
from apportion.web.words.figures import NOTHING, spoken
from apportion.web.words.reason_words import reason
from apportion.web.words.role_words import OWNER_WORDS, PERMISSION_WORDS, ROLE_WORDS
from apportion.web.words.told import told

register = template.Library()
for said in figures.FILTERS:
    register.filter(said)
register.filter("told", told)
register.filter("reason", reason)
register.filter("journal_kind", journal_words.kind)
register.filter("journal_target", journal_words.target)


class Beside(Protocol):
    """An amount beside that of the month before."""

    @property
    def before_minor(self) -> int | None: ...

    @property
    def change_minor(self) -> int | None: ...


@register.simple_tag
def icon(name: str, label: str = "", extra: str = "") -> SafeString:
    """A drawing of the sprite; without a label it is for the eye only."""
    return _named_icon(str(name), str(label), str(extra)) if label else _silent_icon(str(name), str(extra))


@lru_cache(maxsize=512)
def _named_icon(name: str, label: str, extra: str) -> SafeString:
    address = f"{static('vendor/icons.svg')}#{name}"
    return format_html('<svg class="icon {}" role="img" aria-label="{}"><use href="{}"/></svg>', extra, label, address)


@lru_cache(maxsize=512)
def _silent_icon(name: str, extra: str) -> SafeString:
    address = f"{static('vendor/icons.svg')}#{name}"
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="{}"/></svg>', extra, address)


def _badge(found: Badge) -> SafeString:
    return _badge_of(found.tone, found.icon, gettext(found.words))


@lru_cache(maxsize=512)
def _badge_of(tone: str, picture: str, words: str) -> SafeString:
    return format_html('<span class="state state-{}">{}{}</span>', tone, icon(picture), words)


@register.simple_tag
def state_badge(state: object) -> SafeString:
    """A document's state of issue, review or posting, in words with an icon."""
    return _badge(badge("document", state))


@register.simple_tag
def journal_badge(state: object) -> SafeString:
    """How far a journal has come."""
    return _badge(badge("journal", state))


@register.simple_tag
def push_badge(state: object) -> SafeString:
    """How far a push of a part of an entry has come, as it was seen in the ledger last."""
    return _badge(badge("push", state))


@register.simple_tag
def dispute_badge(state: object) -> SafeString:
    """A dispute's state."""
    return _badge(badge("dispute", state))


@register.simple_tag
def work_badge(state: object) -> SafeString:
    """The state of running work or of a message."""
    return _badge(badge("work", state))


@register.simple_tag
def charging_badge(state: object) -> SafeString:
    """Showback or chargeback."""
    return _badge(badge("charging", state))


@register.simple_tag
def done_badge(done: bool) -> SafeString:
    """Done, or not yet."""
    return _badge(badge("work", "done" if done else "waiting"))


@register.simple_tag
def sparkline(values: Iterable[int | None], label: str = "") -> SafeString:
    """A small line of amounts (minor units, oldest first; None leaves a gap). `label` says what it shows."""
    return mark_safe(line(tuple(values), label))  # noqa: S308 - made of integers and escaped text


@register.simple_tag
def of_section(rows: object, section: object) -> SafeString:
    """The rows of a section of a document, by its `web.document_rows.Rows`."""
    found: SafeString = rows.of_section(section)  # type: ignore[attr-defined]
    return found


@register.simple_tag
def beside(of: Beside, currency: str) -> SafeString:
    """What an amount differs by from the month before, with how many per cent that is; a dash where it had none."""
    return mark_safe(beside_as(spoken(), of, currency))  # noqa: S308 - made of figures and escaped text


def beside_as(said: Words, of: Beside, currency: str) -> str:
    """The same as markup, in these words."""
    change = of.change_minor
    if change is None:
        return f'<span class="text-secondary">{NOTHING}</span>'
    if change == 0:
        return f'<span class="text-secondary">{escape(gettext("same"))}</span>'
    part = said.percent(change, of.before_minor) if of.before_minor else gettext("new")
    return f'{said.amount(change, currency, signed=True)}<div class="said">{escape(part)}</div>'


@register.simple_tag
def bars(values: Iterable[int | None], labels: Iterable[str], currency: str = "", label: str = "") -> SafeString:
    """Columns of amounts (minor units), each with its label and, on pointing, its amount. Put a table beside it."""
    amounts = tuple(values)
    said = tuple(
        NOTHING if each is None else spoken().money(each, currency) if currency else spoken().count(each)
        for each in amounts
    )
    return mark_safe(columns(amounts, tuple(str(each) for each in labels), said, label))  # noqa: S308 - as above


@register.simple_tag
def role_name(grant: Grant) -> str:
    """A role in words, for owners with what they answer for: ``Owner (finance)``."""
    said = str(ROLE_WORDS[Role(grant.role)])
    return f"{said} ({OWNER_WORDS[OwnerKind(grant.owner_kind)]})" if grant.owner_kind else said


@register.simple_tag
def scope_names(scopes: Iterable[str]) -> str:
    """What a key may do, in words."""
    return "; ".join(str(PERMISSION_WORDS[Permission(scope)]) for scope in scopes)


@register.inclusion_tag("parts/field.html")
def field(bound: BoundField, placeholder: str = "") -> dict[str, object]:
    """A form's field with its label, help and error, tied together for screen readers."""
    kind = getattr(bound.field.widget, "input_type", "select" if hasattr(bound.field, "choices") else "text")
    style = {"select": "form-select", "checkbox": "form-check-input", "file": "form-control"}.get(kind, "form-control")
    # A group of boxes or buttons hands its class to the element around them as well, so it gets none.
    chosen = "" if bound.use_fieldset else style + (" is-invalid" if bound.errors else "")
    attributes: dict[str, str | bool] = {"class": chosen} if chosen else {}
    if placeholder:
        attributes["placeholder"] = placeholder
    return {"field": bound, "kind": kind, "widget": bound.as_widget(attrs=attributes)}


@register.simple_tag
def fields(form: Form) -> SafeString:
    """The errors of a form and its fields, one below another. A form that begins empty is the same for everybody."""
    return _fields(form) if form.is_bound or form.initial else _empty_fields(type(form), get_language())


@lru_cache(maxsize=64)
def _empty_fields(form: type[Form], _language: str | None) -> SafeString:
    return _fields(form())


def _fields(form: Form) -> SafeString:
    parts = [render_to_string("parts/form_errors.html", {"form": form})]
    parts += [render_to_string("parts/field.html", field(bound)) for bound in form]
    return SafeString("".join(parts))


add_to(register)
