"""The operator's rules as real clients meet them: LangChain, OpenAI's SDK, requests, httpx and curl."""

import json
import subprocess
import time
from collections import Counter

import httpx
import openai
import pytest
import requests
from langchain_openai import ChatOpenAI
from provider import Signal, completion, echo

# LangChain says that it takes a keyword as TrueFoundry's documentation has it, and hands it on.
pytestmark = pytest.mark.filterwarnings("ignore:WARNING! extra_headers")
QUESTION = [{"role": "system", "content": "You are an AI bot."}, {"role": "user", "content": "Enter your prompt here"}]
SAMPLE = {"environment": "staging", "feature": "countdown-bot"}
RULES = """
name: ratelimiting-config
type: gateway-rate-limiting-config
rules:
  - id: "openai-gpt4-dev-env"
    when:
      models: ["openai-main/gpt4"]
      metadata:
        env: dev
    limit_to: 2
    unit: requests_per_day
    # The tests share a gateway, and each has a rollout of its own.
    rate_limit_applies_per: [metadata.rollout_id]
---
name: loadbalancing-config
type: gateway-load-balancing-config
rules:
  - id: "llama-bedrock-customer1"
    when:
      models: ["bedrock/llama3"]
      metadata:
        customer-id: customer1
    load_balance_targets:
      - target: "azure/bedrock-llama3"
        weight: 60
      - target: "aws/bedrock-llama3"
        weight: 40
---
name: model-fallback-config
type: gateway-fallback-config
rules:
  - id: "llama-bedrock-customer1-fallback"
    when:
      models: ["bedrock/fallback"]
      metadata:
        customer-id: customer1
      response_status_codes: [500, 429]
    fallback_models: ["azure/llama3", "aws/llama3"]
"""


def configured(start_gateway, folder, rules, **settings):
    """A gateway with rules, which keeps the traces itself."""
    (folder / "gateway.yaml").write_text(rules)
    return start_gateway(CONFIG_PATH=str(folder / "gateway.yaml"), LANGFUSE_HOST="embedded", **settings)


@pytest.fixture(scope="module")
def ruled(start_gateway, tmp_path_factory):
    return configured(start_gateway, tmp_path_factory.mktemp("rules"), RULES)


def metadata(**entries):
    return {"X-TFY-METADATA": json.dumps(entries)}


# Each client asks once and gives the answer's text; of a refusal the status and the rule's id.


def by_langchain(keyword):
    def ask(gateway, rollout, model, headers):
        url = gateway.url + rollout.path
        llm = ChatOpenAI(base_url=url, api_key="client-key", model=model, max_retries=0, **{keyword: headers})
        try:
            return llm.invoke([(message["role"], message["content"]) for message in QUESTION]).content
        except openai.APIStatusError as error:
            return error.status_code, error.body.get("rule")

    ask.__name__ = f"langchain_{keyword}"
    return ask


def said(status, body):
    answer = json.loads(body)
    return answer["choices"][0]["message"]["content"] if status == 200 else (status, answer["error"].get("rule"))


def request_of(gateway, rollout, model, headers):
    url = f"{gateway.url}{rollout.path}/chat/completions"
    body = {"messages": QUESTION, "model": model, "temperature": 0.7, "max_tokens": 256}
    return url, {"Authorization": "Bearer client-key", **headers}, body


def by_requests(*request):
    url, headers, body = request_of(*request)
    response = requests.post(url, headers=headers, json=body, timeout=30)
    return said(response.status_code, response.content)


def by_httpx(*request):
    url, headers, body = request_of(*request)
    response = httpx.post(url, headers=headers, json=body, timeout=30)
    return said(response.status_code, response.content)


def by_curl(*request):
    url, headers, body = request_of(*request)
    fields = [argument for name, value in headers.items() for argument in ("-H", f"{name}: {value}")]
    command = ["curl", "-sS", "-m", "30", "-w", "\n%{http_code}", url, *fields]
    command += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
    answer = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    body, _, status = answer.rpartition(b"\n")
    return said(int(status), body)


clients = pytest.mark.parametrize(
    "ask",
    [by_langchain("default_headers"), by_langchain("extra_headers"), by_requests, by_httpx, by_curl],
    ids=lambda ask: ask.__name__,
)


@clients
def test_metadata_of_any_client_is_traced(ruled, provider, rollout, ask):
    model = provider.script(echo)
    sent = metadata(tfy_log_request="true", **SAMPLE)
    assert ask(ruled, rollout, f"scripted/{model}", sent) == "Enter your prompt here"
    assert ruled.request("GET", f"/rollouts/{rollout.rollout}?wait=30").json["verdict"] == "complete"
    query = f"/traces?tags=rollout_id:{rollout.rollout}&tags=environment:staging&tags=feature:countdown-bot"
    [trace] = ruled.request("GET", query).json["traces"]
    assert SAMPLE.items() <= trace["metadata"].items()
    assert len(trace["metadata"]["gateway_rules_hash"]) == 16
    # A switch, and no metadata.
    assert "tfy_log_request" not in trace["metadata"]


@clients
def test_the_first_beyond_the_limit_is_refused_with_the_rules_id(ruled, provider, rollout, ask):
    provider.name("gpt4", echo)
    before = len(provider.calls_of("gpt4"))

    def answers(count, **entries):
        return [ask(ruled, rollout, "openai-main/gpt4", metadata(**entries)) for _ in range(count)]

    assert answers(3, env="dev") == ["Enter your prompt here"] * 2 + [(429, "openai-gpt4-dev-env")]
    assert answers(1, env="prod") == ["Enter your prompt here"]
    assert len(provider.calls_of("gpt4")) - before == 3


async def by_account(call):
    """Answers with the account in the path."""
    await call.respond(completion(call.path.split("/")[1]))


@clients
def test_one_customers_calls_are_shared_among_the_targets(ruled, provider, rollout, ask):
    for name in ["llama3", "bedrock-llama3"]:
        provider.name(name, by_account)
    count = 40
    customer = metadata(**{"customer-id": "customer1"})
    answers = Counter(ask(ruled, rollout, "bedrock/llama3", customer) for _ in range(count))
    # Five standard deviations around 60 %.
    assert set(answers) == {"azure", "aws"} and 8 <= answers["azure"] <= 39
    assert ask(ruled, rollout, "bedrock/llama3", metadata(**{"customer-id": "customer2"})) == "bedrock"


@clients
@pytest.mark.parametrize("status", [500, 429])
def test_one_customers_calls_fall_back(ruled, provider, rollout, ask, status):
    async def fails(call):
        await call.respond({"error": {"message": "no"}}, status=status)

    async def fails_at_azure(call):
        await (fails(call) if call.path.startswith("/azure/") else by_account(call))

    provider.name("fallback", fails)
    provider.name("llama3", fails_at_azure)
    assert ask(ruled, rollout, "bedrock/fallback", metadata(**{"customer-id": "customer1"})) == "aws"
    assert ask(ruled, rollout, "bedrock/fallback", metadata(**{"customer-id": "customer2"})) == (status, None)


def age_counters(gateway, seconds):
    """Lets what was counted be so much older, as if the time had passed."""
    script = """
        for _, key in ipairs(redis.call('KEYS', 'gateway/rate/*/slots')) do
            local amounts = string.gsub(key, 'slots$', 'amounts')
            local slots = redis.call('LRANGE', key, 0, -1)
            redis.call('DEL', key)
            for place, slot in ipairs(slots) do
                local older = string.format('%.0f', slot - ARGV[1] * 1000)
                redis.call('HSET', amounts, older, redis.call('HGET', amounts, slot))
                redis.call('HDEL', amounts, slot)
                redis.call('RPUSH', key, older)
                if place == 1 then redis.call('HSET', amounts, 'oldest', older) end
            end
        end
    """
    gateway.redis("EVAL", script, "0", str(seconds))


def test_openais_sdk_waits_until_the_limit_lets_it_in(start_gateway, provider, rollout, tmp_path):
    rule = "type: gateway-rate-limiting-config\nrules:\n  - {id: few, limit_to: 3, unit: requests_per_minute}\n"
    gateway = configured(start_gateway, tmp_path, rule)
    model = f"scripted/{provider.script(echo)}"
    with openai.OpenAI(base_url=gateway.url + rollout.path, api_key="client-key", max_retries=1, timeout=30) as sdk:

        def ask():
            return sdk.chat.completions.with_raw_response.create(model=model, messages=QUESTION)

        remaining = [ask().headers["x-ratelimit-remaining-requests"] for _ in range(3)]
        assert remaining == ["2", "1", "0"]
        age_counters(gateway, 55)
        body = json.dumps({"model": model, "messages": QUESTION})
        refusal = gateway.request("POST", f"{rollout.path}/chat/completions", body)
        assert refusal.status == 429 and refusal.json["error"]["rule"] == "few"
        promised = int(refusal.headers["retry-after"])
        assert 1 <= promised <= 5 and "x-should-retry" not in refusal.headers
        start = time.monotonic()
        answer = ask()
        waited = time.monotonic() - start
    assert answer.retries_taken == 1 and abs(waited - promised) <= 1
    assert answer.parse().choices[0].message.content == "Enter your prompt here"


def test_openais_sdk_does_not_wait_for_a_day(start_gateway, provider, rollout, tmp_path):
    rule = "type: gateway-rate-limiting-config\nrules:\n  - {id: daily, limit_to: 1, unit: requests_per_day}\n"
    gateway = configured(start_gateway, tmp_path, rule)
    model = f"scripted/{provider.script(echo)}"
    with openai.OpenAI(base_url=gateway.url + rollout.path, api_key="client-key", max_retries=5, timeout=30) as sdk:
        sdk.chat.completions.create(model=model, messages=QUESTION)
        start = time.monotonic()
        with pytest.raises(openai.RateLimitError) as refused:
            sdk.chat.completions.create(model=model, messages=QUESTION)
    assert time.monotonic() - start < 1, "it was not asked again"
    assert refused.value.code == "rate_limit_exceeded" and refused.value.body["rule"] == "daily"
    assert refused.value.response.headers["x-ratelimit-reset-requests"].startswith("23h59m")


def test_openais_sdk_waits_for_room_in_the_queue(start_gateway, provider, rollout, tmp_path):
    gateway = configured(start_gateway, tmp_path, RULES, QUEUE_LIMIT="1")
    arrived, released = Signal(), Signal()
    promised = []

    async def holds(call):
        arrived.set()
        await released.reached()
        await echo(call)

    def release(response):
        if response.status_code == 429:
            promised.append(int(response.headers["retry-after"]))
            released.set()

    held, model = provider.script(holds), provider.script(echo)
    body = json.dumps({"model": f"scripted/{held}", "messages": QUESTION})
    accepted = gateway.request("POST", f"{rollout.path}/chat/completions", body, {"Prefer": "respond-async"})
    assert accepted.status == 202
    arrived.wait()
    with openai.OpenAI(
        base_url=gateway.url + rollout.path, api_key="client-key", max_retries=2, timeout=30,
        http_client=httpx.Client(event_hooks={"response": [release]})) as sdk:
        start = time.monotonic()
        answer = sdk.chat.completions.with_raw_response.create(model=f"scripted/{model}", messages=QUESTION)
        waited = time.monotonic() - start
    assert answer.retries_taken == 1 and len(promised) == 1 and 1 <= promised[0] <= 60
    assert abs(waited - promised[0]) <= 1
    assert answer.parse().choices[0].message.content == "Enter your prompt here"
