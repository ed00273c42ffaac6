"""OpenAI's own SDK through the gateway: what an evaluation does all day."""

import asyncio
import json

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from provider import Signal, chunk, completion, echo

QUESTION = [{"role": "user", "content": "one two three"}]


def test_a_plain_completion_is_answered(sdk, provider):
    model = provider.script(echo)
    answer = sdk.chat.completions.create(model=f"scripted/{model}", messages=QUESTION)
    assert answer.choices[0].message.content == "one two three"
    assert answer.usage.total_tokens == 5
    [call] = provider.calls_of(model)
    assert call.header("authorization") == "Bearer client-key"
    assert call.json == {"model": model, "messages": QUESTION}


def test_a_stream_arrives_in_order(sdk, provider):
    words = [f"word-{number}" for number in range(500)]
    model = provider.script(echo)
    stream = sdk.chat.completions.create(model=f"scripted/{model}", messages=[{"role": "user", "content": " ".join(words)}], stream=True)
    pieces = list(stream)
    assert [piece.choices[0].delta.content for piece in pieces[:-1]] == words
    assert pieces[-1].choices[0].finish_reason == "stop"


def test_the_first_piece_of_a_stream_arrives_before_the_last_is_sent(sdk, provider):
    received = Signal()

    async def waits_for_the_reader(call):
        await call.begin()
        await call.event(chunk("first"))
        await received.reached()
        await call.event(chunk("last"))
        await call.event("[DONE]")
        await call.end()

    model = provider.script(waits_for_the_reader)
    stream = sdk.chat.completions.create(model=f"scripted/{model}", messages=QUESTION, stream=True)
    assert next(stream).choices[0].delta.content == "first"
    received.set()
    assert [piece.choices[0].delta.content for piece in stream] == ["last"]


def test_speech_arrives_before_the_last_of_it_is_spoken(gateway, provider):
    pieces = [b"\xff\xfb\x90" + bytes([number]) * 100 for number in range(5)]
    received = [Signal() for _ in pieces]

    async def speaks(call):
        await call.begin(headers=[("content-type", "audio/mpeg")])
        for piece, signal in zip(pieces, received, strict=True):
            await call.send(piece)
            await signal.reached()
        await call.end()

    model = provider.script(speaks)
    with OpenAI(base_url=f"{gateway.url}/v1", api_key="client-key", max_retries=0, timeout=30) as client:
        speech = client.audio.speech.with_streaming_response
        with speech.create(model=f"scripted/{model}", voice="alloy", input="one two three") as answer:
            assert answer.headers["content-type"] == "audio/mpeg"
            for piece, heard, signal in zip(pieces, answer.iter_bytes(len(pieces[0])), received, strict=True):
                assert heard == piece
                signal.set()


def test_tools_make_a_round_trip(sdk, provider):
    tools = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {"a": {"type": "number"}}}}}]
    requested = {"id": "call-1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1.0}'}}

    async def calculator(call):
        last = call.json["messages"][-1]
        if last["role"] == "tool":
            return await call.respond(completion(f"the sum is {last['content']}"))
        await call.respond(completion(None, tool_calls=[requested]))

    model = provider.script(calculator)
    asked = sdk.chat.completions.create(model=f"scripted/{model}", messages=QUESTION, tools=tools).choices[0].message
    assert asked.tool_calls[0].model_dump() == requested
    result = {"role": "tool", "tool_call_id": asked.tool_calls[0].id, "content": "2"}
    told = sdk.chat.completions.create(
        model=f"scripted/{model}", messages=[*QUESTION, asked.model_dump(exclude_none=True), result], tools=tools
    )
    assert told.choices[0].message.content == "the sum is 2"
    first, second = provider.calls_of(model)
    assert first.json["tools"] == second.json["tools"] == tools
    assert second.json["messages"][1]["tool_calls"] == [requested]


def test_a_thousand_concurrent_completions_each_get_their_own_answer(gateway, provider, rollout):
    """A debug build on a busy machine may say that Redis is slow. The SDK asks again: nothing was queued."""
    count = 1000
    model = provider.script(echo)

    async def ask(client, number):
        message = {"role": "user", "content": f"question-{number}"}
        raw = await client.chat.completions.with_raw_response.create(model=f"scripted/{model}", messages=[message])
        return raw.parse().choices[0].message.content, raw.headers["x-insertion-id"]

    async def ask_all():
        url = gateway.url + rollout.path
        async with AsyncOpenAI(base_url=url, api_key="client-key", max_retries=5, timeout=60) as client:
            return await asyncio.gather(*(ask(client, number) for number in range(count)))

    answers = asyncio.run(ask_all())
    assert [content for content, _ in answers] == [f"question-{number}" for number in range(count)]
    assert len(provider.calls_of(model)) == count
    ids = {insertion_id for _, insertion_id in answers}
    assert len(ids) == count
    assert gateway.ids(rollout) == ids


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (409, openai.ConflictError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_provider_s_error_becomes_the_sdk_s_own(gateway, sdk, provider, rollout, status, error, stream):
    body = {"error": {"message": f"scripted {status}", "type": "scripted", "param": None, "code": "because"}}

    async def refuses(call):
        await call.respond(body, status=status, headers=[("retry-after", "7"), ("x-ratelimit-remaining-requests", "0")])

    model = provider.script(refuses)
    with pytest.raises(error) as raised:
        sdk.chat.completions.create(model=f"scripted/{model}", messages=QUESTION, stream=stream)
    assert raised.value.status_code == status
    assert raised.value.body == body["error"]
    headers = raised.value.response.headers
    assert headers["retry-after"] == "7"
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert headers["x-insertion-id"] not in gateway.ids(rollout)


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_gives_up_ends_the_call_at_the_provider(gateway, provider, rollout, eventually, stream):
    async def never_answers(call):
        await call.gone.reached()

    model = provider.script(never_answers)
    with OpenAI(base_url=gateway.url + rollout.path, api_key="client-key", max_retries=0, timeout=1) as client:
        with pytest.raises(openai.APITimeoutError):
            client.chat.completions.create(model=f"scripted/{model}", messages=QUESTION, stream=stream)
    [call] = provider.wait_for_call(model)
    call.gone.wait()
    eventually(lambda: gateway.ids(rollout) == set())


def test_a_client_that_leaves_a_stream_ends_the_call_at_the_provider(gateway, sdk, provider, rollout, eventually):
    async def goes_on_until_left(call):
        await call.begin()
        await call.event(chunk("first"))
        await call.gone.reached()

    model = provider.script(goes_on_until_left)
    with sdk.chat.completions.create(model=f"scripted/{model}", messages=QUESTION, stream=True) as stream:
        assert next(stream).choices[0].delta.content == "first"
        assert len(gateway.ids(rollout)) == 1
    provider.wait_for_call(model)[0].gone.wait()
    eventually(lambda: gateway.ids(rollout) == set())


def test_a_provider_that_breaks_off_a_stream_becomes_an_error_event(gateway, sdk, provider, rollout, eventually):
    async def breaks_off(call):
        await call.begin()
        await call.event(chunk("first"))
        call.cut()

    model = provider.script(breaks_off)
    stream = sdk.chat.completions.create(model=f"scripted/{model}", messages=QUESTION, stream=True)
    assert next(stream).choices[0].delta.content == "first"
    with pytest.raises(openai.APIError) as raised:
        list(stream)
    assert raised.value.message
    assert len(provider.calls_of(model)) == 1, "a call whose first bytes are delivered is not repeated"
    eventually(lambda: gateway.ids(rollout) == set())


def test_a_provider_that_breaks_off_before_its_answer_becomes_an_error(gateway, sdk, provider, rollout):
    async def breaks_off(call):
        call.cut()

    model = provider.script(breaks_off)
    with pytest.raises(openai.InternalServerError) as raised:
        sdk.chat.completions.create(model=f"scripted/{model}", messages=QUESTION)
    assert raised.value.body["message"]
    assert gateway.ids(rollout) == set()


def test_an_embedding_request_is_passed_on(sdk, provider):
    async def embeds(call):
        await call.respond({"object": "list", "model": "m", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}], "usage": {}})

    model = provider.script(embeds)
    with OpenAI(base_url=str(sdk.base_url).partition("/rollout_id")[0] + "/v1", api_key="client-key", max_retries=0) as client:
        answer = client.embeddings.create(model=f"scripted/{model}", input="text", encoding_format="float")
    assert answer.data[0].embedding == [0.5]
    [call] = provider.calls_of(model)
    assert call.path == "/v1/embeddings"
    assert json.loads(call.body)["input"] == "text"
