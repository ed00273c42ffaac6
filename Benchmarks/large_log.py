"""`serve` on a request log that RequestLogBench has filled, with some live calls in it."""

import http.client
import json
import time
from contextlib import contextmanager

from processes import Workshop, free_port, wait_until
from systems import HEADERS, MODEL, gateway_settings, request_body
from upstreams import instant

ROLLOUTS = 400
LARGE_ROLLOUT = 2000
PROJECT = "/dashboard/projects/local"
LIMITS = {
    "type": "gateway-rate-limiting-config",
    "rules": [
        {"id": "requests-a-minute", "when": {"models": [MODEL]}, "unit": "requests_per_minute", "limit_to": 10**9},
        {
            **{"id": "rollout-a-day", "when": {}, "unit": "requests_per_day", "limit_to": 10**6},
            "rate_limit_applies_per": ["metadata.run_id"],
        },
    ],
}


class Client:
    """One connection to the gateway, which it keeps."""

    def __init__(self, port):
        self.port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def ask(self, path, method="GET", body=None, headers=None):
        self._connection.request(method, path, body, headers or {})
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def milliseconds(self, path):
        """How long an answer takes, to its last byte."""
        began = time.monotonic()
        status, body = self.ask(path)
        passed = (time.monotonic() - began) * 1000
        if status != 200:
            raise SystemExit(f"{path}: {status} {body[:500]}")
        return passed

    def is_served(self):
        """Whether the gateway is ready."""
        try:
            return self.ask("/ready")[0] == 200
        except OSError:
            self._connection.close()
            return False


def calls(client):
    """Some live calls, unless an earlier run has made them: many small rollouts, and a large one."""
    if json.loads(client.ask("/v1/rollouts?prefix=large")[1])["rollouts"]:
        return
    names = [f"live-{number // 3}" for number in range(3 * ROLLOUTS)] + ["large"] * LARGE_ROLLOUT
    body = request_body()
    for number, name in enumerate(names):
        path = f"/rollout_id/{name}/invocation_id/i/experiment_id/e{number % 7}/run_id/run-{number // 300}/row_id/{number}/chat/completions"
        status, answer = client.ask(path, "POST", body, HEADERS)
        if status != 200:
            raise SystemExit(f"{path}: {status} {answer[:500]}")


@contextmanager
def serving(executable, folder):
    """A client of the gateway that keeps its data in the folder, and the gateway's process."""
    with Workshop() as workshop:
        upstream = instant(workshop)
        port = free_port()
        rules = workshop.write("gateway.yaml", json.dumps(LIMITS))
        settings = gateway_settings(workshop, upstream) | {"PORT": str(port), "HOST": "127.0.0.1", "TRACESTORE_PORT": "0"}
        settings |= {"DATA_DIR": str(folder), "CONFIG_PATH": str(rules), "DASHBOARD_ADMIN": "true"}
        # Nothing that was made up is too old or too much.
        settings |= {"REQUEST_LOG_MAX_AGE": "315360000", "TRACESTORE_MAX_BYTES": "100GiB", "AUDIT_LOG_MAX_AGE": "315360000"}
        child = workshop.start("gateway", [executable, "serve"], **settings)
        client = Client(port)
        wait_until(client.is_served, child, "became ready")
        calls(client)
        time.sleep(2)
        yield client, child
