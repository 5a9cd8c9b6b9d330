"""Read how a workspace stands: experiments, jobs by state, tokens, workers, queues, failures.

Each round trip is one pipeline: what is there, then all that it is made of, then the lengths of the lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xpm_core.reading.experiments import FIELDS as EXPERIMENT_FIELDS
from xpm_core.reading.experiments import Experiment, experiment_of
from xpm_core.reading.jobs import FIELDS as JOB_FIELDS
from xpm_core.reading.jobs import Job, job_of, parse_demand
from xpm_core.reading.tokens import HEADS, TokenState, token_of
from xpm_core.reading.why.avoided import Avoided
from xpm_core.reading.workers import WorkerState, worker_of
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.records import Pause, Serving
from xpm_core.store.refusals import Refusal, daemon_of, project_in
from xpm_core.store.replies import pause_of, text_of
from xpm_core.words.reasons_of_workers import TooLarge

if TYPE_CHECKING:
    from redis import Redis

FAILURES = 500
"""How many failed jobs are read to group them, the newest ones."""
RUNNING = 500
"""How many running jobs are read."""
UNFINISHED = (State.WAITING, State.READY, State.DELAYED, State.RUNNING)


@dataclass
class Survey:
    """How a workspace stands at one moment.

    Attributes:
        now_s: The server's time, epoch seconds.
        counts: How many jobs are in each state.
        experiments: The experiments, the latest run first.
        tokens: The tokens of the server.
        workers: The workers of the workspace.
        queues: The queues, with their ready jobs, living workers and pauses.
        running: The jobs that run, those whose lease ends first first; at most `RUNNING`.
        failed: The failed jobs, the newest first; at most `FAILURES`.
        avoided: What daemons lack for jobs.
        too_large: Demands of ready jobs that no token can meet: the reason, and how many jobs.
        suspended: Whether `rq suspend` is in force.
        lines: The lines of ready jobs: queue and name of each.
        forgotten: How many of the jobs in `counts` and `unknown` the server does not know; the index has them.
        unknown: How many of these are not known to have ended.
    """

    now_s: float
    counts: dict[State, int]
    experiments: list[Experiment] = field(default_factory=list)
    tokens: list[TokenState] = field(default_factory=list)
    workers: list[WorkerState] = field(default_factory=list)
    queues: list[Serving] = field(default_factory=list)
    running: list[Job] = field(default_factory=list)
    failed: list[Job] = field(default_factory=list)
    avoided: list[Avoided] = field(default_factory=list)
    too_large: list[tuple[TooLarge, int]] = field(default_factory=list)
    suspended: bool = False
    lines: list[tuple[str, str]] = field(default_factory=list)
    forgotten: int = 0
    unknown: int = 0

    @property
    def goes_on(self) -> bool:
        """Whether a job runs, or is left and a worker takes jobs: then it can be foreseen when jobs end."""
        if self.counts[State.RUNNING]:  # its worker may take no further job
            return True
        left = any(self.counts[state] for state in UNFINISHED)
        return left and not self.suspended and any(each.alive and not each.leaving_s for each in self.workers)


class SurveyReader:
    """Reads the survey of one workspace. The arguments are those of `Reader`."""

    def __init__(self, client: Redis, workspace_id: str) -> None:
        self._client, self._w = client, workspace_id

    def read(self) -> Survey:
        """Return how the workspace stands."""
        there = self._there()
        parts = self._parts(there)
        lengths, heads = self._lines(parts["lines"])
        ready = {queue: sum(lengths[queue, name] for name in names) for queue, names in parts["lines"].items()}
        return Survey(
            now_s=there["now_s"],
            counts=there["counts"],
            experiments=parts["experiments"],
            tokens=[
                token_of(name, fields, held, *_waiting(name, lengths, heads)) for name, fields, held in parts["tokens"]
            ],
            workers=parts["workers"],
            queues=[
                Serving(queue, ready[queue], _served(queue, ready[queue], parts), there["paused"].get(queue))
                for queue in sorted(ready)
            ],
            running=parts["running"],
            failed=parts["failed"],
            avoided=list(_avoided(parts["refusals"], parts["workers"], lengths)),
            too_large=_too_large(lengths, {name: fields for name, fields, _ in parts["tokens"]}),
            suspended=there["suspended"],
            lines=list(lengths),
        )

    def _there(self) -> dict[str, Any]:
        """The first round trip: which experiments, tokens, workers, queues and jobs there are."""
        w = self._w
        with self._client.pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.hgetall(keys.counts(w))
            pipe.zrange(keys.experiments(w), 0, -1, desc=True)
            pipe.smembers(keys.tokens)
            pipe.zrange(keys.workers(w), 0, -1, withscores=True)
            pipe.smembers(keys.queues(w))
            pipe.zrange(keys.leases(w), 0, -1)
            pipe.zrange(keys.listed(w, State.FAILED.value), 0, FAILURES - 1, desc=True)
            pipe.exists(keys.suspended)
            pipe.hgetall(keys.paused(w))
            time, counts, experiments, tokens, workers, queues, leased, failed, suspended, paused = pipe.execute()
        known = {text_of(state): int(count) for state, count in counts.items()}
        return {
            "now_s": time[0] + time[1] / 1e6,
            "counts": {state: known.get(state.value, 0) for state in State},
            "experiments": list(map(text_of, experiments)),
            "tokens": sorted(map(text_of, tokens)),
            "workers": [(text_of(name), until / 1000) for name, until in workers],
            "queues": sorted({text_of(queue) for queue in (*queues, *paused)}),
            "leased": list(map(text_of, leased)),
            "failed": list(map(text_of, failed)),
            "suspended": bool(suspended),
            "paused": {text_of(queue): pause_of(pause) or Pause(0.0, "", "") for queue, pause in paused.items()},
        }

    def _parts(self, there: dict[str, Any]) -> dict[str, Any]:
        """The second round trip: what each of them is."""
        w, now_ms = self._w, round(there["now_s"] * 1000)
        jobs, others = [*there["leased"][:RUNNING], *there["failed"]], there["leased"][RUNNING:]
        daemons = sorted({daemon_of(name) for name, until_s in there["workers"] if until_s >= there["now_s"]})
        with self._client.pipeline(transaction=False) as pipe:
            for name in there["experiments"]:
                pipe.hmget(keys.experiment(w, name), EXPERIMENT_FIELDS)
                pipe.scard(keys.experiment_jobs(w, name))
            for name in there["tokens"]:
                pipe.hgetall(keys.token(name))
                pipe.hgetall(keys.token_holders(name))
            for name, _ in there["workers"]:
                pipe.hgetall(keys.worker(w, name))
            for queue in there["queues"]:
                pipe.zrange(keys.lines(w, queue), 0, -1)
                pipe.zcount(keys.serving(w, queue), now_ms, "+inf")
            for identity in jobs:
                pipe.hmget(keys.job(w, identity), JOB_FIELDS)
            for identity in others:
                pipe.hmget(keys.job(w, identity), ("state", "worker"))
            for daemon in daemons:
                pipe.hgetall(keys.refusals(w, daemon))
            replies = iter(pipe.execute())
        experiments = [experiment_of(name, next(replies), next(replies)) for name in there["experiments"]]
        tokens = [(name, next(replies), next(replies)) for name in there["tokens"]]
        hashes = [(name, until_s - there["now_s"], next(replies)) for name, until_s in there["workers"]]
        queues = {queue: (list(map(text_of, next(replies))), int(next(replies))) for queue in there["queues"]}
        rows = [(identity, next(replies)) for identity in jobs]
        read = [job_of(identity, row) for identity, row in rows if row[0]]
        running = [job for job in read if job.state is State.RUNNING]
        also = [(identity, next(replies)) for identity in others]
        held = {job.worker: job.identity for job in running}
        held |= {text_of(name): identity for identity, (state, name) in also if state == b"running"}
        workers = [worker_of(name, left_s, found, held) for name, left_s, found in hashes]
        return {
            "experiments": experiments,
            "tokens": [each for each in tokens if each[1]],
            "workers": [worker for worker in workers if worker is not None],
            "lines": {queue: names for queue, (names, _) in queues.items()},
            "serving": {queue: count for queue, (_, count) in queues.items()},
            "running": running,
            "failed": [job for job in read if job.state is State.FAILED],
            "refusals": [(daemon, next(replies)) for daemon in daemons],
        }

    def _lines(
        self, lines: Mapping[str, list[str]]
    ) -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], list[tuple[float, str]]]]:
        """The third round trip: how many jobs stand in each line, and the first of them."""
        each = [(queue, name) for queue, names in lines.items() for name in names]
        if not each:
            return {}, {}
        with self._client.pipeline(transaction=False) as pipe:
            for queue, name in each:
                pipe.zcard(keys.line(self._w, queue, name))
                pipe.zrange(keys.line(self._w, queue, name), 0, HEADS - 1, withscores=True)
            replies: Any = iter(pipe.execute())
        lengths, heads = {}, {}
        for line in each:
            lengths[line] = int(next(replies))
            heads[line] = [(order, text_of(identity)) for identity, order in next(replies)]
        return lengths, heads


def _served(queue: str, ready: int, parts: Mapping[str, Any]) -> int:
    """How many living workers serve a queue: 0 if jobs are ready, and each worker only finishes its job."""
    serving = [worker for worker in parts["workers"] if worker.alive and queue in worker.queues]
    all_leave = ready and serving and all(worker.leaving_s for worker in serving)
    return 0 if all_leave else int(parts["serving"][queue])


def _waiting(
    token: str,
    lengths: Mapping[tuple[str, str], int],
    heads: Mapping[tuple[str, str], list[tuple[float, str]]],
) -> tuple[int, list[str]]:
    """How many ready jobs of the workspace ask for a token, and the first of them."""
    asking = [line for line in lengths if token in parse_demand(line[1])]
    first = sorted(head for line in asking for head in heads[line])[:HEADS]
    return sum(lengths[line] for line in asking), [identity for _, identity in first]


def _avoided(
    refusals: list[tuple[str, Any]], workers: list[WorkerState], lengths: Mapping[tuple[str, str], int]
) -> list[Avoided]:
    """What daemons lack, sorted by daemon and project, with the ready jobs that avoid them."""
    found = []
    for daemon, noted in refusals:
        queues = {queue for worker in workers if daemon_of(worker.name) == daemon for queue in worker.queues}
        for mark, written in sorted(noted.items()):
            project = text_of(mark).partition(".")[0]
            jobs = sum(n for (queue, name), n in lengths.items() if queue in queues and project_in(name) == project)
            found.append(Avoided(daemon, Refusal.read(text_of(written)), jobs))
    return found


def _too_large(
    lengths: Mapping[tuple[str, str], int], tokens: Mapping[str, Mapping[bytes, bytes]]
) -> list[tuple[TooLarge, int]]:
    """The lines whose jobs ask for more units than a token has."""
    found: Counter[TooLarge] = Counter()
    for (_, name), jobs in lengths.items():
        for token, units in parse_demand(name).items():
            most = int(tokens.get(token, {}).get(b"capacity", 0))
            if units > most:
                found[TooLarge(token, units, most)] += jobs
    return sorted(found.items(), key=lambda each: -each[1])
