"""A body is the client's and the provider's: the gateway changes no byte of it but the model's prefix."""

import base64
import gzip
import zlib

import brotli
import pytest
from provider import chunk, completion, echo, sse

# Numbers that a JSON library would write differently, members that no SDK knows, odd white space, escapes, an order of its own.
REQUEST = (
    '{ "zeta":{"b":[1.50,-0.0,1E+2,1e5],"a":null},\t"temperature":1.0 ,"seed":12345678901234567890,\n "model" : "%s",'
    '"messages":[{"content":"\\u00e9\\ud83d\\ude00 é \\/ \\u0000","role":"user"}],"top_p":1e-7,"user":"ü"}\r\n '
)
ANSWER = '{"choices":[ {"message":{"role":"assistant","content":"\\u00e9 é"},"index":0}],"n":1.0,"big":12345678901234567890,"x" : 1E5}\n'.encode()


def request_body(model):
    return (REQUEST % model).encode()


def encoded(url, padded):
    text = base64.urlsafe_b64encode(url.encode()).decode()
    return text if padded else text.rstrip("=")


@pytest.fixture
def exact(provider):
    """A model that gives ANSWER with headers of its own."""

    async def answers_exactly(call):
        await call.respond(ANSWER, headers=[("x-ratelimit-limit-requests", "60"), ("openai-processing-ms", "12"), ("connection", "keep-alive")])

    return provider.script(answers_exactly)


def test_request_and_answer_pass_unchanged_but_for_the_prefix(gateway, provider, rollout, exact):
    answer = gateway.request("POST", f"{rollout.path}/chat/completions", request_body(f"scripted/{exact}"))
    assert (answer.status, answer.body) == (200, ANSWER)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-ratelimit-limit-requests"] == "60"
    [call] = provider.calls_of(exact)
    assert (call.method, call.path) == ("POST", "/v1/chat/completions")
    assert call.body == request_body(exact)


def test_a_model_without_a_prefix_goes_unchanged_to_the_default_provider(gateway, provider, rollout, exact):
    answer = gateway.request("POST", f"/v1{rollout.path}/chat/completions", request_body(exact))
    assert (answer.status, answer.body) == (200, ANSWER)
    [call] = provider.calls_of(exact)
    assert call.body == request_body(exact)


@pytest.mark.parametrize("padded", [False, True])
def test_a_base_url_in_the_path_is_called_with_the_client_s_key(gateway, provider, rollout, exact, padded):
    path = f"{rollout.path}/encoded_base_url/{encoded(provider.base_url + '/deeper', padded)}/chat/completions"
    answer = gateway.request("POST", path, request_body(exact))
    assert (answer.status, answer.body) == (200, ANSWER)
    [call] = provider.calls_of(exact)
    assert call.path == "/v1/deeper/chat/completions"
    assert call.header("authorization") == "Bearer client-key"
    assert call.body == request_body(exact)


def test_an_operator_s_account_uses_the_operator_s_key(gateway, provider, rollout, exact):
    answer = gateway.request("POST", f"{rollout.path}/chat/completions", request_body(f"owned/{exact}"))
    assert answer.status == 200
    [call] = provider.calls_of(exact)
    assert call.header("authorization") == "Bearer operator-key-that-only-its-own-host-may-see"
    assert b"client-key" not in call.body


def test_a_base_url_in_the_path_never_gets_the_operator_s_key(gateway, provider, rollout, exact):
    path = f"{rollout.path}/encoded_base_url/{encoded(provider.base_url, padded=False)}/chat/completions"
    gateway.request("POST", path, request_body(exact), key=None)
    gateway.request("POST", path, request_body(f"owned/{exact}"))
    calls = provider.wait_for_call(exact)
    assert all("operator-key" not in value for call in calls for _, value in call.headers)


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest", "http://0.0.0.0:1/", "http://[::ffff:169.254.169.254]/", "ftp://127.0.0.1/", "no url"]
)
def test_a_base_url_that_no_client_may_choose_is_refused(gateway, rollout, url):
    path = f"{rollout.path}/encoded_base_url/{encoded(url, padded=False)}/chat/completions"
    answer = gateway.request("POST", path, request_body("any-model"))
    assert 400 <= answer.status < 500
    assert answer.json["error"]["message"]
    assert gateway.ids(rollout) == set()


def test_server_sent_events_pass_unchanged(gateway, provider, rollout):
    pieces = [b": a comment\n\n", sse(chunk("a\u00e9")), b'data:{"odd" : 1.0}\r\n\r\n', b"event: x\nid: 7\ndata: {}\n\n", sse("[DONE]")]

    async def streams(call):
        await call.begin(headers=[("content-type", "text/event-stream; charset=utf-8")])
        for piece in pieces:
            await call.send(piece)
        await call.end()

    model = provider.script(streams)
    body = f'{{"model":"scripted/{model}","stream":true,"messages":[]}}'.encode()
    answer = gateway.request("POST", f"{rollout.path}/chat/completions", body)
    assert (answer.status, answer.body) == (200, b"".join(pieces))
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"


COMPRESSORS = {"gzip": gzip.compress, "br": brotli.compress, "deflate": zlib.compress}


@pytest.mark.parametrize("coding", COMPRESSORS)
def test_a_compressed_answer_arrives_whole_at_a_client_that_cannot_decompress(gateway, provider, rollout, coding):
    async def compresses(call):
        await call.respond(COMPRESSORS[coding](ANSWER * 1000), headers=[("content-encoding", coding)])

    model = provider.script(compresses)
    answer = gateway.request("POST", f"{rollout.path}/chat/completions", request_body(f"scripted/{model}"))
    assert answer.status == 200
    assert "content-encoding" not in answer.headers
    assert answer.body == ANSWER * 1000


WRONG = {"plain": lambda body, _: body, "once": lambda body, coding: COMPRESSORS[coding](body)}


@pytest.mark.parametrize("coding", COMPRESSORS)
@pytest.mark.parametrize("form", WRONG)
def test_a_wrong_label_of_an_answer_costs_nothing(gateway, provider, rollout, coding, form):
    async def lies(call):
        label = coding if form == "plain" else f"{coding}, {coding}"
        await call.respond(WRONG[form](ANSWER, coding), headers=[("content-encoding", label)])

    answer = gateway.request(
        "POST", f"{rollout.path}/chat/completions", request_body(f"scripted/{provider.script(lies)}"))
    assert (answer.status, answer.body) == (200, ANSWER)
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_compressed_request_arrives_decompressed(gateway, provider, rollout, coding):
    seen = []

    async def answers(call):
        seen.append((call.body, call.header("content-encoding")))
        await call.respond(ANSWER)

    body = request_body(f"scripted/{provider.script(answers)}")
    answer = gateway.request(
        "POST", f"{rollout.path}/chat/completions", COMPRESSORS[coding](body), {"content-encoding": coding})
    assert (answer.status, answer.body) == (200, ANSWER)
    assert seen[0][1] is None and b"messages" in seen[0][0] and seen[0][0].endswith(body[-10:])


def test_a_large_request_and_a_large_answer_pass(gateway, provider, rollout):
    text = "0123456789abcdef" * (4 << 16)

    async def repeats(call):
        await call.respond(completion(call.json["messages"][0]["content"]))

    model = provider.script(repeats)
    body = f'{{"messages":[{{"role":"user","content":"{text}"}}],"model":"scripted/{model}"}}'.encode()
    answer = gateway.request("POST", f"{rollout.path}/chat/completions", body)
    assert answer.status == 200
    assert answer.json["choices"][0]["message"]["content"] == text


@pytest.mark.parametrize(
    "header", ["Cookie", "traceparent", "X-Forwarded-For", "X-TFY-METADATA", "Proxy-Authorization", "TE", "Trailer", "X-Amz-Security-Token"]
)
def test_headers_that_are_not_the_provider_s_stay_here(gateway, provider, rollout, header):
    model = provider.script(echo)
    body = f'{{"model":"scripted/{model}","messages":[{{"role":"user","content":"x"}}]}}'.encode()
    assert gateway.request("POST", f"{rollout.path}/chat/completions", body, headers=[(header, "{}")]).status == 200
    [call] = provider.calls_of(model)
    assert call.header(header) is None
