"""Targets as the settings describe them: opened, they really push; what is wrong with them is found before."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from apportion.post.erp.book import PushState
from apportion.post.erp.errors import NotAuthorisedError
from apportion.post.erp.opening import checked, opened
from apportion.post.erp.read_back import read_back
from tests import (
    erp_server,
    erp_server_business_central,
    erp_server_erpnext,
    erp_server_netsuite,
    erp_server_odoo,
    erp_server_quickbooks,
    erp_server_xero,
    pushing,
    tryton_server,
)
from tests.erp_server import KEY, Ledger, Request
from tests.opening import NOVEMBER, described, kept, refused, wrong
from tests.pushing import between, entry, journal
from tests.tryton_ledger import DATABASE
from tests.tryton_ledger import Ledger as TrytonLedger

pytestmark = pytest.mark.thorough

# Ledgers that answer, on servers that enforce what their makers publish.

ODOO = """kind: odoo
url: {url}
database: books
secret: BOOKS_SECRET
companies: {{'1000': '1'}}
axes: {{cost_center: Cost centre}}"""
ERPNEXT = """kind: erpnext
url: {url}
secret: BOOKS_SECRET
companies: {{'1000': Nimbus GmbH}}
axes: {{cost_center: cost_center}}"""
BUSINESS_CENTRAL = """kind: business-central
url: {url}
token_url: {url}/tenant/oauth2/v2.0/token
tenant: tenant
client_id: client
secret: BOOKS_SECRET
companies: {{'1000': company-1}}
axes: {{cost_center: COSTCENTER}}"""
NETSUITE = """kind: netsuite
url: {url}
account: '1234567'
client_id: consumer
secret: BOOKS_SECRET
token_id: token
token_secret_file: token.key
companies: {{'1000': '1'}}
axes: {{cost_center: department}}"""
XERO = """kind: xero
url: {url}
secret_file: ledger.key
companies: {{'1000': tenant-1}}
axes: {{cost_center: Cost centre}}"""
QUICKBOOKS = """kind: quickbooks
url: {url}
secret: BOOKS_SECRET
secret_file: ledger.key
companies: {{'1000': realm-1}}
axes: {{cost_center: Class}}"""

SECRETS = {
    "business-central": erp_server_business_central.CLIENT_SECRET,
    "netsuite": erp_server_netsuite.CONSUMER.text,
}
CALLED: dict[str, tuple[str, ModuleType]] = {
    "odoo": (ODOO, erp_server_odoo),
    "erpnext": (ERPNEXT, erp_server_erpnext),
    "business-central": (BUSINESS_CENTRAL, erp_server_business_central),
    "netsuite": (NETSUITE, erp_server_netsuite),
    "xero": (XERO, erp_server_xero),
    "quickbooks": (QUICKBOOKS, erp_server_quickbooks),
}


@pytest.fixture(name="called", params=CALLED)
def called_fixture(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, Ledger, str]]:
    """A kind, its ledger, and what the settings say of it; its secrets are where the settings say."""
    keys, server = CALLED[request.param]
    secret = SECRETS.get(request.param, KEY)
    if "secret: BOOKS_SECRET" in keys:
        monkeypatch.setenv("BOOKS_SECRET", secret)
    kept(tmp_path, "not asked: the variable comes first" if "secret: " in keys else secret)
    kept(tmp_path, erp_server_netsuite.TOKEN.text, "token.key")
    ledger = Ledger()
    with erp_server.served(ledger, server.dialect, server.wrong) as url:
        yield request.param, ledger, keys.format(url=url)


def test_a_month_is_pushed_read_back_and_reversed(called: tuple[str, Ledger, str], tmp_path: Path) -> None:
    _, ledger, keys = called
    found = described(tmp_path, keys)
    assert checked("books", found, tmp_path) == ()
    assert ledger.requests == []
    run = pushing.pusher(opened("books", found, tmp_path), tmp_path / "book")
    assert run.target.name == "books"
    month = journal(entry("O-1"))
    report = run.push(month).require()
    assert [push.state for push in report.posted] == [PushState.POSTED]
    (made,) = ledger.entries
    assert (made.posted, [(line.account, line.center, line.amount) for line in made.lines][:1]) == (
        True,
        [("600100", "0010", Decimal("5123.71"))],
    )
    assert read_back(run, [month], "600199").differences == ()
    assert run.reverse(month, NOVEMBER).done
    assert sum(line.amount for each in ledger.entries for line in each.lines if line.account == "600100") == 0


def test_another_secret_is_not_let_in_and_not_told(
    called: tuple[str, Ledger, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, ledger, keys = called
    monkeypatch.setenv("BOOKS_SECRET", "another-secret-of-somebody")
    kept(tmp_path, "another-secret-of-somebody")
    run = pushing.pusher(opened("books", described(tmp_path, keys), tmp_path), tmp_path / "book")
    assert "another-secret" not in repr(run.target)
    with pytest.raises(NotAuthorisedError) as said:
        run.push(journal(entry("O-1")))
    assert "another-secret" not in str(said.value)
    assert ledger.entries == []


def test_a_secret_is_read_when_the_target_is_opened_and_not_kept(
    called: tuple[str, Ledger, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, _, keys = called
    described(tmp_path, keys)
    monkeypatch.delenv("BOOKS_SECRET", raising=False)
    for path in tmp_path.glob("*.key"):
        path.unlink()
    words = refused(tmp_path, keys)
    file = kind in {"xero", "quickbooks"}
    assert ("cannot be read: No such file" in words) is file
    assert file or "The secret BOOKS_SECRET is not set." in words
    assert "variable" in words
    places = {line for line, _, _ in wrong(tmp_path, keys)}
    own = keys.splitlines()
    missing = [place for place, line in enumerate(own, start=4) if line.startswith(("secret", "token_secret"))]
    assert places <= set(missing)
    assert len(places) == (2 if kind == "netsuite" else 1)


def test_xero_fetches_its_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dialect(ledger: Ledger, request: Request) -> tuple[int, Any]:
        if request.path == "/connect/token":
            assert b"client_id=a-client" in request.raw
            assert b"scope=accounting.manualjournals+accounting.settings.read" in request.raw
            return (200, {"access_token": KEY, "expires_in": 1800}) if b"xero-secret" in request.raw else (400, {})
        return erp_server_xero.dialect(ledger, request)

    monkeypatch.setenv("BOOKS_SECRET", "xero-secret")
    ledger = Ledger()
    with erp_server.served(ledger, dialect, erp_server_xero.wrong) as url:
        keys = XERO.format(url=url).replace("secret_file: ledger.key", "secret: BOOKS_SECRET")
        keys += "\nclient_id: a-client\nscope: accounting.manualjournals accounting.settings.read"
        found = described(tmp_path, keys + f"\ntoken_url: {url}/connect/token")
        run = pushing.pusher(opened("books", found, tmp_path), tmp_path / "book")
        assert run.push(journal(entry("O-1"))).done
    assert [each.posted for each in ledger.entries] == [True]


@pytest.mark.slow
def test_a_real_tryton(ledger: TrytonLedger, tmp_path: Path, book: Path) -> None:
    """Two companies, in one entry, in a real Tryton on PostgreSQL; its password in a file."""
    kept(tmp_path, tryton_server.PASSWORD, "tryton.key")
    keys = f"""kind: tryton
url: {ledger.url}
database: {DATABASE}
user: admin
secret_file: tryton.key
companies: {{'1000': Nimbus GmbH, '2000': Nimbus Nordic AB}}
axes: {{cost_center: cost_center}}"""
    found = described(tmp_path, keys)
    assert checked("books", found, tmp_path) == ()
    run = pushing.pusher(opened("books", found, tmp_path), book)
    month = journal(entry("OPEN-1"), between("OPEN-2"))
    assert run.push(month).done
    assert ledger.moves("OPEN-1", "OPEN-2") == [("OPEN-1", "posted", 1), ("OPEN-2", "posted", 2)]
    assert read_back(run, [month], "600199").differences == ()
    assert run.reverse(month, NOVEMBER).done
    kept(tmp_path, "another", "tryton.key")
    stranger = pushing.pusher(opened("books", found, tmp_path), book)
    with pytest.raises(NotAuthorisedError):
        stranger.push(journal(entry("OPEN-3")))
    nowhere = described(tmp_path, f"{keys}\noptions: {{journal: NONE}}")
    kept(tmp_path, tryton_server.PASSWORD, "tryton.key")
    run = pushing.pusher(opened("books", nowhere, tmp_path), book)
    assert {each.code for each in run.push(journal(entry("OPEN-4"))).rejected} == {"UNKNOWN_JOURNAL"}


# Where nothing is said, the address is the maker's.


@pytest.mark.parametrize(
    ("keys", "addresses"),
    [
        (QUICKBOOKS, ["https://quickbooks.api.intuit.com"]),
        (XERO, ["https://api.xero.com"]),
        (
            XERO + "\nclient_id: a\nscope: b",
            ["https://api.xero.com", "https://identity.xero.com/connect/token"],
        ),
        (
            BUSINESS_CENTRAL.replace("token_url: {url}/tenant/oauth2/v2.0/token\n", ""),
            [
                "https://api.businesscentral.dynamics.com/v2.0/tenant/production",
                "https://login.microsoftonline.com/tenant/oauth2/v2.0/token",
            ],
        ),
        (NETSUITE, ["https://1234567.suitetalk.api.netsuite.com"]),
        (NETSUITE.replace("'1234567'", "1234567_sb1"), ["https://1234567-sb1.suitetalk.api.netsuite.com"]),
    ],
)
def test_addresses_of_the_makers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: str, addresses: list[str]
) -> None:
    monkeypatch.setenv("BOOKS_SECRET", "x")
    kept(tmp_path, "x")
    kept(tmp_path, "y", "token.key")
    target: Any = opened("books", described(tmp_path, keys.replace("url: {url}\n", "").format()), tmp_path)
    tokens: Any = getattr(target, "tokens", None)
    assert [target.url, *([tokens.url] if tokens else [])] == addresses
    if "_sb1" in keys:
        assert target.signed.realm == "1234567_SB1"
    if "business" in keys:
        assert tokens.scope == "https://api.businesscentral.dynamics.com/.default"


# Secrets and files.

TRYTON = "kind: tryton\nurl: https://x.example\ndatabase: b\nuser: u\ncompanies: {'1': a}\naxes: {}\n"
FILE = TRYTON + "secret_file: ledger.key"


def test_without_a_variable_of_its_own_the_names_one_comes_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(tmp_path, "from the file")
    target: Any = opened("books", described(tmp_path, FILE), tmp_path)
    assert target.password.text == "from the file"
    monkeypatch.setenv("APPORTION_TARGET_BOOKS_SECRET", "from outside")
    target = opened("books", described(tmp_path, FILE), tmp_path)
    assert target.password.text == "from outside"


@pytest.mark.parametrize("rights", [0o640, 0o604, 0o660, 0o644])
def test_a_secret_that_others_can_read_is_refused(tmp_path: Path, rights: int) -> None:
    kept(tmp_path, "abc-secret", rights=rights)
    words = refused(tmp_path, FILE)
    assert "Run `chmod 600 ledger.key`" in words
    assert "abc-secret" not in words
    ((line, code, said),) = wrong(tmp_path, FILE)
    assert (line, code) == (10, "INPUT_REFUSED")
    assert f"its rights are {rights:03o}" in said


@pytest.mark.parametrize("text", ["abc\r\ndef", " abc", "abc\n", "abc\x7f"])
def test_a_secret_that_cannot_be_sent_is_refused_and_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("BOOKS_SECRET", text)
    words = refused(tmp_path, TRYTON + "secret: BOOKS_SECRET")
    assert "signs that cannot be sent" in words
    assert "abc" not in words


def test_a_secret_for_a_header_is_ascii_and_a_password_need_not_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOOKS_SECRET", "Schlüssel")
    assert "signs that cannot be sent" in refused(tmp_path, ODOO.format(url="https://x.example"))
    assert opened("books", described(tmp_path, TRYTON + "secret: BOOKS_SECRET"), tmp_path).name == "books"


def test_certificates_are_read_before_they_are_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOKS_SECRET", "x")
    keys = TRYTON + "secret: BOOKS_SECRET\ncertificates: own.pem"
    assert "The certificates cannot be read: no such file" in refused(tmp_path, keys)
    (tmp_path / "own.pem").write_text("nothing of the kind", encoding="utf-8")
    assert "it holds none" in refused(tmp_path, keys)
    assert [(line, code) for line, code, _ in wrong(tmp_path, keys)] == [(11, "INPUT_REFUSED")]
    system = ssl.get_default_verify_paths().cafile
    if system:
        shutil.copy(system, tmp_path / "own.pem")
        target: Any = opened("books", described(tmp_path, keys), tmp_path)
        assert target.certificates == str(tmp_path / "own.pem")
