"""Patterns of a policy: what is taken means the same to the engine, and what would not is refused."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from contextlib import closing

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from apportion.allocate.pattern import MOST_LENGTH, check_glob, check_regex, glob_matches, plain_text
from tests.often import often


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with closing(duckdb.connect(config={"threads": 1})) as connection:
        yield connection


def refused(pattern: str) -> bool:
    try:
        check_regex(pattern)
    except PydanticCustomError:
        return True
    return False


pieces = st.sampled_from(
    "a b é . ^ $ | ( ) (?: (?P<n> (?i) (?i: (?s-i: (?= (?! (?<= (?<! (?> (?P=n) (?# * + ? *? ++ ".split()
    + "{2} {2,} {,2} {2,3} {30} {9999} [ab] [^a] [a-z] [[:alpha:]] [b-a] [a&&b] [] [ ] { }".split()
    + r"\d \W \b \A \Z \z \1 \0 \x41 \x4 \p{L} \Q \. \- \_ \é \n [\d] [\b] \\ \ ".split()
)


@settings(max_examples=often(250), deadline=None)
@given(st.lists(pieces, max_size=7).map("".join))
def test_whatever_is_taken_the_engine_takes(engine: duckdb.DuckDBPyConnection, pattern: str) -> None:
    if refused(pattern):
        return
    for value in ("a", "aab", "A", "b.d"):
        found = engine.execute("SELECT regexp_matches(?, ?)", [value, pattern]).fetchall()
        assert found == [(re.search(pattern, value, re.ASCII) is not None,)]


@pytest.mark.parametrize(
    "pattern",
    ["^db-[0-9]+$", "a|b", "(?i)prod", "(?i:prod)x", r"^\w+\.example\.com$", "[]a]", "[^]a]", "x{3}", "x{3,}?", "a{",
     "{", "é+", "(a{10}){10}", r"[\w.-]+@[\w.-]+", "(?P<name>x)"],
)  # fmt: skip
def test_usual_patterns_are_taken(pattern: str, engine: duckdb.DuckDBPyConnection) -> None:
    assert check_regex(pattern) == pattern
    engine.execute("SELECT regexp_matches('x', ?)", [pattern]).fetchall()


@pytest.mark.parametrize(
    "pattern",
    [r"(a)\1", "(?P<n>a)(?P=n)", "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "a*+", "a++", "a?+", "(?>a)", "(a)?(?(1)b)",
     "(?#x)", "(?x)a b", "a(?i)b", r"\Z", r"\z", r"\p{L}", r"\Qa", "[[:alpha:]]", "[a&&b]", "[a--b]", "x{1001}",
     "(x{40}){40}", "((x{20}){20}){20}", "(" + "x" * 100 + "){900}", "x{900}" * 100, "a{,3}", "",
     "a" * (MOST_LENGTH + 1), "(", ")", "[", "a**", "*"],
)  # fmt: skip
def test_what_takes_too_long_or_means_different_things_is_refused(pattern: str) -> None:
    assert refused(pattern)


globs = st.lists(st.sampled_from(["a", "b", "-", "*", "?", "[ab]", "[a-c]", "[!a]", "]", "1"]), max_size=6).map("".join)


@settings(max_examples=often(150), deadline=None)
@given(globs.filter(bool), st.text("abc-]1", max_size=6))
def test_a_glob_means_what_shells_mean(pattern: str, value: str) -> None:
    assert check_glob(pattern) == pattern
    assert glob_matches(pattern, value) == fnmatch.fnmatchcase(value, pattern)


@settings(max_examples=often(100), deadline=None)
@given(globs.filter(bool), st.text("abc-]1", max_size=6))
def test_a_glob_means_the_same_to_the_engine(engine: duckdb.DuckDBPyConnection, pattern: str, value: str) -> None:
    assert engine.execute("SELECT ? GLOB ?", [value, pattern]).fetchall() == [(glob_matches(pattern, value),)]


def test_a_glob_of_many_stars_comes_to_an_end() -> None:
    """Trying every way to share the value out among the stars would not end."""
    assert not glob_matches("*a" * 200 + "b", "a" * 2000)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("^db-", (True, "db-", False)), (r"a\.b$", (False, "a.b", True)), ("x", (False, "x", False)), ("a.b", None),
     ("a|b", None), ("a+", None), (r"\d", None), ("(?i)a", None)],
)  # fmt: skip
def test_a_regular_expression_without_choice_is_plain_text(
    pattern: str, expected: tuple[bool, str, bool] | None
) -> None:
    assert plain_text(pattern) == expected
