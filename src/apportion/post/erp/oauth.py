"""Ways to prove who we are: access tokens for client credentials, and requests signed with a token (OAuth 1.0a)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlsplit

from apportion.post.erp.calling import Caller, Limits
from apportion.post.erp.errors import NotAuthorisedError
from apportion.post.erp.reading import row_of
from apportion.post.erp.secret import Secret

_MARGIN = 60


@dataclass(frozen=True)
class ClientCredentials:
    """An access token for a program of the company's own, fetched when it is needed and kept until it ends."""

    url: str
    client: str
    secret: Secret
    scope: str
    limits: Limits = field(default_factory=Limits)
    certificates: str = ""
    _held: dict[str, tuple[str, float]] = field(default_factory=dict, repr=False, compare=False)  # float: seconds

    def secrets(self) -> tuple[Secret, ...]:
        """What must not be told: the secret, and the token that is held now."""
        held = self._held.get("token")
        return (self.secret, Secret(held[0])) if held else (self.secret,)

    def token(self) -> Secret:
        """A token that holds for a while. Raises `NotAuthorisedError` where none is given, and as `Caller` does."""
        text, until = self._held.get("token", ("", 0.0))  # float: seconds
        if time.monotonic() < until:
            return Secret(text)
        parts = urlsplit(self.url)
        caller = Caller(
            f"{parts.scheme}://{parts.netloc}", "The sign-in server", lambda *_: {}, (self.secret,), self.limits,
            self.certificates,
        )  # fmt: skip
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client,
            "client_secret": self.secret.text,
            "scope": self.scope,
        }
        answer = caller.call("POST", parts.path, form=form)
        caller.uncertain(answer)
        told = row_of(answer.json(), "The sign-in server")
        given, seconds = told.get("access_token"), told.get("expires_in")
        if answer.status != 200 or not isinstance(given, str) or not given or type(seconds) is not int:
            raise NotAuthorisedError(
                f"The sign-in server gives no token ({caller.told(str(told.get('error') or answer.status))[:100]}).",
                advice="Check the client, its secret and its scope.",
            )
        self._held["token"] = given, time.monotonic() + max(seconds - _MARGIN, 0)
        return Secret(given)


@dataclass(frozen=True)
class Signed:
    """Requests signed with HMAC-SHA256 (OAuth 1.0a), as NetSuite's token-based authentication wants them."""

    realm: str
    consumer: str
    consumer_secret: Secret
    token: str
    token_secret: Secret
    now: Callable[[], int] = lambda: int(time.time())
    nonce: Callable[[], str] = lambda: secrets.token_hex(16)

    def header(self, method: str, url: str) -> Mapping[str, str]:
        """The header of one request."""
        said = {
            "oauth_consumer_key": self.consumer,
            "oauth_nonce": self.nonce(),
            "oauth_signature_method": "HMAC-SHA256",
            "oauth_timestamp": str(self.now()),
            "oauth_token": self.token,
            "oauth_version": "1.0",
        }
        said["oauth_signature"] = signature(method, url, said, self.consumer_secret, self.token_secret)
        pairs = [("realm", self.realm), *said.items()]
        return {"Authorization": "OAuth " + ", ".join(f'{name}="{_escaped(value)}"' for name, value in pairs)}


def signature(method: str, url: str, said: Mapping[str, str], consumer_secret: Secret, token_secret: Secret) -> str:
    """The signature of a request by RFC 5849, section 3.4, with SHA-256."""
    parts = urlsplit(url)
    pairs = [*said.items(), *parse_qsl(parts.query, keep_blank_values=True)]
    sent = "&".join(f"{name}={value}" for name, value in sorted((_escaped(n), _escaped(v)) for n, v in pairs))
    base = "&".join([method.upper(), _escaped(f"{parts.scheme}://{parts.netloc}{parts.path}"), _escaped(sent)])
    key = f"{_escaped(consumer_secret.text)}&{_escaped(token_secret.text)}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()).decode("ascii")


def _escaped(text: str) -> str:
    return quote(text, safe="-._~")
