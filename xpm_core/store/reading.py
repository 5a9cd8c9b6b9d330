"""Looking at a workspace without changing anything: jobs, experiments, tokens, workers.

Owns: reading the keys of `keys.py` into records. Pages of jobs are read in pipelines of `PAGE`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from xpm_core.errors import AmbiguousJobError, UnknownJobError
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.replies import map_of, shown, text_of

if TYPE_CHECKING:
    from redis import Redis

PAGE = 1000
HEADS = 3
"""How many of the jobs that wait for a token are named."""
NAMED = 10
"""How many of the jobs that a prefix may mean are named."""
SCANNED = 10_000
"""Identities that the server looks at in one call for a prefix."""

_PREFIX = re.compile(r"[0-9a-f]+")

_JOB = (
    "state", "task", "name", "queue", "demand", "priority", "tags", "options", "execution", "worker",
    "host", "attempts", "failures", "losses", "max_retries", "max_losses", "root", "reason", "error", "submitted",
    "started", "ended", "due", "cancel", "progress",
)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """A job as it stands. Times are epoch seconds by the server's clock, 0 when it did not come to that.

    Of a done job the server has forgotten worker, host, options, limits, and tags if they are long: its directory has
    them.
    """

    identity: str
    state: State
    task: str
    name: str
    queue: str
    demand: dict[str, int]
    priority: int
    tags: dict[str, Any]
    options: dict[str, Any]
    execution: str
    worker: str
    host: str
    attempts: int
    failures: int
    losses: int
    max_retries: int
    max_losses: int
    root: str
    reason: str
    error: dict[str, Any]
    submitted_s: float
    started_s: float
    ended_s: float
    due_s: float
    cancel_asked: bool
    progress: dict[str, Any]


@dataclass(frozen=True)
class Experiment:
    """An experiment and its last run. `about` says host, pid, user, script and directory."""

    name: str
    started_s: float
    created_s: float
    about: dict[str, Any]
    jobs: int


@dataclass(frozen=True)
class TokenState:
    """A token: what it has, what is held (on each host, where each has its own), by whom, and who waits for it."""

    name: str
    capacity: int
    used: dict[str, int]
    scope: str
    holders: dict[str, int]
    waiting: int
    first: list[str]


@dataclass(frozen=True)
class WorkerState:
    """A worker that was heard of lately; `alive` while its last word, `silent_s` ago, is younger than its lease.

    In `left_s` its lease is over, and the job that it holds is free for others.
    """

    name: str
    host: str
    pid: int
    queues: list[str]
    path: str
    version: str
    started_s: float
    alive: bool
    job: str
    silent_s: float
    left_s: float

    @property
    def silent(self) -> bool:
        """Whether it should have been heard of: a worker says a word each third of its lease."""
        return self.silent_s > 2 * self.left_s


def find(client: Redis, w: str, prefix: str) -> str:
    """Return the identity of the one job that a prefix names.

    Raises:
        UnknownJobError: No job begins so.
        AmbiguousJobError: Several do.
    """
    names: set[str] = set()
    for place in _places(client, w) if _PREFIX.fullmatch(prefix) else ():
        names.update(map(text_of, client.sscan_iter(place, match=f"{prefix}*", count=SCANNED)))
    if not names:
        raise UnknownJobError(prefix)
    if len(names) > 1:
        raise AmbiguousJobError(prefix, tuple(sorted(names)[:NAMED]))
    return names.pop()


def jobs(client: Redis, w: str, identities: Iterable[str]) -> list[Job]:
    """Return these jobs, in order; those that the server does not know are left out."""
    found, rest = [], iter(identities)
    while page := list(islice(rest, PAGE)):
        with client.pipeline(transaction=False) as pipe:
            for identity in page:
                pipe.hmget(keys.job(w, identity), _JOB)
            rows = pipe.execute()
        found += [_job(identity, row) for identity, row in zip(page, rows, strict=True) if row[0]]
    return found


def states(client: Redis, w: str, identities: Sequence[str]) -> dict[str, tuple[State, str]]:
    """Return the state and the blocking root of each job that the server knows: cheap, for many."""
    found: dict[str, tuple[State, str]] = {}
    for start in range(0, len(identities), PAGE):
        page = identities[start : start + PAGE]
        with client.pipeline(transaction=False) as pipe:
            for identity in page:
                pipe.hmget(keys.job(w, identity), "state", "root")
            for identity, (state, root) in zip(page, pipe.execute(), strict=True):
                if state:
                    found[identity] = (State(text_of(state)), text_of(root or b""))
    return found


def all_jobs(client: Redis, w: str) -> list[str]:
    """Return every identity of the workspace, sorted."""
    places = _places(client, w)
    return sorted(map(text_of, client.sunion(places))) if places else []


def payload(client: Redis, w: str, identity: str) -> bytes:
    """Return the wire form of a job's task.

    Raises:
        UnknownJobError: The server does not know the job.
    """
    found = client.hget(keys.job(w, identity), "payload")
    if found is None:
        raise UnknownJobError(identity)
    return found  # type: ignore[return-value]  # clients of ours do not decode


def needs(client: Redis, w: str, identity: str) -> list[str]:
    """Return the identities that a job needs."""
    return sorted(text_of(need) for need in client.hkeys(keys.needs(w, identity)))


def dependents(client: Redis, w: str, identity: str) -> list[str]:
    """Return the identities that need a job, in the order of their submission."""
    return [text_of(job) for job in client.lrange(keys.dependents(w, identity), 0, -1)]


def counts(client: Redis, w: str) -> dict[State, int]:
    """Return how many jobs of the workspace are in each state."""
    found = {text_of(state): int(n) for state, n in client.hgetall(keys.counts(w)).items()}
    return {state: found.get(state.value, 0) for state in State}


def experiments(client: Redis, w: str) -> list[Experiment]:
    """Return the experiments of the workspace, the latest run first."""
    found = []
    for name in map(text_of, client.zrange(keys.experiments(w), 0, -1, desc=True)):
        row: Any = client.hmget(keys.experiment(w, name), ["started", "created", "about"])
        started, created, about = row
        jobs_known = client.scard(keys.experiment_jobs(w, name))
        found.append(Experiment(name, _seconds(started), _seconds(created), shown(map_of(about)), jobs_known))
    return found


def experiment_jobs(client: Redis, w: str, name: str) -> list[str]:
    """Return the identities of an experiment's jobs, of all its runs, sorted."""
    return sorted(map(text_of, client.smembers(keys.experiment_jobs(w, name))))


def experiment_size(client: Redis, w: str, name: str) -> int:
    """Return how many jobs an experiment has, of all its runs."""
    return int(client.scard(keys.experiment_jobs(w, name)))


def tokens(client: Redis, w: str) -> list[TokenState]:
    """Return the server's tokens; `waiting` and `first` tell of this workspace's ready jobs only."""
    found = []
    for name in sorted(text_of(token) for token in client.smembers(keys.tokens)):
        fields = {text_of(key): text_of(value) for key, value in client.hgetall(keys.token(name)).items()}
        used = {key.partition("@")[2]: int(n) for key, n in fields.items() if key.startswith("used")}
        held = client.hgetall(keys.token_holders(name)).items()
        holders = {text_of(holder): int(text_of(value).partition("|")[0]) for holder, value in held}
        waiting, first = _waiting(client, w, name)
        capacity, scope = int(fields["capacity"]), fields["scope"]
        found.append(TokenState(name, capacity, used or {"": 0}, scope, holders, waiting, first))
    return found


def workers(client: Redis, w: str, now_s: float) -> list[WorkerState]:
    """Return the workers of the workspace; `now_s` is the server's time (`client.time()`)."""
    running = {job.worker: job.identity for job in jobs(client, w, _leased(client, w))}
    found = []
    listed: Any = client.zrange(keys.workers(w), 0, -1, withscores=True)
    for name, until in listed:
        fields = {text_of(k): shown(text_of(v)) for k, v in client.hgetall(keys.worker(w, text_of(name))).items()}
        if not fields:
            continue
        left_s = until / 1000 - now_s
        found.append(
            WorkerState(
                name=text_of(name),
                host=fields["host"],
                pid=int(fields["pid"]),
                queues=fields["queues"].split(","),
                path=fields["path"],
                version=fields["version"],
                started_s=int(fields["started"]) / 1000,
                alive=left_s >= 0,
                job=running.get(text_of(name), ""),
                silent_s=max(int(fields["lease_ms"]) / 1000 - left_s, 0.0),
                left_s=left_s,
            )
        )
    return found


def _places(client: Redis, w: str) -> list[str]:
    """The sets of jobs of all experiments: every job is in one of them."""
    return [keys.experiment_jobs(w, text_of(name)) for name in client.zrange(keys.experiments(w), 0, -1)]


def server_time(client: Redis) -> float:
    """Return the server's clock, epoch seconds."""
    seconds, micros = client.time()
    return float(seconds) + float(micros) / 1e6


def run_id(client: Redis) -> str:
    """Return what names the server's process: another one answers after a restart or a failover."""
    return str(client.info("server")["run_id"])


def _leased(client: Redis, w: str) -> list[str]:
    return [text_of(identity) for identity in client.zrange(keys.leases(w), 0, -1)]


def _waiting(client: Redis, w: str, token: str) -> tuple[int, list[str]]:
    """How many ready jobs ask for a token, and the first of them."""
    total, heads = 0, []
    for place in map(text_of, client.hkeys(keys.token_queues(token))):
        workspace, _, queue = place.partition("|")
        if workspace == w:
            for demand in map(text_of, client.zrange(keys.lines(w, queue), 0, -1)):
                if token in parse_demand(demand):
                    line = keys.line(w, queue, demand)
                    total += client.zcard(line)
                    first: Any = client.zrange(line, 0, HEADS - 1, withscores=True)
                    heads += [(order, text_of(identity)) for identity, order in first]
    return total, [identity for _, identity in sorted(heads)[:HEADS]]


def parse_demand(text: str) -> dict[str, int]:
    """`cpu=2,gpu=1|3600` -> {"cpu": 2, "gpu": 1}."""
    return {name: int(n) for name, _, n in (part.partition("=") for part in text.partition("|")[0].split(",") if part)}


def _job(identity: str, row: Sequence[bytes | None]) -> Job:
    v = {name: shown(text_of(value or b"")) for name, value in zip(_JOB, row, strict=True)}
    return Job(
        identity=identity,
        state=State(v["state"]),
        task=v["task"],
        name=v["name"] or re.split("[.:]", v["task"])[-1],
        queue=v["queue"],
        demand=parse_demand(v["demand"]),
        priority=int(v["priority"] or 0),
        tags=shown(map_of(v["tags"])),
        options=map_of(v["options"]),
        execution=v["execution"],
        worker=v["worker"],
        host=v["host"],
        attempts=int(v["attempts"] or 0),
        failures=int(v["failures"] or 0),
        losses=int(v["losses"] or 0),
        max_retries=int(v["max_retries"] or 0),
        max_losses=int(v["max_losses"] or 0),
        root=v["root"],
        reason=v["reason"] or (v["state"] if v["state"] == State.DONE.value else ""),
        error=shown(map_of(v["error"])),
        submitted_s=_seconds(v["submitted"]),
        started_s=_seconds(v["started"]),
        ended_s=_seconds(v["ended"]),
        due_s=_seconds(v["due"]),
        cancel_asked=v["cancel"] == "1",
        progress=shown(map_of(v["progress"])),
    )


def _seconds(value: bytes | str | None) -> float:
    return int(value) / 1000 if value else 0.0
