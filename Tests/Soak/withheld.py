"""Completions that are to stand in no trace, by a header or by the operator's rule; and what must hold of them."""

import json
import re
from collections import defaultdict

from hearing import Verdict
from plan import QUESTION, text

# How many of a hundred completions are withheld.
SHARE = 12
HEADERS = (
    ("X-TFY-LOGGING-CONFIG", '{"enabled": false}'),
    ("X-TFY-METADATA", '{"tfy_log_request": "false"}'),
    ("X-TFY-METADATA", '{"soak": "withheld"}'),
)
RULES = """\
type: gateway-logging-config
rules:
  - {id: soak-withhold, when: {metadata: {soak: withheld}}, log: false}
"""
FIELDS = "name,input,metadata"
# The beginning of an answer's text, which no other has.
MARK = 32
ANSWER = re.compile(rb"[0-9a-f]{%d,}" % MARK)
PIECE = 16 << 20


def draw(random):
    """The header that keeps a completion out of the traces; None for most."""
    return random.choice(HEADERS) if random.randrange(100) < SHARE else None


class Traces:
    """What the traces of rollouts may show."""

    def __init__(self, completions):
        self._by_rollout = defaultdict(list)
        for completion in completions:
            self._by_rollout[completion.rollout].append(completion)

    def judge(self, rollout, traces):
        """A violation; None if there is none."""
        by_id = {trace["id"]: trace for trace in traces}
        asked = set(QUESTION.findall(json.dumps(traces).encode()))
        for completion in self._by_rollout[rollout]:
            token = completion.plan.token
            if completion.withheld_by and token.encode() in asked:
                return f"the withheld {token} of {rollout} stands in a trace"
            for heard in completion.of(Verdict.SUCCEEDED):
                trace = by_id.get(heard.id.replace("-", ""))
                if not trace:
                    continue
                is_marked = "withheld" in json.dumps(trace.get("metadata"))
                if bool(completion.withheld_by) != is_marked or bool(completion.withheld_by) == (token.encode() in asked):
                    return f"{token} of {rollout}, {completion.withheld_by}, has the trace {json.dumps(trace)[:500]}"
        return None


def check_files(directory, completions):
    """Violations: what is withheld stands in no file of the trace store and in no log. All else must be found there, or the search is blind."""
    tokens = {completion.plan.token.encode() for completion in completions if completion.withheld_by}
    answers = {text(completion.plan, call)[:MARK] for completion in completions if completion.withheld_by for call in (1, 2, 3)}
    found, seen_questions, seen_answers = [], 0, 0
    for path in sorted(directory.rglob("*")):
        if not path.is_file() or "appendonlydir" in path.parts:
            continue
        questions, starts = search(path)
        seen_questions, seen_answers = seen_questions + len(questions - tokens), seen_answers + len(starts - answers)
        found += [f"{path.name} has the question of the withheld {token.decode()}" for token in questions & tokens]
        found += [f"{path.name} has a withheld answer: {start.decode()}" for start in starts & answers]
    if tokens and not (seen_questions and seen_answers):
        found.append(f"{seen_questions} questions and {seen_answers} answers were found in the files: the search is blind")
    return found


def search(path):
    """The tokens of the questions in a file, and the beginnings of the answers."""
    questions, answers, rest = set(), set(), b""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            piece = rest + piece
            questions.update(QUESTION.findall(piece))
            answers.update(run[:MARK] for run in ANSWER.findall(piece))
            rest = piece[-200:]
    return questions, answers


def check_dead_letters(letters, completions):
    """Violations: the letter of a withheld completion has no request in it."""
    ids = {heard for completion in completions if completion.withheld_by for heard in completion.known_ids}
    return [f"the dead letter of the withheld {letter['i']} has {sorted(letter)}" for letter in letters if letter["i"] in ids and "p" in letter]
