"""So many browsers at once: ask for pages, each as soon as it has its answer, and note how long.

A connection is kept where the server keeps it, and what it takes to open one counts.

A process of its own: ``python -m bench.crowd`` reads what to ask for as JSON from standard input and prints what was
measured. Parses no more of HTTP than the server's answers need, so that little of the machine goes to asking.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

_PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Call:
    """A page and the session of who opens it."""

    path: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Answered:
    """How long each answer took, in milliseconds in their order; all of them, in seconds; and bytes of the largest."""

    milliseconds: tuple[float, ...]
    seconds: float
    largest: int


def nearest(ordered: Sequence[float], per_cent: int) -> float:
    """The value that so many per cent do not exceed (nearest rank)."""
    return ordered[max(0, -(-per_cent * len(ordered) // 100) - 1)]


async def crowd(port: int, calls: Sequence[Call], at_once: int) -> Answered:
    """Make every call once, so many of them at a time. Raises `RuntimeError` for an answer that is no page."""
    waiting = iter(calls)
    took: list[float] = []
    sizes: list[int] = []

    async def one_browser() -> None:
        writer: asyncio.StreamWriter | None = None
        try:
            for call in waiting:
                begun = time.perf_counter()
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(_request(port, call))
                size, is_kept = await asyncio.wait_for(_answer(reader, call), _PATIENCE_SECONDS)
                took.append(1000 * (time.perf_counter() - begun))
                sizes.append(size)
                if not is_kept:
                    writer.close()
                    writer = None
        finally:
            if writer is not None:
                writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(one_browser() for _ in range(at_once)))
    return Answered(tuple(sorted(took)), time.perf_counter() - begun, max(sizes))


def _request(port: int, call: Call) -> bytes:
    lines = (
        f"GET {call.path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Cookie: sessionid={call.cookie}",
        "Accept: text/html",
        "Accept-Language: en",
        "Accept-Encoding: gzip",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _answer(reader: asyncio.StreamReader, call: Call) -> tuple[int, bool]:
    """The size of an answer, and whether the connection is kept for the next."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    if first.split(" ", 2)[1] != "200":
        raise RuntimeError(f"{call.path} was answered with {first}")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    is_kept = headers.get("connection", "").lower() != "close"
    if "content-length" in headers:
        return len(await reader.readexactly(int(headers["content-length"]))), is_kept
    size = 0
    while chunk := int(await reader.readline(), 16):
        size += len(await reader.readexactly(chunk))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return size, is_kept


def main() -> None:
    """Make the calls that standard input names."""
    wanted = json.load(sys.stdin)
    calls = [Call(**each) for each in wanted["calls"]]
    print(json.dumps(asdict(asyncio.run(crowd(wanted["port"], calls, wanted["at_once"])))))


if __name__ == "__main__":
    main()
