"""The section `targets`: what each kind needs, what is not its own, and that no secret is ever in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from apportion import settings
from apportion.errors import DocumentError, Mistake
from apportion.post.lifecycle import JournalKind
from apportion.settings.targets import KINDS, TargetSettings

DOCS = Path(__file__).parents[3] / "docs"
CALLED = "companies: {'1000': '1'}, axes: {}"
WHOLE = {
    "tryton": f"url: http://127.0.0.1:8000, database: books, user: apportion, secret: T, {CALLED}",
    "odoo": f"url: https://odoo.example.com/, database: books, secret: T, {CALLED}",
    "erpnext": f"url: https://erp.example.com, secret_file: keys/erp, {CALLED}",
    "business-central": f"tenant: nimbus.example.com, client_id: 0a-1b, secret: T, {CALLED}",
    "netsuite": f"account: 1234567_SB1, client_id: c, token_id: t, secret: A, token_secret: B, {CALLED}",
    "xero": f"secret: T, {CALLED}",
    "quickbooks": f"secret: T, {CALLED}",
    "folder": "folder: drop",
    "sftp": "host: files.example.com, folder: in/journals",
    "files": "",
}


def load(tmp_path: Path, text: str) -> settings.Settings:
    (tmp_path / "apportion.yaml").write_text(f"company: Nimbus\n{text}", encoding="utf-8")
    return settings.load(tmp_path)


def mistakes(tmp_path: Path, text: str) -> tuple[Mistake, ...]:
    with pytest.raises(DocumentError) as caught:
        load(tmp_path, text)
    return caught.value.mistakes


def target(tmp_path: Path, kind: str, more: str = "") -> TargetSettings:
    parts = ", ".join(part for part in (f"kind: {kind}", WHOLE[kind], more) if part)
    return load(tmp_path, f"targets:\n  main: {{{parts}}}\n").targets["main"]


def wrong(tmp_path: Path, kind: str, body: str) -> list[tuple[int | None, str, str]]:
    """Line, code and words of each mistake in a target whose keys stand on lines of their own, from line 5 on."""
    keys = "".join(f"    {line}\n" for line in body.splitlines())
    found = mistakes(tmp_path, f"targets:\n  main:\n    kind: {kind}\n{keys}")
    assert all(each.place.column for each in found)
    return [(each.place.line, each.code, f"{each.sentence} {each.advice}") for each in found]


def lines(text: str) -> str:
    """The keys of a kind on lines of their own; no value in `WHOLE` has a comma of its own."""
    return text.replace(", ", "\n")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_taken_with_what_it_needs(tmp_path: Path, kind: str) -> None:
    found = target(tmp_path, kind)
    assert found.kind == kind
    assert found.is_called is (kind not in {"folder", "sftp", "files"})


def test_every_kind_is_known_and_every_key_is_some_kinds() -> None:
    assert set(get_args(TargetSettings.model_fields["kind"].annotation)) == set(KINDS) == set(WHOLE)
    told = {key for kind in KINDS.values() for key in kind.keys}
    assert told | {"kind"} == set(TargetSettings.model_fields)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_kind_needs_is_named_where_it_lacks(tmp_path: Path, kind: str) -> None:
    needs = (*KINDS[kind].needs, *KINDS[kind].secrets)
    if not needs:
        return
    found = wrong(tmp_path, kind, "kinds: [transfer]")
    assert [code for _, code, _ in found] == ["MISSING_KEY"] * len(needs)
    assert {line for line, _, _ in found} == {4}  # where the target begins
    for key, (_, _, said) in zip(needs, found, strict=True):
        assert f"Add '{key}: " in said
        assert f"'{kind}'" in said


@pytest.mark.parametrize("kind", KINDS)
def test_keys_of_other_kinds_are_refused_where_they_stand(tmp_path: Path, kind: str) -> None:
    values = {"port": "22", "kinds": "[transfer]", "companion": "[text]", "url": "https://x.example", "secret": "T"}
    values |= dict.fromkeys(("companies", "axes", "options", "parties", "settings", "columns"), "{cost_center: '1'}")
    values |= {"token_url": "https://x.example", "token_secret": "T"}
    strange = sorted(set(TargetSettings.model_fields) - {"kind", *KINDS[kind].keys})
    assert strange
    own = lines(WHOLE[kind])
    before = 5 + len(own.splitlines())
    said = wrong(tmp_path, kind, "\n".join([*own.splitlines(), *(f"{key}: {values.get(key, 'x')}" for key in strange)]))
    refused = [(line, words) for line, code, words in said if code == "NOT_ITS_KEY"]
    assert [line for line, _ in refused] == [before + place for place in range(len(strange))]
    for key, (_, words) in zip(strange, refused, strict=True):
        assert words.startswith(f"A target of the kind '{kind}' has no '{key}'. Its keys are ")


SECRET = "hunter2-and-more"  # noqa: S105 - what must never be shown again


@pytest.mark.parametrize(
    "key",
    "password Password passwd token access_token api_key apikey key private_key passphrase client_secret".split()
    + "consumer_secret secret_value credentials bearer authorization".split(),
)
def test_a_key_for_the_secret_itself_is_refused_and_not_repeated(tmp_path: Path, key: str) -> None:
    ((line, code, said),) = wrong(tmp_path, "odoo", f"{lines(WHOLE['odoo'])}\n{key}: {SECRET}")
    assert (line, code) == (10, "SECRET_IN_SETTINGS")
    assert f"'{key}' would put a secret into the settings" in said
    assert "secret: LEDGER_SECRET" in said
    assert SECRET not in said


@pytest.mark.parametrize("value", [SECRET, "ledger_secret", "$LEDGER_SECRET", "${X}", "A-B", "'two words'", "A" * 65])
def test_what_is_no_name_of_a_variable_may_be_the_secret_and_is_not_repeated(tmp_path: Path, value: str) -> None:
    ((line, code, said),) = wrong(tmp_path, "quickbooks", f"secret: {value}\ncompanies: {{'1': '1'}}\naxes: {{}}")
    assert (line, code) == (5, "BAD_SECRET_NAME")
    assert value.strip("'") not in said


def test_an_address_with_a_password_is_refused_and_not_repeated(tmp_path: Path) -> None:
    ((line, code, said),) = wrong(tmp_path, "xero", f"url: https://me:{SECRET}@xero.example\nsecret: T\n")
    assert (line, code) == (5, "SECRET_IN_SETTINGS")
    assert SECRET not in said


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://ledger.example.com", "NOT_ENCRYPTED"),
        ("http://127.0.0.1.example.com", "NOT_ENCRYPTED"),
        ("http://192.168.1.7:8000", "NOT_ENCRYPTED"),
        ("ftp://ledger.example.com", "BAD_ADDRESS"),
        ("ledger.example.com", "BAD_ADDRESS"),
        ("https://", "BAD_ADDRESS"),
        ("https://x.example/?db=1", "BAD_ADDRESS"),
        ("https://x.example/#a", "BAD_ADDRESS"),
        ("https://x.example:port", "BAD_ADDRESS"),
        ("https://x y.example", "BAD_ADDRESS"),
        ("https://[x", "BAD_ADDRESS"),
    ],
)
@pytest.mark.parametrize("key", ["url", "token_url"])
def test_addresses_that_no_secret_is_sent_to(tmp_path: Path, key: str, url: str, code: str) -> None:
    ((line, found, _),) = wrong(
        tmp_path, "xero", f"client_id: a\nscope: b\n{key}: '{url}'\nsecret: T\n{lines(CALLED)}"
    )[:1]
    assert (line, found) == (7, code)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/", "http://localhost", "http://[::1]:1", "https://x.example/a/"]
)
def test_addresses_that_a_secret_may_be_sent_to(tmp_path: Path, url: str) -> None:
    assert target(tmp_path, "xero", f"url: '{url}'").url == url.rstrip("/")


@pytest.mark.parametrize("name", ["Main", "main ledger", "-main", "a.b", "a/b", "1st", "a" * 33, "é"])
def test_names_are_short_and_plain(tmp_path: Path, name: str) -> None:
    (found,) = mistakes(tmp_path, f"targets:\n  '{name}': {{kind: files}}\n")
    assert (found.place.line, found.place.column, found.code) == (3, 3, "BAD_NAME")


def test_the_target_of_files_is_always_there_and_cannot_be_another(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, "targets:\n  files: {kind: folder, folder: drop}\n")
    assert (found.place.line, found.code) == (3, "RESERVED_NAME")
    assert load(tmp_path, "").targets == {}


@pytest.mark.parametrize(
    ("kind", "body", "line", "code", "said"),
    [
        ("odoo", "options: {jurnal: X}", 10, "UNKNOWN_OPTION", "Did you mean 'journal'?"),
        ("odoo", "companies: {'1000': Nimbus}", 8, "BAD_COMPANY", "knows companies by an id, and 'Nimbus' is none"),
        ("quickbooks", "companies: {'1000': a/../b}", 6, "BAD_COMPANY", "'a/../b' is none"),
        ("netsuite", "axes: {cost_center: Department}", 11, "BAD_AXIS", "Did you mean 'department'?"),
        ("quickbooks", "axes: {cost_center: Location}", 7, "BAD_AXIS", "It has Class, Department."),
        ("erpnext", "axes: {cost_center: Cost Center}", 8, "BAD_AXIS", "is no field of a line"),
        ("xero", "axes: {cost_center: A, department: A}", 7, "DUPLICATE_AXIS", "'department' and 'cost_center'"),
        ("business-central", "environment: a/b", 10, "BAD_VALUE", "'a/b' cannot stand for 'environment'."),
        ("business-central", "tenant: ../x", 5, "BAD_VALUE", "'../x' cannot stand for 'tenant'."),
        ("netsuite", "account: evil.example/", 5, "BAD_VALUE", "cannot stand for 'account'"),
        ("sftp", "host: me@files", 5, "BAD_VALUE", "without a user"),
        ("sftp", "host: -oProxyCommand=x", 5, "BAD_VALUE", "cannot stand for 'host'"),
        ("sftp", "user: a b", 7, "BAD_VALUE", "cannot stand for 'user'"),
        ("sftp", "folder: 'in\"; rm'", 6, "BAD_VALUE", "cannot stand for 'folder'"),
        ("sftp", "port: 70000", 7, "BAD_VALUE", "port"),
        ("sftp", "identity_file: /root/.ssh/id", 7, "BAD_FILE", "is not in the workspace"),
        ("xero", "secret_file: ../token", 8, "BAD_FILE", "is not in the workspace"),
        ("files", "template: ../sap.xlsx", 5, "BAD_FILE", "is not in the workspace"),
        ("folder", 'folder: "a\\0b"', 5, "BAD_VALUE", "cannot stand for 'folder'"),
        ("tryton", 'user: "a\\nb"', 7, "BAD_VALUE", "cannot stand for 'user'"),
        ("xero", "client_id: abc", 8, "MISSING_KEY", "'client_id' needs 'scope'"),
        ("xero", "scope: accounting.transactions", 8, "MISSING_KEY", "Add 'client_id: …'."),
        ("folder", "kinds: [transfer, showback]", 6, "NOT_PUSHED", "Showback is counted and no money"),
        ("files", "kinds: [transfers]", 5, "BAD_VALUE", "Did you mean 'transfer'?"),
        ("odoo", "databse: x", 10, "UNKNOWN_KEY", "Did you mean 'database'?"),
        ("odoo", "secrets: x", 10, "UNKNOWN_KEY", "Did you mean 'secret'?"),
    ],
)
def test_each_mistake_has_its_place_and_what_to_do(
    tmp_path: Path, kind: str, body: str, line: int, code: str, said: str
) -> None:
    key = body.partition(":")[0]
    own = lines(WHOLE[kind]).splitlines()
    places = [each.partition(":")[0] for each in own]
    if key in places:
        own[places.index(key)] = body
    else:
        own.append(body)
    found = wrong(tmp_path, kind, "\n".join(own))
    assert [(each[0], each[1]) for each in found][:1] == [
        (line if code != "MISSING_KEY" or "scope:" in body else 4, code)
    ]
    assert said in found[0][2]


def test_three_tracking_categories_are_one_too_many(tmp_path: Path) -> None:
    text = "ledger:\n  dimensions: {project: project}\ntargets:\n  main:\n    kind: xero\n    secret: T\n"
    text += "    companies: {'1': a}\n    axes: {cost_center: A, department: B, project: C}\n"
    (found,) = mistakes(tmp_path, text)
    assert (found.place.line, found.code) == (9, "BAD_AXIS")


def test_axes_are_of_something_that_lines_have(tmp_path: Path) -> None:
    text = f"targets:\n  main: {{kind: erpnext, {WHOLE['erpnext'].replace('axes: {}', 'axes: {{projct: project}}')}}}\n"
    text = text.replace("{{", "{").replace("}}}", "}}")
    (found,) = mistakes(tmp_path, f"ledger: {{dimensions: {{project: project}}}}\n{text}")
    assert (found.place.line, found.code, found.advice) == (4, "UNKNOWN_DIMENSION", "Did you mean 'project'?")
    known = text.replace("projct", "project")
    assert load(tmp_path, f"ledger: {{dimensions: {{project: project}}}}\n{known}").targets["main"].axes == {
        "project": "project"
    }
    (found,) = mistakes(tmp_path, known)
    assert "name other dimensions in 'ledger.dimensions'" in found.advice


def test_journals_go_where_their_kind_goes(tmp_path: Path) -> None:
    some = target(tmp_path, "folder", "kinds: [transfer, true_up]")
    assert [kind for kind in JournalKind if some.takes(kind)] == ["transfer", "true_up", "reversal"]
    every = set(JournalKind)
    assert {kind for kind in JournalKind if target(tmp_path, "odoo").takes(kind)} == every - {JournalKind.SHOWBACK}
    assert {kind for kind in JournalKind if target(tmp_path, "files").takes(kind)} == every


def test_every_kind_of_journal_can_be_named(tmp_path: Path) -> None:
    names = [str(kind) for kind in JournalKind if kind is not JournalKind.REVERSAL]
    assert target(tmp_path, "files", f"kinds: [{', '.join(names)}]").kinds == (*names,)
    said = wrong(tmp_path, "files", "kinds: [reversal]")
    assert [(line, code) for line, code, _ in said] == [(5, "BAD_VALUE")]


def test_codes_keep_their_zeros(tmp_path: Path) -> None:
    found = target(tmp_path, "files", "format: oracle-fbdi, settings: {ledger_id: 007}")
    assert found.settings == {"ledger_id": "007"}


def test_the_reference_page_says_what_each_kind_has() -> None:
    text = (DOCS / "reference" / "targets.md").read_text(encoding="utf-8").partition("| Kind | Needs |")[2]
    rows = re.findall(r"^\| `([a-z-]+)` \|([^|]*)\|([^|]*)\|$", text, re.MULTILINE)
    said = {kind: tuple(tuple(re.findall(r"`([a-z_]+)`", part)) for part in parts) for kind, *parts in rows}
    assert said == {name: ((*kind.needs, *kind.secrets), kind.may) for name, kind in KINDS.items()}


@pytest.mark.parametrize("page", ["reference/targets.md", "how-to/push-to-your-ledger.md"])
def test_the_examples_of_the_pages_are_taken(tmp_path: Path, page: str) -> None:
    found = re.findall(r"```yaml\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    assert found
    for text in found:
        assert load(tmp_path, text).targets


@pytest.mark.parametrize("key", ["secret_file", "certificates"])
def test_a_name_of_a_file_is_one(tmp_path: Path, key: str) -> None:
    for name in ('"a\\0b"', "/etc/passwd", "~/../x", "C:/x", "''"):
        found = wrong(tmp_path, "xero", f"{key}: {name}\nsecret: T\n{lines(CALLED)}")
        assert [line for line, _, _ in found] == [5]
