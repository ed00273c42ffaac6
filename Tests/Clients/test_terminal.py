"""The program on a real terminal: what `wait` shows in a narrow one, and what becomes of a gateway whose terminal is closed."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time

import pytest
from processes import DEADLINE


class Terminal:
    """A program as the leader of a session with a terminal of its own."""

    def __init__(self, command, environment, directory, columns=80, output=None):
        self.main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.shown = ""
        self.process = subprocess.Popen(
            command, env=environment, cwd=directory, stdin=side, stdout=output or side, stderr=side, start_new_session=True,
            preexec_fn=self.take_terminal,
        )
        os.close(side)

    @staticmethod
    def take_terminal():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        # Tests that were themselves started by nohup hand its disposition on.
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    def read_until(self, condition):
        """Reads what is shown until a condition on it holds, or the program has closed the terminal."""
        deadline = time.monotonic() + DEADLINE
        while not condition(self.shown):
            assert time.monotonic() < deadline, self.shown
            if not select.select([self.main], [], [], 0.2)[0]:
                continue
            try:
                piece = os.read(self.main, 1 << 16)
            except OSError:  # EIO: no one has the other side any longer
                return
            self.shown += piece.decode()

    def close(self):
        """Closes the terminal, as when its window or its connection goes."""
        os.close(self.main)


@pytest.mark.parametrize("columns", [20, 40, 60])
def test_wait_writes_over_one_line_in_a_narrow_terminal(gateway, rollout, tmp_path, columns):
    gateway.redis("SADD", rollout.rollout, "0198f3a0-0000-7000-8000-000000000001", "0198f3a0-0000-7000-8000-000000000002")
    gateway.redis("EXPIRE", rollout.rollout, "600")
    command = [os.environ["GATEWAY_BINARY"], "wait", rollout.rollout, "--url", gateway.url + "/v1", "--timeout", "4"]
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    terminal = Terminal(command, environment, tmp_path, columns)
    terminal.read_until(lambda _: terminal.process.poll() is not None)
    terminal.read_until(lambda _: False)
    terminal.close()
    looks = terminal.shown.split("\r\x1b[K")[1:-1]
    assert looks, terminal.shown
    for look in looks:
        assert len(look) < columns and "\n" not in look, repr(look)
    assert any("0%" in look or "waiting" in look for look in looks)


def start(tmp_path, columns=80, **settings):
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PORT": "0", "TRACESTORE_PORT": "0"}
    terminal = Terminal([os.environ["GATEWAY_BINARY"], "serve"], {**environment, **settings}, tmp_path, columns)
    terminal.read_until(lambda shown: "Stop it with Ctrl-C" in shown)
    port = int(re.search(r"listens on http://127\.0\.0\.1:(\d+)", terminal.shown).group(1))
    return terminal, port


def slow_call(port):
    """A call that takes two seconds; its status is in the list that comes back, once there is one."""
    import http.client

    statuses = []

    def call():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        body = json.dumps({"model": "mock/echo?delay_ms=2000", "messages": [{"role": "user", "content": "hi"}]})
        connection.request("POST", "/v1/chat/completions", body)
        statuses.append(connection.getresponse().status)

    thread = threading.Thread(target=call)
    thread.start()
    deadline = time.monotonic() + DEADLINE
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        connection.request("GET", "/health")
        if json.load(connection.getresponse())["waiting"] == 1:
            return thread, statuses
        assert time.monotonic() < deadline


RULES = "type: gateway-metadata-config\n"


@pytest.mark.parametrize("rules", [False, True])
def test_a_closed_terminal_ends_the_gateway_in_order(tmp_path, rules):
    (tmp_path / "gateway.yaml").write_text(RULES)
    terminal, port = start(tmp_path, **({"CONFIG_PATH": "gateway.yaml"} if rules else {}))
    thread, statuses = slow_call(port)
    terminal.close()
    thread.join(DEADLINE)
    assert statuses == [200], "what runs is finished"
    assert terminal.process.wait(DEADLINE) == 0


def test_a_signal_on_an_open_terminal_has_the_rules_read_again(tmp_path):
    (tmp_path / "gateway.yaml").write_text(RULES)
    terminal, port = start(tmp_path, CONFIG_PATH="gateway.yaml")
    (tmp_path / "gateway.yaml").write_text(RULES + "mistake: 1\n")
    terminal.process.send_signal(1)
    terminal.read_until(lambda shown: "mistake" in shown)
    assert terminal.process.poll() is None
    terminal.process.terminate()
    terminal.read_until(lambda _: False)
    assert terminal.process.wait(DEADLINE) == 0
    terminal.close()


def test_nohup_outlives_its_terminal(tmp_path):
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PORT": "0", "TRACESTORE_PORT": "0"}
    command = ["nohup", os.environ["GATEWAY_BINARY"], "serve"]
    terminal = Terminal(command, environment, tmp_path, output=subprocess.PIPE)
    said = ""
    for line in terminal.process.stdout:
        said += line.decode()
        if "Stop it with Ctrl-C" in said:
            break
    port = int(re.search(r"listens on http://127\.0\.0\.1:(\d+)", said).group(1))
    terminal.close()
    thread, statuses = slow_call(port)
    thread.join(DEADLINE)
    assert statuses == [200]
    terminal.process.terminate()
    assert terminal.process.wait(DEADLINE) == 0
