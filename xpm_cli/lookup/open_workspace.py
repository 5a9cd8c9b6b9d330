"""The workspace that a command looks at, with a connection to its server, and the jobs that people name.

Owns: which workspace is meant, and which job a name means.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from xpm_cli.app import setting
from xpm_core.defaults import DEFAULT_LEASE_S
from xpm_core.errors import AmbiguousJobError, RedisUnavailableError, UnknownJobError, WorkspaceError
from xpm_core.project.origin import project_in
from xpm_core.server.address import warn_of_password
from xpm_core.server.connection import OUTAGES
from xpm_core.server.faults import fault_of
from xpm_core.server.url import safe_url
from xpm_core.states import State
from xpm_core.store import reading
from xpm_core.store.connector import Connector
from xpm_core.store.jobs import Store
from xpm_core.store.records import Submission
from xpm_core.store.replies import shown
from xpm_core.words.commands import SHOWN
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.workspace import Workspace


@dataclass(frozen=True)
class Desk:
    """An open workspace, and what is known of its jobs."""

    workspace: Workspace
    store: Store
    server: str
    """What people call the server: its URL without a password, or `embedded`."""
    redis: str = ""
    """What a next command needs to find the same server: ` --redis URL`, or nothing when it was not given."""
    place: str = ""
    """The same for workspace and server: ` --workspace DIR --redis URL`, or what was given of it."""

    @cached_property
    def now_s(self) -> float:
        """The server's time when it was first asked for, epoch seconds."""
        return reading.server_time(self.store.client)

    def jobs(self, identities: list[str]) -> list[reading.Job]:
        """These jobs, in order, without those that the server does not know."""
        return reading.jobs(self.store.client, self.store.w, identities)

    def every_job(self, *states: State) -> list[reading.Job]:
        """All jobs in one of these states, the newest first."""
        known = reading.states(self.store.client, self.store.w, reading.all_jobs(self.store.client, self.store.w))
        found = self.jobs([identity for identity, (state, _) in known.items() if not states or state in states])
        return sorted(found, key=lambda job: max(job.ended_s, job.started_s, job.submitted_s), reverse=True)

    def job(self, name: str) -> reading.Job:
        """The job that a name means: a prefix of its identity, task/prefix, its directory, `last` or `failed`.

        Raises:
            UnknownJobError: None is named so.
            AmbiguousJobError: Several are.
        """
        if name in ("last", "failed"):
            found = self.every_job(*([State.FAILED] if name == "failed" else []))[:1]
        elif self._identity_of(Path(name)):
            found = self.jobs([self._identity_of(Path(name))])
        elif "/" in name:
            task, _, prefix = name.rpartition("/")
            found = [
                job for job in self.every_job() if job.identity.startswith(prefix) and job.name.lower() == task.lower()
            ]
        else:
            found = self.jobs([reading.find(self.store.client, self.store.w, name.lower())])
        if not found:
            raise UnknownJobError(name)
        if len(found) > 1:
            raise AmbiguousJobError(name, tuple(job.identity for job in found))
        return found[0]

    def params(self, job: reading.Job) -> dict[str, Any]:
        """A job's parameters as its directory holds them; empty before it first ran."""
        try:
            found = json.loads(self.directory(job).params.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def tags(self, job: reading.Job) -> dict[str, Any]:
        """The tags of a job. Those of a done one may stand in its directory only."""
        if job.tags or job.state is not State.DONE:
            return job.tags
        found = shown(self.params(job).get("tags"))
        return found if isinstance(found, dict) else {}

    def title(self, job: reading.Job) -> str:
        """A job as people know it: `Train lr=0.1 model=mlp`."""
        return title(replace(job, tags=self.tags(job)))

    def handed(self, job: reading.Job) -> Submission | None:
        """What a worker of this user has kept of a done job, to run it again; None of others, and without that."""
        directory = self.directory(job)
        kept = directory.handed(own=True) if job.state is State.DONE else None
        if kept is None:
            return None
        tags, project = self.tags(job), self._project(job)
        return Submission(
            job.identity, job.task, directory=directory.relative, tags=tags, project=project, **kept._asdict()
        )

    def directory(self, job: reading.Job) -> JobDirectory:
        """The directory of a job."""
        return self.workspace.job(job.task, job.identity)

    def _project(self, job: reading.Job) -> str:
        """The name of the project whose code a job needs; empty if its directory does not tell."""
        code = self.params(job).get("code")
        file = code.get("project") if isinstance(code, dict) else None
        return project_in(file) if isinstance(file, str) else ""

    def _identity_of(self, path: Path) -> str:
        """The identity of the job whose directory, or a link to it, a path is; empty when it is none."""
        place = path.expanduser().resolve()
        return place.name if self.workspace.path / "jobs" in place.parents and len(place.name) == 64 else ""


def title(job: reading.Job) -> str:
    """A job as people know it, by what the server knows of it: `Train lr=0.1 model=mlp`."""
    task = job.task.rpartition(":")[2].rpartition(".")[2] or job.name
    return " ".join([task, *(f"{name}={value}" for name, value in job.tags.items())])


def short(identity: str) -> str:
    """The characters of an identity that are shown."""
    return identity[:SHOWN]


def find_workspace(given: Path | None) -> Path:
    """The workspace that is meant: the given one, XPM_WORKSPACE, or the nearest one here or above.

    Raises:
        WorkspaceError: None is given, and the current directory is in none.
    """
    named = given or os.environ.get("XPM_WORKSPACE")
    if named:
        return Path(named)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / ".xpm" / "workspace.json").is_file():
            return folder
    raise WorkspaceError(str(here), "is in no workspace", "Name one: xpm status --workspace DIR, or set XPM_WORKSPACE.")


@contextmanager
def open_desk() -> Iterator[Desk]:
    """Open the workspace that is meant, and its server.

    Raises:
        WorkspaceError: There is no such workspace.
        RedisUnavailableError: Its server does not answer.
    """
    given, url = setting("workspace"), setting("redis")
    workspace = Workspace.open(find_workspace(given), create=False, writable=False)
    if not setting("quiet"):
        warn_of_password(url, workspace.path)
    with Connector.of_workspace(workspace, url, DEFAULT_LEASE_S) as connector:
        server = "embedded" if connector.embedded else safe_url(connector.url)
        redis = f" --redis {shlex.quote(server)}" if url else ""
        place = (f" --workspace {shlex.quote(str(given))}" if given else "") + redis
        try:
            yield Desk(workspace, Store(connector.client, workspace.id), server, redis, place)
        except OUTAGES as error:
            fault = fault_of(error, connector.client)
            remedy = fault.remedy if fault.lasting else f"Try again: xpm status{place}"
            raise RedisUnavailableError(f"Redis ({server})", fault.problem, remedy) from error
