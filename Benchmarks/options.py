"""What to measure, and for how long: read from the environment, as `make bench NAME=value` sets it."""

import os
from dataclasses import dataclass, field
from pathlib import Path

SYSTEMS = (
    *("nginx", "vllm-router", "smg", "ferrogw", "tensorzero"),
    *("gateway", "gateway-rules", "gateway-traces"),
    *("gateway-log", "gateway-log-untraced", "litellm"),
)
PARTS = ("throughput", "bodies", "streams", "in_flight", "forwarders", "memory", "rollout")


class BadOption(Exception):
    """An option that cannot be used; says which one, why, and what would be right."""


@dataclass(frozen=True)
class Options:
    executable: Path
    systems: tuple
    parts: tuple
    # Of all systems in turn, for the short calls.
    rounds: int
    # Seconds of one wrk run, and of the run that watches memory.
    seconds: int
    duration: int
    # Concurrent streams, and calls in flight.
    streams: int
    calls: int
    # Completions of the large rollout.
    completions: int
    # More settings of the gateway.
    settings: dict = field(default_factory=dict)

    @classmethod
    def read(cls, executable, environment=os.environ):
        is_quick = environment.get("QUICK", "") not in ("", "0")

        def number(name, default, quick):
            text = environment.get(name) or str(quick if is_quick else default)
            if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1_000_000):
                raise BadOption(f"{name}: `{text}` must be a whole number from 1 to 1000000; for example {default}")
            return int(text)

        def choice(name, known):
            chosen = environment.get(name, "").replace(",", " ").split() or known
            for word in chosen:
                if word not in known:
                    raise BadOption(f"{name}: `{word}` is none of {', '.join(known)}")
            return tuple(word for word in known if word in chosen)

        return cls(
            executable=Path(executable),
            systems=choice("SYSTEMS", SYSTEMS),
            parts=choice("PARTS", PARTS),
            rounds=number("ROUNDS", 1, quick=1),
            seconds=number("SECONDS_EACH", 10, quick=2),
            duration=number("DURATION", 60, quick=10),
            streams=number("STREAMS", 2000, quick=200),
            calls=number("CALLS", 5000, quick=500),
            completions=number("COMPLETIONS", 100_000, quick=5000),
        )
