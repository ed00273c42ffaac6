"""A provider's script that calls tools, in a whole answer or a streamed one."""

import asyncio

from provider import chunk, completion

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "look_up",
            "strict": True,
            "parameters": {"type": "object", "properties": {"key": {"type": "string"}}, "required": ["key"], "additionalProperties": False},
        },
    }
]


def calls_tools_once(count):
    """A script that calls two tools, then tells what they gave. It answers nobody until `count` calls wait for it."""
    everybody = asyncio.Barrier(count)

    async def script(call):
        messages = call.json["messages"]
        name = messages[1]["content"]
        if messages[-1]["role"] == "tool":
            answer = {"content": f"{name}: {', '.join(message['content'] for message in messages if message['role'] == 'tool')}"}
        else:
            await asyncio.wait_for(everybody.wait(), 60)
            answer = {"content": None, "tool_calls": [called(number, name) for number in (1, 2)]}
        assert call.header("authorization") == "Bearer client-key" and call.json["tools"] == TOOLS
        if call.json.get("stream"):
            await stream(call, **answer)
        else:
            await call.respond(completion(**answer))

    return script


def called(number, name):
    return {"id": f"call-{number}", "type": "function", "function": {"name": "look_up", "arguments": f'{{"key": "{name} {number}"}}'}}


async def stream(call, content, tool_calls=()):
    """The answer in pieces; a tool call's arguments in two."""
    await call.begin()
    for word in (content or "").split():
        await call.event(chunk(word + " "))
    for index, tool_call in enumerate(tool_calls):
        function = tool_call["function"]
        for piece in [
            {**tool_call, "index": index, "function": {**function, "arguments": function["arguments"][:5]}},
            {"index": index, "function": {"arguments": function["arguments"][5:]}},
        ]:
            event = chunk(None)
            event["choices"][0]["delta"] = {"tool_calls": [piece]}
            await call.event(event)
    await call.event(chunk(None, "tool_calls" if tool_calls else "stop"))
    await call.event("[DONE]")
    await call.end()
