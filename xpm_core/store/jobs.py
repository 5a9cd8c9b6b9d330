"""Jobs in Redis: one method for each transition. Each runs one script, in one round trip.

Owns: the arguments of the scripts. Only they change the state (`lua/*.lua`); `replies.py` reads what they answer.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from xpm_core.defaults import DEFAULT_LEASE_S
from xpm_core.errors import XpmError
from xpm_core.server.connection import ServerError
from xpm_core.states import Event, State
from xpm_core.store import keys, replies, scripts
from xpm_core.store.records import (
    CancelCode,
    Claim,
    CollectCode,
    Finish,
    FinishCode,
    ForgetCode,
    Lease,
    Look,
    LoseCode,
    RefuseCode,
    ReleaseCode,
    Renewal,
    RenewCode,
    RetryCode,
    Run,
    Serving,
    Submission,
    Submitted,
    TellCode,
    WorkerId,
)
from xpm_core.store.refusals import Refusal, tag
from xpm_core.store.replies import text_of

if TYPE_CHECKING:
    from redis import Redis

    from xpm_core.workspace.job_spec import JobSpec

T = TypeVar("T")
Cancelled = tuple[CancelCode, str, str]
"""What `Store.cancel` returns."""
Retried = tuple[RetryCode, str, str]
"""What `Store.retry` returns."""


class Retrying(NamedTuple):
    """A job that is to run again; see `Store.retry`."""

    identity: str
    replaces: str = ""
    kept: Submission | None = None
    recoded: tuple[JobSpec, JobSpec] | None = None


log = logging.getLogger("xpm")


class Store:
    """The jobs of one workspace.

    Args:
        client: A connection that returns bytes (see xpm_core.server.connection).
        workspace_id: From `Workspace.id`.
        alone: Whether only one thread uses it. That thread then keeps a connection for its scripts.

    Example:
        store = Store(client, workspace.id)
        claim = store.claim(WorkerId("w1", "node1"), execution=new_execution_id())
    """

    def __init__(self, client: Redis, workspace_id: str, *, alone: bool = False) -> None:
        self.client = client
        self.w = workspace_id
        self._caller = scripts.Line(client) if alone else client
        self.on_losses: Callable[[Sequence[str]], None] = lambda identities: None
        """Called with the jobs that a call has ended because their workers were lost: no worker writes these ends into
        the index."""

    def _run(self, script: str, key: str, *args: Any) -> Any:
        return scripts.run(self._caller, script, [key], [self.w, *args])

    def _tell_losses(self, ended: Any) -> None:
        """Pass on which jobs a call has ended, because their workers were lost."""
        try:
            if ended:
                self.on_losses(text_of(ended).split())
        except Exception as error:  # what else the call has brought must not be lost
            log.warning("The ends of lost jobs are not in the index: %s. A script that follows them adds them.", error)

    def _run_each(
        self, script: str, args: Iterable[list[Any]], read: Callable[[Any], T]
    ) -> list[T | XpmError | ServerError]:
        replies = scripts.run_each(self.client, script, [keys.counts(self.w)], ([self.w, *each] for each in args))
        return [reply if isinstance(reply, (XpmError, ServerError)) else read(reply) for reply in replies]

    def _send(self, script: str, key: str, args: list[Any], read: Callable[[Any], T]) -> scripts.Sent[T]:
        return scripts.Sent(read, self.client, script, [key], [self.w, *args])

    # -- for scripts and the program xpm ---------------------------------------------------------------------------

    def open_run(self, experiment: str, run: str, about: Mapping[str, Any]) -> Run:
        """Begin a run of an experiment; `about` holds host, pid, user, script and directory."""
        reply = self._run("open_run", keys.experiments(self.w), experiment, run, json.dumps(about))
        return Run(run, int(reply[0]), text_of(reply[1]), int(reply[2]))

    def submit(
        self, experiment: str, run_started_ms: int, jobs: Sequence[Submission], origins: Mapping[str, str]
    ) -> list[Submitted]:
        """Submit jobs, in order, in one call: all of them or none.

        Args:
            experiment: Name of the experiment that they belong to.
            run_started_ms: From `open_run`. A job that failed before that runs again.
            jobs: The jobs that a job needs come before it, here or in an earlier call.
            origins: For each class, the names of its file, `project:path`, one a line.

        Returns:
            What became of each job.

        Raises:
            TokenRequestError: A token is unknown, or has fewer units than a job asks for.
            UnknownDependencyError: A dependency was never submitted, or the server was wiped since.
            OriginClashError: Another file claims the same class name in this workspace.
            BeingRemovedError: Somebody removes the directory of a job just now.
        """
        return self.send(experiment, run_started_ms, jobs, origins).reply()

    def send(
        self, experiment: str, run_started_ms: int, jobs: Sequence[Submission], origins: Mapping[str, str]
    ) -> scripts.Sent[list[Submitted]]:
        """Do as `submit`, but do not wait for the reply."""
        key, about = keys.experiment_jobs(self.w, experiment), [run_started_ms, json.dumps(dict(origins))]
        return self._send(
            "submit", key, [*about, *_arguments(jobs)], lambda reply: replies.submitted(reply, jobs, origins)
        )

    def recall(self, experiment: str, identities: Sequence[str]) -> scripts.Sent[list[Submitted | None]]:
        """Let done jobs belong to an experiment. `submit` does so too, but needs all facts of a job.

        Args:
            experiment: Name of the experiment.
            identities: Of jobs whose directories have a `done` marker.

        Returns:
            In the reply, None for each job that is not done: it has to be submitted. The reply names neither the
            executions of the others nor when they ended.
        """
        return self._send("recall", keys.experiment_jobs(self.w, experiment), [" ".join(identities)], replies.recalled)

    def look(self, lease_s: float = DEFAULT_LEASE_S) -> Look:
        """Do what is due (end leases that are over, begin retries), and see which queues have workers."""
        reply = self._run("look", keys.queues(self.w), round(lease_s * 1000))
        queues = [
            Serving(text_of(name), int(ready), int(workers), replies.pause_of(pause))
            for name, ready, workers, pause in reply[5:]
        ]
        self._tell_losses(reply[4])
        return Look(bool(reply[0]), int(reply[1]), int(reply[2]), int(reply[3]), queues)

    def cancel(self, identity: str, *, spares_running: bool = False) -> Cancelled:
        """Cancel a job.

        Args:
            identity: The job.
            spares_running: Whether to leave a job that runs as it is.

        Returns:
            The code, the job's state now, and the worker that runs it, if any.
        """
        return _cancelled(self._run("cancel", keys.counts(self.w), identity, int(spares_running)))

    def cancel_each(self, jobs: Iterable[tuple[str, bool]]) -> list[Cancelled | XpmError | ServerError]:
        """Cancel jobs, in order and in one round trip.

        Args:
            jobs: The identity of each, and whether to leave it as it is if it runs.

        Returns:
            For each what `cancel` returns, or the error of this job.
        """
        return self._run_each("cancel", ([identity, int(spares)] for identity, spares in jobs), _cancelled)

    def retry(
        self,
        identity: str,
        replaces: str = "",
        kept: Submission | None = None,
        recoded: tuple[JobSpec, JobSpec] | None = None,
    ) -> Retried:
        """Run a settled job again.

        Args:
            identity: The job.
            replaces: The execution that the caller saw; if another one ended since, nothing happens. Empty for any.
            kept: How to run the job, which Redis has forgotten if the job is done. It counts only then.
            recoded: What a job runs that is not done, as the caller saw it, and what it is to run from now on. They
                differ only in options. If it runs something else by now, nothing happens.

        Returns:
            The code, the job's state now, and the other job that is in the way, if any.
        """
        return _retried(self._run("retry", keys.counts(self.w), *_retrying(identity, replaces, kept, recoded)))

    def retry_each(self, jobs: Iterable[Retrying]) -> list[Retried | XpmError | ServerError]:
        """Run settled jobs again, in order and in one round trip.

        Returns:
            For each what `retry` returns, or the error of this job.
        """
        return self._run_each("retry", (_retrying(*job) for job in jobs), _retried)

    def relist(self, identities: Sequence[str]) -> int:
        """Put jobs into the lists of their states, which a worker of an earlier xpm does not keep.

        Args:
            identities: The jobs, some hundreds at most.

        Returns:
            How many of them were not where they belong.
        """
        return int(self._run("relist", keys.counts(self.w), " ".join(identities)))

    def collect(self, collection: str, lease_s: float, about: Mapping[str, Any]) -> tuple[CollectCode, dict[str, Any]]:
        """Begin a collection, in which jobs may be removed; with a lease of 0, end it.

        Args:
            collection: A fresh random id.
            lease_s: How long it lasts, seconds, unless `forget` is called meanwhile.
            about: Host, pid and user, for others to see.

        Returns:
            The code, and the facts of the collection that is in the way, if any.
        """
        milliseconds, facts = round(lease_s * 1000), json.dumps(dict(about))
        code, other = self._run("collect", keys.collection(self.w), collection, milliseconds, facts)
        return CollectCode(code), replies.map_of(other)

    def forget(
        self, collection: str, lease_s: float, identity: str, execution: str, needs: Sequence[str] = ()
    ) -> tuple[ForgetCode, str]:
        """Forget a settled job whose directory is to be removed at once.

        Args:
            collection: The collection, which goes on.
            lease_s: How long it goes on from now, seconds. The directory has to be gone before.
            identity: The job; empty if the directory of the last one is gone.
            execution: Its latest execution, as the caller saw it; empty if there was none.
            needs: The jobs that it needs, by its directory.

        Returns:
            The code, and a word on it: the job's state, or the job that needs it.
        """
        known = [collection, round(lease_s * 1000), identity, execution, " ".join(needs)]
        code, word = self._run("forget", keys.counts(self.w), *known)
        return ForgetCode(code), text_of(word)

    # -- for workers -----------------------------------------------------------------------------------------------

    def join(
        self, worker: WorkerId, *, pid: int, path: str, version: str, left_s: float | None = None, replaces: str = ""
    ) -> None:
        """Register a worker. It does so again whenever a reply says that it is not registered.

        Args:
            worker: The worker.
            pid: Its process.
            path: The workspace's directory, as its machine names it.
            version: The version of xpm that it runs.
            left_s: How long it will live, seconds; None for ever.
            replaces: The worker that died and whose place it takes; it inherits the order of that one.
        """
        self._run(
            "join", keys.workers(self.w), worker.name, worker.lease_ms, ",".join(worker.queues), worker.host, pid, path,
            version, worker.devices, _left_ms(left_s), replaces,
        )  # fmt: skip

    def leave(self, name: str) -> None:
        """Say that a worker leaves. It runs no job any more."""
        self._run("leave", keys.workers(self.w), name)

    def claim(self, worker: WorkerId, execution: str, *, listen: bool = False, left_s: float | None = None) -> Claim:
        """Lease the next job that can run.

        Args:
            worker: The worker that asks.
            execution: A fresh random id; the same again if the reply was lost.
            listen: Whether to wake the worker (through `keys.wake`) when a job may have become runnable.
            left_s: How long the worker will live, seconds; None for ever. It gets no job that needs longer.
        """
        asking = _asking(worker, execution, listen, left_s)
        reply = self._run("claim", keys.counts(self.w), *asking, worker.devices)
        self._tell_losses(reply[8])
        return replies.claim(reply)

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
            worker: The worker that ran the job.
            lease: The lease of the job.
            outcome: DONE, FAILED or CANCELLED.
            error: What went wrong: type, message, file, line, function.
            adopted: The execution whose `done` marker was found, so that the job did not run.
            next_execution: A fresh id if the worker wants a next job; else empty.
            listen, left_s: As for `claim`.
        """
        reply = self._run(
            "finish", keys.counts(self.w), *_asking(worker, next_execution, listen, left_s), lease.execution,
            lease.identity, outcome.value, json.dumps(error) if error else "", adopted, worker.devices,
        )  # fmt: skip
        self._tell_losses(reply[10])
        return Finish(FinishCode(reply[0]), text_of(reply[1]), replies.claim(reply[2:]))

    def renew(self, worker: WorkerId, lease: Lease | None, *, leaving: bool = False) -> Renewal:
        """Say that a worker lives, and renew the lease that it holds, if any.

        Args:
            worker: The worker.
            lease: The lease that it holds; None without one.
            leaving: Whether it leaves once its job has ended, and not because of an order.
        """
        identity, execution = (lease.identity, lease.execution) if lease else ("", "")
        date = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        code, registered, more, order, ended = self._run(
            "renew", keys.leases(self.w), worker.name, worker.host, worker.lease_ms, ",".join(worker.queues), identity,
            execution, date, int(leaving),
        )  # fmt: skip
        self._tell_losses(ended)
        return Renewal(RenewCode(code), bool(registered), bool(more), text_of(order))

    def release(self, lease: Lease, *, started: bool, least_s: int = 0) -> tuple[ReleaseCode, str]:
        """Hand a job back, so that it is ready again.

        Args:
            lease: The lease of the job.
            started: Whether it had started. If so, its next attempt gets a new number.
            least_s: A time that was too short for it, seconds. No worker that has less left claims it from now on.

        Returns:
            The code and the job's state now; empty if another execution has the job since.
        """
        code, state = self._run("release", keys.leases(self.w), lease.identity, lease.execution, int(started), least_s)
        return ReleaseCode(code), text_of(state)

    def refuse(
        self, worker: WorkerId, lease: Lease, refusal: Refusal, error: Mapping[str, Any]
    ) -> tuple[RefuseCode, str]:
        """Hand a job back because the worker lacks what it needs. From now on others get the jobs of its project.

        Args:
            worker: The worker that refuses.
            lease: The lease of the job.
            refusal: What the worker lacks.
            error: Why the job fails, if every living worker that serves its queue has refused it.

        Returns:
            The code and the job's state now; empty if another execution has the job since.
        """
        code, state = self._run(
            "refuse", keys.leases(self.w), worker.name, worker.lease_ms, lease.identity, lease.execution,
            refusal.tag, json.dumps(refusal.written()), json.dumps(error),
        )  # fmt: skip
        return RefuseCode(code), text_of(state)

    def lose(self, lease: Lease) -> tuple[LoseCode, str]:
        """Say that a job was lost because its starter died. The end of its lease would say so later.

        Returns:
            The code and the job's state now; empty if another execution has the job since.
        """
        code, state = self._run("lose", keys.leases(self.w), lease.identity, lease.execution)
        return LoseCode(code), text_of(state)

    def tell(self, lease: Lease, event: Event, data: Mapping[str, Any]) -> TellCode:
        """Pass on what a running job says: PROGRESS or OUTPUT. It counts only if the execution holds the job."""
        reply = self._run("tell", keys.events(self.w), lease.identity, lease.execution, event.value, json.dumps(data))
        return TellCode(reply[0])

    def wait_for_wake(self, worker: WorkerId, timeout_s: float) -> bool:
        """Block until somebody wakes this worker. The time-out of the connection must be longer.

        Returns:
            Whether somebody did. A wake-up is only a hint: only a claim shows whether there is a job.
        """
        return self.client.blpop([keys.wake(self.w, worker.name)], timeout_s) is not None


def new_execution_id() -> str:
    """Return a fresh execution id: 24 random hex characters. It is short because Redis keeps one of each done job."""
    return os.urandom(12).hex()


def _cancelled(reply: Any) -> Cancelled:
    code, state, worker = reply
    return CancelCode(code), text_of(state), text_of(worker)


def _retrying(
    identity: str, replaces: str, kept: Submission | None, recoded: tuple[JobSpec, JobSpec] | None
) -> list[Any]:
    """The arguments of `retry.lua` after the workspace."""
    about, payload = (_kept(kept), kept.spec.payload) if kept else ("", b"")
    options = [json.dumps(spec.written_options()) for spec in recoded] if recoded else ["", ""]
    return [identity, replaces, about, payload, *options]


def _retried(reply: Any) -> Retried:
    code, state, other = reply
    return RetryCode(code), text_of(state), text_of(other)


def _asking(worker: WorkerId, execution: str, listen: bool, left_s: float | None) -> list[Any]:
    queues = ",".join(worker.queues)
    return [worker.name, worker.host, worker.lease_ms, execution, queues, int(listen), _left_ms(left_s)]


def _left_ms(left_s: float | None) -> int | str:
    """How long a worker will live, as the scripts take it."""
    return "" if left_s is None else max(round(left_s * 1000), 0)


def _arguments(jobs: Sequence[Submission]) -> list[str | bytes]:
    """Submissions as `submit.lua` takes them. What many jobs have in common is sent once, as a kind."""
    numbers: dict[Any, int] = {}
    kinds: list[dict[str, Any]] = []
    flat: list[str | bytes] = []
    for job in jobs:
        spec = job.spec
        key = (
            spec.task, spec.name, id(job.demand), job.queue, job.priority, job.retries, job.min_time_s, job.project,
            id(spec.options), spec.signature, job.made_ms,
        )  # fmt: skip
        number = numbers.get(key)
        if number is None:
            demand = demand_text(job.demand, job.min_time_s)
            common = {"task": spec.task, "queue": job.queue, "demand": demand, "priority": job.priority}
            made = {"made": job.made_ms} if job.made_ms else {}
            kinds.append({**common, **made, **_how_to_run(job)})
            number = numbers[key] = len(kinds)
        needs = " ".join(dict.fromkeys(job.needs))
        flat.append(f"{number} {spec.identity} {spec.directory} {job.marker} {needs}")
        flat.append(_tags(job))
        flat.append(spec.payload)
    return [json.dumps(kinds), *flat]


def _kept(job: Submission) -> str:
    """What the directory of a done job has kept, as `retry.lua` takes it."""
    needs = list(dict.fromkeys(job.needs))
    return json.dumps({"directory": job.spec.directory, "needs": needs, "tags": _tags(job), **_how_to_run(job)})


def _how_to_run(job: Submission) -> dict[str, Any]:
    return {
        "name": job.spec.name,
        "options": json.dumps(job.spec.written_options()),
        "project": tag(job.project) if job.project else "",
        "max_retries": job.retries.max_retries,
        "max_losses": job.retries.max_losses,
        "backoff_ms": round(job.retries.backoff_s * 1000),
    }


def _tags(job: Submission) -> str:
    return json.dumps(dict(job.tags)) if job.tags else "{}"


def demand_text(demand: Mapping[str, int], min_time_s: int = 0) -> str:
    """The one form of a demand, which names its line: `cpu=2,gpu=1`, names sorted; `|3600` adds a least time."""
    units = ",".join(f"{name}={units}" for name, units in sorted(demand.items()))
    return f"{units}|{min_time_s}" if min_time_s else units
