"""The processes of one measurement: started in a folder of their own, ready when a call succeeds, stopped by their process ids."""

import http.client
import os
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path

READY_WITHIN = 90
STOPPED_WITHIN = 45


class SystemFailed(Exception):
    """A system that does not start, or does not answer as it should."""


_reserved = []


def free_port():
    """A port of 127.0.0.1 that stays free, as long as this process lives, for the server that asks for it with SO_REUSEADDR: a bound socket that does not listen holds it."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    _reserved.append(holder)
    return holder.getsockname()[1]


def tree(process_id):
    """The process and all that it started, parents first."""
    ids = [process_id]
    with suppress(FileNotFoundError, ProcessLookupError):
        for thread in os.listdir(f"/proc/{process_id}/task"):
            for child in Path(f"/proc/{process_id}/task/{thread}/children").read_text().split():
                ids += tree(int(child))
    return ids


class Child:
    """A process with a role in the measurement. What it prints goes to a file."""

    def __init__(self, role, command, directory, environment):
        self.role = role
        self._log = directory / f"{role}-{time.monotonic_ns()}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    @property
    def process_ids(self):
        return tree(self._process.pid)

    @property
    def has_ended(self):
        return self._process.poll() is not None

    def failure(self, what):
        """An error with the last lines that the process printed."""
        lines = self._log.read_text(errors="replace").splitlines()[-5:]
        return SystemFailed("\n".join([f"{self.role} {what}. It printed last:", *lines]))

    def stop(self):
        """Asks the process to end; kills what has not ended in time, by id."""
        ids = self.process_ids
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            for process_id in ids:
                with suppress(ProcessLookupError):
                    os.kill(process_id, signal.SIGKILL)
            self._process.wait()


class Workshop:
    """A temporary folder and the children that run in it; leaving it stops them, the last first."""

    def __enter__(self):
        self._exit = ExitStack()
        # A short path: one of the files in it is a Unix socket, whose path may have 107 bytes.
        self.directory = Path(self._exit.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        return self

    def __exit__(self, *error):
        self._exit.close()

    def write(self, name, text):
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(text)
        return path

    def start(self, role, command, **environment):
        # Nothing of the caller's environment: a key or a proxy that is set there would change what is measured.
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.directory), **environment}
        child = Child(role, [str(word) for word in command], self.directory, environment)
        self._exit.callback(child.stop)
        return child


def wait_until(condition, child, what):
    """Polls until the condition holds."""
    deadline = time.monotonic() + READY_WITHIN
    while not condition():
        if child.has_ended:
            raise child.failure(f"ended before it {what}")
        if time.monotonic() > deadline:
            raise child.failure(f"has not {what} within {READY_WITHIN} s")
        time.sleep(0.05)


def ask(port, method, path, body=None, headers=None):
    """The status and body of one answer; None while there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=READY_WITHIN)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
