"""Redis holds the ids of exactly the completions that succeeded or are in flight, each under its rollout's key."""

import re

import pytest
from processes import Rollout
from provider import Signal, chunk, completion, echo

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def body(model, stream=False):
    text = '{"model":"scripted/%s","stream":%s,"messages":[{"role":"user","content":"hi"}]}'
    return (text % (model, str(stream).lower())).encode()


@pytest.mark.parametrize("stream", [False, True])
def test_the_id_of_a_success_is_kept(gateway, provider, rollout, stream):
    model = provider.script(echo)
    answers = [gateway.request("POST", f"{rollout.path}/chat/completions", body(model, stream)) for _ in range(3)]
    ids = [answer.headers["x-insertion-id"] for answer in answers]
    assert all(UUID7.fullmatch(id) for id in ids)
    assert sorted(ids) == ids
    assert gateway.ids(rollout) == set(ids)
    assert 0 < int(gateway.redis("TTL", rollout.rollout)) <= 86400


def test_the_id_is_there_while_the_call_runs(gateway, provider, rollout):
    during = []

    async def looks(call):
        during.append(gateway.ids(rollout))
        await call.respond(completion("done"))

    answer = gateway.request("POST", f"{rollout.path}/chat/completions", body(provider.script(looks)))
    assert during == [{answer.headers["x-insertion-id"]}]


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_the_id_of_a_failure_is_taken_out(gateway, provider, rollout, status):
    async def refuses(call):
        await call.respond({"error": {"message": "no"}}, status=status)

    kept = gateway.request("POST", f"{rollout.path}/chat/completions", body(provider.script(echo)))
    failed = gateway.request("POST", f"{rollout.path}/chat/completions", body(provider.script(refuses)))
    assert failed.status == status
    assert UUID7.fullmatch(failed.headers["x-insertion-id"])
    assert gateway.ids(rollout) == {kept.headers["x-insertion-id"]}


def test_a_client_that_leaves_at_done_has_had_its_answer(gateway, provider, rollout, sdk, eventually):
    """OpenAI's SDK closes its connection once it has read `[DONE]`, without waiting for the last chunk."""
    has_left, has_ended = Signal(), Signal()

    async def ends_late(call):
        await call.begin()
        await call.event(chunk("all of it"))
        await call.event(chunk(None, "stop"))
        await call.event("[DONE]")
        await has_left.reached()
        # Or the gateway has ended the call itself, as the one that nobody reads.
        await call.end()
        has_ended.set()

    with sdk.chat.completions.stream(model=provider.script(ends_late), messages=[{"role": "user", "content": "hi"}]) as events:
        assert events.get_final_completion().choices[0].message.content == "all of it"
    ids = gateway.ids(rollout)
    has_left.set()
    has_ended.wait()
    eventually(lambda: gateway.redis("XLEN", "gateway/jobs").strip() == "0")
    assert len(ids) == 1 and gateway.ids(rollout) == ids


@pytest.mark.parametrize("version", ["", "/v1"])
def test_another_project_has_keys_of_its_own(gateway, provider, version):
    rollout = Rollout(project="other-project")
    model = provider.script(echo)
    answer = gateway.request("POST", f"{version}{rollout.path}/chat/completions", body(model))
    assert answer.status == 200
    assert gateway.ids(rollout, is_default_project=False) == {answer.headers["x-insertion-id"]}
    assert gateway.ids(rollout) == set()


def test_the_default_project_may_be_named(gateway, provider):
    rollout = Rollout(project="default-project")
    answer = gateway.request("POST", f"{rollout.path}/chat/completions", body(provider.script(echo)))
    assert gateway.ids(rollout) == {answer.headers["x-insertion-id"]}


@pytest.mark.parametrize("path", ["/chat/completions", "/v1/chat/completions", "/project_id/other-project/chat/completions"])
def test_a_completion_without_a_rollout_is_recorded_nowhere(gateway, provider, path):
    def sets():
        return {key for key in gateway.redis("KEYS", "*").split() if not key.startswith("gateway/")}

    before = sets()
    answer = gateway.request("POST", path, body(provider.script(echo)))
    assert answer.status == 200
    assert sets() == before


def test_an_unknown_project_is_not_told_of_others(gateway):
    answer = gateway.request("POST", Rollout(project="nobody").path + "/chat/completions", body("x"))
    assert answer.status == 404
    assert b"default-project" not in answer.body and b"other-project" not in answer.body


def test_prompts_and_keys_stand_nowhere_in_redis_or_the_log(gateway, provider, rollout):
    prompt, key = b"a-prompt-that-nobody-else-may-read", "a-key-that-nobody-else-may-read"
    request = body(provider.script(echo)).replace(b'"hi"', b'"' + prompt + b'"')
    answer = gateway.request("POST", f"{rollout.path}/chat/completions", request, key=key)
    assert answer.status == 200 and prompt in answer.body
    # The append-only file holds every command that ever wrote, as it came.
    written = b"".join(path.read_bytes() for path in gateway.data.rglob("*.aof"))
    assert rollout.rollout.encode() in written
    for secret in [prompt, key.encode()]:
        assert secret not in written
        assert secret not in gateway.output.encode()
