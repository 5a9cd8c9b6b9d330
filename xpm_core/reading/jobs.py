"""The jobs of a workspace: how each stands, and which ones there are.

Owns: the record `Job`. Many jobs are read in pipelines of `PAGE`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from xpm_core.errors import UnknownJobError
from xpm_core.labels import bare_class, title
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.replies import map_of, seconds_of, shown, spec_of, text_of

if TYPE_CHECKING:
    from redis import Redis

    from xpm_core.workspace.job_spec import JobSpec

PAGE = 1000
FIELDS = (
    "state", "task", "name", "queue", "demand", "priority", "tags", "options", "execution", "worker",
    "host", "attempts", "failures", "losses", "max_retries", "max_losses", "root", "reason", "error", "submitted",
    "started", "ended", "due", "cancel", "progress",
)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """A job as it stands. Times are epoch seconds by the server's clock, 0 if that has not happened yet.

    Of a done job the server forgets worker, host, options and limits, and tags if they are long. The job's directory
    has them.
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

    @property
    def title(self) -> str:
        """The job as people know it, by class and tags: `Train lr=0.1 model=mlp`."""
        return title(bare_class(self.task) or self.name, self.tags)


class JobReader:
    """Reads the jobs of one workspace. The arguments are those of `Reader`."""

    def __init__(self, client: Redis, workspace_id: str) -> None:
        self._client, self._w = client, workspace_id

    def read(self, identities: Iterable[str]) -> list[Job]:
        """Return these jobs, in order. Jobs that the server does not know are left out."""
        found, rest = [], iter(identities)
        while page := list(islice(rest, PAGE)):
            with self._client.pipeline(transaction=False) as pipe:
                for identity in page:
                    pipe.hmget(keys.job(self._w, identity), FIELDS)
                rows = pipe.execute()
            found += [job_of(identity, row) for identity, row in zip(page, rows, strict=True) if row[0]]
        return found

    def read_placed(self, identities: Iterable[str]) -> list[tuple[Job, str]]:
        """Return the same, each with the id of the last event before it was read; "0-0" if no event is kept.

        The record holds what all events up to that one have changed, and nothing of later ones.
        """
        found: list[tuple[Job, str]] = []
        rest = iter(identities)
        while page := list(islice(rest, PAGE)):
            with self._client.pipeline(transaction=True) as pipe:
                for identity in page:
                    pipe.hmget(keys.job(self._w, identity), FIELDS)
                pipe.xrevrange(keys.events(self._w), count=1)
                *rows, last = pipe.execute()
            cursor = text_of(last[0][0]) if last else "0-0"
            found += [(job_of(identity, row), cursor) for identity, row in zip(page, rows, strict=True) if row[0]]
        return found

    def states(self, identities: Sequence[str]) -> dict[str, tuple[State, str]]:
        """Return the state and the blocking root of each job that the server knows: cheap, for many."""
        found: dict[str, tuple[State, str]] = {}
        for start in range(0, len(identities), PAGE):
            page = identities[start : start + PAGE]
            with self._client.pipeline(transaction=False) as pipe:
                for identity in page:
                    pipe.hmget(keys.job(self._w, identity), "state", "root")
                for identity, (state, root) in zip(page, pipe.execute(), strict=True):
                    if state:
                        found[identity] = (State(text_of(state)), text_of(root or b""))
        return found

    def identities(self) -> list[str]:
        """Return the identity of every job of the workspace, sorted. They are read a page at a time."""
        found: set[str] = set()
        for place in self._places():
            found.update(map(text_of, self._client.sscan_iter(place, count=PAGE)))
        return sorted(found)

    def spec(self, identity: str) -> JobSpec:
        """Return what a job runs.

        Raises:
            UnknownJobError: The server does not know the job, or has forgotten this because the job is done.
        """
        if (found := self.specs([identity]).get(identity)) is None:
            raise UnknownJobError(identity)
        return found

    def specs(self, identities: Sequence[str]) -> dict[str, JobSpec]:
        """Return the same of many jobs, by identity. Jobs of which the server does not know it are left out."""
        found: dict[str, JobSpec] = {}
        for start in range(0, len(identities), PAGE):
            page = identities[start : start + PAGE]
            with self._client.pipeline(transaction=False) as pipe:
                for identity in page:
                    pipe.hmget(keys.job(self._w, identity), ["task", "name", "directory", "payload", "options"])
                rows = pipe.execute()
            for identity, (task, name, directory, payload, options) in zip(page, rows, strict=True):
                if payload is not None:
                    args = task or "", name or "", directory or "", payload, options or "{}"
                    found[identity] = spec_of(identity, *args)
        return found

    def needs(self, identity: str) -> list[str]:
        """Return the identities that a job needs, sorted. The server forgets those of a done job."""
        return self.needs_of([identity])[identity]

    def needs_of(self, identities: Sequence[str]) -> dict[str, list[str]]:
        """Return the same of many jobs, by identity."""
        found: dict[str, list[str]] = {}
        for start in range(0, len(identities), PAGE):
            page = identities[start : start + PAGE]
            with self._client.pipeline(transaction=False) as pipe:
                for identity in page:
                    pipe.hkeys(keys.needs(self._w, identity))
                for identity, needs in zip(page, pipe.execute(), strict=True):
                    found[identity] = sorted(map(text_of, needs))
        return found

    def lines_of(self, identities: Sequence[str]) -> dict[str, tuple[str, dict[str, int]]]:
        """Return the queue and the demand of each job that the server knows, also of done ones: cheap, for many."""
        found: dict[str, tuple[str, dict[str, int]]] = {}
        for start in range(0, len(identities), PAGE):
            page = identities[start : start + PAGE]
            with self._client.pipeline(transaction=False) as pipe:
                for identity in page:
                    pipe.hmget(keys.job(self._w, identity), "state", "queue", "demand")
                for identity, (state, queue, demand) in zip(page, pipe.execute(), strict=True):
                    if state:
                        found[identity] = text_of(queue or b""), parse_demand(text_of(demand or b""))
        return found

    def lengths(self) -> list[tuple[str, dict[str, int], int]]:
        """Return the lines of ready jobs: the queue and the demand of each, and how many jobs stand in it."""
        queues = sorted(map(text_of, self._client.smembers(keys.queues(self._w))))
        with self._client.pipeline(transaction=False) as pipe:
            for queue in queues:
                pipe.zrange(keys.lines(self._w, queue), 0, -1)
            lines = [
                (queue, text_of(name)) for queue, names in zip(queues, pipe.execute(), strict=True) for name in names
            ]
        with self._client.pipeline(transaction=False) as pipe:
            for queue, name in lines:
                pipe.zcard(keys.line(self._w, queue, name))
            lengths = pipe.execute()
        return [(queue, parse_demand(name), int(n)) for (queue, name), n in zip(lines, lengths, strict=True)]

    def delayed(self) -> list[str]:
        """Return the identities of the jobs that wait for a retry, the one that is due first first."""
        return [text_of(job) for job in self._client.zrange(keys.delayed(self._w), 0, -1)]

    def dependents(self, identity: str) -> list[str]:
        """Return the identities that need a job, in the order of their submission."""
        return [text_of(job) for job in self._client.lrange(keys.dependents(self._w, identity), 0, -1)]

    def counts(self) -> dict[State, int]:
        """Return how many jobs of the workspace are in each state."""
        found = {text_of(state): int(n) for state, n in self._client.hgetall(keys.counts(self._w)).items()}
        return {state: found.get(state.value, 0) for state in State}

    def _places(self) -> list[str]:
        """The sets of jobs of all experiments: every job is in one of them."""
        names = map(text_of, self._client.zrange(keys.experiments(self._w), 0, -1))
        return [keys.experiment_jobs(self._w, name) for name in names]


def parse_demand(text: str) -> dict[str, int]:
    """`cpu=2,gpu=1|3600` -> {"cpu": 2, "gpu": 1}."""
    return {name: int(n) for name, _, n in (part.partition("=") for part in text.partition("|")[0].split(",") if part)}


def job_of(identity: str, row: Sequence[bytes | None]) -> Job:
    """A job, by the values of `FIELDS`."""
    v = {name: shown(text_of(value)) if value else "" for name, value in zip(FIELDS, row, strict=True)}
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
        submitted_s=seconds_of(v["submitted"]),
        started_s=seconds_of(v["started"]),
        ended_s=seconds_of(v["ended"]),
        due_s=seconds_of(v["due"]),
        cancel_asked=v["cancel"] == "1",
        progress=shown(map_of(v["progress"])),
    )
