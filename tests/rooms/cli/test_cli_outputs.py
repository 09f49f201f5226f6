"""Where commands write to: never into a store, over what a workspace is made from, or over what is no file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.rooms.cli.harbour import SETTINGS, Say, focus_csv
from tests.rooms.close.workspaces import everything

RATES = "date,from,to,rate\n2026-10-31,EUR,USD,1.1\n"
TO_A_FILE = (
    ["findings", "--csv"],
    ["restate", "2026-10", "--csv"],
    ["methodology", "--format", "html", "--out"],
    ["methodology", "--period", "2026-10", "--format", "html", "--out"],
)
TO_A_FOLDER = (["statements", "2026-10", "--out"], ["journal", "2026-10", "--out"])


@pytest.fixture
def books(harbour: Path, say: Say) -> Path:
    """The workspace, with every kind of file that settings can name."""
    more = (
        'exchange: {rates: [rates.csv], choose: "last day", reporting_currency: USD}\n'
        "budgets: budgets.csv\nmail: {password_file: mail.secret}\n"
    )
    (harbour / "apportion.yaml").write_text(SETTINGS + more, encoding="utf-8")
    (harbour / "rates.csv").write_text(RATES, encoding="utf-8")
    (harbour / "budgets.csv").write_text("period,cost_group,amount,currency\n", encoding="utf-8")
    (harbour / "mail.secret").write_text("secret", encoding="utf-8")
    assert say("allocate", "2026-10").status == 0
    return harbour


@pytest.mark.parametrize("words", TO_A_FILE, ids=" ".join)
def test_no_file_is_written_over_what_the_workspace_is_made_from(books: Path, say: Say, words: list[str]) -> None:
    os.link(books / "policy.yaml", books / "same.yaml")
    before = everything(books)
    names = ["apportion.yaml", "policy.yaml", "organization.yaml", "rates.csv", "budgets.csv", "mail.secret"]
    names += ["same.yaml", "other/../policy.yaml", ".apportion/catalog.sqlite", ".apportion/runs/new.csv"]
    for name in [*names, books / "policy.yaml"]:
        refused = say(*words, name)
        assert (refused.status, refused.out) == (1, ""), name
        assert "belongs to the workspace" in refused.err
        assert "Name a folder or file of its own." in refused.err
    assert everything(books) == before


@pytest.mark.parametrize("words", TO_A_FILE, ids=" ".join)
def test_what_is_no_regular_file_stays_as_it_is(books: Path, say: Say, words: list[str]) -> None:
    os.mkfifo(books / "pipe")
    (books / "folder").mkdir()
    (books / "link").symlink_to("elsewhere.csv")
    for name in ("pipe", "folder", "link"):
        refused = say(*words, name)
        assert (refused.status, refused.out) == (1, "")
        assert "is no regular file" in refused.err
    assert (books / "pipe").is_fifo()
    assert (books / "link").is_symlink()
    assert not (books / "elsewhere.csv").exists()


@pytest.mark.parametrize("words", TO_A_FILE, ids=" ".join)
def test_any_other_file_is_written_whole(books: Path, say: Say, words: list[str]) -> None:
    assert say(*words, "new/folder/file").status == 0
    first = (books / "new" / "folder" / "file").read_bytes()
    assert first
    (books / "old").write_text("something longer than before\n" * 10_000, encoding="utf-8")
    assert say(*words, "old").status == 0
    assert (books / "old").read_bytes() == first
    assert [path.name for path in (books / "new" / "folder").iterdir()] == ["file"]
    refused = say(*words, "old/file")  # a folder that is a file
    assert (refused.status, refused.out) == (4, "")
    assert "error STORAGE" in refused.err


@pytest.mark.parametrize("words", TO_A_FOLDER, ids=" ".join)
def test_no_folder_is_filled_in_a_store(books: Path, say: Say, words: list[str]) -> None:
    before = everything(books)
    for name in (".apportion", ".apportion/runs", ".apportion/new", "other/../.apportion"):
        refused = say(*words, name)
        assert (refused.status, refused.out) == (1, "")
        assert "belongs to the workspace" in refused.err
    assert "is no folder" in say(*words, "policy.yaml").err
    assert everything(books) == before
    assert say(*words, "statements/mine").status == 0
    assert say(*words[:2]).status == 0


def test_a_file_of_a_folder_that_is_a_link_or_pipe_stops_all_of_them(books: Path, say: Say) -> None:
    out = books / "pages"
    out.mkdir()
    (out / "index.html").symlink_to("../policy.yaml")
    before = everything(books)
    assert "is no regular file" in say("statements", "2026-10", "--out", "pages").err
    assert everything(books) == before


def test_an_export_spares_the_workspace_and_what_is_no_file(books: Path, say: Say) -> None:
    os.mkfifo(books / "pipe.csv")
    (books / "link.parquet").symlink_to("elsewhere")
    (books / "pipe.csv.manifest.json").write_text('{"document": "allocated_charges"}', encoding="utf-8")
    before = everything(books / ".apportion")
    for name in ("budgets.csv", ".apportion/out.csv", "."):
        assert "belongs to the workspace" in say("export", "2026-10", "--overwrite", "--out", name).err
    for name in ("pipe.csv", "link.parquet"):
        assert "is no regular file" in say("export", "2026-10", "--overwrite", "--out", name).err
    assert everything(books / ".apportion") == before
    assert (books / "pipe.csv").is_fifo()


def test_an_ending_that_is_no_format_is_refused(books: Path, say: Say) -> None:
    refused = say("export", "2026-10", "--out", "x.txt")
    assert (refused.status, refused.out) == (1, "")
    assert "An export cannot be a .txt file." in refused.err
    assert not (books / "x.txt").exists()
    assert say("export", "2026-10", "--out", "lake/2026.10").status == 0
    refused = say("methodology", "--out", "x.docx")
    assert (refused.status, refused.out) == (2, "")
    assert "'x.docx' ends in none of html, md, pdf." in refused.err
    assert not (books / "x.docx").exists()
    assert say("methodology", "--out", "x").status == 0


# Names of what is not there.


def test_a_source_that_nobody_knows_is_refused(harbour: Path, say: Say) -> None:
    refused = say("findings", "--source", "zz")
    assert (refused.status, refused.out) == (1, "")
    assert "There is no source 'zz'." in refused.err
    assert "There is cloud." in refused.err
    assert say("findings", "--source", "cloud").status == 0


def test_an_empty_name_is_no_directory(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for words in (["init", ""], ["init", " "], ["demo", ""]):
        refused = say(*words)
        assert (refused.status, refused.out) == (2, "")
        assert "DIR is empty." in refused.err
    assert list(tmp_path.iterdir()) == []


def test_nobody_seals_in_books_that_are_not_there(harbour: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = say("close", "2026-10", "--as", "nobody@example.com")
    assert (refused.status, refused.out) == (1, "")
    assert "has no books, so there is no person 'nobody@example.com' to act as." in refused.err
    assert not (harbour / "statements").exists()
    assert say("periods", "--json").json["periods"][0]["state"] != "sealed"
    monkeypatch.setenv("APPORTION_PERSON", "ada@example.com")  # for every command, so it is no matter here
    assert say("close", "2026-10").status == 0


@pytest.mark.parametrize("words", ["allocate P", "close P", "simulate P", "restate P", "policy check --period P"])
def test_a_period_beyond_all_charges_is_wrong_usage(harbour: Path, say: Say, words: str) -> None:
    for period in ("9999-12", "3000-01", "1899-12"):
        refused = say(*words.replace("P", period).split())
        assert refused.status == 2
        assert f"'{period}' is not a billing period. Write a year from 1900 to 2999" in refused.err


def test_a_simulation_names_no_file_that_nobody_may_edit(harbour: Path, say: Say) -> None:
    policy = harbour / "policy.yaml"
    policy.write_text(
        policy.read_text(encoding="utf-8").replace("share: proportional to direct cost", "share: even"),
        encoding="utf-8",
    )
    tags = '{"team": "data"}'
    (harbour / "refund.csv").write_text(focus_csv([{"BilledCost": "-9000", "Tags": tags}]), encoding="utf-8")
    assert say("ingest", "refund.csv", "--source", "refunds").status == 0
    assert say("allocate", "2026-10").status == 0
    refused = say("simulate", "2026-10", "--set", "support=proportional")
    assert refused.err.startswith("error NEGATIVE_BASIS: 'data' has")
    assert "pool 'support'" in refused.err
    assert ".apportion" not in refused.err
    assert "--policy FILE" in refused.err
    gone = "organization: X\ngroups: [{code: shops, name: Shops}]\n"
    (harbour / "other.yaml").write_text(gone, encoding="utf-8")
    refused = say("simulate", "2026-10", "--organization", "other.yaml")
    assert refused.status == 1
    assert "place:  policy.yaml\n" in refused.err
    assert ".apportion" not in refused.err
