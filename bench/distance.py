"""What a distant server costs: a proxy of ours adds 5 ms each way."""

from __future__ import annotations

from functools import partial

import peers
from drain import ours, rq
from harness import Limit, Row, Size, turns

TITLE = "Distance"
DELAY_MS = 5.0


def rows(size: Size) -> list[Row]:
    """One slot against RQ's forking worker, both through the proxy."""
    absent = peers.absent("rq")
    found = turns({
        "ours": partial(ours, size.of(500, 100), delay_ms=DELAY_MS),
        "theirs": None if absent else partial(rq, size.of(50, 10), False, DELAY_MS),
    })  # fmt: skip
    what = f"jobs drained, server {DELAY_MS:g} ms away each way"
    return [Row(what, "RQ", "jobs/s", found["ours"], found.get("theirs", []), Limit(">=", 5), absent)]
