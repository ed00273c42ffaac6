"""The parts as a cluster runs them: one Redis, one ingress, and forwarders that are started and stopped one by one."""

import base64
import json
import os
import signal
import subprocess
import time

from processes import DEADLINE, Server
from scaler import Queue


def eventually(condition, what, seconds=30):
    """Waits for what no signal tells of, such as the content of Redis; gives what the condition did."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.02)
    return found


class Forwarder:
    def __init__(self, environment, directory, number):
        self.log = directory / f"forwarder-{number}.log"
        with open(self.log, "wb") as log:
            command = [os.environ["GATEWAY_BINARY"], "forwarder"]
            self._process = subprocess.Popen(command, env=environment, cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    def terminate(self):
        """SIGTERM, as a kubelet sends it."""
        self._process.send_signal(signal.SIGTERM)

    @property
    def is_running(self):
        return self._process.poll() is None

    def wait(self):
        return self._process.wait(DEADLINE)

    def kill(self):
        self._process.kill()
        self._process.wait()


class Fleet:
    def __init__(self, directory, provider, keys, concurrency, **settings):
        """settings: of all parts, over those below."""
        self._directory, self._keys = directory, keys
        self._socket = directory / "redis.sock"
        secrets = directory / "secrets.yaml"
        secrets.touch(mode=0o600)
        secrets.write_text(json.dumps({"accounts": {"scripted": {"base_url": provider.base_url, "key": "key-of-the-provider"}}}))
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "REDIS_HOST": f"unix:{self._socket}",
            "GATEWAY_KEY": base64.b64encode(os.urandom(32)).decode(),
            "SECRETS_PATH": str(secrets),
            # Nothing listens there: the rollout's set is looked at, not its traces.
            "LANGFUSE_HOST": "http://127.0.0.1:1",
            "FORWARDER_CONCURRENCY": str(concurrency),
            # A busy machine may hold Redis up for longer than the usual timeout; a test would see calls refused.
            "REDIS_COMMAND_TIMEOUT_MS": "10000",
            "REQUEST_TIMEOUT": "60",
            "DRAIN_SECONDS": "60",
            **settings,
        }
        # Those that take jobs, and those that were stopped and end their calls.
        self.forwarders, self.leaving = [], []
        self._started = 0
        self._redis = self.ingress = None

    def start(self, forwarders):
        command = ["redis-server", "--port", "0", "--unixsocket", str(self._socket), "--dir", str(self._directory), "--save", "", "--maxmemory-policy", "noeviction"]
        self._redis = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        eventually(self._socket.exists, "Redis listens")
        self.ingress = Server([os.environ["GATEWAY_BINARY"], "ingress"], {**self._environment, "HOST": "127.0.0.1", "PORT": "0"}, self._directory)
        for _ in range(forwarders):
            self.add()

    def add(self):
        self.forwarders.append(Forwarder(self._environment, self._directory, self._started))
        self._started += 1

    def remove(self):
        """Stops the forwarder that was started last; the calls that it has begun are its own to end."""
        leaving = self.forwarders.pop()
        leaving.terminate()
        self.leaving.append(leaving)
        eventually(lambda: "draining" in leaving.log.read_text() or not leaving.is_running, "the forwarder drains")

    def redis(self, *command):
        arguments = ["redis-cli", "--json", "-s", str(self._socket), *command]
        return json.loads(subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=DEADLINE).stdout)

    def queue(self):
        """As KEDA reads it: `XINFO GROUPS` and `XLEN`."""
        groups = {group["name"]: group for group in self.redis("XINFO", "GROUPS", self._keys["jobs"])}
        return Queue(groups[self._keys["jobGroup"]]["lag"], self.redis("XLEN", self._keys["jobs"]))

    def pending(self):
        return self.redis("XPENDING", self._keys["jobs"], self._keys["jobGroup"])[0]

    def stop(self):
        for forwarder in [*self.forwarders, *self.leaving]:
            forwarder.kill()
        if self.ingress:
            self.ingress.terminate()
        if self._redis:
            self._redis.kill()
            self._redis.wait()
