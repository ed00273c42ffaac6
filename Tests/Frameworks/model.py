"""A scripted model that answers what the frameworks of docs/clients.md ask for, in the form that they ask for it."""

import json

from provider import chunk, completion

ANSWER = "4"


def example(schema, definitions):
    """The least value that a JSON schema allows, with the answer for each text and number."""
    schema = definitions.get(schema.get("$ref", "").rpartition("/")[2], schema)
    kind = schema.get("type")
    if kind == "object":
        return {name: example(part, definitions) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return []
    if kind == "boolean":
        return True
    return int(ANSWER) if kind in ("integer", "number") else ANSWER


def message(request):
    """The message of an answer: a tool's call where one has to be called, what DSPy reads, or the answer alone."""
    choice = request.get("tool_choice")
    if request.get("tools") and (choice == "required" or isinstance(choice, dict)):
        function = request["tools"][0]["function"]
        schema = function["parameters"]
        arguments = json.dumps(example(schema, schema.get("$defs", {})))
        call = {"id": "call_1", "type": "function", "function": {"name": function["name"], "arguments": arguments}}
        return {"content": None, "tool_calls": [call]}
    if "[[ ## " in json.dumps(request["messages"]):
        return {"content": f"[[ ## answer ## ]]\n{ANSWER}\n\n[[ ## completed ## ]]"}
    return {"content": ANSWER}


async def as_a_model_would(call):
    request = call.json
    answer = message(request)
    if not request.get("stream"):
        return await call.respond(completion(**answer))
    await call.begin()
    await call.event(chunk(answer["content"]))
    await call.event(chunk(None, "stop"))
    await call.event("[DONE]")
    await call.end()
