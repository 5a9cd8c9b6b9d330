"""The side of the script and the side of the worker in the store: short names, no directories, no processes."""

from __future__ import annotations

import hashlib
from typing import Any

import redis

from xpm_core.reading.jobs import Job
from xpm_core.reading.reader import Reader
from xpm_core.states import State
from xpm_core.store.jobs import Store, new_execution_id
from xpm_core.store.records import Claim, FinishCode, Lease, RetryCode, Submission, Submitted, WorkerId
from xpm_core.workspace.job_spec import JobSpec, Retries

W = "0123456789ab"
WORKER = WorkerId("w1", "node1")
OTHER = WorkerId("w2", "node2")


def identity(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def submission(name: str, *, needs: tuple[str, ...] = (), **more: Any) -> Submission:
    j = identity(name)
    needed = tuple(identity(need) for need in needs)
    facts: dict[str, Any] = {
        "directory": f"jobs/demo.task/{j}",
        "payload": b"payload of " + name.encode(),
        "options": {},
    }
    facts |= {fact: more.pop(fact) for fact in list(more) if fact in facts}
    retries = Retries(**{name: more.pop(name) for name in Retries._fields if name in more})
    return Submission(JobSpec.read(j, "demo:Task", "task", **facts), needs=needed, retries=retries, **more)


class StoreClient:
    """A script's side, with a run open."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client
        self.store = Store(client, W)
        self.run = self.store.open_run("exp", "run1", {})
        self.submitted: dict[str, Submission] = {}

    def submit(self, *jobs: Submission) -> list[Submitted]:
        self.submitted |= {job.identity: job for job in jobs}
        return self.store.submit("exp", self.run.started_ms, jobs, {})

    def state(self, name: str) -> State:
        return Reader(self.client, W).jobs.states([identity(name)])[identity(name)][0]

    def claim(self, worker: WorkerId = WORKER) -> Lease:
        claim = self.claim_any(worker)
        assert claim.lease is not None, claim
        return claim.lease

    def claim_any(self, worker: WorkerId = WORKER) -> Claim:
        return self.store.claim(worker, new_execution_id())

    def finish(self, lease: Lease, outcome: State = State.DONE, **more: object) -> FinishCode:
        return self.store.finish(WORKER, lease, outcome, **more).code  # type: ignore[arg-type]

    def retry(self, name: str, replaces: str = "") -> tuple[RetryCode, str, str]:
        """Run a settled job again, with what a done one's directory would have kept of its last submission."""
        return self.store.retry(identity(name), replaces, self.submitted.get(identity(name)))

    def job(self, name: str) -> Job:
        return Reader(self.client, W).jobs.read([identity(name)])[0]

    def jobs(self) -> list[Job]:
        return Reader(self.client, W).jobs.read(Reader(self.client, W).jobs.identities())

    def lease_of(self, job: Job) -> Lease:
        """The lease of a running job, as its worker would know it."""
        claim = self.store.claim(WorkerId(job.worker, job.host), job.execution)
        assert claim.lease is not None, claim
        return claim.lease
