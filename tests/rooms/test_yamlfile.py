"""Documents in YAML: what a scalar is, what is refused, and that every mistake has its place."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from apportion.errors import DocumentError, EmptyFileError, UnreadableFileError
from apportion.yamlfile import MOST_BYTES, Day, Flag, Text, load, load_document, suggestion
from apportion.yamlfile.nodes import MOST_LEVELS, data_of, parse


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    codes: tuple[Text, ...] = ()
    count: int = 0


class Sheet(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: Text
    day: Day | None = None
    open: Flag = False
    inner: Inner = Inner()
    notes: dict[str, Text] = {}


def written(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "sheet.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def mistakes(tmp_path: Path, content: str | bytes) -> list[tuple[int | None, int | None, str, str]]:
    with pytest.raises(DocumentError) as caught:
        load(written(tmp_path, content), Sheet)
    return [(one.place.line, one.place.column, one.code, one.sentence) for one in caught.value.mistakes]


@pytest.mark.parametrize(
    "scalar",
    [
        "0010",
        "no",
        "yes",
        "on",
        "1e5",
        "0x1F",
        "0o17",
        "1_000",
        "2026-01-01",
        "12:30:00",
        "+1",
        ".5",
        "1.0",
        "NaN",
        "<<",
    ],
)
def test_a_text_is_what_stands_in_the_file(tmp_path: Path, scalar: str) -> None:
    assert load(written(tmp_path, f"name: {scalar}\n"), Sheet).name == scalar


def test_numbers_flags_and_dates_where_the_model_wants_them(tmp_path: Path) -> None:
    text = "name: n\nday: 2026-02-28\nopen: true\ninner: {codes: [0010, '0020'], count: 12}\n"
    found = load(written(tmp_path, text), Sheet)
    assert (found.day, found.open, found.inner.codes, found.inner.count) == (
        date(2026, 2, 28), True, ("0010", "0020"), 12,
    )  # fmt: skip


@pytest.mark.parametrize("day", ["20260101", "1e5", "2026-1-1", "2026-02-30", "01.02.2026", "2026-01-01T00:00:00Z"])
def test_a_date_is_year_month_day_and_nothing_else(tmp_path: Path, day: str) -> None:
    assert [(line, column, code) for line, column, code, _ in mistakes(tmp_path, f"name: n\nday: {day}\n")] == [
        (2, 6, "BAD_DATE")
    ]


def test_null_is_null_only_without_quotes(tmp_path: Path) -> None:
    assert load(written(tmp_path, "name: 'null'\nday: null\n"), Sheet).name == "null"
    assert mistakes(tmp_path, "name: null\n") == [(1, 7, "NO_VALUE", "'name' has no value.")]


def test_all_mistakes_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = "nmae: x\ninner:\n  count: many\n  codes: a\nopen: on\nday: 2026-13-01\nopen: true\nnotes: [a]\n"
    assert [(line, column, code) for line, column, code, _ in mistakes(tmp_path, text)] == [
        (1, 1, "MISSING_KEY"),
        (1, 1, "UNKNOWN_KEY"),
        (3, 10, "BAD_VALUE"),
        (4, 10, "BAD_VALUE"),
        (5, 7, "BAD_VALUE"),
        (6, 6, "BAD_DATE"),
        (7, 1, "DUPLICATE_KEY"),
        (8, 8, "BAD_VALUE"),
    ]


def test_an_unknown_key_is_told_the_nearest_known(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        load(written(tmp_path, "name: x\ninner: {cods: [a]}\n"), Sheet)
    assert caught.value.advice == "Did you mean 'codes'?"
    assert suggestion("SUBACCOUNTID", ["SubAccountId", "RegionId"]) == "Did you mean 'SubAccountId'?"
    assert suggestion("quite another", ["SubAccountId", "RegionId"]) == ""


def test_billion_laughs_are_refused_before_they_are_told(tmp_path: Path) -> None:
    lines = ['a0: &a0 "ha"'] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    found = mistakes(tmp_path, "\n".join(lines))
    assert {code for _, _, code, _ in found} == {"ANCHOR", "ALIAS"}
    assert found[0] == (1, 5, "ANCHOR", "'&a0' is an anchor in YAML, and this file takes none.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: !!python/object/apply:os.system [ls]\n", (1, 7, "TAG")),
        ("name: !!str x\n", (1, 7, "TAG")),
        ("name: x\n---\nname: y\n", (2, 1, "SECOND_DOCUMENT")),
        ("name: x\n\topen: true\n", (2, 1, "TAB")),
        ("name: x\ninner:\n  \tcount: 1\n", (3, 3, "TAB")),
        ("\t\nname: x\n", (1, 1, "TAB")),
        (b"name: caf\xe9\n", (1, 10, "NOT_UTF8")),
        ("name: \x07bell\n", (1, 7, "BAD_YAML")),
        ("name: 'x\n", (1, 7, "BAD_YAML")),
        ("name: x: y\n", (1, 8, "BAD_YAML")),
        ("name: [x\n", (1, 7, "BAD_YAML")),
        ("? [a, b]\n: c\n", (1, 3, "BAD_YAML")),
        ("name: @x\n", (1, 7, "BAD_YAML")),
        ("- a\n", (1, 1, "BAD_VALUE")),
    ],
)
def test_what_is_refused_has_a_place(tmp_path: Path, text: str | bytes, expected: tuple[int, int, str]) -> None:
    line, column, code, _ = mistakes(tmp_path, text)[0]
    assert (line, column, code) == expected


def test_a_tab_beside_the_indentation_is_fine(tmp_path: Path) -> None:
    assert load(written(tmp_path, "# a\tb\nname: x\t# why\n"), Sheet).name == "x"


def test_a_byte_order_mark_and_windows_lines_are_fine(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xef\xbb\xbfname: x\r\nopen: maybe\r\n")
    with pytest.raises(DocumentError) as caught:
        load(path, Sheet)
    assert str(caught.value.place) == f"{path}:2:7"


def test_nesting_is_limited(tmp_path: Path) -> None:
    assert [code for _, _, code, _ in mistakes(tmp_path, "name: " + "[" * (MOST_LEVELS + 1))] == ["TOO_DEEP"]
    assert [code for _, _, code, _ in mistakes(tmp_path, "name: " + "[" * 1_000_000)] == ["TOO_DEEP"]


def test_no_file_no_content_too_much_content(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="no such file"):
        load(tmp_path / "none.yaml", Sheet)
    with pytest.raises(UnreadableFileError, match="cannot be opened"):
        load(tmp_path, Sheet)
    for nothing in ("", "\n", "# only a comment\n", "---\n...\n"):
        with pytest.raises((EmptyFileError, DocumentError)):
            load(written(tmp_path, nothing), Sheet)
    with pytest.raises(UnreadableFileError, match="larger than 5 MB"):
        load(written(tmp_path, b"#" * (MOST_BYTES + 1)), Sheet)


def test_the_digest_is_of_the_bytes_and_places_find_values_and_keys(tmp_path: Path) -> None:
    document = load_document(written(tmp_path, "name: x\ninner:\n  codes: [a, b]\n"), Sheet)
    assert document.digest == hashlib.sha256(b"name: x\ninner:\n  codes: [a, b]\n").hexdigest()
    assert str(document.places.at("inner", "codes", 1)).endswith("sheet.yaml:3:14")
    assert str(document.places.key("inner", "codes")).endswith("sheet.yaml:3:3")
    assert document.places.has("inner", "codes", 1)
    assert not document.places.has("inner", "codes", 2)


texts = st.text(st.characters(codec="utf-8"), max_size=20)
data = st.recursive(
    st.none() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(data)
def test_what_yaml_writes_is_read_back(value: object) -> None:
    text = yaml.safe_dump({"top": value}, allow_unicode=True, default_style='"', default_flow_style=False)
    parsed = parse(text.replace('!!null "null"', "null").encode(), "f")
    assert parsed.mistakes == []
    assert parsed.root is not None
    assert data_of(parsed.root) == {"top": value}


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode(errors="ignore")))
def test_no_bytes_lead_to_anything_but_nodes_or_mistakes(content: bytes) -> None:
    parsed = parse(content, "f")
    assert all(mistake.place.line and mistake.place.column for mistake in parsed.mistakes)
    assert parsed.mistakes or not parsed.broken
