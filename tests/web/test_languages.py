"""Every text that people see can be translated, and all of it is there in German: in the sources and on the pages."""

from __future__ import annotations

import ast
import os
import re
import shutil
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from django.conf import settings
from django.test import Client
from django.utils import translation

from apportion.actions.notices import telling
from apportion.records.people import Person
from apportion.records.work import Message as Mail
from apportion.web.words.reason_words import reason
from apportion.web.words.told import told
from languages import DOMAIN, FOLDER, PACKAGE, as_text, catalogues, compile_all, language_of, read, update
from languages.sources import SAID, collected, of_template
from tests.company import PEOPLE, Company
from tests.web.test_rights import ROUTES, Route, Things, allowed, by_address, things_fixture

__all__ = ["things_fixture"]

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[2]
CATALOGUES = catalogues(ROOT)
TEMPLATES = sorted(
    path for path in (ROOT / PACKAGE).rglob("*") if "templates" in path.parts and path.suffix in {".html", ".txt"}
)


def forms(said: object) -> tuple[str, ...]:
    """The forms of a text or its translation: one, or one for each number of things."""
    return tuple(map(str, said)) if isinstance(said, tuple | list) else (str(said),)


def in_web(path: Path) -> str:
    return path.relative_to(ROOT / PACKAGE / "web").as_posix().removeprefix("templates/")


_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]")


@cache
def marked() -> tuple[Message, ...]:
    """Every text of the sources that is marked for translation."""
    return tuple(collected(ROOT / PACKAGE))


def placeholders(text: str) -> list[str]:
    return sorted(_PLACEHOLDER.findall(text))


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    compile_all(ROOT)


# The catalogues.


def test_there_is_a_catalogue_for_every_language_that_people_can_choose() -> None:
    chosen = {code for code, _ in settings.LANGUAGES} - {"en"}
    assert {language_of(path) for path in CATALOGUES} == chosen >= {"de"}


@pytest.mark.parametrize("path", CATALOGUES, ids=language_of)
def test_every_marked_text_is_translated_with_its_placeholders_and_plurals(path: Path) -> None:
    catalogue = read(path)
    wrong = []
    for message in marked():
        found = catalogue.get(message.id, context=message.context)
        texts = forms(message.id)
        if found is None or not found.string:
            wrong.append(f"missing (run `make words`): {texts[0]}")
            continue
        said = forms(found.string)
        plurals = catalogue.num_plurals if isinstance(message.id, tuple) else 1
        if len(said) != plurals or not all(each.strip() for each in said):
            wrong.append(f"not all of its {plurals} forms: {texts[0]}")
        # A form for one thing may leave its number out: "One document", "Ein Dokument".
        # What a room below fills in may be left out: an English plural's "s".
        elif placeholders(said[-1]) != placeholders(texts[-1]) and (
            message.context != SAID or set(placeholders(said[-1])) - set(placeholders(texts[-1]))
        ):
            wrong.append(f"other placeholders: {texts[0]}")
        elif placeholders(said[0]) not in [*(placeholders(each) for each in texts), placeholders(said[-1])]:
            wrong.append(f"other placeholders for one: {texts[0]}")
        elif said[0].strip() != said[0] and texts[0].strip() == texts[0]:
            wrong.append(f"blanks at an end: {texts[0]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", CATALOGUES, ids=language_of)
def test_a_catalogue_holds_what_the_sources_say_and_nothing_more(path: Path) -> None:
    catalogue = read(path)
    there = {(message.id, message.context) for message in catalogue if message.id}
    assert there == {(message.id, message.context) for message in marked()}, "run `make words`"
    assert not catalogue.obsolete
    assert not [message.id for message in catalogue if message.fuzzy and message.id]
    text = path.read_text(encoding="utf-8")
    assert text == as_text(catalogue, language_of(path)), "run `make words`: it writes catalogues in one way"
    assert not re.search(r"^#~|^#:.*:\d|POT-Creation|Revision-Date|Translator|fuzzy", text, re.MULTILINE)


def test_collecting_keeps_what_is_translated_adds_what_is_new_and_drops_the_rest(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER / "de" / "LC_MESSAGES"
    templates = tmp_path / PACKAGE / "web" / "templates"
    folder.mkdir(parents=True)
    templates.mkdir()
    page = templates / "page.html"
    page.write_text(
        '{% translate "Old" %}{% blocktranslate count n=n %}One{% plural %}{{ n }} of 100%{% endblocktranslate %}'
    )
    path = folder / f"{DOMAIN}.po"
    path.touch()
    assert update(tmp_path) == {path: (2, 2)}
    path.write_text(path.read_text().replace('msgid "Old"\nmsgstr ""', 'msgid "Old"\nmsgstr "Alt"'))
    first = path.read_bytes()
    assert update(tmp_path) == {path: (2, 1)}
    assert path.read_bytes() == first
    page.write_text('{% translate "New" %}{% translate "Old" %}<p title="{{ x|default:_("Old") }}">')
    (tmp_path / PACKAGE / "web" / "words.py").write_text(
        "from django.utils.translation import gettext_lazy as _, pgettext\n"
        'A = _("One " "text")\nB = pgettext("tree", "Leaf")\nC = _(A)\n'
    )
    assert update(tmp_path) == {path: (4, 3)}
    catalogue = read(path)
    assert [message.id for message in catalogue if message.id] == ["Leaf", "New", "Old", "One text"]
    old = catalogue.get("Old")
    assert old is not None and old.string == "Alt"  # noqa: PT018
    assert catalogue.get("Leaf", context="tree") is not None


def test_a_text_put_together_before_it_is_translated_is_refused(tmp_path: Path) -> None:
    (tmp_path / "words.py").write_text('from django.utils.translation import gettext\ngettext(f"{1} left")\n')
    with pytest.raises(SyntaxError, match="filled in then"):
        list(collected(tmp_path))


def test_a_changed_catalogue_is_compiled_again_and_always_to_the_same_bytes(tmp_path: Path) -> None:
    for path in CATALOGUES:
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True)
        shutil.copy(path, copy)
    made = compile_all(tmp_path)
    assert [path.suffix for path in made] == [".mo"] * len(CATALOGUES)
    before = [path.read_bytes() for path in made]
    assert compile_all(tmp_path) == []
    for path in made:
        later = path.stat().st_mtime + 10
        source = path.with_suffix(".po")
        source.touch()
        os.utime(source, (later, later))
    assert compile_all(tmp_path) == made
    assert [path.read_bytes() for path in made] == before


# The sources.

_TAGS = re.compile(r"{%\s*(\w+)(.*?)%}|{{(.*?)}}|{#.*?#}", re.DOTALL)
_BLOCKS = re.compile(  # what is translated, what is not shown, and what fills an attribute
    r"{%\s*blocktranslate\b.*?{%\s*endblocktranslate\s*%}|{%\s*comment\b.*?{%\s*endcomment\s*%}"
    r"|{%\s*block \w+_class\s*%}.*?{%\s*endblock\s*%}",
    re.DOTALL,
)
_TOLD = {"aria-label", "title", "placeholder", "alt", "label", "data-label", "data-copied", "aria-description"}
_WORD = re.compile(r"[^\W\d_]{2,}")
# Names, and what programs read: the same in every language.
_NAMES = {
    "Apportion",
    "PDF",
    "XLSX",
    "CSV",
    "JSON",
    "JSONL",
    "YAML",
    "API",
    "Authorization",
    "Bearer",
    "apn",
    "HTML",
    "Factur",
    "Peppol",
}


class _Texts(HTMLParser):
    """The texts of a page that people see or hear: between tags, and in the attributes that are read out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._quiet = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._quiet += tag in {"script", "style", "code", "textarea"}
        told = dict(attrs)
        self.found += [value for name, value in attrs if name in _TOLD and value]
        if tag == "input" and told.get("type") in {"submit", "button"}:
            self.found.append(told.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        self._quiet -= tag in {"script", "style", "code", "textarea"}

    def handle_data(self, data: str) -> None:
        if not self._quiet and data.strip():
            self.found.append(" ".join(data.split()))


def texts(page: str) -> list[str]:
    reader = _Texts()
    reader.feed(page)
    reader.close()
    return reader.found


@pytest.mark.parametrize("path", TEMPLATES, ids=in_web)
def test_no_text_of_a_template_is_left_out_of_translation(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    bare = _TAGS.sub("", _BLOCKS.sub("", source))
    left = [text for text in texts(bare) if set(_WORD.findall(text)) - _NAMES]
    assert not left, left


@pytest.mark.parametrize("path", TEMPLATES, ids=in_web)
def test_no_tag_of_a_template_is_given_a_text_that_is_not_translated(path: Path) -> None:
    wrong = []
    for tag in _TAGS.finditer(_BLOCKS.sub("", path.read_text(encoding="utf-8"))):
        name, rest = tag[1] or "", (tag[2] or "") + (tag[3] or "")
        if name in {"translate", "if", "elif", "load", "url", "static", "extends", "block"}:
            continue
        plain = re.sub(r"_\((?:\"[^\"]*\"|'[^']*')\)", "", rest)
        given = re.findall(r"\"([^\"]*)\"|'([^']*)'", plain)
        texts_given = [one or other for one, other in given]
        wrong += [each for each in texts_given if re.match(r"[A-Z][a-z]|.*[a-z] [a-z]+ [a-z]", each)]
    assert not wrong, wrong


_PAGES = sorted((ROOT / PACKAGE / "web").rglob("*.py"))
_SAID = {"label", "help_text", "empty_label", "advice"}


@pytest.mark.parametrize("path", _PAGES, ids=in_web)
def test_no_text_of_a_page_in_python_is_left_out_of_translation(path: Path) -> None:
    wrong = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        given = [each.value for each in node.keywords if each.arg in _SAID]
        called = ast.unparse(node.func)
        if called.endswith("Error") and called not in {"AssertionError", "ValueError", "VariableDoesNotExist"}:
            given += node.args[:1]
        elif called.startswith("messages.") and len(node.args) > 1:
            given.append(node.args[1])
        wrong += [
            f"line {each.lineno}: {each.value}"
            for each in given
            if isinstance(each, ast.Constant) and isinstance(each.value, str) and _WORD.search(each.value)
        ]
    assert not wrong, wrong


def test_a_marked_text_of_every_kind_is_found_in_a_template() -> None:
    source = """{% translate "A" %}{% blocktranslate trimmed with x=y %}
      B {{ x }}
    {% endblocktranslate %}{% include "x" with text=_("C") %}{{ x|default:_("D") }}{% translate 'E' context "e" %}"""
    found = list(of_template(source))
    assert found[:4] == [("gettext", (text,)) for text in ("A", "B %(x)s", "C", "D")]
    assert found[4:] == [("pgettext", ("e", "E"))]


# The pages.


@cache
def english() -> tuple[frozenset[str], re.Pattern[str]]:
    """The texts that German says otherwise: those without a placeholder, and a pattern of those with."""
    plain, filled = set(), []
    for message in read(next(path for path in CATALOGUES if language_of(path) == "de")):
        texts_said = forms(message.id)
        said = forms(message.string)
        for text, german in zip(texts_said, said, strict=True):
            if not text or text == german:
                continue
            words = re.sub(r"<[^>]*>", "", text).replace("%%", "%")
            if not _PLACEHOLDER.search(words):
                plain.add(" ".join(words.split()))
            elif len(_WORD.findall(_PLACEHOLDER.sub("", words))) > 1:
                filled.append(".+".join(map(re.escape, _PLACEHOLDER.split(" ".join(words.split())))))
    return frozenset(plain), re.compile("|".join(filled))


def left_in_english(page: str) -> list[str]:
    plain, filled = english()
    people = {name.capitalize() for name in PEOPLE}
    written = {*people, "Why?"}  # by the people of the tests
    return [text for text in texts(page) if text not in written and (text in plain or filled.fullmatch(text))]


def german(person: Person) -> Client:
    Person.objects.filter(pk=person.pk).update(language="de")
    client = Client()
    client.force_login(Person.objects.get(pk=person.pk))
    return client


# What is not put into words again: mails as they were sent, and the policy as a document, in the words of its author.
AS_WRITTEN = {"messages/", "documents/<int:document>/methodology/", "policies/<int:version>/file/<slug:format>/"}
GET_ROUTES = [each for each in ROUTES if each.rule and "GET" in each.rule.methods and each.address not in AS_WRITTEN]


@pytest.mark.thorough
@pytest.mark.parametrize("route", GET_ROUTES, ids=by_address)
def test_every_page_is_in_german_for_who_chose_it(route: Route, things: Things, company: Company) -> None:
    readers = [name for name in ("red", "controller", "administrator") if allowed(route, name)]
    for name in readers:
        answer = german(company.person(name)).get(things.address(route))
        if not answer.headers.get("Content-Type", "").startswith("text/html"):
            continue
        page = answer.content.decode()
        if "<html" in page:
            assert '<html lang="de"' in page
        assert not left_in_english(page), (name, left_in_english(page))


# Sentences of the rooms below, and who is spoken to in which language.


@pytest.mark.parametrize(
    ("english_text", "german_text"),
    [
        ("There is no such document for you.", "Ein solches Dokument gibt es für Sie nicht."),
        ("1,200 files are more than 10 at once.", "1.200 Dateien sind mehr als 10 auf einmal."),
        (
            "The document cannot be accepted: it is voided.",
            "Das geht mit diesem Dokument nicht (annehmen). Sein Stand: storniert.",
        ),
        (
            "2026-10 cannot be sealed. Its documents are not issued.",
            "2026-10 kann nicht versiegelt werden. Die Dokumente sind nicht ausgestellt.",
        ),
        ("Choose another cost group. Use a UUID.", "Wählen Sie eine andere Kostengruppe. Verwenden Sie eine UUID."),
        ("Nobody has ever said this. <b>Nor</b> this.", "Nobody has ever said this. <b>Nor</b> this."),
        ("", ""),
    ],
)
def test_what_the_rooms_below_say_is_said_in_the_language_of_the_page(english_text: str, german_text: str) -> None:
    with translation.override("de"):
        assert told(english_text) == german_text
    with translation.override("en-gb"):
        assert told(english_text) == english_text


@pytest.mark.parametrize(
    ("english_text", "german_text"),
    [
        ("By rule “Tag team, or not”", "Nach Regel „Tag team, or not“"),
        ("By rules “A, B”, “C” and 2 more", "Nach den Regeln „A, B”, “C“ und 2 weiteren"),
        (
            "Your direct cost 1,011.45 USD of 1,836.79 USD in total",
            "Ihre direkten Kosten: 1.011,45 USD von insgesamt 1.836,79 USD",
        ),
        (
            "Seats: by seats: 2 of 1,304 in total; of 1,673.08 EUR that pass through it, solved together with “Tools”",
            "Seats: nach seats: 2 von insgesamt 1.304; von 1.673,08 EUR, die hindurchfließen, "
            "gemeinsam berechnet mit “Tools”",
        ),
        (
            "Correction of May 2025: no rule met these charges, as the policy was then",
            "Korrektur für Mai 2025: Keine Regel hat diese Kostenzeilen erfasst, nach der damaligen Richtlinie",
        ),
        # One piece is not known: then none is said otherwise.
        (
            "Tools: kept central, under the moon of May",
            "Tools: kept central, under the moon of May",
        ),
    ],
)
def test_the_reason_of_a_line_is_said_piece_by_piece_or_not_at_all(english_text: str, german_text: str) -> None:
    with translation.override("de"):
        assert reason(english_text) == german_text
    with translation.override("en"):
        assert reason(english_text) == english_text


def test_a_refusal_is_in_the_language_of_who_is_refused(company: Company) -> None:
    page = german(company.person("red")).get("/documents/999999/")
    assert page.status_code == 404
    assert "Ein solches Dokument gibt es für Sie nicht." in page.content.decode()


def test_before_signing_in_the_browser_decides_until_somebody_chooses(client: Client) -> None:
    def title(**headers: str) -> str:
        page = client.get("/sign-in/", headers=headers).content.decode()
        return page.partition("<h1>")[2].partition("</h1>")[0]

    assert title() == "Sign in"
    assert title(**{"Accept-Language": "fr, de-AT;q=0.8"}) == "Anmelden"
    assert client.post("/language/", {"language": "xx"}).status_code == 302
    assert title() == "Sign in"
    client.post("/language/", {"language": "de"})
    assert title(**{"Accept-Language": "en"}) == "Anmelden"


def test_who_chose_a_language_has_it_on_the_page_to_sign_in_on_too(company: Company) -> None:
    client = Client()
    client.force_login(company.person("red"))
    client.post("/me/look/", {"language": "de", "theme": ""})
    client.logout()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "de"  # which signing out by the page leaves in the browser
    assert "Anmelden" in client.get("/sign-in/", headers={"Accept-Language": "en"}).content.decode()


def test_mails_are_in_the_language_of_their_reader_with_its_dates_and_amounts(company: Company) -> None:
    Person.objects.filter(email="red@example.com").update(language="de")
    document = company.document("red-web")
    telling.reminded([document], 3)
    letter = Mail.objects.filter(recipient="red@example.com").latest("pk")
    assert letter.subject.startswith("Noch 3 Arbeitstage: ")
    assert "Dies wartet noch auf Ihre Prüfung." in letter.body
    assert document.review_until is not None
    assert f"Bitte prüfen Sie bis zum {document.review_until.day}. " in letter.body
    assert re.search(r"Summe: 1\.\d{3},\d{2} USD", letter.body)
