"""What the figures were measured on and with."""

import importlib.metadata
import os
import platform
import re
import subprocess
from datetime import datetime, timezone
from pathlib import Path


def first_match(pattern, text):
    match = re.search(pattern, text, re.MULTILINE)
    return match.group(1).strip() if match else "unknown"


def output(*command):
    run = subprocess.run(command, capture_output=True, text=True)
    return (run.stdout + run.stderr).strip()


# Of each name in the report, the name on PyPI.
PACKAGES = {"vllm-router": "vllm-router", "smg": "smg", "ferrogw": "ferrogw", "TensorZero": "tensorzero", "LiteLLM": "litellm"}


def rows(options):
    memory = int(first_match(r"^MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text()))
    return [
        ("date", datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")),
        ("processor", f"{first_match(r'^model name.*: (.*)', Path('/proc/cpuinfo').read_text())}, {len(os.sched_getaffinity(0))} cores"),
        ("memory", f"{memory / 1024**2:.1f} GiB"),
        ("system", f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {platform.release()}"),
        ("load before the run", f"{os.getloadavg()[0]:.2f} (one minute's average; above 0.2 something else takes part)"),
        ("gateway", f"{output(options.executable, '--version')}, commit {output('git', 'describe', '--always', '--dirty')}"),
        ("Redis", first_match(r"v=(\S+)", output("redis-server", "--version"))),
        ("nginx", first_match(r"nginx/(\S+)", output("nginx", "-v"))),
        ("wrk", first_match(r"wrk (\S+)", output("wrk", "-v"))),
        *((name, importlib.metadata.version(package)) for name, package in PACKAGES.items()),
        ("one wrk run", f"{options.seconds} s"),
    ]
