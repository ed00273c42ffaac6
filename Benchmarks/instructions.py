"""Counts the instructions that the gateway executes for a call, with valgrind's callgrind.

    python3 Benchmarks/instructions.py .build/release/metadata-gateway [SYSTEM ...]

A count says what a change of the code costs on any machine and beside any other load, to a few in a thousand; times
do not. It leaves out the kernel and Redis. SYSTEMs are those of systems.py that are the gateway (default: gateway and
gateway-rules). For each its profile stays in the present folder, for callgrind_annotate. Needs valgrind, nginx and
strip.
"""

import base64
import http.client
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import processes
import systems
from upstreams import instant

CONNECTIONS = 16
# Of each connection: calls after which all is loaded and cached, and calls that are counted.
WARM, COUNTED = 10, 100
# Under valgrind all takes some fifty times as long.
PATIENCE = {"REDIS_COMMAND_TIMEOUT_MS": "10000"}


def wrapped(workshop, executable, profile):
    """A command that runs the gateway under callgrind. Valgrind cannot read what Swift writes for a debugger."""
    stripped = workshop.directory / "metadata-gateway"
    subprocess.run(["strip", "--strip-debug", "-o", stripped, executable], check=True)
    options = f"--tool=callgrind --instr-atstart=no --callgrind-out-file={profile}"
    script = workshop.write("gateway.sh", f'#!/bin/sh\nexec valgrind {options} {stripped} "$@"\n')
    script.chmod(0o700)
    return script


def redis(workshop):
    """The settings that lead to a Redis of its own: valgrind does not let the gateway start one."""
    socket = workshop.directory / "redis.sock"
    child = workshop.start("redis", ["redis-server", "--port", 0, "--unixsocket", socket, "--dir", workshop.directory, "--save", ""])
    processes.wait_until(socket.exists, child, "opened its socket")
    return {"REDIS_HOST": f"unix:{socket}", "GATEWAY_KEY": base64.b64encode(os.urandom(32)).decode()}


def call(system, times):
    connection = http.client.HTTPConnection("127.0.0.1", system.port, timeout=processes.READY_WITHIN)
    path, body = system.path.replace("{}", "0"), system.request_body()
    for _ in range(times):
        connection.request("POST", path, body, systems.HEADERS)
        answer = connection.getresponse()
        if answer.status != 200:
            raise processes.SystemFailed(f"{answer.status} {answer.read()[:500]}")
        answer.read()


def load(system, times):
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        # What a call raises is raised here.
        list(pool.map(lambda _: call(system, times), range(CONNECTIONS)))


def control(child, *words):
    """Tells the callgrind that runs the process what to do."""
    subprocess.run(["callgrind_control", *words, str(child.process_ids[0])], check=True, capture_output=True)


def instructions(name, executable):
    """Of one call to the named system."""
    profile = Path(f"callgrind.{name}").absolute()
    with processes.Workshop() as workshop:
        options = SimpleNamespace(executable=wrapped(workshop, executable, profile), settings=redis(workshop) | PATIENCE)
        system = systems.START[name](workshop, instant(workshop), options)
        system.wait_until_ready()
        load(system, WARM)
        gateway = system.children[0]
        control(gateway, "-i", "on")
        load(system, COUNTED)
        control(gateway, "-i", "off")
        control(gateway, "-d")
        dump = Path(f"{profile}.1")
        text = dump.read_text(errors="replace")
    return int(re.search(r"^totals: (\d+)", text, re.MULTILINE)[1]) / (CONNECTIONS * COUNTED), dump


def main():
    executable, names = Path(sys.argv[1]).resolve(), sys.argv[2:] or ["gateway", "gateway-rules"]
    known = [name for name in systems.START if name.startswith("gateway")]
    if unknown := set(names) - set(known):
        raise SystemExit(f"{', '.join(unknown)}: none of {', '.join(known)}")
    print("| system | instructions of the gateway a call | profile |\n|---|---|---|", flush=True)
    for name in names:
        count, profile = instructions(name, executable)
        print(f"| {name} | {count:,.0f} | {profile.name} |", flush=True)


main()
