"""The overlay's ScaledObject, played on a real queue: forwarders come and go with the load, and no call is lost."""

import copy
import http.client
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from fleet import Fleet, eventually
from processes import DEADLINE, Rollout
from provider import ScriptedProvider, Signal, completion
from scaler import Queue, Scaler

CONCURRENCY = 4


@pytest.fixture
def provider():
    provider = ScriptedProvider()
    yield provider
    provider.stop()
    assert provider.violations == []


@pytest.fixture
def scaled(keda):
    """The overlay's, for forwarders of four calls instead of a thousand."""
    scaled = copy.deepcopy(keda("ScaledObject", "forwarder"))
    lag, length = (trigger["metadata"] for trigger in scaled["spec"]["triggers"])
    shrink = CONCURRENCY / int(keda.settings["FORWARDER_CONCURRENCY"])
    lag["lagCount"], length["streamLength"] = "2", str(int(int(length["streamLength"]) * shrink))
    scaled["spec"]["maxReplicaCount"] = 5
    return scaled


@pytest.fixture
def fleet(tmp_path, provider, keys):
    fleet = Fleet(tmp_path, provider, keys, CONCURRENCY)
    yield fleet
    fleet.stop()


@pytest.mark.parametrize(
    ("queue", "wanted"),
    [
        (Queue(0, 0), 2),
        (Queue(1, 1), 2),
        (Queue(100, 100), 5),
        (Queue(2001, 2001), 50),
        # Full forwarders of which nothing waits: the lag alone would leave two.
        (Queue(0, 8001), 11),
        (Queue(None, 8001), 11),
        (Queue(None, 0), 2),
    ],
)
def test_the_overlay_asks_for(keda, queue, wanted):
    assert Scaler(keda("ScaledObject", "forwarder")).wanted(queue) == wanted


def test_forwarders_follow_the_queue_and_no_call_is_lost(fleet, provider, scaled):
    scaler, rollout = Scaler(scaled), Rollout()
    fleet.start(forwarders=scaler.least)
    eventually(lambda: ready(fleet) == scaler.least, "the forwarders live")
    releases, model = [], provider.script(None)

    async def held(call):
        """Answers with the call's own text, once it is released."""
        release = Signal()
        releases.append(release)
        await release.reached(DEADLINE)
        await call.respond(completion(text_of(call)))

    provider.name(model, held)

    def release(count=None):
        for _ in range(len(releases) if count is None else count):
            releases.pop(0).set()

    with ThreadPoolExecutor(64) as clients:
        calls = [clients.submit(complete, fleet, rollout, model, f"call {number}") for number in range(24)]

        # What the forwarders cannot take waits, and each further forwarder takes four of it.
        lags, began = [], len(fleet.forwarders) * CONCURRENCY
        while True:
            provider.wait_for_call(model, began)
            queue = eventually(lambda expected=24 - began: (queue := fleet.queue()).lag == expected and queue, "all that is left waits")
            lags.append(queue.lag)
            if scaler.next(queue, len(fleet.forwarders)) == len(fleet.forwarders):
                break
            fleet.add()
            began += CONCURRENCY
        assert len(fleet.forwarders) == scaler.most and lags == [16, 12, 8, 4]

        # Nothing waits any longer, and all forwarders are full: none is stopped.
        release(4)
        provider.wait_for_call(model, 24)
        queue = eventually(lambda: (queue := fleet.queue()).length == 20 and queue, "four calls have ended")
        assert not queue.lag and scaler.next(queue, 5) == 5

        # The load falls: one at a time is stopped, while its calls run and others come.
        release(11)
        queue = eventually(lambda: (queue := fleet.queue()).length == 9 and queue, "eleven more have ended")
        assert scaler.wanted(queue) == 3 and scaler.next(queue, 5) == 4
        fleet.remove()
        calls += [clients.submit(complete, fleet, rollout, model, f"call {number}") for number in range(24, 28)]
        provider.wait_for_call(model, 28)
        queue = fleet.queue()
        assert (queue.length, scaler.next(queue, 4)) == (13, 5), "what comes meanwhile would bring it back"
        assert fleet.leaving[0].is_running, "it ends what it has begun"
        release()
        eventually(lambda: fleet.pending() == 0, "all calls have ended")
        while (number := scaler.next(fleet.queue(), len(fleet.forwarders))) < len(fleet.forwarders):
            assert number == len(fleet.forwarders) - 1
            fleet.remove()
        answers = [call.result(DEADLINE) for call in calls]

    assert len(fleet.forwarders) == scaler.least
    assert [forwarder.wait() for forwarder in fleet.leaving] == [0, 0, 0]
    assert [(status, text) for status, _, text in answers] == [(200, f"call {number}") for number in range(28)]
    assert sorted(text_of(call) for call in provider.calls_of(model)) == sorted(f"call {number}" for number in range(28)), "each was made once"
    assert set(fleet.redis("SMEMBERS", rollout.rollout)) == {insertion_id for _, insertion_id, _ in answers}
    assert (fleet.queue(), fleet.redis("EXISTS", "gateway/dead")) == (Queue(0, 0), 0)


def complete(fleet, rollout, model, text):
    """One completion; gives its status, insertion id and text."""
    body = json.dumps({"model": f"scripted/{model}", "messages": [{"role": "user", "content": text}]})
    connection = http.client.HTTPConnection("127.0.0.1", fleet.ingress.port, timeout=DEADLINE)
    try:
        connection.request("POST", f"{rollout.path}/chat/completions", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
        text = answer["choices"][0]["message"]["content"] if response.status == 200 else answer
        return response.status, response.headers["x-insertion-id"], text
    finally:
        connection.close()


def ready(fleet):
    """How many forwarders the ingress sees."""
    connection = http.client.HTTPConnection("127.0.0.1", fleet.ingress.port, timeout=DEADLINE)
    try:
        connection.request("GET", "/ready")
        return json.loads(connection.getresponse().read()).get("forwarders")
    finally:
        connection.close()


def text_of(call):
    return call.json["messages"][-1]["content"]
