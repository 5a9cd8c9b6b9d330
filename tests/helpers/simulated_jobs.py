"""Scripts and workers for tests of what people see: jobs are submitted and ended, but no code runs.

`from helpers.simulated_jobs import Lab, ERROR`; the fixtures around it are in cli/conftest.py.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

import redis

from xpm_core import __version__
from xpm_core.index.entries import End, code_facts
from xpm_core.index.writers import EndWriter, IndexedJob, SubmissionWriter
from xpm_core.states import State
from xpm_core.store.jobs import Store, new_execution_id
from xpm_core.store.records import Lease, Submission, SubmitCode, WorkerId
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_links import JobLinks
from xpm_core.workspace.job_spec import JobOptions, JobSpec
from xpm_core.workspace.kept_job import KeptJob
from xpm_core.workspace.reported.results_file import results_in
from xpm_core.workspace.workspace import Workspace
from xpm_worker.mark import DaemonMark, MarkedStore

ERROR = {
    "type": "ValueError",
    "message": "the learning rate is negative",
    "file": "sweep.py",
    "line": 41,
    "function": "Train.execute",
}

PARAMETERS = {
    "model": {"class": "models:Outer.MLP", "identity": "5e" * 32, "parameters": {"layers": [3, 3]}},
    "data": {"class": "sweep:Prepare", "identity": "1d" * 32, "job": "jobs/…", "parameters": {"seed": 0}},
    "corpus": {"path": "/data/corpus"},
    "checkpoint": {"path": "model.bin", "in": "job"},
}
"""Parameters as params.json has them, beside `name`."""


class Lab:
    """Stands for scripts and workers: submits jobs, and lets them end."""

    def __init__(self, workspace: Workspace, client: redis.Redis) -> None:
        self.workspace = workspace
        self.client = client
        self.store = Store(client, workspace.id)
        self.worker = WorkerId("node1-1", "node1")
        self.run = self.store.open_run("sweep", "run1", {"user": "alice", "host": "head", "script": "sweep.py"})
        self.writers: dict[str, SubmissionWriter] = {}
        self.links: dict[str, JobLinks] = {}
        self.ends = EndWriter(workspace.path, self.worker.name)

    def identity(self, name: str) -> str:
        """The identity of the job of that name."""
        return hashlib.sha256(name.encode()).hexdigest()

    def directory(self, name: str) -> JobDirectory:
        """The directory of the job of that name."""
        return self.workspace.job("sweep:Train", self.identity(name))

    def submit(
        self,
        name: str,
        *needs: str,
        params: Mapping[str, Any] | None = None,
        experiment: str = "sweep",
        options: JobOptions | None = None,
        **more: Any,
    ) -> str:
        """Submit a job; returns its identity. The index has its parameters: its name, and those given."""
        identity = self.identity(name)
        directory = self.workspace.directory_of("sweep:Train", identity)
        spec = JobSpec(identity, "sweep:Train", "Train", directory, b"payload", options or JobOptions())
        tags = more.setdefault("tags", {"name": name})
        job = Submission(spec, needs=[self.identity(need) for need in needs], **more)
        if experiment not in self.writers:
            self.writers[experiment] = SubmissionWriter(self.workspace.experiment(experiment), "run1")
        if experiment not in self.links:
            self.links[experiment] = JobLinks(self.workspace.experiment(experiment))
        (answer,) = self.store.submit(experiment, self.run.started_ms, [job], {})
        given, new = {"name": name, **(params or {})}, answer.code is SubmitCode.NEW
        self.writers[experiment].add([IndexedJob(identity, spec.task, tags, lambda: given, new=new)])
        self.links[experiment].add(self.directory(name), f"name={name}")
        return identity

    def join(self) -> None:
        """Let the worker be there, with the mark of its daemon."""
        name = self.worker.name
        DaemonMark(self.workspace.path, name, self.worker.host).renew_if_due()
        store = MarkedStore(self.client, self.workspace, name, name)
        store.join(self.worker, pid=1, path=str(self.workspace.path), version=__version__)

    def start(self, name: str, *needs: str, **more: Any) -> Lease:
        """Submit a job, and let the worker start it; nothing else may be ready."""
        identity = self.submit(name, *needs, **more)
        return self.claim(identity)

    def claim(self, identity: str) -> Lease:
        """Let the worker start that job, which is the next one."""
        lease = self.store.claim(self.worker, new_execution_id()).lease
        assert lease is not None
        assert lease.identity == identity
        return lease

    def end(
        self,
        name: str,
        state: State = State.DONE,
        error: dict[str, Any] | None = None,
        needs: Sequence[str] = (),
        **more: Any,
    ) -> Lease:
        """Submit a job, start it, and let it end, with a record in its directory."""
        lease = self.start(name, *needs, **more)
        self.finish(name, lease, state, error)
        return lease

    def finish(
        self, name: str, lease: Lease, state: State = State.DONE, error: dict[str, Any] | None = None, **more: Any
    ) -> None:
        """Let a job that runs end, with a record in its directory, as `end` does; `more` is written there, too."""
        directory = self.directory(name)
        number = directory.prepare(lease.attempt)
        parameters = {"name": name, **PARAMETERS}
        about = {"task": "sweep:Train", "identity": lease.identity, "tags": {"name": name}}
        directory.write_params({**about, "parameters": parameters})
        reason = "done" if state is State.DONE else "failed"
        record = {
            "reason": reason,
            "exit_code": 1 if error else 0,
            "peak_memory_bytes": 50 * 2**20,
            "python": "3.12.4",
            "error": error,
        }
        where = {"host": self.worker.host, "worker": self.worker.name}
        directory.write_record(number, lease.execution, {**record, **where, **more})
        if state is State.DONE:
            directory.keep(KeptJob(*(getattr(lease, name) for name in KeptJob._fields)))
        ended = State(self.store.finish(self.worker, lease, state, error=error).state)
        if not ended.settled:
            return
        directory.write_marker("done" if ended is State.DONE else "failed", lease.execution)
        now_s, said = time.time(), code_facts(more) if "code" in more else {}
        where = {"host": self.worker.host, "worker": self.worker.name, "execution": lease.execution}
        self.ends.add(
            lease.identity,
            End(
                ended,
                now_s,
                now_s - 1,
                **where,
                attempt=lease.attempt,
                error=error or {},
                **said,
                results=results_in(more),
            ),
        )
