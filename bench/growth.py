"""What a job costs the server when there are many jobs: time, by number of jobs and of lines, and memory."""

from __future__ import annotations

import hashlib
import os
import time
from functools import partial
from typing import Any

from harness import PAIRS, Limit, Row, Size, turns
from place import Place
from redis import Redis

from xpm_core.server import connection
from xpm_core.states import State
from xpm_core.store import keys, tokens
from xpm_core.store.jobs import Store, new_execution_id
from xpm_core.store.records import Submission, WorkerId
from xpm_core.workspace.job_spec import JobSpec

TITLE = "Growth"
W = "0" * 12
WORKER = WorkerId("bench", "bench")
PAYLOAD = 400
"""Bytes: what a task with a nested configuration and seven parameters comes to."""
CYCLES = 400
BATCH = 200


class Filled:
    """A workspace's keys, with as many jobs as asked for."""

    def __init__(self, place: Place) -> None:
        self.client = connection.open(place.url)
        self.store = Store(self.client, W)
        self.run = self.store.open_run("bench", "run", {})
        self.count = 0

    def submit(self, count: int, **more: Any) -> None:
        """Submit jobs, as scripts do."""
        while count:
            batch = [self._job(**more) for _ in range(min(count, BATCH))]
            self.store.submit("bench", self.run.started_ms, batch, {})
            count -= len(batch)

    def _job(self, **more: Any) -> Submission:
        self.count += 1
        identity = hashlib.sha256(str(self.count).encode()).hexdigest()
        spec = JobSpec(identity, "trials:Train", "Train", f"jobs/trials.train/{identity}", os.urandom(PAYLOAD))
        return Submission(spec, tags={"rate": 0.1}, project="bench", **more)

    def cycle(self, count: int) -> float:
        """Claim and end jobs; milliseconds for each."""
        lease = self.store.claim(WORKER, new_execution_id()).lease
        began = time.perf_counter()
        for _ in range(count):
            assert lease is not None
            ended = self.store.finish(WORKER, lease, State.DONE, next_execution=new_execution_id())
            lease = ended.next.lease
        seconds = time.perf_counter() - began
        if lease is not None:
            self.store.release(lease, started=False)
        return seconds / count * 1000


def rows(size: Size) -> list[Row]:
    """Only the calls of a job. The time of its process stays the same, and would hide the growth."""
    many, waiting = size.of(100_000, 20_000), size.of(50_000, 10_000)
    return [*with_jobs(many, waiting), memory(size.of(20_000, 5_000)), lines(size.of(1_000, 1_000))]


def with_jobs(many: int, waiting: int) -> list[Row]:
    """Milliseconds to claim and end a job: among few jobs, among many, and behind many that wait for a token."""
    with Place() as few_place, Place() as many_place, Place() as waiting_place:
        few, full, held = Filled(few_place), Filled(many_place), Filled(waiting_place)
        few.submit(1_000)
        full.submit(many)
        tokens.create_token(held.client, "gpu", 1)
        held.submit(1, demand={"gpu": 1})
        assert held.store.claim(WorkerId("holder", "bench"), new_execution_id()).lease is not None
        held.submit(waiting, demand={"gpu": 1})
        held.submit(many - waiting)
        few.submit(PAIRS * CYCLES)
        found = turns({name: partial(filled.cycle, CYCLES) for name, filled in
                       (("few", few), ("many", full), ("waiting", held))})  # fmt: skip
    limit = Limit("<=", 1.3)
    return [
        Row(f"a job's calls among {many}", "among 1000", "ms", found["many"], found["few"], limit),
        Row(f"the same, {waiting} wait for a token", "among 1000", "ms", found["waiting"], found["few"], limit),
    ]


def memory(jobs: int) -> Row:
    """Bytes of a job that is done, once RQ's view of it and the id of its execution have expired.

    A thousand jobs at a time come and are done. The stream of events is left out, because it is bounded. The server's
    own needs, such as the text of scripts, are left out, too: they are there after the first thousand.
    """
    with Place() as place:
        place.client.config_set("slowlog-log-slower-than", -1)
        filled = Filled(place)
        filled.submit(1_000)
        used = []
        for _ in range(jobs // 1_000 + 1):
            filled.submit(1_000)
            filled.cycle(1_000)
            used.append(_used(place.client))
        bytes_each = (used[-1] - used[0]) / (len(used) - 1) / 1_000
        return Row("memory of a finished job", "", "bytes", [bytes_each], limit=Limit("<=", 500))


def _used(client: Redis) -> int:
    """Bytes in use, without the events and without keys that expire."""
    for name in ("rq:*", "xpm:*:execution:*"):
        for key in client.scan_iter(name, count=1_000):
            client.unlink(key)
    client.xtrim(keys.events(W), maxlen=0, approximate=False)
    client.memory_purge()
    return int(client.info("memory")["used_memory"])


def lines(count: int) -> Row:
    """Microseconds of the server for a claim when all lines but the last wait for a token."""
    found: dict[str, list[float]] = {"many": [], "one": []}
    for _ in range(PAIRS):
        for name, lines_of in (("many", count), ("one", 1)):
            with Place() as place:
                filled = Filled(place)
                tokens.create_token(filled.client, "cpu", lines_of + 1)
                if lines_of > 1:
                    filled.submit(1, demand={"cpu": lines_of})
                    filled.store.claim(WorkerId("holder", "bench"), new_execution_id())
                for units in range(lines_of, 0, -1):
                    filled.submit(1 if units > 1 else 60, demand={"cpu": units})
                place.client.config_resetstat()
                for _ in range(50):
                    lease = filled.store.claim(WORKER, new_execution_id()).lease
                    assert lease is not None
                    filled.client.config_set("slowlog-log-slower-than", -1)
                    filled.store.release(lease, started=False)
                found[name].append(_claim_us(place))
    what = f"a claim, {count} lines, all but the last wait"
    return Row(what, "one line", "us", found["many"], found["one"], Limit("<=", 150))


def _claim_us(place: Place) -> float:
    """Microseconds that the server spent on an average call of a script."""
    return float(place.client.info("commandstats")["cmdstat_evalsha"]["usec_per_call"])
