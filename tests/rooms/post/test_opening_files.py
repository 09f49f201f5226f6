"""Folders and formats as the settings describe them: what is dropped is read back, what is wrong is found before."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from apportion.post.erp.book import PushState
from apportion.post.erp.opening import checked, format_of, opened, options_of
from apportion.post.erp.opening_files import rendered
from apportion.post.export import generic_files
from apportion.post.formats import json_text, targets
from apportion.post.formats.target import Options
from apportion.post.journal import Journal
from apportion.settings.targets import TargetSettings
from tests import pushing
from tests.formats import TEMPLATE
from tests.opening import NOVEMBER, described, kept, refused, wrong
from tests.pushing import between, entry, journal

SFTP_SERVER = Path("/usr/lib/openssh/sftp-server")


def test_files_are_handed_over_by_people(tmp_path: Path) -> None:
    assert "Nothing can be pushed to 'books'" in refused(tmp_path, "kind: files\nformat: csv")


# Folders.


def dropped(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_folder_takes_entries_as_json(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    found = described(tmp_path, "kind: folder\nfolder: drop")
    assert checked("books", found, tmp_path) == ()
    run = pushing.pusher(opened("books", found, tmp_path), tmp_path / "book")
    (push,) = run.push(journal(entry("F-1"))).posted
    assert push.state is PushState.SENT
    files = dropped(tmp_path / "drop")
    assert set(files) == {f"{push.key}.json", f"{push.key}.json.sha256"}
    assert json.loads(files[f"{push.key}.json"])["entry"] == "F-1"


SAP = "format: sap-csv\ntemplate: sap.csv\nsettings: {document_type: ZC}\ncompanion: [entry_text]"
FORMATS = {
    "sap-csv": SAP,
    "oracle-fbdi": "format: oracle-fbdi\nsettings: {ledger_id: '300'}",
    "intacct-csv": "format: intacct-csv\ncolumns: {Project: dimension.project}\ncompanion: [text]",
    "csv": "format: csv",
    "beancount": "format: beancount",
    "all": "format: all",
    **{name: f"format: {name}" for name in ("xero-csv", "odoo-json", "xlsx", "netsuite-csv")},
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_folder_takes_files_of_a_format_that_are_read_back(tmp_path: Path, name: str) -> None:
    """Two companies in one entry: each has its part in its currency, and the files are what the format says."""
    (tmp_path / "drop").mkdir()
    (tmp_path / "sap.csv").write_text(TEMPLATE, encoding="utf-8")
    found = described(tmp_path, f"kind: folder\nfolder: drop\n{FORMATS[name]}")
    assert checked("books", found, tmp_path) == ()
    run = pushing.pusher(opened("books", found, tmp_path), tmp_path / "book")
    pushes = run.push(journal(between("F-1"))).require().posted
    assert [push.state for push in pushes] == [PushState.SENT] * 2
    before = dropped(tmp_path / "drop")
    for push in pushes:
        own = {file: content for file, content in before.items() if file.startswith(push.key)}
        said = own.pop(f"{push.key}.sha256").decode().splitlines()
        assert said == [f"{sha256(own[file]).hexdigest()}  {file}" for file in (line[66:] for line in said)]
        assert len(said) == len(own)
        bare = {file.removeprefix(f"{push.key}-"): content for file, content in own.items()}
        if name == "all":
            assert bare == generic_files(journal_in(bare))
        back = journal_in(bare) if name == "all" else targets.parse(name, bare)
        assert {line.company for each in back.entries for line in each.postings} == {push.slot.company}
        assert [each.id for each in back.entries] == ["F-1"]
        currency = {"1000": "EUR", "2000": "SEK"}[push.slot.company]
        assert {line.currency for each in back.entries for line in each.postings} == {currency}
    assert run.reverse(journal(between("F-1")), NOVEMBER).done
    assert len(dropped(tmp_path / "drop")) == 2 * len(before)
    assert {file: content for file, content in dropped(tmp_path / "drop").items() if file in before} == before


def journal_in(files: dict[str, bytes]) -> Journal:
    return json_text.parse(files["journal-2026-10.json"].decode())


def test_what_the_format_cannot_take_is_told_by_line_and_nothing_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    run = pushing.pusher(
        opened("books", described(tmp_path, "kind: folder\nfolder: drop\nformat: business-central"), tmp_path),
        tmp_path / "book",
    )
    lines = list(between("F-2").postings)
    long = entry("F-2", *lines[:3], replace(lines[3], text="y" * 101))
    report = run.push(journal(entry("F-1"), long))
    ((line, company, words),) = [(each.line, each.company, each.sentence) for each in report.rejected]
    assert (line, company) == (4, "1000")
    assert words.endswith("has 101 characters, and Business Central's API takes 100.")
    assert dropped(tmp_path / "drop") == {}


@pytest.mark.skipif(not SFTP_SERVER.exists() or not shutil.which("sftp"), reason="OpenSSH is not there")
@pytest.mark.parametrize("form", ["", "format: xero-csv"])
def test_sftp_with_its_own_key_and_known_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """The real client and server without a network between them; what the client was told is written down."""
    real = shutil.which("sftp")
    (tmp_path / "bin").mkdir()
    client = tmp_path / "bin" / "sftp"
    script = f'#!/bin/sh\nprintf "%s\\n" "$@" > "{tmp_path}/told"\nexec {real} -D {SFTP_SERVER} "$@"\n'
    client.write_text(script, encoding="utf-8")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    (tmp_path / "drop").mkdir()
    kept(tmp_path, "-----BEGIN OPENSSH PRIVATE KEY-----", "id key")
    kept(tmp_path, "files.example.com ssh-ed25519 AAAA", "hosts")
    keys = f"kind: sftp\nhost: files.example.com\nuser: apportion\nport: 2222\nfolder: {tmp_path}/drop\n"
    keys += f"identity_file: id key\nknown_hosts: hosts\n{form}"
    found = described(tmp_path, keys)
    assert checked("books", found, tmp_path) == ()
    run = pushing.pusher(opened("books", found, tmp_path), tmp_path / "book")
    (push,) = run.push(journal(entry("Q-1"))).posted
    names = set(dropped(tmp_path / "drop"))
    if form:
        stem = f"{push.key}-xero-csv-2026-10"
        assert names == {f"{stem}.csv", f"{stem}.companion.json", f"{stem}.control.json", f"{push.key}.sha256"}
    else:
        assert names == {f"{push.key}.json", f"{push.key}.json.sha256"}
    told = (tmp_path / "told").read_text(encoding="utf-8").splitlines()
    assert told[-1] == "apportion@files.example.com"
    assert told[told.index("-P") + 1] == "2222"
    assert told[told.index("-i") + 1] == str(tmp_path / "id key")
    assert f'-oUserKnownHostsFile="{tmp_path}/hosts"' in told
    assert {"-oStrictHostKeyChecking=yes", "-oGlobalKnownHostsFile=/dev/null", "-oIdentitiesOnly=yes"} <= set(told)


SFTP = "kind: sftp\nhost: files.example.com\nfolder: drop\n"


def test_a_key_that_others_can_read_and_files_that_are_not_there(tmp_path: Path) -> None:
    kept(tmp_path, "key", "id", 0o640)
    keys = f"{SFTP}identity_file: id\nknown_hosts: hosts"
    assert [(line, words.partition(".")[0]) for line, _, words in wrong(tmp_path, keys)] == [
        (7, "Others on this machine can use the private key (its rights are 640)"),
        (8, "'hosts' cannot be read: no such file or directory"),
    ]
    assert "chmod 600 id" in refused(tmp_path, keys)
    (tmp_path / "hosts").mkdir()
    (tmp_path / "id").chmod(0o600)
    assert "'hosts' is not a plain file." in refused(tmp_path, keys)


# What is wrong with a format is found before a journal is.


@pytest.mark.parametrize(
    ("keys", "line", "said"),
    [
        ("kind: files\nformat: sap-cvs", 5, "There is no format 'sap-cvs'. Did you mean 'sap-csv'?"),
        ("kind: files\nformat: excel97", 5, "There is no format 'excel97'. It can be all, "),
        ("kind: files\nformat: csv\nsettings: {day: x}", 6, "The format 'csv' has no 'settings'. Leave it out; all, "),
        ("kind: files\ncolumns: {A: text}", 5, "'columns' is about a format, and none is named. Add 'format: …'."),
        ("kind: files\nformat: xero-csv\nsettings: {colour: red}", 6, "has no setting 'colour'"),
        ("kind: files\nformat: oracle-fbdi", 4, "needs the setting 'ledger_id'"),
        ("kind: files\nformat: netsuite-csv\ncolumns: {Class: colour}", 6, "'colour' is not a field"),
        ("kind: files\nformat: netsuite-csv\ncompanion: [txt]", 6, "Did you mean 'text'?"),
        ("kind: files\nformat: xero-csv\ntemplate: sap.csv", 6, "follows no template; sap-csv and sap-xlsx do"),
        ("kind: files\nformat: sap-csv", 4, "none was given"),
        ("kind: files\nformat: sap-csv\ntemplate: none.csv", 6, "There is no such file."),
        ("kind: files\nformat: sap-csv\ntemplate: apportion.yaml", 6, "No row of the template has names"),
        ("kind: folder\nfolder: gone", 5, "The folder of books is not there."),
        ("kind: folder\nfolder: .\nsettings: {day: x}", 6, "Add 'format: …'."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found_before_anything_is_sent(tmp_path: Path, keys: str, line: int, said: str) -> None:
    ((found, code, words),) = wrong(tmp_path, keys)
    assert said in words
    assert found == line
    assert code
    if "kind: folder" in keys and "format" in said:
        opened("books", described(tmp_path, keys), tmp_path)


def test_a_folder_with_a_wrong_format_is_not_opened(tmp_path: Path) -> None:
    assert "There is no format 'sap'" in refused(tmp_path, "kind: folder\nfolder: .\nformat: sap")
    assert "needs the setting 'ledger_id'" in refused(tmp_path, f"{SFTP}format: oracle-fbdi")


def test_without_a_settings_file_the_key_is_named(tmp_path: Path) -> None:
    (found,) = checked("books", TargetSettings(kind="folder", folder="gone"), tmp_path)
    assert (found.place.line, found.place.field) == (None, "targets.books.folder")


def test_options_of_the_format(tmp_path: Path) -> None:
    (tmp_path / "sap.csv").write_text(TEMPLATE.replace(",", ";"), encoding="utf-8")
    found = described(tmp_path, f"kind: files\n{SAP}")
    options = options_of(found, pushing.BOOKS, tmp_path)
    assert format_of(found) == "sap-csv"
    assert options.settings == {"document_type": "ZC", "delimiter": ";"}
    assert (options.companion, options.books) == (frozenset({"entry_text"}), pushing.BOOKS)
    assert options.template[-1][0] == "*Company Code"
    made = journal(entry("F-1"))
    files = targets.render("sap-csv", made, options).files
    assert targets.parse("sap-csv", files) == made
    book = described(tmp_path, f"kind: files\n{SAP.replace('sap-csv', 'sap-xlsx')}")
    assert options_of(book, {}, tmp_path).settings == {"document_type": "ZC"}
    assert checked("books", book, tmp_path) == ()
    plain = described(tmp_path, "kind: files")
    assert (format_of(plain), options_of(plain, {}, tmp_path)) == ("all", Options())


def test_all_is_the_set_of_files_that_every_workspace_writes() -> None:
    made = journal(entry("F-1"))
    assert rendered("all", made, Options()) == generic_files(made)


def test_every_format_can_be_dropped_or_says_what_it_needs(tmp_path: Path) -> None:
    """With no more than its name: three need more, and say so."""
    needs: dict[str, str] = {}
    for name in targets.names():
        found = wrong(tmp_path, f"kind: files\nformat: {name}")
        needs |= {name: found[0][2]} if found else {}
    assert set(needs) == {"sap-csv", "sap-xlsx", "oracle-fbdi"}
