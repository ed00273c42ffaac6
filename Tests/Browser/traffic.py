"""Calls that give the dashboard something to show. No provider is needed: the gateway's mock answers."""

import base64
import json
import random
import threading

import provider

HOSTILE = {
    "script": "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">",
    "quote": "\"\u0301 onmouseover=\u201dx\u201d '><b>&amp;",
    "rtl": "\u202eשלום \u05d0\u202c abc",
    "emoji": "👩‍💻🏳️‍🌈 e\u0301",
    "long": "long-" + "x" * 100,
}
# A held call ends by then, should its test have failed before it was released.
HELD = 280
CUSTOMERS = ["acme", "globex", "initech", "umbrella"]


def path(project, rollout, row):
    front = f"/project_id/{project}" if project else ""
    return f"{front}/rollout_id/{rollout}/invocation_id/i1/experiment_id/mmlu/run_id/nightly/row_id/{row}/chat/completions"


def call(gateway, model="mock/echo", *, project=None, rollout="demo", row=1, metadata=None, messages=None, stream=False, key="client-key"):
    """One completion."""
    body = {"model": model, "messages": messages or [{"role": "user", "content": "Hello!"}], "stream": stream}
    headers = {"X-TFY-METADATA": json.dumps(metadata)} if metadata else {}
    return gateway.request("POST", path(project, rollout, row), json.dumps(body), headers, key=key)


def some(gateway, count, seed=1, **further):
    """Calls of four customers, of which some fail."""
    chance = random.Random(seed)
    for number in range(count):
        customer = chance.choices(CUSTOMERS, [5, 3, 2, 1])[0]
        status = "&status=503" if chance.random() < 0.06 else ""
        model = f"mock/echo?delay_ms={chance.randint(1, 30)}&prompt_tokens={chance.randint(20, 900)}{status}"
        metadata = {"customer-id": customer, "environment": chance.choice(["prod", "prod", "staging"])}
        call(gateway, model, metadata=metadata, row=number, rollout=f"nightly-{number % 3}", stream=number % 2 == 0, **further)


class HeldCall:
    """A completion whose provider does not answer before `release`: it is in flight for as long as a test needs that."""

    def __init__(self, gateway, scripted, **ids):
        self._released = provider.Signal()
        self._script = scripted.script(self._answer)
        url = base64.urlsafe_b64encode(scripted.base_url.encode()).decode()
        front, _, end = path(None, ids.get("rollout", "demo"), ids.get("row", 1)).partition("/chat/completions")
        body = json.dumps({"model": self._script, "messages": [{"role": "user", "content": "Hello!"}]})
        asked = ("POST", f"{front}/encoded_base_url/{url}/chat/completions", body)
        self._answers = []
        asking = lambda: self._answers.append(gateway.request(*asked, timeout=HELD))  # noqa: E731
        self._thread = threading.Thread(target=asking, daemon=True)
        self._thread.start()
        scripted.wait_for_call(self._script)

    async def _answer(self, call):
        await self._released.reached(HELD)
        await call.respond(provider.completion("Hello back!"))

    def release(self):
        self._released.set()
        self._thread.join()
        assert [answer.status for answer in self._answers] == [200]


# What the step that ends a job does with one that is given up: a copy of the newest job's payload.
BURY = """
local found = redis.call('XREVRANGE', 'gateway/jobs', '+', '-', 'COUNT', 1)[1]
if not found then return '' end
local said = {}
for index = 1, #found[2], 2 do said[found[2][index]] = found[2][index + 1] end
redis.call(
    'XADD', 'gateway/dead', '*', 'reason', ARGV[1], 'entry', found[1], 'i', said['i'], 'bytes', #said['p'], 'p', said['p'])
return said['i']
"""


def bury(gateway, eventually, reason, **further):
    """Makes a dead letter of a call that runs, as if its forwarders had died, and gives its insertion id."""
    thread = threading.Thread(target=call, args=(gateway, "mock/echo?delay_ms=1500"), kwargs=further)
    thread.start()
    found = []
    eventually(lambda: found.append(gateway.redis("EVAL", BURY, "0", reason).strip()) or found[-1])
    thread.join()
    return found[-1]


def settled(gateway, count, project=None, key="client-key"):
    """Whether the log has at least so many rows."""
    front = f"/project_id/{project}" if project else ""
    answer = gateway.request("GET", f"{front}/v1/logs/requests?limit=1000", key=key)
    return answer.status == 200 and len(answer.json["data"]) >= count
