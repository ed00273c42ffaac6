"""Writes to a trace store and reads back with Langfuse's Python SDK of whichever version is installed, as its documentation shows.

Run as a process of its own, so that two versions can be tried; prints what it read as JSON. The environment names the store.
"""

import json
import sys
import time
from importlib.metadata import version

from langfuse import Langfuse, propagate_attributes

tag, count = sys.argv[1], int(sys.argv[2])
is_older = version("langfuse").startswith("3.")
client = Langfuse()
assert client.auth_check()

trace_ids = []
for number in range(count):
    with client.start_as_current_observation(as_type="span", name="agent", input={"question": number}) as span:
        with propagate_attributes(tags=[tag, f"number:{number}"], session_id=f"session-{tag}", user_id="somebody", trace_name="a trace"):
            with client.start_as_current_observation(
                as_type="generation", name="call", model="m1", input=[{"role": "user", "content": "é"}], usage_details={"input": 5, "output": 2}
            ) as generation:
                generation.update(output={"role": "assistant", "content": f"answer {number}"})
        span.update(output="done")
        trace_ids.append(client.get_current_trace_id())
client.flush()

condition = json.dumps([{"type": "arrayOptions", "column": "tags", "operator": "any of", "value": [tag]}])
observations = client.api.observations_v_2 if is_older else client.api.observations


def read():
    rows, cursor = [], None
    while True:
        page = observations.get_many(fields="core,basic,io,usage,model,trace_context,metadata", limit=2, filter=condition, cursor=cursor)
        rows += [row if isinstance(row, dict) else json.loads(row.json(by_alias=True)) for row in page.data]
        cursor = page.meta.cursor
        if cursor is None:
            return rows


deadline = time.monotonic() + 20
rows = read()
while len([row for row in rows if row["type"] == "GENERATION"]) < count and time.monotonic() < deadline:
    rows = read()

found = {"version": version("langfuse"), "trace_ids": trace_ids, "rows": rows}
if is_older:
    listed = client.api.trace.list(tags=[tag], limit=100)
    found["listed"] = [trace.id for trace in listed.data]
    found["total"] = listed.meta.total_items
    trace = client.api.trace.get(trace_ids[0])
    found["trace"] = json.loads(trace.json(by_alias=True))
else:
    now = time.time()
    query = {
        "view": "observations",
        "metrics": [{"measure": "count", "aggregation": "count"}],
        "filters": json.loads(condition),
        "fromTimestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 3600)),
        "toTimestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 3600)),
    }
    found["metrics"] = client.api.metrics.metrics(query=json.dumps(query)).data
print(json.dumps(found))
