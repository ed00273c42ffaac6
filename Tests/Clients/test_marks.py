"""Megabytes of combining marks, in every place that a client's or a provider's text goes to, keep no other call waiting.

To normalise them, as Swift's own comparison of texts does, takes quadratic time: many minutes for two megabytes. A debug build
reads letters slowly, too, so it is given 256 KB, which take some 20 seconds. What fits into a head is in MarksTests.swift.
"""

import json
import os
import subprocess
import sys

import pytest
from processes import Rollout
from provider import completion, sse

IS_RELEASE = "/release/" in os.path.realpath(os.environ["GATEWAY_BINARY"])
# In an order that normalising would have to change. Each pair is four bytes.
MARKS = "\u0323\u0301" * ((2 << 20 if IS_RELEASE else 256 << 10) // 4)
# For bodies that hold them several times.
SHARE = MARKS[: len(MARKS) // 4 * 2]
# How long others may wait, in milliseconds.
LONGEST = 100 if IS_RELEASE else 5_000


def chat(**members):
    return {"model": "scripted/marks", "messages": [{"role": "user", "content": "hi"}], **members}


def message(**members):
    return chat(messages=[{"role": "user", "content": "hi", **members}])


def tool(**function):
    return chat(tools=[{"type": "function", "function": {"name": "f", **function}}])


# A form's type is named beside its bytes; what is not bytes becomes JSON.
FORM = "multipart/form-data; boundary=b"
URLENCODED = "application/x-www-form-urlencoded"


def part(disposition, value):
    model = '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nscripted/marks\r\n'
    return f"{model}--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{value}\r\n--b--\r\n"


BODIES = {
    "a message": message(content=MARKS),
    "a part of a message": message(content=[{"type": "text", "text": SHARE}, {"image_url": {"url": SHARE}}]),
    "a role": message(role=MARKS),
    "a message's name": message(name=MARKS),
    "a member's name": chat(**{MARKS: 1}),
    "two names that differ at the end": chat(**{SHARE + "a": 1, SHARE + "b": 2}),
    "a name within": message(**{SHARE: {SHARE: 1}}),
    "a model": {**chat(), "model": MARKS},
    "a model of an account": {**chat(), "model": "scripted/" + MARKS},
    "a model's account": {**chat(), "model": MARKS + "/x"},
    "a tool's name": tool(name=MARKS),
    "a tool's schema": tool(parameters={"type": "object", "properties": {SHARE: {"description": SHARE}}}),
    "a tool's call": message(tool_calls=[{"id": SHARE, "function": {"name": "f", "arguments": SHARE}}]),
    "metadata": chat(metadata={"a": SHARE, SHARE: "b"}),
    "a user": chat(user=MARKS),
    "a stop": chat(stop=[MARKS]),
    "a response format": chat(response_format={"type": "json_schema", "json_schema": {"name": MARKS, "schema": {}}}),
    "the choice of a stream": chat(stream=MARKS),
    "a key within": chat(extra_body={"api_key": SHARE, "headers": {"Authorization": "Bearer " + SHARE}}),
    "the name of a key": chat(extra_body={"api_key" + SHARE: "x", SHARE + "_token": "y"}),
    "what looks like a key": message(content=f"sk-{SHARE} Bearer {SHARE} AKIA{SHARE}"),
    "text after text": message(content=f"a {SHARE} b {SHARE}"),
    # An escape takes six bytes where the mark takes two.
    "escaped marks": json.dumps(message(content=MARKS[: len(MARKS) // 3])).encode(),
    "no JSON": MARKS.encode(),
    "half of a body": json.dumps(message(content=MARKS), ensure_ascii=False).encode()[:-9],
    "a form's value": (FORM, part('name="prompt"', MARKS)),
    "a form's name": (FORM, part(f'name="{MARKS}"', "x")),
    "a form's file name": (FORM, part(f'name="file"; filename="{MARKS}"', "x")),
    "a form's disposition": (FORM, part(MARKS, "x")),
    "a urlencoded value": (URLENCODED, f"model=scripted/marks&prompt={MARKS}"),
    "a urlencoded name": (URLENCODED, f"model=scripted/marks&{SHARE}=1&{SHARE}b=2"),
    "another type": ("text/plain", MARKS),
}


def answer(**members):
    return {**completion("x"), **members}


def said(**members):
    return answer(choices=[{"index": 0, "message": {"role": "assistant", "content": "x", **members}, "finish_reason": "stop"}])


def events(*values):
    return b"".join(value if isinstance(value, bytes) else b"data: " + encode(value) + b"\n\n" for value in values) + sse("[DONE]")


def delta(finish_reason=None, **members):
    return {"id": "x", "choices": [{"index": 0, "delta": members, "finish_reason": finish_reason}]}


def calling(**members):
    return delta(tool_calls=[{"index": 0, **members}])


STOP = delta("stop")

# What is not a list becomes JSON, a list the events of a stream.
ANSWERS = {
    "a text": said(content=MARKS),
    "an id": answer(id=MARKS),
    "a model": answer(model=MARKS),
    "a role": said(role=MARKS),
    "a finish reason": answer(choices=[{"index": 0, "message": {"content": "x"}, "finish_reason": MARKS}]),
    "a name": answer(**{SHARE: 1, SHARE + "b": 2}),
    "a name within": said(**{SHARE: {SHARE: 1}}),
    "usage": answer(usage={SHARE: 1, "prompt_tokens": SHARE}),
    "an error": {"error": {"message": SHARE, "code": SHARE, "type": SHARE}},
    "an error's name": {"error": {MARKS: 1}},
    "a tool's call": said(tool_calls=[{"id": SHARE, "function": {"name": "f", "arguments": SHARE}}]),
    "a key": said(content="Bearer " + MARKS),
    "no JSON": MARKS.encode(),
    "a streamed text": [delta(content=MARKS), STOP],
    "streamed small texts": [*(delta(content=SHARE[at : at + 4096]) for at in range(0, len(SHARE), 4096)), STOP],
    "a streamed id": [{**delta(content="x"), "id": MARKS}, STOP],
    "a streamed role": [delta(role=MARKS), STOP],
    "a streamed finish reason": [delta(content="x"), delta(MARKS)],
    "streamed names": [delta(**{SHARE: "a", SHARE + "b": "c"}), delta(**{SHARE: "a"}), STOP],
    "a streamed tool's call": [calling(id=SHARE, function={"name": "f", "arguments": SHARE}), calling(function={"arguments": SHARE}), STOP],
    "a streamed tool's name": [calling(id="1", function={"name": SHARE}), calling(function={"name": SHARE}), STOP],
    "a streamed error": [delta(content="x"), {"error": {"message": SHARE, "code": SHARE}}],
    "a streamed name of an event": [b"event: " + MARKS.encode() + b"\n" + sse(delta(content="x")), STOP],
    "a streamed field": [MARKS.encode() + b": x\n\n", delta(content="x"), STOP],
    "a streamed comment": [b": " + MARKS.encode() + b"\n\n", delta(content="x"), STOP],
    "streamed usage": [STOP, {"choices": [], "usage": {SHARE: 1, "prompt_tokens": SHARE}}],
}


def encode(value):
    """The marks as bytes, not as escapes."""
    return value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()


@pytest.fixture(scope="module")
def tracing(start_gateway):
    """Traces to its own store, so that all that happens to a completion's text does."""
    return start_gateway(DEFAULT_PROVIDER="scripted", UPSTREAM_ATTEMPTS="1", LANGFUSE_HOST="embedded")


def waited(gateway, act):
    """How long the longest answer to others took while something was done, in milliseconds."""
    paths = ["/health", "/health", "/rollouts?limit=1", "/v1/chat/completions"]
    command = [sys.executable, os.path.join(os.path.dirname(__file__), "bystander.py"), str(gateway.port), *paths]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            act()
            longest, _ = process.communicate(timeout=150)
            assert process.returncode == 0, "a question of the others was not answered"
            return float(longest)
        finally:
            process.kill()


def keeps_no_other_waiting(gateway, act):
    """Fails if others waited too long each of three times. They share their cores with the client and the provider."""
    waits = []
    while len(waits) < 3 and (not waits or min(waits) > LONGEST):
        waits.append(waited(gateway, act))
    print("waited", waits)
    assert min(waits) <= LONGEST


def complete_and_read(gateway, body, kind="application/json"):
    """A completion, which may be refused, its verdict and its trace."""
    rollout = Rollout()
    gateway.request("POST", f"{rollout.path}/chat/completions", body, {"Content-Type": kind}.items())
    assert gateway.request("GET", f"/rollouts/{rollout.rollout}?wait=20").status in (200, 404)
    assert gateway.request("GET", f"/traces?tags=rollout_id:{rollout.rollout}").status in (200, 404)


@pytest.mark.parametrize("place", BODIES)
def test_a_request_of_marks(tracing, provider, place):
    async def answers(call):
        await call.respond(completion("fine"))

    provider.name("marks", answers)
    kind, body = BODIES[place] if isinstance(BODIES[place], tuple) else ("application/json", encode(BODIES[place]))
    body = body if isinstance(body, bytes) else body.encode()
    with provider.other_paths(answers):
        keeps_no_other_waiting(tracing, lambda: complete_and_read(tracing, body, kind))


@pytest.mark.parametrize("place", ANSWERS)
def test_an_answer_of_marks(tracing, provider, place):
    text, is_stream = ANSWERS[place], isinstance(ANSWERS[place], list)

    async def answers(call):
        kind = "text/event-stream" if is_stream else "application/json"
        await call.respond(events(*text) if is_stream else encode(text), headers=[("content-type", kind)])

    body = encode({**chat(stream=is_stream), "model": f"scripted/{provider.script(answers)}"})
    keeps_no_other_waiting(tracing, lambda: complete_and_read(tracing, body))
