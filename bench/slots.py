"""What a second slot brings, and what an idle slot costs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial

import psutil
from drain import ours
from harness import PAIRS, Limit, Row, Size, turns
from place import Place, wait_until

TITLE = "Slots"
IDLE_SLOTS = 4


def rows(size: Size) -> list[Row]:
    """Two slots against one, and idle ones."""
    return [two(size.of(2000, 200)), *idle(size.of(30, 2))]


def two(jobs: int) -> Row:
    """The rate of two slots against that of one."""
    found = turns({"two": partial(ours, jobs, 2), "one": partial(ours, jobs, 1)})
    return Row("two slots", "one slot", "jobs/s", found["two"], found["one"], Limit(">=", 1.2))


def idle(seconds: int) -> list[Row]:
    """An idle daemon of four slots: commands and CPU time for each slot, and its private memory with its starter's."""
    commands, shares, memory = [], [], []
    with Place() as place:
        command = [sys.executable, "-m", "xpm_worker", "--workspace", place.folder("workspace")]
        daemon = subprocess.Popen(
            [*command, "--slots", str(IDLE_SLOTS)], env={**os.environ, "XPM_REDIS_URL": place.url},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait_until(lambda: place.client.scard("rq:workers") == IDLE_SLOTS)
            time.sleep(2)
            for _ in range(PAIRS):
                family = [psutil.Process(daemon.pid), *psutil.Process(daemon.pid).children(recursive=True)]
                before = _processed(place), sum(map(_cpu_s, family))
                time.sleep(seconds)
                after = _processed(place), sum(map(_cpu_s, family))
                commands.append((after[0] - before[0] - 1) / seconds / IDLE_SLOTS)
                shares.append((after[1] - before[1]) / seconds / IDLE_SLOTS * 100)
                memory.append(sum(each.memory_full_info().uss for each in family) / IDLE_SLOTS / 2**20)
        finally:
            daemon.terminate()
            daemon.wait()
    return [
        Row("an idle slot: Redis commands", "", "/s", commands, limit=Limit("<=", 1)),
        Row("an idle slot: CPU, daemon and starters included", "", "%", shares, limit=Limit("<=", 0.2)),
        Row("an idle slot: private memory, the same", "", "MB", memory, limit=Limit("<=", 25)),
    ]


def _processed(place: Place) -> int:
    """How many commands the server has read from clients. Commands that scripts call do not count."""
    return int(place.client.info("stats")["total_reads_processed"])


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
