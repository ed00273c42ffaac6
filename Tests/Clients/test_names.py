"""Models by the ids that the default provider itself lists, with OpenAI's SDK."""

import openai
import pytest
from openai import OpenAI
from provider import completion

LISTED = ["meta-llama/Llama-3.1-8B", "deep/er/model", "plain"]
QUESTION = [{"role": "user", "content": "hi"}]


@pytest.fixture
def listing(provider):
    """The provider lists its models, knows each by its id, and answers the calls."""
    seen = []

    async def answers(call):
        seen.append(call)
        if call.method == "POST":
            return await call.respond(completion(call.model))
        models = [{"id": id, "object": "model", "created": 1, "owned_by": "lab"} for id in LISTED]
        if call.path == "/v1/models":
            return await call.respond({"object": "list", "data": models})
        found = [model for model in models if call.path == "/v1/models/" + model["id"].replace("/", "%2F")]
        await call.respond(found[0] if found else {"error": {"message": "no"}}, status=200 if found else 404)

    with provider.other_paths(answers):
        yield seen


@pytest.fixture(scope="module", params=["scripted", "owned"])
def default(request, start_gateway):
    return start_gateway(DEFAULT_PROVIDER=request.param, UPSTREAM_ATTEMPTS="1")


def client(gateway):
    return OpenAI(base_url=gateway.url + "/v1", api_key="client-key", max_retries=0, timeout=30)


def test_each_listed_id_can_be_called_and_looked_up(default, listing):
    with client(default) as sdk:
        ids = [model.id for model in sdk.models.list()]
        assert ids == LISTED
        for id in ids:
            answer = sdk.chat.completions.create(model=id, messages=QUESTION)
            assert answer.choices[0].message.content == id
            assert sdk.models.retrieve(id).id == id


@pytest.mark.parametrize("model", ["opnai/gpt-4o", "scriptd/plain", "meta-llama/Llama-9"])
def test_a_mistyped_name_reaches_no_provider(default, listing, model):
    with client(default) as sdk:
        with pytest.raises(openai.BadRequestError) as refused:
            sdk.chat.completions.create(model=model, messages=QUESTION)
        assert refused.value.code == "unknown_provider"
        with pytest.raises(openai.BadRequestError):
            sdk.models.retrieve(model)
    assert all(call.path == "/v1/models" and call.header("authorization") != "Bearer client-key" for call in listing)


def test_a_client_that_takes_the_prefix_off_is_told_how_to_write_it(start_gateway):
    with client(start_gateway()) as sdk:
        with pytest.raises(openai.BadRequestError) as refused:
            sdk.chat.completions.create(model="gpt-4o", messages=QUESTION)
    assert refused.value.code == "missing_provider"
    for words in ["`<provider>/gpt-4o`", "`openai/<provider>/gpt-4o`", "`litellm_proxy/<provider>/gpt-4o`"]:
        assert words in str(refused.value)
