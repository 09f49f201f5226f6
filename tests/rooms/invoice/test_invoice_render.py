"""Statements as text, CSV, JSON and HTML, and as files."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from apportion.errors import BadValueError, InputRefusedError, StorageError
from apportion.invoice.export import write_statements
from apportion.invoice.render import csv_text, html, json_text, text
from apportion.invoice.render.markup import joined, tag
from apportion.money.currency import minor_text

if TYPE_CHECKING:
    from tests.rooms.invoice.conftest import Month


class Page(HTMLParser):
    """Checks that elements nest, and collects what a test asks about."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(source)
        self.close()
        assert not self.open

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append((name, dict(attributes)))
        if name not in self.VOID:
            self.open.append(name)

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name

    def handle_data(self, words: str) -> None:
        if "style" not in self.open:
            self.words.append(words)


def test_json_is_read_back_to_the_same_statement(month: Month) -> None:
    for statement in month.statements:
        assert json_text.parse(json_text.render(statement)) == statement


def test_json_amounts_are_decimal_strings(month: Month) -> None:
    document = json.loads(json_text.render(month.statements[1]), parse_float=pytest.fail)
    assert document["lines"][0]["units"] == "-20.005"
    assert {line["currency"]: line["amount"] for line in document["lines"]} == {"JPY": "3", "USD": "6.67"}
    assert document["lines"][3]["shares"][0]["total_weight"] == "1979985000000100000000"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"amount": "6.67"', '"amount": "6.68"'),
        ('"amount": "6.67"', '"amount": 6.67'),
        ('"line": 2', '"line": 3'),
        ('"version": 2', '"version": 1'),
        ('"notice"', '"notes"'),
        ('"ST-2026-10-0002"', '"ST-2026-10-2"'),
    ],
)
def test_a_changed_json_statement_is_refused(month: Month, old: str, new: str) -> None:
    source = json_text.render(month.statements[1])
    assert old in source
    with pytest.raises(BadValueError):
        json_text.parse(source.replace(old, new))


@pytest.mark.parametrize("source", ["", "[]", "{}", "null", '{"holder": "x", "cost_group": ""}'])
def test_what_is_no_statement_is_refused(source: str) -> None:
    with pytest.raises(BadValueError):
        json_text.parse(source)


def test_csv_guards_text_and_leaves_amounts_alone(month: Month) -> None:
    source = csv_text.render(month.statements[1])
    assert source.count("\r\n") == len(month.statements[1].lines) + 1
    rows = list(csv.DictReader(io.StringIO(source, newline="")))
    assert [row["service"] for row in rows[:2]] == ["'-Storage", "Compute"]
    assert rows[3]["pool_name"] == "'=Support"
    assert rows[3]["reason"].startswith("'=Support: ")
    assert (rows[0]["amount"], rows[0]["exact_amount"]) == ("-20.00", "-20.005")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1", "  =1", "\0x"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert csv_text.guarded(text) == f"'{text}"


def test_plain_text_gets_no_apostrophe() -> None:
    assert csv_text.guarded("a=b") == "a=b"


def test_text_fits_a_terminal_and_cannot_steer_it(month: Month) -> None:
    for statement in month.statements:
        source = text.render(statement)
        assert max(map(len, source.splitlines())) <= 100
        assert "\x1b" not in source
        for total in statement.totals:
            assert any(
                line.split() == [total.currency, f"{minor_text(total.minor, total.currency)}"]
                or line.replace(",", "").split() == [total.currency, minor_text(total.minor, total.currency)]
                for line in source.splitlines()
            )


def test_text_amounts_stand_in_one_column(month: Month) -> None:
    lines = text.render(month.statements[1]).splitlines()
    assert {len(line) for line in lines if line.startswith("        Together")} == {100}


def test_every_page_is_whole_escaped_and_alone(month: Month) -> None:
    for statement in month.statements:
        page = Page(html.render(statement))
        names = [name for name, _ in page.seen]
        assert not {"script", "link", "img", "iframe", "form"} & set(names)
        assert not [attributes for _, attributes in page.seen if {"src", "style", "onclick"} & attributes.keys()]
        assert ("html", {"lang": "en"}) in page.seen
        assert names.count("caption") == names.count("table") > 0
        assert all(attributes.get("scope") in {"row", "col"} for name, attributes in page.seen if name == "th")
        assert "This is a showback statement: nothing is charged." in page.words
        assert names.count("details") == len(statement.lines)
        for digest in (statement.policy_digest, statement.organization_digest, statement.snapshot_digest):
            assert digest in page.words


def test_names_from_files_stay_text(month: Month) -> None:
    source = html.render(month.statements[1])
    assert "&lt;script&gt;alert(1)&lt;/script&gt;[2J &amp; &#x27;Söhne&#x27;" in source
    assert "<script" not in source


def test_amounts_below_zero_have_a_sign_and_a_word(month: Month) -> None:
    assert '−20.00<span class="word">credit</span>' in html.render(month.statements[1])


def test_attributes_are_escaped_too() -> None:
    assert tag("a", "<b>", href='"><script>') == '<a href="&quot;&gt;&lt;script&gt;">&lt;b&gt;</a>'
    assert joined(tag("i", "x"), "&") == "<i>x</i>&amp;"


def test_files_are_written_the_same_twice_and_stale_ones_go(month: Month, tmp_path: Path) -> None:
    directory = tmp_path / "a" / "statements"
    paths = write_statements(month.statements, directory)
    assert sorted(path.name for path in paths) == sorted(path.name for path in directory.iterdir())
    assert len(paths) == len(month.statements) * 4 + 2
    before = {path: path.read_bytes() for path in paths}
    (directory / "ST-2026-09-0001.html").write_text("last month")
    (directory / "ST-2026-10-0006.html").write_text("stale")
    (directory / "notes.txt").write_text("mine")
    write_statements(month.statements, directory)
    assert {path: path.read_bytes() for path in paths} == before
    left = {path.name for path in directory.iterdir()} - {path.name for path in paths}
    assert left == {"ST-2026-09-0001.html", "notes.txt"}


def test_the_index_leads_to_every_statement(month: Month, tmp_path: Path) -> None:
    write_statements(month.statements, tmp_path)
    page = Page((tmp_path / "index.html").read_text(encoding="utf-8"))
    links = [attributes["href"] for name, attributes in page.seen if name == "a"]
    assert links == [f"{statement.number}.html" for statement in month.statements]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "index.csv").read_bytes().decode("utf-8"))))
    assert len(rows) == sum(len(statement.totals) for statement in month.statements)


def test_a_number_used_twice_is_refused_before_anything_is_written(month: Month, tmp_path: Path) -> None:
    with pytest.raises(InputRefusedError):
        write_statements([month.statements[0], month.statements[0]], tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_directory_that_refuses_is_said_plainly(month: Month, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError):
        write_statements(month.statements, tmp_path / "file")
