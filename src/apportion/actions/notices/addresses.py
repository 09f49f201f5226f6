"""Where a webhook may go: public addresses over HTTPS, and to the very address that was checked.

A name is resolved once; the connection is made to what came out, so that a name cannot point elsewhere afterwards.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from apportion.errors import InputRefusedError, Place

TIMEOUT = 10
_MOST_ANSWER = 64 * 1024


class AddressError(InputRefusedError):
    """An address that webhooks may not go to."""

    code = "ADDRESS_REFUSED"


@dataclass(frozen=True, slots=True)
class Target:
    """An address in its parts."""

    url: str
    is_secure: bool
    host: str
    port: int
    path: str


def parse(url: str, *, allow_http: bool = False) -> Target:
    """Take an address apart. Raises `AddressError` for one that is no plain HTTPS address."""
    place = Place(field="url")
    text = url.strip()
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text or len(text) > 1000:
        raise AddressError("That is not a web address.", place=place, advice="Use https://HOST/PATH, in ASCII.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise AddressError("That is not a web address.", place=place, advice="Use https://HOST/PATH.") from None
    if parts.scheme != "https" and not (allow_http and parts.scheme == "http"):
        raise AddressError(
            "A webhook goes over HTTPS.", place=place, advice="Use an address that begins with https://."
        )
    if not parts.hostname or parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressError(
            "The address has no host, or has more than a host, port, path and query.",
            place=place,
            advice="Leave out user names and what follows '#': the signature says who calls.",
        )
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(text, secure, parts.hostname, port or (443 if secure else 80), path)


def resolve(target: Target, *, allow_private: bool = False) -> str:
    """The IP address to connect to. Raises `AddressError` where the name has none, or any that is not public."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressError(
            f"Nobody knows the address of {target.host}.", place=Place(field="url"), advice="Check the spelling."
        ) from None
    numbers = [str(entry[4][0]) for entry in found]
    if not allow_private and any(not _is_public(number) for number in numbers):
        raise AddressError(
            f"{target.host} is not a public address.",
            place=Place(field="url"),
            advice="An address inside the network needs 'webhooks: allow_private: true' in the settings.",
        )
    return numbers[0]


def send(target: Target, address: str, body: bytes, headers: Mapping[str, str]) -> int:
    """POST the body to `address` under the target's name, and give the status. No redirect is followed.

    Raises `OSError` or `http.client.HTTPException`.
    """
    connection = _Pinned(target, address)
    try:
        connection.request("POST", target.path, body, {"Host": _host_header(target), **headers})
        answer = connection.getresponse()
        answer.read(_MOST_ANSWER)
        return answer.status
    finally:
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was checked, with the certificate of the name."""

    def __init__(self, target: Target, address: str) -> None:
        super().__init__(target.host, target.port, timeout=TIMEOUT)
        self._target, self._address = target, address

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self._target.port), TIMEOUT)
        if not self._target.is_secure:
            self.sock = plain
            return
        try:
            self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self._target.host)
        except BaseException:
            plain.close()
            raise


def _host_header(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.port == (443 if target.is_secure else 80) else f"{host}:{target.port}"


# Addresses of IPv6 that stand for one of IPv4, which is in their last 32 bits.
_CARRIERS = tuple(ipaddress.IPv6Network(text) for text in ("64:ff9b::/96", "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96"))
# What the registries of today keep from the public, beyond what each Python knows: a network's own translation
# (RFC 8215), documentation (RFC 9637), segment routing (RFC 9602), and the site-local ones of old (RFC 3879).
_NOT_PUBLIC = tuple(ipaddress.IPv6Network(text) for text in ("64:ff9b:1::/48", "3fff::/20", "5f00::/16", "fec0::/10"))


def _is_public(number: str) -> bool:
    address = ipaddress.ip_address(number.partition("%")[0])
    if not address.is_global or address.is_multicast:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return True
    if any(address in network for network in _NOT_PUBLIC):
        return False
    carried = [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) for network in _CARRIERS if address in network]
    inside = [*carried, *filter(None, (address.sixtofour, *(address.teredo or ())))]
    return all(each.is_global for each in inside)
