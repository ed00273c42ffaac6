"""Completions that the operator's rules send to one of two targets, and to the other after a failure; and what must hold of them."""

from hearing import Verdict
from plan import REFUSALS

# The accounts of the provider, each of which is a target.
ACCOUNTS = ("provider", "other")
# The model of each kind, and the rule that it meets.
MODELS = {"balanced": "provider/balanced", "falling back": "provider/fallback"}
IDS = {"balanced": "soak-balance", "falling back": "soak-fallback"}
RULES = f"""\
type: gateway-load-balancing-config
rules:
  - id: {IDS["balanced"]}
    when: {{models: [{MODELS["balanced"]}]}}
    load_balance_targets:
      - {{target: provider/soak, fallback_status_codes: [429, 500]}}
      - {{target: other/soak, fallback_status_codes: [429, 500]}}
---
type: gateway-fallback-config
rules:
  - id: {IDS["falling back"]}
    when: {{models: [{MODELS["falling back"]}], response_status_codes: [429, 500]}}
    fallback_models: [other/soak]
"""


def extra_calls(completion, calls):
    """How many calls followed a failure that the rules name."""
    return sum(call.outcome in REFUSALS for call in calls) if completion.kind in MODELS else 0


def check(completion, calls):
    """What is wrong with a completion of these kinds. `calls`: those at the provider, in their order."""
    if completion.kind not in MODELS:
        return
    for before, call in zip(calls, calls[1:]):
        if _was_passed_on(before, call) and before.account == call.account:
            yield f"{call.account} was called again after its {before.outcome}"
    for hearing in completion.hearings:
        if hearing.is_planned and not _is_last_word(hearing.call, calls):
            yield f"call {hearing.call} failed and was passed on, with a target left"
        if hearing.verdict is Verdict.SUCCEEDED:
            yield from _check_headers(completion, hearing, calls[hearing.call - 1])


def _was_passed_on(before, call):
    return before.outcome in REFUSALS and before.forwarder == call.forwarder


def _is_last_word(number, calls):
    """Whether both targets failed, one after the other."""
    return number > 1 and _was_passed_on(calls[number - 2], calls[number - 1])


def _check_headers(completion, hearing, call):
    rule, is_first = IDS[completion.kind], call.account == ACCOUNTS[0]
    is_named = rule in (hearing.headers.get("x-tfy-applied-configurations") or "")
    if is_named != (completion.kind == "balanced" or not is_first):
        yield f"answered by {call.account}, and the rules that applied are {hearing.headers.get('x-tfy-applied-configurations')}"
    model = MODELS[completion.kind] if completion.kind == "falling back" and is_first else f"{call.account}/soak"
    if hearing.headers.get("x-tfy-resolved-model") != model:
        yield f"answered by {call.account}, and the model is {hearing.headers.get('x-tfy-resolved-model')}"
    if not 1 <= int(hearing.headers.get("x-tfy-attempts") or 0) <= hearing.call:
        yield f"call {hearing.call} is attempt {hearing.headers.get('x-tfy-attempts')}"
