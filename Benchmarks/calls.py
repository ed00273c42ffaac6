"""A client of many calls at once, each on a connection of its own, that keeps the time of every chunk."""

import asyncio
import re
import time
from array import array
from dataclasses import dataclass, field

import uvloop

from processes import SystemFailed
from systems import HEADERS

# The time at which the upstream sent a chunk (paced_upstream.py). CLOCK_MONOTONIC is one clock for all processes of a machine.
STAMP = re.compile(rb"@(\d{19})@")
CONNECTING_AT_ONCE = 100


def times():
    return field(default_factory=lambda: array("q"))


@dataclass
class Outcome:
    """Of all calls: how many came back whole, and nanoseconds."""

    whole: int = 0
    failures: list = field(default_factory=list)
    # From the request to the end of the answer, and to the first chunk of a stream.
    totals: array = times()
    first_chunks: array = times()
    # Between two chunks of a stream, and from the upstream's sending a chunk to its coming here.
    gaps: array = times()
    transits: array = times()


class Call(asyncio.Protocol):
    def __init__(self, request, mark, outcome):
        self._request = request
        self._mark = mark
        self._outcome = outcome
        self._head = self._tail = b""
        self._unread = b""
        self._last_chunk = None
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self._transport = transport

    def send(self):
        self._sent = time.monotonic_ns()
        self._transport.write(self._request)

    def data_received(self, data):
        now = time.monotonic_ns()
        # Enough to know how the answer began and ended.
        self._head = self._head or data[:300]
        self._tail = (self._tail + data)[-1000:]
        self._unread += data
        read = 0
        for stamp in STAMP.finditer(self._unread):
            read = stamp.end()
            self._take(int(stamp.group(1)), now)
        self._unread = self._unread[max(read, len(self._unread) - 20) :]

    def _take(self, sent, now):
        self._outcome.transits.append(now - sent)
        if self._last_chunk is None:
            self._outcome.first_chunks.append(now - self._sent)
        else:
            self._outcome.gaps.append(now - self._last_chunk)
        self._last_chunk = now

    def connection_lost(self, error):
        # Every request says `Connection: close`, so the end of the connection is the end of the answer.
        if self._head.startswith(b"HTTP/1.1 200") and self._mark in self._tail:
            self._outcome.whole += 1
            self._outcome.totals.append(time.monotonic_ns() - self._sent)
        else:
            self._outcome.failures.append(f"{error or 'closed'}: {self._head}")
        self.ended.set_result(None)


def requests(system, body, count):
    """The bytes of `count` requests, spread over 64 rollouts."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    for number in range(count):
        path = system.path.replace("{}", str(number % 64))
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{system.port}\r\nConnection: close\r\n{fields}Content-Length: {len(body)}\r\n\r\n"
        yield head.encode() + body


async def connect(system, body, count, mark, outcome):
    loop = asyncio.get_running_loop()
    calls = [Call(request, mark, outcome) for request in requests(system, body, count)]
    for first in range(0, count, CONNECTING_AT_ONCE):
        some = calls[first : first + CONNECTING_AT_ONCE]
        await asyncio.gather(*(loop.create_connection(lambda call=call: call, "127.0.0.1", system.port) for call in some))
    return calls


async def run(system, body, count, mark, spread, within):
    outcome = Outcome()
    calls = await connect(system, body, count, mark, outcome)
    loop = asyncio.get_running_loop()
    for number, call in enumerate(calls):
        loop.call_later(number * spread / count, call.send)
    _, late = await asyncio.wait([call.ended for call in calls], timeout=within)
    outcome.failures += [f"no whole answer within {within} s"] * len(late)
    return outcome


def make(system, body, count, mark, spread, within):
    """Opens `count` connections, then sends a request on each within `spread` seconds. A whole answer is a 200 with `mark` at its end."""
    try:
        return uvloop.run(run(system, body, count, mark, spread, within))
    except OSError as error:
        raise SystemFailed(f"{system.name} takes no {count} connections: {error}") from error
