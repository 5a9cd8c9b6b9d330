"""The workspace that a command looks at, with a connection to its server.

Owns: which workspace is meant, and what its directories add to what the server knows of a job.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from xpm_cli.app import setting
from xpm_core.defaults import DEFAULT_LEASE_S
from xpm_core.errors import RedisUnavailableError, WorkspaceError
from xpm_core.project.origin import project_in
from xpm_core.reading.jobs import Job
from xpm_core.reading.reader import Reader
from xpm_core.reading.server import server_time
from xpm_core.server.address import warn_of_password
from xpm_core.server.connection import OUTAGES
from xpm_core.server.faults import fault_of
from xpm_core.server.url import safe_url
from xpm_core.states import State
from xpm_core.store.connector import Connector
from xpm_core.store.jobs import Store
from xpm_core.store.records import Submission
from xpm_core.store.replies import shown
from xpm_core.words.commands import Commands
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.workspace import Workspace


@dataclass(frozen=True)
class OpenWorkspace:
    """An open workspace, and what is known of its jobs.

    Attributes:
        workspace: The workspace.
        store: Its jobs on the server, to act on them.
        reader: The same, to look at them.
        server: What people call the server: its URL without a password, or `embedded`.
        commands: Writes command lines that find the same workspace and server.
    """

    workspace: Workspace
    store: Store
    reader: Reader
    server: str
    commands: Commands

    @cached_property
    def now_s(self) -> float:
        """The server's time when it was first asked for, epoch seconds."""
        return server_time(self.store.client)

    def every_job(self, *states: State) -> list[Job]:
        """All jobs in one of these states, the newest first; without states, all jobs."""
        known = self.reader.jobs.states(self.reader.jobs.identities())
        wanted = [identity for identity, (state, _) in known.items() if not states or state in states]
        found = self.reader.jobs.read(wanted)
        return sorted(found, key=lambda job: max(job.ended_s, job.started_s, job.submitted_s), reverse=True)

    def params(self, job: Job) -> dict[str, Any]:
        """A job's parameters as its directory holds them; empty before the job first ran."""
        try:
            found = json.loads(self.directory(job).params.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def tags(self, job: Job) -> dict[str, Any]:
        """The tags of a job. If the job is done, they may stand in its directory only."""
        if job.tags or job.state is not State.DONE:
            return job.tags
        found = shown(self.params(job).get("tags"))
        return found if isinstance(found, dict) else {}

    def title(self, job: Job) -> str:
        """A job as people know it: `Train lr=0.1 model=mlp`."""
        return replace(job, tags=self.tags(job)).title

    def kept(self, job: Job) -> Submission | None:
        """How to run a done job again, as a worker of this user has kept it; None if the job has no such record."""
        kept = self.directory(job).kept(job.task, own=True) if job.state is State.DONE else None
        return kept and Submission(**kept._asdict(), tags=self.tags(job), project=self._project(job))

    def directory(self, job: Job) -> JobDirectory:
        """The directory of a job."""
        return self.workspace.job(job.task, job.identity)

    def _project(self, job: Job) -> str:
        """The name of the project whose code a job needs; empty if the job's directory does not say."""
        code = self.params(job).get("code")
        file = code.get("project") if isinstance(code, dict) else None
        return project_in(file) if isinstance(file, str) else ""


def find_workspace(given: Path | None) -> Path:
    """The workspace that is meant: the given one, else XPM_WORKSPACE, else the nearest one here or above.

    Raises:
        WorkspaceError: No workspace is given, and the current directory is in none.
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
def open_workspace() -> Iterator[OpenWorkspace]:
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
        commands = Commands.of_program(workspace.path, given, server if url else "")
        store = Store(connector.client, workspace.id)
        try:
            yield OpenWorkspace(workspace, store, Reader.of(store), server, commands)
        except OUTAGES as error:
            fault = fault_of(error, connector.client)
            remedy = fault.remedy if fault.lasting else f"Try again: {commands.status()}"
            raise RedisUnavailableError(f"Redis ({server})", fault.problem, remedy) from error
