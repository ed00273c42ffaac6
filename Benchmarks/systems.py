"""The systems that are measured: how each is started before an upstream, and where a chat completion goes in."""

import base64
import json
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from processes import SystemFailed, Workshop, ask, free_port, wait_until
from upstreams import MESSAGE, Upstream, start_nginx

# What every client sends: to the gateway's upstream it is the client's own key, to a LiteLLM proxy its master key.
KEY = "sk-benchmark-0123456789abcdef"
HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
MODEL = "mock-upstream/gpt"
PLAIN_PATH = "/v1/chat/completions"
# `{}` stands for a number: a run spreads its calls over several rollouts.
ROLLOUT_PATH = "/rollout_id/rollout-{}/invocation_id/i/experiment_id/e/run_id/r/row_id/1/chat/completions"


def request_body(size=1200, **members):
    """A chat completion of exactly `size` bytes."""
    body = {"model": MODEL, **members, "messages": [{"role": "user", "content": ""}]}
    body["messages"][0]["content"] = ("Is the answer of the assistant right? " * (size // 38 + 1))[: size - len(json.dumps(body))]
    return json.dumps(body).encode()


@dataclass
class System:
    """A system that is running."""

    name: str
    port: int
    path: str
    children: list
    upstream: Upstream
    # The name that leads it to the upstream.
    model: str = MODEL

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def measured(self):
        """The system's own processes and the upstream."""
        return [*self.children, self.upstream.child]

    def request_body(self, size=1200, **members):
        """As the function of this name, for the system's model."""
        return request_body(size, model=self.model, **members)

    def wait_until_ready(self):
        """Until a chat completion succeeds, with what the upstream says."""
        last = None

        def answers():
            nonlocal last
            last = ask(self.port, "POST", self.path.replace("{}", "0"), self.request_body(), HEADERS)
            return last and last[0] == 200 and MESSAGE["content"].encode() in last[1]

        try:
            wait_until(answers, self.measured[0], "answered a chat completion with what the upstream says")
        except SystemFailed as failure:
            raise SystemFailed(f"{failure}\nIts last answer: {last}") from None


def direct(workshop, upstream, options):
    """No system: the client straight to the upstream."""
    return System("direct", upstream.port, PLAIN_PATH, [], upstream)


def nginx(workshop, upstream, options):
    port = free_port()
    pool = f"upstream upstream {{ server 127.0.0.1:{upstream.port}; keepalive 256; }}"
    location = 'location / { proxy_pass http://upstream; proxy_http_version 1.1; proxy_set_header Connection ""; }'
    child = start_nginx(workshop, "nginx", 2, f"{pool} server {{ listen 127.0.0.1:{port} backlog=4096; {location} }}")
    return System("nginx", port, PLAIN_PATH, [child], upstream)


def vllm_router(workshop, upstream, options):
    port = free_port()
    command = [Path(sys.executable).with_name("vllm-router"), "--host", "127.0.0.1", "--port", port, "--prometheus-port", free_port()]
    command += ["--worker-urls", f"http://127.0.0.1:{upstream.port}", "--policy", "round_robin", "--log-level", "warning"]
    return System("vllm-router", port, PLAIN_PATH, [workshop.start("vllm-router", command)], upstream)


def smg(workshop, upstream, options):
    port = free_port()
    command = [Path(sys.executable).with_name("smg"), "launch", "--host", "127.0.0.1", "--port", port]
    command += ["--prometheus-host", "127.0.0.1", "--prometheus-port", free_port(), "--log-level", "warn"]
    command += ["--worker-urls", f"http://127.0.0.1:{upstream.port}", "--policy", "round_robin"]
    # So it calls the model of a worker that names none, as this upstream.
    return System("smg", port, PLAIN_PATH, [workshop.start("smg", command)], upstream, model="unknown")


def ferrogw(workshop, upstream, options):
    port = free_port()
    # It takes only models that it knows, or other names for them.
    config = {"strategy": {"mode": "single"}, "targets": [{"virtual_key": "openai"}], "aliases": {MODEL: "gpt-4o-mini"}}
    child = workshop.start(
        "ferrogw",
        [Path(sys.executable).with_name("ferrogw"), "serve"],
        GATEWAY_CONFIG=str(workshop.write("config.json", json.dumps(config))),
        OPENAI_BASE_URL=f"http://127.0.0.1:{upstream.port}",
        OPENAI_API_KEY="sk-upstream",
        MASTER_KEY=KEY,
        PORT=str(port),
        LOG_LEVEL="warn",
        # No limit, instead of 20 requests a second.
        RATE_LIMIT_RPS="0",
        # No server is there, so it takes the list of models that it carries, instead of one from the network.
        FERRO_MODEL_CATALOG_URL="http://127.0.0.1:9",
    )
    return System("ferrogw", port, PLAIN_PATH, [child], upstream)


# The package runs it inside a Python process, at a port that it chooses itself.
TENSORZERO = """
import signal
from tensorzero.tensorzero import _start_http_gateway
stores = {"clickhouse_url": None, "postgres_url": None, "valkey_url": None}
gateway = _start_http_gateway(config_file="tensorzero.toml", **stores, async_setup=False)
print(gateway.base_url, file=open("address", "w"), flush=True)
signal.pause()
"""
TENSORZERO_CONFIG = """
[gateway]
observability.enabled = false
disable_pseudonymous_usage_analytics = true
[models."{model}"]
routing = ["upstream"]
[models."{model}".providers.upstream]
type = "openai"
model_name = "gpt"
api_base = "http://127.0.0.1:{port}/v1/"
api_key_location = "env::UPSTREAM_KEY"
"""


def tensorzero(workshop, upstream, options):
    """Without the stores of its observability: nothing is kept of a call."""
    workshop.write("tensorzero.toml", TENSORZERO_CONFIG.format(model=MODEL, port=upstream.port))
    file = workshop.write("address", "")
    child = workshop.start("tensorzero", [sys.executable, "-c", TENSORZERO], UPSTREAM_KEY="sk-upstream", RUST_LOG="warn")
    wait_until(lambda: file.read_text().endswith("\n"), child, "said its address")
    address = urlsplit(file.read_text().strip())
    path = f"{address.path}/chat/completions"
    return System("tensorzero", address.port, path, [child], upstream, f"tensorzero::model_name::{MODEL}")


def litellm(workshop, upstream, options):
    port = free_port()
    parameters = {"model": "openai/*", "api_base": f"http://127.0.0.1:{upstream.port}/v1", "api_key": "sk-upstream"}
    models = [{"model_name": "*", "litellm_params": parameters}]
    workshop.write("config.yaml", json.dumps({"model_list": models, "litellm_settings": {"num_retries": 0}}))
    command = [Path(sys.executable).with_name("litellm"), "--config", "config.yaml", "--host", "127.0.0.1", "--port", port]
    # The list of prices that the package carries, instead of one from the network.
    child = workshop.start(
        "litellm",
        [*command, "--num_workers", 1, "--telemetry", "False"],
        LITELLM_MASTER_KEY=KEY,
        LITELLM_LOCAL_MODEL_COST_MAP="True",
        LITELLM_LOG="WARNING",
    )
    return System("litellm", port, PLAIN_PATH, [child], upstream)


def gateway_settings(workshop, upstream, secrets=None):
    """What all processes of the gateway are told: an account of the operator's leads to the upstream. `secrets`: more members of the secrets file."""
    account = {"base_url": f"http://127.0.0.1:{upstream.port}/v1", "key": "sk-upstream"}
    file = workshop.write("secrets.yaml", json.dumps({"accounts": {"mock-upstream": account}, **(secrets or {})}))
    return {"SECRETS_PATH": str(file), "LOG_LEVEL": "WARNING"}


# A Langfuse for which no project has keys.
UNTRACED = {"LANGFUSE_HOST": "http://127.0.0.1:9"}
UNLOGGED = {"REQUEST_LOG": "off"}


def gateway(workshop, upstream, options):
    """`serve`: the whole gateway in one process, with a Redis of its own and its append-only file. A Langfuse for which no project has keys: nothing is traced."""
    return serve(workshop, upstream, options, "gateway", **UNTRACED, **UNLOGGED)


def traced_gateway(workshop, upstream, options):
    """`serve` without the request log: each call is a trace in its own trace store, in the same process."""
    return serve(workshop, upstream, options, "gateway-traces", **UNLOGGED)


def logged_gateway(workshop, upstream, options):
    """`serve` as it comes: each call is a trace, and a row of the request log."""
    return serve(workshop, upstream, options, "gateway-log")


def untraced_gateway_with_log(workshop, upstream, options):
    """As `gateway`, with the request log: each call leaves a row without bodies."""
    return serve(workshop, upstream, options, "gateway-log-untraced", **UNTRACED)


def gateway_with_rules(workshop, upstream, options):
    """As `gateway`, with a hundred rate limits and a rule on load balancing.

    Each call meets two limits on requests, one on tokens, and the rule on balancing; no limit is reached.
    """
    rules = [
        {"id": "requests-a-minute", "when": {"models": [MODEL]}, "unit": "requests_per_minute"},
        {
            **{"id": "requests-a-day", "when": {"metadata": {"run_id": "r"}}, "unit": "requests_per_day"},
            "rate_limit_applies_per": ["model"],
        },
        {"id": "tokens-a-minute", "unit": "tokens_per_minute"},
    ]
    for number in range(97):
        when = {"models": [f"{MODEL}-{number % 10}"], "metadata": {"customer_id": f"customer-{number}"}}
        rules.append({"id": f"customer-{number}", "when": when, "unit": "requests_per_hour"})
    limits = {"type": "gateway-rate-limiting-config", "rules": [{**rule, "limit_to": 10**9} for rule in rules]}
    targets = [{"target": f"{MODEL}-{letter}", "weight": weight} for letter, weight in [("a", 60), ("b", 40)]]
    balanced = {"id": "balanced", "when": {"models": [MODEL]}, "load_balance_targets": targets}
    balancing = {"type": "gateway-load-balancing-config", "rules": [balanced]}
    # YAML takes JSON as it is.
    file = workshop.write("gateway.yaml", "\n---\n".join(json.dumps(document) for document in (limits, balancing)))
    settings = {**UNTRACED, **UNLOGGED, "CONFIG_PATH": str(file)}
    return serve(workshop, upstream, options, "gateway-rules", **settings)


def serve(workshop, upstream, options, name, **settings):
    port = free_port()
    settings |= gateway_settings(workshop, upstream) | options.settings
    child = workshop.start("gateway", [options.executable, "serve"], PORT=str(port), TRACESTORE_PORT="0", DATA_DIR=str(workshop.directory / "data"), **settings)
    return System(name, port, ROLLOUT_PATH, [child], upstream)


class SplitGateway:
    """The gateway's parts as processes of their own, over one Redis: an ingress, any number of forwarders, and whatever else is started."""

    def __init__(self, workshop, upstream, options, secrets=None, **settings):
        self.socket = socket = workshop.directory / "redis.sock"
        key = base64.b64encode(os.urandom(32)).decode()
        self._settings = {**gateway_settings(workshop, upstream, secrets), **settings, "REDIS_HOST": f"unix:{socket}", "GATEWAY_KEY": key}
        self._workshop = workshop
        self._executable = options.executable
        # As `serve` starts its own.
        durability = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"]
        redis = workshop.start("redis", ["redis-server", "--port", 0, "--unixsocket", socket, "--dir", workshop.directory, *durability])
        wait_until(socket.exists, redis, "opened its socket")
        self._port = free_port()
        ingress = workshop.start("ingress", [self._executable, "ingress"], HOST="127.0.0.1", PORT=str(self._port), **self._settings)
        self.system = System("gateway", self._port, ROLLOUT_PATH, [ingress, redis], upstream)

    def start_forwarder(self):
        child = self.start("forwarder")
        self._wait_for_forwarders()
        return child

    def start(self, part, **settings):
        child = self._workshop.start(part, [self._executable, part], **self._settings, **settings)
        self.system.children.append(child)
        return child

    def stop_forwarder(self, child):
        self.system.children.remove(child)
        child.stop()
        self._wait_for_forwarders()

    def _wait_for_forwarders(self):
        """Until the ingress sees as many as there are."""
        expected = sum(child.role == "forwarder" for child in self.system.children)

        def are_seen():
            answer = ask(self._port, "GET", "/ready")
            return answer and json.loads(answer[1]).get("forwarders") == expected

        wait_until(are_seen, self.system.children[0], f"seen {expected} forwarder(s)")


START = {
    "direct": direct,
    "nginx": nginx,
    "vllm-router": vllm_router,
    "smg": smg,
    "ferrogw": ferrogw,
    "tensorzero": tensorzero,
    "gateway": gateway,
    "gateway-rules": gateway_with_rules,
    "gateway-traces": traced_gateway,
    "gateway-log": logged_gateway,
    "gateway-log-untraced": untraced_gateway_with_log,
    "litellm": litellm,
}


@contextmanager
def running(name, options, start_upstream):
    """The named system before an upstream of its own, ready for calls."""
    with Workshop() as workshop:
        upstream = start_upstream(workshop)
        system = START[name](workshop, upstream, options)
        system.wait_until_ready()
        yield system
