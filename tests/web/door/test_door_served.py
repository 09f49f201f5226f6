"""The door of the real server: senders that never finish, bodies without end, browsers that all came to one process."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.web.served import environment_of, free_port, serving

pytestmark = pytest.mark.slow
_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="who holds a connection is read from /proc")


@dataclass(frozen=True)
class Server:
    """Where it listens, and its workspace."""

    port: int
    root: Path

    def get(self, path: str = "/sign-in/") -> int:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            connection.request("GET", path)
            return connection.getresponse().status

    def begun(self, length: int) -> socket.socket:
        """A form of which one field was sent, and nothing more."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        head = (
            f"POST /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\nlogin="
        )
        connection.sendall(head.encode())
        return connection


@pytest.fixture(name="server", scope="module")
def server_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root, port = tmp_path_factory.mktemp("door") / "northwind", free_port()
    program = str(Path(sys.executable).with_name("apportion"))
    subprocess.run([program, "init", str(root)], check=True, env=environment_of(root), stdout=subprocess.DEVNULL)
    with serving(root, port, options=["--workers", "2"]):
        yield Server(port, root)


def test_forty_senders_that_never_finish_keep_nobody_from_reading(server: Server) -> None:
    with ExitStack() as opened:
        for _ in range(40):
            opened.enter_context(server.begun(1000))
        time.sleep(1)
        assert [server.get() for _ in range(10)] == [200] * 10
    assert server.get() == 200


def test_more_than_is_taken_is_refused_before_it_is_sent(server: Server) -> None:
    with server.begun(1_000_000_000) as connection:
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 413
        assert answer.headers["Connection"] == "close"
        assert "More was sent at once than is taken." in answer.read().decode()


def test_a_form_in_pieces_is_refused_whole_or_not(server: Server) -> None:
    head = f"POST /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nTransfer-Encoding: chunked\r\n\r\n"
    for pieces in ("5\r\nlogin\r\n0\r\n\r\n", "5\r\nlog"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            connection.sendall((head + pieces).encode())
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            assert answer.status == 411


def test_half_a_form_is_forgotten(server: Server) -> None:
    with server.begun(1000) as connection:
        connection.shutdown(socket.SHUT_WR)
    assert server.get() == 200
    assert "Traceback" not in (server.root / "server.log").read_text()


@_LINUX
def test_browsers_that_all_came_to_one_process_come_to_both(server: Server) -> None:
    """Which process takes a connection is chance; here all the connections of one are kept, and none of the other."""
    with ExitStack() as opened:
        of_one = _all_at_one_process(server, 12, opened)
        end, seen = time.monotonic() + 30, set[int]()

        def browse(connection: http.client.HTTPConnection) -> None:
            while len(seen) < 2 and time.monotonic() < end:
                connection.request("GET", "/sign-in/")
                connection.getresponse().read()
                if connection.sock is not None:  # else it was closed, and is opened anew with the next request
                    seen.add(_holder(connection.sock))

        threads = [threading.Thread(target=browse, args=(each,)) for each in of_one]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(seen) == 2


def _all_at_one_process(server: Server, number: int, opened: ExitStack) -> list[http.client.HTTPConnection]:
    """So many kept connections that one and the same web process has taken."""
    found: dict[int, list[http.client.HTTPConnection]] = {}
    for _ in range(20 * number):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        opened.callback(connection.close)
        connection.request("GET", "/sign-in/")
        connection.getresponse().read()
        assert connection.sock is not None
        found.setdefault(_holder(connection.sock), []).append(connection)
        fullest = max(found.values(), key=len)
        if len(fullest) == number:
            for others in found.values():
                if others is not fullest:
                    for each in others:
                        each.close()
            return fullest
    raise AssertionError(f"no process took {number}: {Counter({key: len(each) for key, each in found.items()})}")


def _holder(connection: socket.socket) -> int:
    """The process at the other end of a connection of this machine; 0 where there is none."""
    own, port = connection.getsockname()[1], connection.getpeername()[1]
    local, remote, inode = f":{port:04X}", f":{own:04X}", ""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        if columns[1].endswith(local) and columns[2].endswith(remote):
            inode = f"socket:[{columns[9]}]"
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(descriptor.readlink()) == inode for descriptor in (process / "fd").iterdir()):
                return int(process.name)
        except OSError:  # it ended, or is another user's
            continue
    return 0
