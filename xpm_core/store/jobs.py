"""Jobs in Redis: one method a transition, each one script and one round trip.

Owns: the meaning of the scripts' replies. The state itself changes in Lua only (`lua/*.lua`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from xpm_core.defaults import DEFAULT_LEASE_S
from xpm_core.errors import TokenRequestError, UnknownDependencyError
from xpm_core.project.origin import origin_clash
from xpm_core.states import Event, State
from xpm_core.store import keys, scripts
from xpm_core.store.records import (
    CancelCode,
    Claim,
    ClaimCode,
    Finish,
    FinishCode,
    Lease,
    Look,
    LoseCode,
    RefuseCode,
    ReleaseCode,
    RenewCode,
    RetryCode,
    Run,
    Serving,
    Submission,
    SubmitCode,
    Submitted,
    TellCode,
    WorkerId,
)
from xpm_core.store.refusals import Refusal, tag
from xpm_core.store.replies import map_or_none, text_of

if TYPE_CHECKING:
    from redis import Redis

T = TypeVar("T")


class Store:
    """The jobs of one workspace.

    Args:
        client: A connection that returns bytes (see `connection.py`).
        workspace_id: From `Workspace.id`.
        alone: Whether one thread alone uses it, which then keeps a connection for its scripts.

    Example:
        store = Store(client, workspace.id)
        claim = store.claim(WorkerId("w1", "node1"), execution=new_execution_id())
    """

    def __init__(self, client: Redis, workspace_id: str, *, alone: bool = False) -> None:
        self.client = client
        self.w = workspace_id
        self._caller = scripts.Line(client) if alone else client

    def _run(self, script: str, key: str, *args: Any) -> Any:
        return scripts.run(self._caller, script, [key], [self.w, *args])

    def _send(self, script: str, key: str, args: list[Any], read: Callable[[Any], T]) -> scripts.Sent[T]:
        return scripts.Sent(read, self.client, script, [key], [self.w, *args])

    # -- scripts' side ---------------------------------------------------------------------------------------------

    def open_run(self, experiment: str, run: str, about: Mapping[str, Any]) -> Run:
        """Begin a run of an experiment; `about` says host, pid, user, script and directory."""
        reply = self._run("open_run", keys.experiments(self.w), experiment, run, json.dumps(about))
        return Run(run, int(reply[0]), text_of(reply[1]), int(reply[2]))

    def submit(
        self, experiment: str, run_started_ms: int, jobs: Sequence[Submission], origins: Mapping[str, str]
    ) -> list[Submitted]:
        """Submit jobs, in order, in one call: all of them or none.

        Args:
            experiment: Name of the experiment that they belong to.
            run_started_ms: From `open_run`: what failed before is retried.
            jobs: What a job needs comes before it, here or in an earlier call.
            origins: For each class, the names of its file, `project:path`, one a line.

        Raises:
            TokenRequestError: A token is unknown, or has fewer units than asked for.
            UnknownDependencyError: A dependency was never submitted (or the server was wiped since).
            OriginClashError: Another file claims the same class name in this workspace.
        """
        return self.send(experiment, run_started_ms, jobs, origins).reply()

    def send(
        self, experiment: str, run_started_ms: int, jobs: Sequence[Submission], origins: Mapping[str, str]
    ) -> scripts.Sent[list[Submitted]]:
        """Do as `submit`, but do not wait for the reply."""
        key, args = keys.experiment_jobs(self.w, experiment), [run_started_ms, json.dumps(dict(origins)), *_wire(jobs)]
        return self._send("submit", key, args, lambda reply: _submitted(reply, jobs, origins))

    def recall(self, experiment: str, identities: Sequence[str]) -> scripts.Sent[list[Submitted | None]]:
        """Let jobs that are done belong to an experiment, as `submit` does, but without all that a new job needs.

        Args:
            experiment: Name of the experiment.
            identities: Of jobs whose directories have a `done` marker.

        Returns:
            In the reply, None for each job that is not done: it has to be submitted. Of the others it tells neither
            which execution it was, nor when it ended.
        """
        return self._send("recall", keys.experiment_jobs(self.w, experiment), [" ".join(identities)], _recalled)

    def look(self, lease_s: float = DEFAULT_LEASE_S) -> Look:
        """Take up what is due (leases that are over, retries), and see which queues are served."""
        reply = self._run("look", keys.queues(self.w), round(lease_s * 1000))
        queues = [Serving(text_of(name), int(ready), int(workers)) for name, ready, workers in reply[4:]]
        return Look(bool(reply[0]), int(reply[1]), int(reply[2]), int(reply[3]), queues)

    def cancel(self, identity: str) -> tuple[CancelCode, str, str]:
        """Cancel a job. Returns the code, the state it is in now, and the worker that was told, if it runs."""
        code, state, worker = self._run("cancel", keys.counts(self.w), identity)
        return CancelCode(code), text_of(state), text_of(worker)

    def retry(self, identity: str, replaces: str = "", handed: Submission | None = None) -> tuple[RetryCode, str, str]:
        """Run a settled job again. Returns the code, the state it is in now, and the other job that is in the way.

        Args:
            identity: The job.
            replaces: The execution that the caller saw; if another ended since, nothing happens. Empty for any.
            handed: What is handed to whoever runs it: Redis has forgotten that of a done job, others ignore it.
        """
        kept = json.dumps(_handed(handed)) if handed else ""
        payload = handed.payload if handed else b""
        code, state, other = self._run("retry", keys.counts(self.w), identity, replaces, kept, payload)
        return RetryCode(code), text_of(state), text_of(other)

    # -- workers' side ---------------------------------------------------------------------------------------------

    def join(self, worker: WorkerId, *, pid: int, path: str, version: str) -> None:
        """Say that a worker is there; again whenever a reply says that it is not registered."""
        self._run(
            "join", keys.workers(self.w), worker.name, worker.lease_ms, ",".join(worker.queues), worker.host, pid, path,
            version, worker.devices,
        )  # fmt: skip

    def leave(self, name: str) -> None:
        """Say that a worker goes. It runs nothing any more."""
        self._run("leave", keys.workers(self.w), name)

    def claim(self, worker: WorkerId, execution: str, *, listen: bool = False, left_s: float | None = None) -> Claim:
        """Lease the next job that can run.

        Args:
            worker: Who asks.
            execution: A fresh random id; the same again if the reply was lost.
            listen: Whether to be woken (through `keys.wake`) when something becomes runnable.
            left_s: How long the worker will live, seconds: jobs that need more are left to others. None for ever.
        """
        asking = _asking(worker, execution, listen, left_s)
        return _claim(self._run("claim", keys.counts(self.w), *asking, worker.devices))

    def finish(
        self,
        worker: WorkerId,
        lease: Lease,
        outcome: State,
        *,
        error: Mapping[str, Any] | None = None,
        adopted: str = "",
        next_execution: str = "",
        listen: bool = False,
        left_s: float | None = None,
    ) -> Finish:
        """End an execution, and claim the next job in the same round trip.

        Args:
            worker: Who ran it.
            lease: What it ran.
            outcome: DONE, FAILED or CANCELLED.
            error: What went wrong: type, message, file, line, function.
            adopted: The execution whose done marker was found instead of running the job.
            next_execution: A fresh id when a next job is wanted.
            listen, left_s: As for `claim`.
        """
        reply = self._run(
            "finish", keys.counts(self.w), *_asking(worker, next_execution, listen, left_s), lease.execution,
            lease.identity, outcome.value, json.dumps(error) if error else "", adopted, worker.devices,
        )  # fmt: skip
        return Finish(FinishCode(reply[0]), text_of(reply[1]), _claim(reply[2:]))

    def renew(self, worker: WorkerId, lease: Lease | None) -> tuple[RenewCode, bool, bool]:
        """Say that a worker lives, and renew the lease of what it runs.

        Returns:
            The code, whether the worker is still registered, and whether `look` should be called at once.
        """
        identity, execution = (lease.identity, lease.execution) if lease else ("", "")
        date = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        code, registered, more = self._run(
            "renew", keys.leases(self.w), worker.name, worker.host, worker.lease_ms, ",".join(worker.queues), identity,
            execution, date,
        )  # fmt: skip
        return RenewCode(code), bool(registered), bool(more)

    def release(self, lease: Lease, *, started: bool, least_s: int = 0) -> tuple[ReleaseCode, str]:
        """Hand a job back; it is ready again. Returns the code and the state it is in now.

        Args:
            lease: What is handed back.
            started: Whether it had started: its attempt then keeps its number.
            least_s: How much time was not enough for it: from now on, no worker that has less left claims it.
        """
        code, state = self._run("release", keys.leases(self.w), lease.identity, lease.execution, int(started), least_s)
        return ReleaseCode(code), text_of(state)

    def refuse(
        self, worker: WorkerId, lease: Lease, refusal: Refusal, error: Mapping[str, Any]
    ) -> tuple[RefuseCode, str]:
        """Hand a job back because the worker cannot import what it needs; its project is left to others from now on.

        Args:
            worker: Who refuses.
            lease: What is handed back.
            refusal: What it lacks.
            error: What the job fails of, if every living worker that serves its queue has refused it.

        Returns:
            The code and the state that the job is in now.
        """
        code, state = self._run(
            "refuse", keys.leases(self.w), worker.name, worker.lease_ms, lease.identity, lease.execution,
            tag(refusal.module), json.dumps(asdict(refusal)), json.dumps(error),
        )  # fmt: skip
        return RefuseCode(code), text_of(state)

    def lose(self, lease: Lease) -> tuple[LoseCode, str]:
        """Say that a job was lost (its starter died): at once what the end of its lease would do.

        Returns:
            The code and the state that the job is in now.
        """
        code, state = self._run("lose", keys.leases(self.w), lease.identity, lease.execution)
        return LoseCode(code), text_of(state)

    def tell(self, lease: Lease, event: Event, data: Mapping[str, Any]) -> TellCode:
        """Pass on what a running job says: PROGRESS or OUTPUT. Only the execution that holds the job is heard."""
        reply = self._run("tell", keys.events(self.w), lease.identity, lease.execution, event.value, json.dumps(data))
        return TellCode(reply[0])

    def wait_for_wake(self, worker: WorkerId, timeout_s: float) -> bool:
        """Block until somebody wakes this worker; use a connection whose time-out is longer.

        Returns:
            Whether it was woken. A wake-up is only a hint: claim to learn the truth.
        """
        return self.client.blpop([keys.wake(self.w, worker.name)], timeout_s) is not None


def _submitted(reply: Sequence[Any], jobs: Sequence[Submission], origins: Mapping[str, str]) -> list[Submitted]:
    """What became of submissions, as `submit` tells it."""
    if reply[0] == -1:
        _, identity, token, asked, capacity = reply
        raise TokenRequestError(text_of(token), _label(jobs, text_of(identity)), int(asked), int(capacity))
    if reply[0] == -2:
        raise UnknownDependencyError(_label(jobs, text_of(reply[1])), text_of(reply[2]))
    if reply[0] == -3:
        raise origin_clash(text_of(reply[1]), text_of(reply[2]), origins[text_of(reply[1])])
    since, cursor = text_of(reply[1]), text_of(reply[2])
    told: dict[str, Submitted] = {}
    lines = text_of(reply[3]).split("\n") if jobs else []
    return [told.get(line) or _answer(line, cursor, since, told) for line in lines]


def _answer(line: str, cursor: str, since: str, known: dict[str, Submitted]) -> Submitted:
    """What a line tells; most are like another one that is known already."""
    code, state, execution, ended, root = line.split(" ")
    found = known[line] = Submitted(
        SubmitCode(int(code)), State(state), execution, int(ended) / 1000, root, cursor, since
    )
    return found


def _recalled(reply: Sequence[Any]) -> list[Submitted | None]:
    done = Submitted(SubmitCode.DONE, State.DONE, "", 0.0, "", text_of(reply[0]))
    return [done if found == "1" else None for found in text_of(reply[1])]


def new_execution_id() -> str:
    """A fresh execution id: 24 random hex characters. Redis keeps one of each done job, so that it is no longer."""
    return os.urandom(12).hex()


def _asking(worker: WorkerId, execution: str, listen: bool, left_s: float | None) -> list[Any]:
    left_ms = "" if left_s is None else max(round(left_s * 1000), 0)
    return [worker.name, worker.host, worker.lease_ms, execution, ",".join(worker.queues), int(listen), left_ms]


def _wire(jobs: Sequence[Submission]) -> list[str | bytes]:
    """Submissions as the arguments of the script: what is common to many is told once, as a kind."""
    numbers: dict[Any, int] = {}
    kinds: list[dict[str, Any]] = []
    flat: list[str | bytes] = []
    for job in jobs:
        key = (
            job.task, job.name, id(job.demand), job.queue, job.priority, job.max_retries, job.max_losses,
            job.backoff_s, job.min_time_s, job.project, id(job.options),
        )  # fmt: skip
        number = numbers.get(key)
        if number is None:
            kinds.append(_kind(job))
            number = numbers[key] = len(kinds)
        needs = " ".join(dict.fromkeys(job.needs))
        flat.append(f"{number} {job.identity} {job.directory} {job.marker} {needs}")
        flat.append(json.dumps(dict(job.tags)) if job.tags else "{}")
        flat.append(job.payload)
    return [json.dumps(kinds), *flat]


def _kind(job: Submission) -> dict[str, Any]:
    return {
        "task": job.task,
        "name": job.name,
        "queue": job.queue,
        "demand": demand_text(job.demand, job.min_time_s),
        "project": tag(job.project) if job.project else "",
        "priority": job.priority,
        "max_retries": job.max_retries,
        "max_losses": job.max_losses,
        "backoff_ms": round(job.backoff_s * 1000),
        "options": json.dumps(dict(job.options)),
    }


def _handed(job: Submission) -> dict[str, Any]:
    return {
        "name": job.name,
        "directory": job.directory,
        "needs": list(dict.fromkeys(job.needs)),
        "options": json.dumps(dict(job.options)),
        "tags": json.dumps(dict(job.tags)),
        "project": tag(job.project) if job.project else "",
        "max_retries": job.max_retries,
        "max_losses": job.max_losses,
        "backoff_ms": round(job.backoff_s * 1000),
    }


def demand_text(demand: Mapping[str, int], min_time_s: int = 0) -> str:
    """The one form of a demand, which names its line: `cpu=2,gpu=1`, names sorted; `|3600` follows a least time."""
    return ",".join(f"{name}={units}" for name, units in sorted(demand.items())) + (
        f"|{min_time_s}" if min_time_s else ""
    )


def _label(jobs: Iterable[Submission], identity: str) -> str:
    return next((job.label for job in jobs if job.identity == identity), f"job/{identity[:7]}")


def _claim(reply: Sequence[Any]) -> Claim:
    code = ClaimCode(reply[0])
    lease = _lease(reply[7:]) if code is ClaimCode.CLAIMED else None
    ready, delayed, running = (int(count) for count in reply[3:6])
    return Claim(code, int(reply[1]) / 1000, bool(reply[2]), ready, delayed, running, bool(reply[6]), lease)


def _lease(reply: Sequence[Any]) -> Lease:
    (identity, execution, left_ms, attempt, task, name, directory, payload, options, queue, units, replaces, cancel,
     needs, max_retries, max_losses, backoff_ms) = reply  # fmt: skip
    return Lease(
        identity=text_of(identity),
        execution=text_of(execution),
        left_s=int(left_ms) / 1000,
        attempt=int(attempt),
        task=text_of(task),
        name=text_of(name),
        directory=text_of(directory),
        payload=payload,
        options=_options(options),
        queue=text_of(queue),
        units=_units(text_of(units)),
        variables=_variables(text_of(units)),
        replaces=text_of(replaces),
        cancelled=bool(cancel),
        needs=tuple(filter(None, text_of(needs).split(","))),
        max_retries=int(max_retries),
        max_losses=int(max_losses),
        backoff_s=int(backoff_ms) / 1000,
    )


def _options(written: bytes) -> dict[str, Any]:
    """The options of a job. What is none becomes the option "unreadable", which workers refuse."""
    found = map_or_none(written)
    return {"unreadable": text_of(written)} if found is None else found


def _units(text: str) -> dict[str, tuple[int, str]]:
    """`cpu=2;gpu=1:0:CUDA_VISIBLE_DEVICES` -> {"cpu": (2, ""), "gpu": (1, "0")}."""
    return {name: (int(n), numbers) for name, n, numbers, _ in _told(text)}


def _variables(text: str) -> dict[str, str]:
    """`cpu=2;gpu=1:0:CUDA_VISIBLE_DEVICES` -> {"CUDA_VISIBLE_DEVICES": "0"}."""
    return {variable: numbers for _, _, numbers, variable in _told(text) if variable}


def _told(text: str) -> Iterator[tuple[str, str, str, str]]:
    """Name, count, numbers and variable of each token held, as `lua/include/holdings.lua` tells them."""
    for part in filter(None, text.split(";")):
        name, _, rest = part.partition("=")
        n, numbers, variable, *_ = [*rest.split(":", 2), "", ""]
        yield name, n, numbers, variable
