"""The processes of a soak: a Redis, a trace store, an ingress, a `serve`, three forwarders and two verifiers, each of which can be ended, and another started."""

import asyncio
import base64
import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from planned_provider import KEY_PREFIX
from processes import Child, SystemFailed, ask, free_port
from redis_view import RedisView
from routed import ACCOUNTS, RULES as ROUTES
from withheld import RULES as LOGGING

# From a request's arrival to its answer's end, and for a stopping process to end what runs, in seconds.
REQUEST_TIMEOUT, DRAIN = 120, 5
# Small, so that answers of a few hundred kilobytes already wait for their readers.
WINDOW = "128KiB"
# Half an hour of this load keeps more than the default of 1 GiB. From then on a request for a kept answer gets a 507,
# and other answers are no longer kept. KeptBytesTests show that; a soak looks for what goes wrong without it.
KEPT_BYTES = "16GiB"
PROJECT = "soak"
KEYS = {"public_key": "pk-lf-soak", "secret_key": "sk-lf-soak"}
STOPPING_ORDER = ["ingress", "forwarder", "verifier", "tracestore", "redis"]
DURABILITY = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"]


class Process(Child):
    """A process of the fleet. When it stopped working, and how, is known to whoever judges what it answered."""

    def __init__(self, role, number, command, directory, environment):
        super().__init__(f"{role}-{number}", [str(word) for word in command], directory, environment)
        self.kind, self.number = role, number
        self.began = time.monotonic()
        # When it was killed, frozen or told to stop.
        self.losses = []
        self.is_leaving = self.was_killed = False

    @property
    def process_id(self):
        return self._process.pid

    @property
    def status(self):
        """The exit status; None while it runs."""
        return self._process.poll()

    def send(self, number):
        """A signal; nothing if the process has ended."""
        self._process.send_signal(number)

    def kill(self):
        self.was_killed = True
        self._lose()
        self.send(signal.SIGKILL)
        self._process.wait()

    def freeze(self):
        self.losses.append(time.monotonic())
        self.send(signal.SIGSTOP)

    def terminate(self):
        self._lose()
        self.send(signal.SIGTERM)

    def _lose(self):
        self.is_leaving = True
        self.losses.append(time.monotonic())


class Ingress(Process):
    command = "ingress"

    def __init__(self, number, executable, directory, environment, finishes):
        self.port = free_port()
        # Whether a call goes on without its client (`ON_DISCONNECT`).
        self.finishes = finishes
        rules = directory / "gateway.yaml"
        rules.write_text(f"{ROUTES}---\n{LOGGING}")
        own = {"HOST": "127.0.0.1", "PORT": str(self.port), "ON_DISCONNECT": "finish" if finishes else "cancel", "CONFIG_PATH": str(rules)}
        environment = {**environment, **own}
        super().__init__("ingress", number, [executable, self.command], directory, environment)
        self.url = f"http://127.0.0.1:{self.port}"


class Serve(Ingress):
    """An ingress that has a forwarder and a verifier in its own process."""

    command = "serve"

    def __init__(self, number, executable, directory, environment, finishes):
        super().__init__(number, executable, directory, {**environment, "DATA_DIR": str(directory / f"serve-{number}")}, finishes)


class Part:
    """A worker within another process, with which it is lost."""

    def __init__(self, kind, number, holder):
        self.kind, self.number, self.holder = kind, number, holder

    @property
    def losses(self):
        return self.holder.losses


class Fleet:
    """All processes that there were. Those in `ingresses`, `forwarders` and `verifiers` work now; the first of each is never ended, so that its memory can be watched."""

    def __init__(self, executable, directory, url_of):
        """url_of: gives the base URL of an account of the provider's."""
        self._executable, self._directory, self._url_of = executable, directory, url_of
        self._socket = directory / "redis.sock"
        self._environment = {
            **{"PATH": os.environ["PATH"], "HOME": str(directory), "REDIS_HOST": f"unix:{self._socket}", "LOG_LEVEL": "INFO"},
            **{"GATEWAY_KEY": base64.b64encode(os.urandom(32)).decode(), "REQUEST_TIMEOUT": str(REQUEST_TIMEOUT)},
            **{"DRAIN_SECONDS": str(DRAIN), "MAX_BUFFERED_BYTES": WINDOW, "KEPT_BYTES": KEPT_BYTES},
        }
        self._store_port = free_port()
        self._environment["LANGFUSE_HOST"] = f"http://127.0.0.1:{self._store_port}"
        self.processes, self.ingresses, self.forwarders, self.verifiers = [], [], [], []
        self._parts = []
        self.redis = self.store = None

    async def start(self):
        await self.start_redis()
        await self.start_store()
        for _ in range(2):
            await self.start_ingress()
            self.start_verifier()
        for _ in range(3):
            self.start_forwarder()
        await self._until(lambda: self.ready_forwarders() == self.living("forwarder"), self.ingresses[0], "seen all forwarders")

    def ready_forwarders(self):
        answer = ask(self.ingresses[0].port, "GET", "/ready")
        return answer and json.loads(answer[1]).get("forwarders")

    def look(self):
        return RedisView(self._socket)

    async def start_redis(self):
        command = ["redis-server", "--port", 0, "--unixsocket", self._socket, "--dir", self._directory, *DURABILITY]
        self.redis = self._add(Process("redis", self._count("redis"), command, self._directory, self._environment))

        def answers():
            with suppress(OSError), self.look() as redis:
                return redis("PING") == "PONG"

        await self._until(answers, self.redis, "answered")

    async def start_store(self):
        environment = {**self._environment, **self._secrets("tracestore"), "TRACESTORE_PORT": str(self._store_port), "DATA_DIR": str(self._directory / "traces")}
        self.store = self._add(Process("tracestore", self._count("tracestore"), [self._executable, "tracestore"], self._directory, environment))
        await self._until(lambda: ask(self._store_port, "GET", "/api/public/health"), self.store, "answered")

    async def start_ingress(self):
        """All but the first are `serve`: what kills one of them kills clients' side and calls at once."""
        number = self._count("ingress")
        kind = Serve if number else Ingress
        forwarder = self._count("forwarder")
        secrets = self._secrets(f"ingress-{number}", f"{KEY_PREFIX}{forwarder}")
        ingress = self._add(kind(number, self._executable, self._directory, {**self._environment, **secrets}, finishes=number % 2 == 0))
        if number:
            self._parts += [Part("forwarder", forwarder, ingress), Part("verifier", self._count("verifier"), ingress)]
        await self._until(lambda: ask(ingress.port, "GET", "/health"), ingress, "answered /health")
        self.ingresses.append(ingress)
        return ingress

    def start_forwarder(self):
        number = self._count("forwarder")
        environment = {**self._environment, **self._secrets(f"forwarder-{number}", f"{KEY_PREFIX}{number}")}
        forwarder = self._add(Process("forwarder", number, [self._executable, "forwarder"], self._directory, environment))
        self.forwarders.append(forwarder)
        return forwarder

    def start_verifier(self):
        environment = {**self._environment, **self._secrets("verifier")}
        self.verifiers.append(self._add(Process("verifier", self._count("verifier"), [self._executable, "verifier"], self._directory, environment)))

    def started(self, kind):
        """All processes of a kind that there ever were, and workers within others, by their numbers."""
        return sorted((process for process in [*self.processes, *self._parts] if process.kind == kind), key=lambda process: process.number)

    def living(self, kind):
        """How many workers of a kind work now."""
        alone = {"forwarder": self.forwarders, "verifier": self.verifiers}[kind]
        return len(alone) + sum(part.kind == kind and part.holder in self.ingresses for part in self._parts)

    def stop(self):
        """Ends what still runs, by process id."""
        for process in self.processes:
            if process.status is None:
                process.send(signal.SIGCONT)
        for process in sorted(self.processes, key=lambda process: STOPPING_ORDER.index(process.kind)):
            if process.status is None:
                process.stop()

    def _count(self, kind):
        return len(self.started(kind))

    def _add(self, process):
        self.processes.append(process)
        return process

    def _secrets(self, name, key="unused"):
        path = Path(self._directory) / f"{name}.yaml"
        path.touch(mode=0o600)
        accounts = {account: {"base_url": self._url_of(account), "key": key} for account in ACCOUNTS}
        path.write_text(json.dumps({"accounts": accounts, "langfuse_keys": {PROJECT: KEYS}, "default_project_id": PROJECT}))
        return {"SECRETS_PATH": str(path)}

    async def _until(self, condition, process, what, within=60):
        deadline = time.monotonic() + within
        while not await asyncio.to_thread(condition):
            if process.has_ended or time.monotonic() > deadline:
                raise SystemFailed(str(process.failure(f"has not {what}")))
            await asyncio.sleep(0.05)
