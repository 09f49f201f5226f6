"""A mail server on loopback for tests: it takes what it is given, keeps it, and refuses what a test tells it to."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class MailServer:
    """Where it listens, and what it has got. `refuse` are answers to addresses, such as ``550 unknown``."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    logins: int = 0


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Run one until the block ends."""
    state = MailServer()

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 loopback")
            while line := self.rfile.readline():
                word = line[:4].upper()
                if word in {b"EHLO", b"HELO"}:
                    self._say("250-loopback\r\n250-8BITMIME\r\n250 AUTH PLAIN")
                elif word == b"AUTH":
                    state.logins += 1
                    self._say("235 welcome")
                elif word == b"RCPT":
                    address = line.decode().partition("<")[2].partition(">")[0]
                    self._say(state.refuse.get(address, "250 ok"))
                elif word == b"DATA":
                    self._say("354 go on")
                    state.letters.append(self._letter())
                    self._say("250 kept")
                elif word == b"QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 ok")

        def _letter(self) -> EmailMessage:
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line[1:] if line.startswith(b"..") else line)
            found = message_from_bytes(b"".join(lines), policy=policy.default)
            assert isinstance(found, EmailMessage)
            return found

        def _say(self, text: str) -> None:
            self.wfile.write(text.encode() + b"\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        server.daemon_threads = True
        state.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
