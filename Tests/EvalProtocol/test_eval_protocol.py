"""An evaluation by eval-protocol's own clients through a gateway that nobody has configured: rollouts are made, polled and read back."""

import itertools
from datetime import datetime, timedelta, timezone

import eval_protocol.exceptions
import pytest
from eval_protocol.adapters.fireworks_tracing import FireworksTracingAdapter
from eval_protocol.models import Status
from eval_protocol.pytest.tracing_utils import build_fireworks_tracing_url
from eval_protocol.types.remote_rollout_processor import RolloutMetadata
from evaluation import dataset, evaluate, plain
from openai import OpenAI
from provider import completion
from rollout_server import RolloutServer
from tool_calls import TOOLS, called, calls_tools_once

AT_ONCE = 64


@pytest.fixture(autouse=True)
def key(monkeypatch):
    """Where each of eval-protocol's parts looks for the key that it sends."""
    monkeypatch.setenv("FIREWORKS_API_KEY", "client-key")


@pytest.fixture
def url(fresh_gateway):
    """The processor gives a rollout a URL of its own only where the gateway's begins so."""
    return f"http://localhost:{fresh_gateway.port}"


@pytest.fixture
def server(url):
    server = RolloutServer(url)
    yield server
    server.stop()


NAMES = ["rollout_id", "invocation_id", "experiment_id", "run_id", "row_id"]


def ids(row):
    """The five ids, in the order of their names above."""
    metadata = row.execution_metadata
    return metadata.rollout_id, metadata.invocation_id, metadata.experiment_id, metadata.run_id, row.input_metadata.row_id


def tag(row):
    return f"rollout_id:{row.execution_metadata.rollout_id}"


def test_many_rollouts_of_several_turns_end_with_their_conversations(fresh_gateway, url, server):
    rows = dataset(AT_ONCE)
    asked, known = [[plain(message) for message in row.messages] for row in rows], [ids(row) for row in rows]
    # The last call of each fails, so the newest completion is not the newest success.
    errors = evaluate(url, server.url, rows, model="mock/echo", turns=3, afterwards="mock/echo?status=400")
    assert errors == [None] * AT_ONCE
    for row, messages in zip(rows, asked):
        turns = [messages[-1]["content"], f"turn 2 of {row.input_metadata.row_id}", f"turn 3 of {row.input_metadata.row_id}"]
        echoed = [{"role": role, "content": turn} for turn, role in itertools.product(turns, ["user", "assistant"])]
        assert [plain(message) for message in row.messages] == [messages[0], *echoed]
        assert (row.rollout_status.code, row.rollout_status.message) == (Status.Code.FINISHED, Status.rollout_finished().message)
        assert row.execution_metadata.extra == {"messages": 7}
    assert [ids(row) for row in rows] == known
    verdict = fresh_gateway.request("GET", f"/rollouts/{rows[0].execution_metadata.rollout_id}").json
    assert [verdict[name] for name in ["verdict", "expected", "traced", "failed"]] == ["complete", 3, 3, 1]


@pytest.mark.parametrize("is_streamed", [False, True])
def test_rollouts_at_once_call_tools_of_a_provider_of_their_own(provider, url, server, is_streamed):
    rows = dataset(AT_ONCE, TOOLS)
    names = [row.messages[1].content for row in rows]
    model = provider.script(calls_tools_once(AT_ONCE))
    errors = evaluate(url, server.url, rows, model=model, base_url=provider.base_url, turns=2, stream=is_streamed)
    assert errors == [None] * AT_ONCE
    for row, name in zip(rows, names):
        assert row.rollout_status.code == Status.Code.FINISHED and row.tools == TOOLS
        answer, *results, last = [plain(message) for message in row.messages[2:]]
        assert answer == {"role": "assistant", "tool_calls": [called(1, name), called(2, name)]}
        assert results == [{"role": "tool", "tool_call_id": f"call-{number}", "content": f"result of call-{number}"} for number in (1, 2)]
        assert last["content"].rstrip() == f"{name}: result of call-1, result of call-2"


def test_a_rollout_that_breaks_off_is_an_error_with_its_reason(url, server):
    rows = dataset(1)
    [error] = evaluate(url, server.url, rows, model="mock/echo?status=400", turns=1)
    assert type(error) is eval_protocol.exceptions.InternalError
    assert str(error).startswith("BadRequestError: ")
    [entry] = FireworksTracingAdapter(base_url=url).search_logs(tags=[tag(rows[0])], limit=1)
    assert (entry["message"], entry["severity"], entry["status"]["code"]) == ("broken off", "ERROR", Status.Code.INTERNAL)


def test_a_rollout_without_a_completion_has_no_trace(url, server):
    rows = dataset(1)
    assert evaluate(url, server.url, rows, model="mock/echo", turns=0) == [None]
    assert (rows[0].rollout_status.code, len(rows[0].messages)) == (Status.Code.NOT_FOUND, 2)


def test_what_a_rollout_logged_is_found_newest_first(url, server):
    rows = dataset(2)
    assert evaluate(url, server.url, rows, model="mock/echo", turns=1) == [None] * 2
    adapter = FireworksTracingAdapter(base_url=url)
    entries = adapter.search_logs(tags=[tag(rows[0])])
    assert [(entry["message"], entry["severity"]) for entry in entries] == [("ended", "INFO"), ("3 messages", "WARNING"), ("begun", "INFO")]
    assert [(entry["status"] or {}).get("code") for entry in entries] == [Status.Code.FINISHED, None, Status.Code.RUNNING]
    of_the_run = adapter.search_logs(tags=[tag(rows[0]), f"run_id:{rows[0].execution_metadata.run_id}"])
    assert of_the_run == [entries[0], entries[2]]


PARTS = [{"type": "text", "text": "what is this?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]


@pytest.fixture
def completed(provider, url):
    """A row of which two completions have been made: the second call holds parts and the first's answer, and is answered by tool calls."""
    [row] = dataset(1, TOOLS)
    answers = iter([completion("first"), completion(None, tool_calls=[called(1, "é"), called(2, "\\n")])])

    async def script(call):
        await call.respond(next(answers))

    metadata = RolloutMetadata(**dict(zip(NAMES, ids(row))))
    base_url = build_fireworks_tracing_url(url, metadata, provider.base_url)
    model = provider.script(script)
    with OpenAI(base_url=base_url, api_key="client-key", max_retries=0, timeout=30) as client:
        messages = [plain(message) for message in row.messages]
        client.chat.completions.create(model=model, messages=messages)
        messages += [{"role": "assistant", "content": "first"}, {"role": "user", "content": PARTS}]
        client.chat.completions.create(model=model, messages=messages, tools=TOOLS)
    return row, messages


NOW = datetime.now(timezone.utc)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"limit": 1, "sample_size": 1, "max_retries": 1, "sleep_between_gets": 2.5, "hours_back": 1, "include_payloads": True},
        {"from_timestamp": NOW - timedelta(hours=1), "to_timestamp": NOW + timedelta(hours=1)},
        {"from_timestamp": (NOW - timedelta(hours=1)).replace(tzinfo=None), "hours_back": 2},
        {"fields": "core,io,observations"},
    ],
    ids=lambda query: "-".join(query) or "nothing",
)
@pytest.mark.parametrize("project", [None, "local"])
def test_the_adapter_reads_a_rollout_s_newest_completion_as_a_row(completed, url, project, query):
    row, messages = completed
    [found] = FireworksTracingAdapter(base_url=url, project_id=project).get_evaluation_rows(tags=[tag(row)], **query)
    *before, answer = [plain(message) for message in found.messages]
    assert before == messages
    assert answer == {"role": "assistant", "tool_calls": [called(1, "é"), called(2, "\\n")]}
    assert found.tools == TOOLS and ids(found) == ids(row)
    assert len(found.input_metadata.session_data["langfuse_trace_id"]) == 32


SCREENSHOT = "data:image/png;base64," + "iVBORw0K" * 100_000


@pytest.mark.parametrize("count", [1, 4, 12])
def test_a_row_of_large_screenshots_keeps_its_messages(provider, url, count):
    """Up to 4 MiB all of it is kept, a screenshot of 800 KB surely; of more, the long strings are cut within."""

    async def script(call):
        await call.respond(completion("seen"))

    [row] = dataset(1)
    base_url = build_fireworks_tracing_url(url, RolloutMetadata(**dict(zip(NAMES, ids(row)))), provider.base_url)
    shown = {"type": "image_url", "image_url": {"url": SCREENSHOT}}
    messages = [{"role": "user", "content": [{"type": "text", "text": f"page {number}"}, shown]} for number in range(count)]
    messages.append({"role": "user", "content": "which one is it?"})
    with OpenAI(base_url=base_url, api_key="client-key", max_retries=0, timeout=30) as client:
        client.chat.completions.create(model=provider.script(script), messages=messages)
    [found] = FireworksTracingAdapter(base_url=url).get_evaluation_rows(tags=[tag(row)])
    *before, last, answer = [plain(message) for message in found.messages]
    assert last == messages[-1] and answer == {"role": "assistant", "content": "seen"}
    assert [[part["type"] for part in message["content"]] for message in before] == [["text", "image_url"]] * count
    assert [message["content"][0] for message in before] == [message["content"][0] for message in messages[:-1]]
    urls = [message["content"][1]["image_url"]["url"] for message in before]
    assert all(url == SCREENSHOT or url.startswith(SCREENSHOT[:64]) for url in urls)
    assert (urls == [SCREENSHOT] * count) == (count * len(SCREENSHOT) < 4 << 20)


def test_the_adapter_reads_past_a_completion_whose_words_are_withheld(fresh_gateway, provider, url):
    """It is traced, so the rollout is complete; without messages it makes no row, and breaks nothing."""

    async def script(call):
        await call.respond(completion("canary"))

    [row] = dataset(1)
    base_url = build_fireworks_tracing_url(url, RolloutMetadata(**dict(zip(NAMES, ids(row)))), provider.base_url)
    model = provider.script(script)
    with OpenAI(base_url=base_url, api_key="client-key", max_retries=0, timeout=30) as client:
        messages = [plain(message) for message in row.messages]
        client.chat.completions.create(
            model=model, messages=messages, extra_headers={"X-TFY-LOGGING-CONFIG": '{"enabled": false}'})
        assert FireworksTracingAdapter(base_url=url).get_evaluation_rows(tags=[tag(row)]) == []
        client.chat.completions.create(model=model, messages=messages)
    [found] = FireworksTracingAdapter(base_url=url).get_evaluation_rows(tags=[tag(row)])
    assert plain(found.messages[-1])["content"] == "canary"
    verdict = fresh_gateway.request("GET", f"/rollouts/{row.execution_metadata.rollout_id}?wait=30").json
    assert (verdict["verdict"], verdict["expected"]) == ("complete", 2)


def test_the_adapter_s_tags_and_filters_choose(completed, url):
    row, _ = completed
    adapter = FireworksTracingAdapter(base_url=url)
    of_the_row, of_another = f"row_id:{row.input_metadata.row_id}", "row_id:another"
    assert len(adapter.get_evaluation_rows(tags=[tag(row), of_the_row])) == 1
    assert adapter.get_evaluation_rows(tags=[tag(row), of_another]) == []
    assert adapter.get_evaluation_rows(tags=[tag(row)], user_id="nobody") == []
    assert adapter.get_evaluation_rows(tags=[tag(row)], to_timestamp=NOW - timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("tags", "project", "status", "reason"),
    [
        (["rollout_id:nobody"], None, 404, "No completion of rollout `nobody` is known in this project."),
        (["rollout_id:nobody"], "no-such-project", 404, "project"),
        (["row_id:1"], None, 400, "rollout_id:"),
    ],
)
def test_the_adapter_says_why_there_are_no_rows(url, caplog, tags, project, status, reason):
    assert FireworksTracingAdapter(base_url=url, project_id=project).get_evaluation_rows(tags=tags) == []
    [said] = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    # The sentence alone: the member `detail` of the answer.
    assert f"(HTTP {status}): " in said and reason in said and "{" not in said
