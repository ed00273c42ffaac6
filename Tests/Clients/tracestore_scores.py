"""Writes scores to a trace store and reads them back with Langfuse's Python SDK of whichever version is installed.

Run as a process of its own, so that two versions can be tried; prints what it read as JSON. The environment names the store.
"""

import json
import sys
from importlib.metadata import version

from langfuse import Evaluation, Langfuse

unique = sys.argv[1]
is_older = version("langfuse").startswith("3.")
client = Langfuse()

with client.start_as_current_observation(as_type="span", name="scored") as span:
    trace_id, observation_id = client.get_current_trace_id(), span.id
    span.score(name="of the span", value=0.25, comment="a comment", metadata={"by": "a judge"})
    span.score_trace(name="of the trace", value="good", data_type="CATEGORICAL")
client.create_score(name="truth", value=0, data_type="BOOLEAN", trace_id=trace_id, score_id=f"truth {unique}")
client.create_score(name="truth", value=1, data_type="BOOLEAN", trace_id=trace_id, score_id=f"truth {unique}")
client.create_score(name="deleted", value=1, trace_id=trace_id, score_id=f"deleted {unique}")
client.create_score(name="of the session", value="some words", data_type="TEXT", session_id=unique)


def double(*, item, **_):
    return item["input"] * 2


def is_right(*, input, output, **_):
    return Evaluation(name="right", value=float(output == input * 2), comment=f"{input} becomes {output}")


experiment = client.run_experiment(
    name=f"experiment {unique}", data=[{"input": number} for number in range(3)], task=double, evaluators=[is_right]
)
client.flush()
(client.api.score if is_older else client.api.scores).delete(f"deleted {unique}")


def scores(**query):
    """All scores that a query chooses, by the page, as JSON."""
    if is_older:
        found, page = [], 1
        while True:
            answer = client.api.score_v_2.get(limit=2, page=page, **query)
            found += [json.loads(score.json(by_alias=True)) for score in answer.data]
            if page >= answer.meta.total_pages:
                return found
            page += 1
    found, cursor = [], None
    while True:
        answer = client.api.scores.get_many(limit=2, cursor=cursor, fields="details,subject", **query)
        found += [json.loads(score.json(by_alias=True)) for score in answer.data]
        cursor = answer.meta.cursor
        if cursor is None:
            return found


found = {
    "version": version("langfuse"),
    "trace_id": trace_id,
    "observation_id": observation_id,
    "trace": scores(trace_id=trace_id),
    "session": scores(session_id=unique),
    "experiment": [score for item in experiment.item_results for score in scores(trace_id=item.trace_id)],
}
if is_older:
    trace = client.api.trace.get(trace_id)
    found["whole"] = sorted(score.name for score in trace.scores)
    found["observations"] = [row.id for row in client.api.observations.get_many(trace_id=trace_id).data]
    found["observation"] = client.api.observations.get(observation_id).name
try:
    client.get_dataset("no such dataset")
except Exception as error:  # Each version has an error of its own.
    found["dataset"] = str(error)
print(json.dumps(found))
