"""Calls that give the dashboard something to show. No provider is needed: the gateway's mock answers."""

import json
import random
import threading

HOSTILE = {
    "script": "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">",
    "quote": "\"\u0301 onmouseover=\u201dx\u201d '><b>&amp;",
    "rtl": "\u202eשלום \u05d0\u202c abc",
    "emoji": "👩‍💻🏳️‍🌈 e\u0301",
    "long": "long-" + "x" * 100,
}
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
