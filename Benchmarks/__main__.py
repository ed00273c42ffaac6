"""Measures the gateway against other proxies; see README.md. The one argument is the gateway's executable."""

import signal
import sys
from datetime import datetime, timezone
from pathlib import Path

import machine
from options import BadOption, Options
from parts import bodies, forwarders, in_flight, memory, rollout, streams, throughput
from report import Report

RESULTS = Path(__file__).parent / "results"
PARTS = {part.__name__.rpartition(".")[2]: part for part in (throughput, bodies, streams, in_flight, forwarders, memory, rollout)}


def main():
    # A stopped benchmark stops what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        options = Options.read(sys.argv[1])
    except BadOption as error:
        print(f"error: {error}", file=sys.stderr)
        return 64
    report = Report()
    report.table(["machine and versions", ""], machine.rows(options))
    for part in options.parts:
        PARTS[part].measure(options, report)
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}.md"
    file.write_text(report.markdown)
    print(f"\nWritten to {file}")
    return 1 if report.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
