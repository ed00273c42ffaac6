"""What counts as a success, and what as a failure: a gateway before another one comes to the same result."""

import http.client
import json

import pytest
from processes import Rollout
from provider import Signal, chunk, completion, sse
from test_bytes import encoded

EVENTS = "text/event-stream"
STOP = sse(chunk(None, "stop"))
DONE = sse("[DONE]")
ERROR = {"error": {"message": "engine died"}}
WRONG_CHOICE = {**chunk("x"), "choices": [{"index": 0, "delta": {}, "error": {"message": "engine died"}, "finish_reason": None}]}

# name: (content type, body, whether the completion succeeded)
ANSWERS = {
    "a whole stream": (EVENTS, sse(chunk("Hel")) + STOP + DONE, True),
    "a stream without [DONE]": (EVENTS, sse(chunk("Hel")) + STOP, True),
    "a stream without a finish reason": (EVENTS, sse(chunk("Hel")) + DONE, True),
    "an error event": (EVENTS, sse(chunk("Hel")) + sse(ERROR), False),
    "an error event before [DONE]": (EVENTS, sse(chunk("Hel")) + sse(ERROR) + DONE, False),
    "a choice's error": (EVENTS, sse(chunk("Hel")) + sse(WRONG_CHOICE) + STOP + DONE, False),
    "an event named error": (EVENTS, sse(chunk("Hel")) + b"event: error\n" + sse("it died") + DONE, False),
    "a stream that stops": (EVENTS, sse(chunk("Hel")), False),
    "[DONE] alone": (EVENTS, DONE, False),
    "an empty stream": (EVENTS, b"", False),
    "a stream under another label": ("application/json", sse(chunk("Hel")) + sse(ERROR) + DONE, False),
    "a whole body": ("application/json", json.dumps(completion("x")).encode(), True),
    "an error in a body": ("application/json", json.dumps(ERROR).encode(), False),
    "an error beside the choices": ("application/json", json.dumps({**completion(""), **ERROR}).encode(), False),
    "an empty body": ("application/json", b"", False),
    "a page": ("text/html", b"<html>502 Bad Gateway</html>", False),
    "half a body": ("application/json", json.dumps(completion("x")).encode()[:-20], False),
}


def body(model, is_stream):
    return json.dumps({"model": model, "stream": is_stream, "messages": [{"role": "user", "content": "hi"}]}).encode()


@pytest.fixture(scope="module")
def outer(start_gateway):
    """A gateway of its own: a call that comes back to the same one is a loop."""
    return start_gateway(UPSTREAM_ATTEMPTS="1")


@pytest.mark.parametrize("name", ANSWERS)
def test_two_gateways_in_a_row_agree(outer, gateway, provider, rollout, name):
    kind, answer, succeeds = ANSWERS[name]

    async def answers(call):
        await call.respond(answer, headers=[("content-type", kind)])

    model = f"scripted/{provider.script(answers)}"
    behind = Rollout()
    url = encoded(f"{gateway.url}{behind.path}", padded=False)
    result = outer.request("POST", f"{rollout.path}/encoded_base_url/{url}/chat/completions", body(model, kind == EVENTS))
    assert (result.status, result.body) == (200, answer)
    assert len(gateway.ids(behind)) == succeeds
    assert outer.ids(rollout) == ({result.headers["x-insertion-id"]} if succeeds else set())


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_client_that_leaves_with_the_whole_answer_has_succeeded(gateway, provider, rollout, eventually, is_whole):
    """It leaves behind the last finish reason, before `[DONE]`; the other one leaves in the middle."""
    has_ended = Signal()
    pieces = sse(chunk("all of it")) + (STOP if is_whole else b"")

    async def stands_still(call):
        await call.begin()
        await call.send(pieces)
        await call.gone.reached()
        has_ended.set()

    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)
    connection.request("POST", f"{rollout.path}/chat/completions", body(f"scripted/{provider.script(stands_still)}", True))
    response = connection.getresponse()
    assert response.read(len(pieces)) == pieces
    response.close()
    connection.close()
    has_ended.wait()
    kept = {response.headers["x-insertion-id"]} if is_whole else set()
    eventually(lambda: gateway.redis("XLEN", "gateway/jobs").strip() == "0")
    assert gateway.ids(rollout) == kept
