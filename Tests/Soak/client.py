"""A client of the gateway: requests through any of its ingresses, each told to the end, with what was heard."""

import asyncio
import re
import socket
import time
from contextlib import asynccontextmanager

import httpx

from fleet import REQUEST_TIMEOUT
from hearing import Hearing, Verdict, conclude

KEY = "client-key"
# The gateway answers before that, whatever happens.
PATIENCE = REQUEST_TIMEOUT + 20
EVENT = re.compile(rb"(.*?\n)id: (\d+)\n\n", re.DOTALL)


class Refused(Exception):
    """No connection: nothing was sent."""


class Client:
    def __init__(self, fleet):
        self._fleet = fleet
        usual = {"trust_env": False, "timeout": PATIENCE, "headers": {"Authorization": f"Bearer {KEY}"}}
        no_limit = httpx.Limits(max_connections=None, max_keepalive_connections=100)
        self._http = httpx.AsyncClient(limits=no_limit, **usual)
        # A slow reader's own buffer is small, so that the gateway feels it.
        small = httpx.AsyncHTTPTransport(limits=no_limit, socket_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)])
        self._slow_http = httpx.AsyncClient(transport=small, **usual)
        self.refused = 0

    async def close(self):
        await self._http.aclose()
        await self._slow_http.aclose()

    @asynccontextmanager
    async def _response(self, ingress, method, path, headers, body, is_slow):
        http = self._slow_http if is_slow else self._http
        try:
            async with http.stream(method, ingress.url + path, content=body, headers=headers) as response:
                yield response
        except httpx.ConnectError as error:
            self.refused += 1
            raise Refused from error

    async def send(self, ingress, method, path, body=None, headers=(), plan=None, is_slow=False, leave_after=None, leave_at=None, on_bytes=None):
        """One request.

        `leave_after`: seconds after which the client goes away. `leave_at`: bytes after which it does. `on_bytes` is given the bytes of a 200 as they come.
        """
        hearing = Hearing(Verdict.UNKNOWN, "left", time.monotonic(), 0, ingress)
        fields = {**dict(headers), **({"Content-Type": "application/json"} if body is not None else {})}
        try:
            async with asyncio.timeout(leave_after):
                async with self._response(ingress, method, path, fields, body, is_slow) as response:
                    await self._hear(response, hearing, is_slow, leave_at, on_bytes)
        except TimeoutError:
            pass
        except httpx.TimeoutException:
            hearing.verdict, hearing.code = Verdict.WRONG, f"not answered within {PATIENCE} s"
        except httpx.TransportError as error:
            hearing.code = f"broken ({type(error).__name__})"
        hearing.ended = time.monotonic()
        if plan:
            conclude(hearing, plan)
        return hearing

    async def _hear(self, response, hearing, is_slow, leave_at, on_bytes):
        hearing.status = response.status_code
        hearing.id = response.headers.get("x-insertion-id")
        hearing.is_final = response.headers.get("x-should-retry") == "false"
        hearing.location = response.headers.get("location")
        hearing.headers = {name: value for name, value in response.headers.items() if name.startswith("x-tfy-")}
        async for piece in response.aiter_raw():
            if hearing.status == 200:
                hearing.first_byte = hearing.first_byte or time.monotonic()
                if on_bytes:
                    on_bytes(piece)
            hearing.body += piece
            if leave_at is not None and len(hearing.body) >= leave_at:
                return
            if is_slow:
                await asyncio.sleep(len(piece) / 400_000)
        hearing.is_complete = True

    def any_ingress(self, random):
        return random.choice(self._fleet.ingresses)


class EventReader:
    """Puts a numbered stream together over several connections; sees that no event is lost or doubled."""

    def __init__(self):
        # What came behind the last numbered event.
        self.rest = b""
        self.last = 0
        self.joined = b""
        self.problem = None

    def connect(self):
        """A new connection: what was half an event is sent again."""
        self.rest = b""

    def take(self, piece):
        self.rest += piece
        while match := EVENT.match(self.rest):
            self.rest = self.rest[match.end() :]
            if int(match.group(2)) != self.last + 1:
                self.problem = self.problem or f"event {int(match.group(2))} came behind event {self.last}"
            self.last = int(match.group(2))
            self.joined += match.group(1) + b"\n"
