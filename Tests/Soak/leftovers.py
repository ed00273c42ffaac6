"""What may be left in Redis and in the processes when nothing runs any more."""

import json

from fleet import PROJECT, REQUEST_TIMEOUT
from processes import ask

# The deadline of a question about a rollout, in seconds from its arrival (VerificationController.traceTime).
QUESTION_TIMEOUT = 300
# Beyond a job's deadline (architecture §3), in seconds, with the grace for an answer that says so. Questions are jobs,
# too.
MARKER_LIFE = max(REQUEST_TIMEOUT, QUESTION_TIMEOUT) + 65
MOST_LIVES = {
    "gateway/started/*": 0,
    "gateway/jobkey/*": 0,
    "gateway/cancelled/*": MARKER_LIFE,
    "gateway/credit/*": MARKER_LIFE,
    "gateway/responses/*": 60,
    "gateway/bell/*": 60,
    "gateway/forwarder/*": 15,
    "gateway/ingresses*": 15,
    "gateway/response/*": 86_400,
    "gateway/job/*": 86_400 + REQUEST_TIMEOUT,
    "gateway/idempotency/*": 86_400,
    # Until the end of the minute in which the last of what it counts expires.
    "gateway/kept": 86_400 + REQUEST_TIMEOUT + 60,
    "gateway/rollout/*": 86_400,
    "gateway/count/*": 2 * 86_400,
    "gateway/rollouts/*": 86_400,
    "gateway/span/*": 86_400 + 3600,
    "gateway/verdict/*": 86_400,
    "gateway/verified/*": 86_400,
    "gateway/ended/*": REQUEST_TIMEOUT + 5,
    "gateway/verifier/*": 15,
    "gateway/querier/*": 15,
    "gateway/verifying/*": 5,
    "gateway/limit/*": 86_400,
    "gateway/trace/trouble": 120,
    "gateway/verifications/trouble": 10,
}
# What has no end of its own: streams, and what is kept of spans within its bound.
LASTING = {
    *("gateway/jobs", "gateway/dead", "gateway/verifications", f"gateway/traces/{PROJECT}", "gateway/key/fingerprint"),
    *("gateway/queries", "gateway/requests"),
    *("gateway/trace/kept", "gateway/trace/kept/bytes", "gateway/trace/projects"),
}
DELIVERIES = 3


def is_idle(redis):
    """Whether no job is left, delivered or not."""
    groups = redis("XINFO", "GROUPS", "gateway/jobs")
    return redis("XLEN", "gateway/jobs") == 0 and all(dict(zip(group[::2], group[1::2]))["pending"] == 0 for group in groups)


def spans_wait(redis):
    """Whether spans wait for their export or the request log, or records for the latter."""
    return any(redis("XLEN", stream) > 0 for stream in (f"gateway/traces/{PROJECT}", "gateway/requests"))


def check_redis(redis, fleet, rollouts):
    """Violations."""
    found = []
    if not is_idle(redis):
        pending = redis("XPENDING", "gateway/jobs", "forwarders")
        found.append(f"jobs are left: {redis('XLEN', 'gateway/jobs')} on the stream, pending {pending}")
    counters = {
        "gateway/jobs/bytes": "gateway/jobs",
        "gateway/trace/bytes": f"gateway/traces/{PROJECT}",
        "gateway/requests/bytes": "gateway/requests",
    }
    for counter, stream in counters.items():
        if redis("EXISTS", counter) or redis("XLEN", stream):
            found.append(f"{counter} is {redis('GET', counter)}, and {stream} has {redis('XLEN', stream)} entries, though nothing runs")
    for pattern, life in MOST_LIVES.items():
        for key in redis.keys(pattern):
            left = redis("PTTL", key)
            if left != -2 and not 0 <= left <= life * 1000:
                found.append(f"{key} lives for {left} ms more; at most {life} s would be right")
    families = {pattern.rstrip("*") for pattern in MOST_LIVES}
    strange = {key for key in redis.keys("*") if key not in rollouts | LASTING and not any(key.startswith(family) for family in families)}
    found += [f"an unknown key {key}" for key in strange]
    return found + check_swept(redis, fleet)


def check_swept(redis, fleet):
    """Violations of what comes true a while after all is idle: only the living count as alive, and streams are trimmed."""
    found = []
    for key in redis.keys("gateway/responses/*"):
        if redis("XLEN", key) > 512:
            found.append(f"{key} holds {redis('XLEN', key)} frames: it is not trimmed")
    for kind in ("forwarder", "verifier"):
        alive = len(redis.keys(f"gateway/{kind}/*"))
        if alive != fleet.living(kind):
            found.append(f"{alive} {kind}s count as alive, and {fleet.living(kind)} are")
    return found


def check_dead_letters(redis, losses):
    """Violations, and the letters. `losses`: how often a forwarder or Redis was lost in all; a letter takes a few of them."""
    letters = [dict(zip(fields[::2], fields[1::2])) for _, fields in redis("XRANGE", "gateway/dead", "-", "+")]
    found = []
    for letter in letters:
        if not letter["reason"].startswith(f"given to {DELIVERIES} forwarders") or losses < DELIVERIES:
            found.append(f"a dead letter that nothing explains: {letter['i']}: {letter['reason']}")
    return found, letters


def check_ingresses(fleet):
    """Violations: no request waits any more, and no connection is held but the one that asks."""
    found = []
    for ingress in fleet.ingresses:
        health = json.loads(ask(ingress.port, "GET", "/health")[1])
        if health["waiting"] or health["connections"] > 1:
            found.append(f"{ingress.role} is idle and says {health}")
    return found
