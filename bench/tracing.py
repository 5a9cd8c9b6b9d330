"""What it costs that a job's process notes what it runs: `sys.monitoring`, and the audit hook, each on and off.

Monitoring needs Python 3.12; on an older one, only the hook is measured.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from harness import ROOT, Limit, Row, Size, turns

TITLE = "Tracing"
SIDE = ROOT / "bench" / "sides" / "traced.py"
WORKS = {
    "calls": "10,000,000 calls of one function",
    "functions": "import of a project of 200 functions, each called once",
    "opens": "10,000 times open, read and close a file of the project",
    "events": "1,000,000 calls of id(), which are audit events",
}
LIMITS = {"calls": 1.1, "opens": 1.5}


def rows(size: Size) -> list[Row]:
    """Each work with monitoring, with the hook, and with both, beside none of them."""
    modes = ["monitoring", "hook", "both"] if sys.version_info >= (3, 12) else ["hook"]
    found = []
    for work, what in WORKS.items():
        times = turns({mode: partial(traced, work, mode) for mode in ("off", *modes)}, size.of(5, 3))
        for mode in modes:
            limit = Limit("<=", LIMITS[work]) if work in LIMITS else None
            found.append(Row(f"{what}, {mode}", "off", "ms", times[mode], times["off"], limit))
    ended = turns({"document": partial(traced, "document", "off")}, size.of(5, 3))
    return [*found, Row("digests of 100 files of 50 kB at the end", unit="ms", ours=ended["document"])]


def traced(work: str, mode: str) -> float:
    """Milliseconds of some work in a process of its own."""
    return float(subprocess.check_output([sys.executable, str(SIDE), work, mode])) * 1000
