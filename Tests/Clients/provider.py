"""A scripted, strict LLM provider over real sockets, from the standard library alone.

A test writes a script, an `async def script(call)`, for one model name; the provider runs it for each request with that model. The
script sees the request's exact bytes and says byte for byte what goes back and when. What a well-behaved gateway would not send is
noted in `violations`, which the suite checks at its end.
"""

import asyncio
import itertools
import json
import threading
from contextlib import contextmanager

CHAT = "/v1/chat/completions"
DEADLINE = 20
SINGLE_HEADERS = {"host", "content-length", "content-type", "authorization", "transfer-encoding"}
# RFC 9110 §7.6.1 and what only the gateway itself may know.
NEVER_FORWARDED = {"proxy-authorization", "proxy-connection", "te", "trailer", "upgrade", "cookie", "traceparent", "x-tfy-metadata"}


class Signal:
    """An event between a test's thread and a script; every wait has a deadline, so none hangs."""

    def __init__(self):
        self._event = threading.Event()

    def set(self):
        self._event.set()

    @property
    def is_set(self):
        return self._event.is_set()

    def wait(self, timeout=DEADLINE):
        assert self._event.wait(timeout), "the awaited signal did not come"

    async def reached(self, timeout=DEADLINE):
        await asyncio.to_thread(self.wait, timeout)


class Call:
    """One request, and the means to answer it."""

    def __init__(self, connection, method, path, headers, body):
        self._connection = connection
        self.method, self.path, self.headers, self.body = method, path, headers, body
        # Set when the caller closes the connection before the answer's end.
        self.gone = Signal()

    def header(self, name):
        """The value of the one header of that name, or None."""
        return next((value for key, value in self.headers if key == name.lower()), None)

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def model(self):
        try:
            return self.json.get("model")
        except (ValueError, AttributeError):
            return None

    async def respond(self, body, status=200, headers=()):
        """A whole answer. `body` is bytes, or a value that becomes JSON."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        fields = dict([("content-type", "application/json"), *headers, ("content-length", str(len(body)))])
        self._connection.write(head(status, fields) + body)

    async def begin(self, status=200, headers=()):
        """The head of an answer in chunks."""
        fields = dict([("content-type", "text/event-stream"), *headers, ("transfer-encoding", "chunked")])
        self._connection.write(head(status, fields))

    async def send(self, piece):
        """One chunk, written at once."""
        self._connection.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    async def event(self, value):
        """One server-sent event."""
        await self.send(sse(value))

    async def end(self):
        self._connection.write(b"0\r\n\r\n")

    def cut(self):
        """Closes the connection where the answer stands."""
        self._connection.transport.close()


def head(status, fields):
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in fields.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def sse(value):
    data = value if isinstance(value, str) else json.dumps(value)
    return f"data: {data}\n\n".encode()


def completion(content, **message):
    """An OpenAI chat completion."""
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "scripted-model",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }


def chunk(content, finish_reason=None):
    """One piece of a streamed OpenAI chat completion."""
    delta = {} if content is None else {"content": content}
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "scripted-model",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    }


async def echo(call):
    """Answers with the last message's text; streams it word by word if asked to."""
    text = call.json["messages"][-1]["content"]
    if not call.json.get("stream"):
        return await call.respond(completion(text))
    await call.begin()
    for word in text.split(" "):
        await call.event(chunk(word))
    await call.event(chunk(None, "stop"))
    await call.event("[DONE]")
    await call.end()


class _Connection(asyncio.Protocol):
    """One keep-alive connection: reads requests strictly, one at a time."""

    def __init__(self, provider):
        self.provider = provider
        self.transport = None
        self._buffer = b""
        self._call = None

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, _):
        if self._call:
            self._call.gone.set()

    def data_received(self, data):
        self._buffer += data
        if self._call:
            self.provider.violations.append("a second request on a connection whose first is not answered")
        elif request := self._take_request():
            self._call = Call(self, *request)
            self.provider.loop.create_task(self._run(self._call))

    def write(self, data):
        if not self.transport.is_closing():
            self.transport.write(data)

    async def _run(self, call):
        await self.provider.run(call)
        self._call = None
        if self._buffer:
            self.data_received(b"")

    def _take_request(self):
        """(method, path, headers, body) once a whole request is there."""
        top, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return None
        request, *lines = top.decode("latin-1").split("\r\n")
        method, path, version = request.split(" ")
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        length = int(dict(headers).get("content-length", 0))
        if len(rest) < length:
            return None
        self._judge(version, headers)
        self._buffer = rest[length:]
        return method, path, headers, rest[:length]

    def _judge(self, version, headers):
        names = [name for name, _ in headers]
        problems = [f"{name} is repeated" for name in SINGLE_HEADERS if names.count(name) > 1]
        problems += [f"{name} was forwarded" for name in NEVER_FORWARDED.intersection(names)]
        problems += [] if version == "HTTP/1.1" else [f"version {version}"]
        problems += [] if "host" in names else ["no host"]
        problems += ["a body in chunks, though its length was known"] if "transfer-encoding" in names else []
        self.provider.violations.extend(problems)


class ScriptedProvider:
    """Serves on a free port of 127.0.0.1 from a thread of its own, until `stop`."""

    def __init__(self):
        self.calls = []
        self.violations = []
        self._scripts = {}
        self._numbers = itertools.count(1)
        self._arrived = threading.Condition()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="scripted-provider", daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self.loop).result(DEADLINE)
        self.port = self._server.sockets[0].getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}/v1"

    def url_of(self, account):
        """A base URL with the account's name at the beginning of its path."""
        return f"http://127.0.0.1:{self.port}/{account}/v1"

    def script(self, script):
        """A model name that nothing else uses, whose calls `script` answers."""
        return self.name(f"script-{next(self._numbers)}", script)

    def name(self, name, script):
        """Lets `script` answer the calls whose model is `name`."""
        self._scripts[name] = script
        return name

    @contextmanager
    def other_paths(self, script):
        """For the time of the block, `script` answers the calls whose body names no scripted model."""
        self._scripts[None] = script
        try:
            yield
        finally:
            del self._scripts[None]

    async def run(self, call):
        with self._arrived:
            self.calls.append(call)
            self._arrived.notify_all()
        script = self._scripts.get((call.model or "").rpartition("/")[2]) or self._scripts.get(None)
        if script is None:
            return await call.respond({"error": {"message": f"nothing is scripted for {call.method} {call.path}"}}, status=404)
        try:
            await script(call)
        except Exception as error:
            self.violations.append(f"the script of {call.path} failed: {error!r}")
            call.cut()

    def calls_of(self, model):
        """The requests so far whose model is `model`, with or without a prefix."""
        with self._arrived:
            return [call for call in self.calls if (call.model or "").rpartition("/")[2] == model]

    def wait_for_call(self, model, count=1):
        """The requests of that model, once there are `count`."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.calls_of(model)) >= count, DEADLINE), f"no call of {model} came"
        return self.calls_of(model)

    def stop(self):
        self.loop.call_soon_threadsafe(self._server.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(DEADLINE)

    async def _listen(self):
        return await self.loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, backlog=2048)
