"""The programs under test as child processes: started on free ports, found by what they print, stopped by their process id."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import uuid
from dataclasses import dataclass, field

DEADLINE = 60


class Server:
    """A child process that prints the address at which it listens."""

    address = re.compile(r"http://127\.0\.0\.1:([1-9][0-9]*)")

    def __init__(self, command, environment, directory):
        self.lines = []
        self._printed = threading.Condition()
        self._ended = False
        self.process = subprocess.Popen(
            command, env=environment, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.port = self._find_port()
        except BaseException:
            self.process.kill()
            raise
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def output(self):
        return "".join(self.lines)

    def terminate(self):
        """Asks the process to end, as an orchestrator does, and gives its exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(DEADLINE)
        finally:
            self.process.kill()
            self._reader.join(DEADLINE)

    def _read(self):
        for line in self.process.stdout:
            with self._printed:
                self.lines.append(line)
                self._printed.notify_all()
        with self._printed:
            self._ended = True
            self._printed.notify_all()

    def _find_port(self):
        with self._printed:
            found = self._printed.wait_for(lambda: self.address.search(self.output) or self._ended, DEADLINE)
            match = self.address.search(self.output)
        assert found and match, f"{self.process.args[0]} did not say where it listens:\n{self.output}"
        return int(match.group(1))


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


@dataclass(frozen=True)
class Rollout:
    """The five ids of one completion; new ones for each test, so that none sees another's."""

    project: str = None
    rollout: str = field(default_factory=lambda: f"rollout-{uuid.uuid4().hex}")

    @property
    def path(self):
        project = f"/project_id/{self.project}" if self.project else ""
        return f"{project}/rollout_id/{self.rollout}/invocation_id/inv/experiment_id/exp/run_id/run-1/row_id/row-7"

    @property
    def tags(self):
        """The tags of a completion, but for its insertion id."""
        return [f"rollout_id:{self.rollout}", "invocation_id:inv", "experiment_id:exp", "run_id:run-1", "row_id:row-7"]


class Gateway(Server):
    """`metadata-gateway serve` in a fresh data folder; without secrets, it is configured in nothing but its ports and that folder."""

    def __init__(self, directory, secrets=None, **settings):
        self.data = directory / "data"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "PORT": "0",
            "TRACESTORE_PORT": "0",
            "DATA_DIR": str(self.data),
            # A busy machine may hold Redis up for longer than the usual timeout; a test would see calls refused.
            "REDIS_COMMAND_TIMEOUT_MS": "10000",
        }
        if secrets is not None:
            self.secrets_file = directory / "secrets.yaml"
            self.secrets_file.write_text(json.dumps(secrets))
            self.secrets_file.chmod(0o600)
            # Nothing listens there: no test may reach a real Langfuse.
            environment |= {"SECRETS_PATH": str(self.secrets_file), "LANGFUSE_HOST": "http://127.0.0.1:1"}
        super().__init__([os.environ["GATEWAY_BINARY"], "serve"], {**environment, **settings}, directory)
        self._redis_process = int(re.search(r"process_id:(\d+)", self.redis("INFO", "server")).group(1))

    def stop(self):
        """Ends the gateway; fails unless it ends well and leaves no redis-server behind."""
        status = self.terminate()
        assert status == 0, f"the gateway ended with status {status}:\n{self.output}"
        try:
            os.kill(self._redis_process, 0)
        except ProcessLookupError:
            return
        raise AssertionError(f"redis-server ({self._redis_process}) outlived the gateway:\n{self.output}")

    def redis(self, *command):
        """What redis-cli answers."""
        arguments = ["redis-cli", "-s", str(self.data / "redis.sock"), *command]
        return subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=DEADLINE).stdout

    def ids(self, rollout, is_default_project=True):
        """The insertion ids that Redis holds for the rollout."""
        key = rollout.rollout if is_default_project else f"project/{rollout.project}/{rollout.rollout}"
        return set(self.redis("SMEMBERS", key).split())

    def request(self, method, path, body=None, headers=(), key="client-key", timeout=DEADLINE):
        """One request with exactly these bytes; the answer's bytes as they came."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            fields = {"Authorization": f"Bearer {key}"} if key else {}
            if body is not None:
                fields["Content-Type"] = "application/json"
            connection.request(method, path, body, {**fields, **dict(headers)})
            response = connection.getresponse()
            return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
        finally:
            connection.close()


class LiteLLMProxy(Server):
    """A real LiteLLM proxy that sends every model to `base_url` and reports each success there (litellm_report.py)."""

    master_key = f"sk-{uuid.uuid4().hex}{uuid.uuid4().hex}"

    def __init__(self, directory, program, base_url):
        configuration = {
            "model_list": [{"model_name": "*", "litellm_params": {"model": "openai/*", "api_base": base_url, "api_key": "key-of-the-proxy"}}],
            "general_settings": {"allow_client_side_credentials": True},
            "litellm_settings": {"callbacks": "litellm_report.report", "num_retries": 0},
        }
        (directory / "config.yaml").write_text(json.dumps(configuration))
        report = os.path.join(os.path.dirname(__file__), "litellm_report.py")
        os.symlink(report, directory / "litellm_report.py")
        self._start(directory, program, directory / "config.yaml", {"REPORT_URL": f"{base_url}/litellm-report"})

    @classmethod
    def of_file(cls, directory, configuration, environment):
        """A proxy under a configuration that is there, with further variables."""
        proxy = cls.__new__(cls)
        proxy._start(directory, os.path.join(os.path.dirname(sys.executable), "litellm"), configuration, environment)
        return proxy

    def _start(self, directory, program, configuration, environment):
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "LITELLM_MASTER_KEY": self.master_key,
            # The list of prices that the package carries, instead of one from the network.
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            **environment,
        }
        arguments = ["--config", str(configuration), "--host", "127.0.0.1", "--port", "0", "--telemetry", "False"]
        super().__init__([program, *arguments], environment, directory)
