"""`apportion e-invoice`: files of one document, in the workspace or elsewhere, and what keeps it from having any."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from tests.charging_books import ACCOUNTS, CHARGES, document, group_of_companies
from tests.rooms.cli.harbour import Say
from tests.rooms.cli.test_cli_documents import fits

pytestmark = pytest.mark.django_db
BLUE = ("--as", "blue@example.com")


@pytest.fixture(name="here")
def here_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the workspace will be, and the current directory."""
    root = tmp_path / "brightwater"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("APPORTION_WORKSPACE", "")
    monkeypatch.delenv("APPORTION_WORKSPACE")
    monkeypatch.delenv("APPORTION_PERSON", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    return root


def test_the_files_are_written_and_the_same_again(here: Path, settings: Settings, say: Say) -> None:
    group_of_companies(here, settings)
    label = str(document("blue").label)
    said = say("e-invoice", label, *BLUE)
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith(f"Written to e-invoices/2026-10:\n  {label}.pdf\n  {label}.ubl.xml\n")
    first = (here / "e-invoices" / "2026-10" / f"{label}.ubl.xml").read_bytes()
    assert b">1249.50<" in first
    again = fits(say("e-invoice", label, "--out", "other", "--json", *BLUE), "e-invoice")
    assert again["number"] == label
    assert [each["name"] for each in again["files"]] == [f"{label}.pdf", f"{label}.ubl.xml"]
    assert (here / "other" / f"{label}.ubl.xml").read_bytes() == first
    assert again["files"][1]["sha256"] == sha256(first).hexdigest()
    german = say("e-invoice", label, "--locale", "de", "--out", "german", *BLUE)
    assert german.status == 0
    pdf = f"{label}.pdf"
    assert (here / "german" / pdf).read_bytes() != (here / "other" / pdf).read_bytes()


def test_what_is_missing_is_listed_and_nothing_is_written(here: Path, settings: Settings, say: Say) -> None:
    group_of_companies(here, settings, ACCOUNTS + CHARGES)
    label = str(document("blue").label)
    said = say("e-invoice", label, *BLUE)
    assert said.status == 1
    assert [line.partition(": ")[2].partition(":")[0] for line in said.err.splitlines() if "NO_PARTY" in line] == [
        "NO_PARTY",
        "NO_PARTY",
    ]
    assert not (here / "e-invoices").exists()
    for words in (("e-invoice", label, "--as", "red@example.com"), ("e-invoice", "KES-1", *BLUE)):
        refused = say(*words)
        assert refused.status == 1
        assert f"There is no issued document {words[1]} for you." in refused.err
    assert say("e-invoice", label).status == 1
