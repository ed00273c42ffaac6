"""An upstream that answers after a delay, or in a stream whose events say when they were sent.

It speaks as much HTTP/1.1 as the measured systems use: requests with a Content-Length, kept-alive connections, `Connection: close`.
`GET /peak` gives the most calls that were in flight at once since it was last asked; any other GET is answered at once.
"""

import argparse
import asyncio
import json
import re
import time

import uvloop

from upstreams import ANSWER

CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
# Stops nginx from collecting a stream before it passes it on.
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-accel-buffering: no\r\ntransfer-encoding: chunked\r\n\r\n"
CHOICES = [{"index": 0, "delta": {"content": "STAMP"}}]
EVENT = json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": CHOICES})
BEFORE, AFTER = (part.encode() for part in f"data: {EVENT}\n\n".split("STAMP"))
LAST = b"data: [DONE]\n\n"


def answer(content):
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(content), content)


def chunk(content):
    return b"%x\r\n%s\r\n" % (len(content), content)


class Load:
    """How many calls are in flight at once."""

    def __init__(self):
        self.now = self.peak = 0

    def enter(self):
        self.now += 1
        self.peak = max(self.peak, self.now)

    def leave(self):
        self.now -= 1

    def take_peak(self):
        peak, self.peak = self.peak, self.now
        return peak


class Answerer(asyncio.Protocol):
    def __init__(self, options, load):
        self._options = options
        self._load = load
        self._received = b""
        self._timer = None
        self._is_last = False

    def connection_made(self, transport):
        self._transport = transport

    def connection_lost(self, error):
        if self._timer:
            self._timer.cancel()
            self._load.leave()

    def data_received(self, data):
        self._received += data
        head, separator, rest = self._received.partition(b"\r\n\r\n")
        length = CONTENT_LENGTH.search(head)
        length = int(length.group(1)) if length else 0
        if separator and len(rest) >= length:
            self._received = rest[length:]
            self._begin(head, rest[:length])

    def _begin(self, head, body):
        self._is_last = CLOSE.search(head) is not None
        if head.startswith(b"GET /peak"):
            self._write_last(answer(b"%d" % self._load.take_peak()))
        elif head.startswith(b"GET"):
            self._write_last(answer(b"{}"))
        elif b'"stream": true' in body or b'"stream":true' in body:
            self._load.enter()
            self._transport.write(STREAM_HEAD)
            self._send_event(1)
        else:
            self._load.enter()
            self._after(self._options.delay, self._send_answer)

    def _after(self, seconds, action, *arguments):
        self._timer = asyncio.get_running_loop().call_later(seconds, action, *arguments)

    def _end(self, last):
        self._timer = None
        self._load.leave()
        self._write_last(last)

    def _write_last(self, content):
        self._transport.write(content)
        if self._is_last:
            self._transport.close()

    def _send_answer(self):
        self._end(answer(json.dumps(ANSWER).encode()))

    def _send_event(self, number):
        event = chunk(BEFORE + b"@%019d@" % time.monotonic_ns() + AFTER)
        if number == self._options.chunks:
            self._end(event + chunk(LAST) + chunk(b""))
        else:
            self._transport.write(event)
            self._after(self._options.pace, self._send_event, number + 1)


async def serve(options):
    load = Load()
    server = await asyncio.get_running_loop().create_server(lambda: Answerer(options, load), "127.0.0.1", options.port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay", type=float, default=0, help="seconds before an answer that is no stream")
    parser.add_argument("--chunks", type=int, default=50, help="events of a stream")
    parser.add_argument("--pace", type=float, default=0.2, help="seconds between two of them")
    uvloop.run(serve(parser.parse_args()))
