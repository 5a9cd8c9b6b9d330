"""The workspace that a command looks at, with a connection to its server.

Owns: what its directories add to what is known of a job.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xpm_cli.app import say, setting
from xpm_cli.lookup.find_workspace import find_workspace
from xpm_core.errors import RedisUnavailableError, UnknownJobError, XpmError
from xpm_core.project.origin import project_in
from xpm_core.reading.look import View
from xpm_core.reading.reader import Reader
from xpm_core.server import fitness
from xpm_core.server.address import warn_of_password
from xpm_core.server.connection import ServerError
from xpm_core.server.faults import fault_of
from xpm_core.states import State
from xpm_core.store import rights
from xpm_core.store.jobs import Store
from xpm_core.store.records import Submission
from xpm_core.store.replies import shown
from xpm_core.words.commands import Commands
from xpm_core.words.text import ago, line
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_records import read_whole
from xpm_core.workspace.workspace import Workspace

if TYPE_CHECKING:
    from xpm_core.index.writers import EndWriter
    from xpm_core.reading.listing.row import JobRow
    from xpm_core.words.reasons import Reason

EXPLAINED = 50
"""How many jobs of a list are explained."""
UNKNOWN_TO_FILES = "the files of the workspace do not know it, and its server cannot be had"
REMEDY_OF_UNKNOWN = "Start the server, or list what the files know: xpm jobs."
REVIVE_S = 2.0
"""How long an embedded server may be away before it is started again, seconds."""
LONGEST_PROBLEM = 200
"""Characters of the problem of an embedded server that cannot be started again."""
UNSTARTED = (State.WAITING, State.BLOCKED, State.READY, State.DELAYED)


@dataclass(frozen=True)
class OpenWorkspace:
    """An open workspace, and what is known of its jobs.

    Attributes:
        view: What can be seen of it.
        commands: Writes command lines that find the same workspace and server.
    """

    view: View
    commands: Commands

    @property
    def workspace(self) -> Workspace:
        """The workspace."""
        return self.view.workspace

    @property
    def reader(self) -> Reader:
        """The readers of its server. It raises the error of a server that cannot be had."""
        return self.view.reader

    @property
    def now_s(self) -> float:
        """The time when the workspace was opened, epoch seconds: the server's, or this machine's without it."""
        return self.view.now_s

    @cached_property
    def store(self) -> Store:
        """Its jobs on the server, to act on them. It raises the error of a server that cannot be had."""
        from xpm_core.index.writers import UnreportedEnds  # late, because most commands only look

        store = Store(self.view.connector.client, self.workspace.id)
        unreported = UnreportedEnds(self.workspace, self.ends)
        store.on_losses = lambda identities: unreported.add(self.reader.jobs.read(identities))
        return store

    def check(self) -> None:
        """Check that the server is fit for changes.

        Raises:
            RedisUnfitError: It could lose jobs, or the user lacks rights on it.
        """
        connector = self.view.connector
        fitness.check(connector.client, connector.url)
        rights.check(connector.client, connector.url)

    @cached_property
    def ends(self) -> EndWriter:
        """What this user does to jobs from this machine, in the index of the workspace."""
        from xpm_core.index.writers import EndWriter  # late, because most commands only look

        return EndWriter(self.workspace.path, f"xpm-{socket.gethostname()}-{os.geteuid()}")

    def outage(self, error: Exception, away_s: float) -> str:
        """Why the server does not answer. An embedded one is started again, once it has been away for a while.

        Args:
            error: What was raised: an error of the client, or `RedisUnavailableError`.
            away_s: For how long it has been away, seconds.
        """
        embedded = self.view.connector.embedded if self.view.away is None else None
        if embedded is not None and away_s > REVIVE_S:
            try:
                embedded.revive()
            except XpmError as failed:  # whoever calls tries again
                return line(failed, LONGEST_PROBLEM).rstrip(".")
        if isinstance(error, RedisUnavailableError):
            return error.problem
        return fault_of(error, self.view.connector.client).problem

    def unanswered(self, error: Exception, remedy: str) -> XpmError:
        """The error of a server that has not answered a call; that of the files, if they answer in its place by now."""
        if self.view.away is not None:
            return self.view.away
        problem = fault_of(error, self.view.connector.client).problem
        return RedisUnavailableError(f"Redis ({self.view.server})", problem, remedy)

    def params(self, row: JobRow) -> dict[str, Any]:
        """A job's parameters as its directory holds them; empty before the job first ran."""
        try:
            found = json.loads(read_whole(str(self.directory(row).params)))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def tags(self, row: JobRow) -> dict[str, Any]:
        """The tags of a job. If the index lacks it and it is done, they may stand in its directory only."""
        if row.tags or row.state is not State.DONE:
            return dict(row.tags or {})
        found = shown(self.params(row).get("tags"))
        return found if isinstance(found, dict) else {}

    def title(self, row: JobRow) -> str:
        """A job as people know it: `Train lr=0.1 model=mlp`."""
        return row.titled(self.tags(row))

    def kept(self, row: JobRow) -> Submission | None:
        """How to run a done job again, as a worker of this user has kept it; None if the job has no such record."""
        if row.state is not State.DONE or row.task is None:
            return None
        kept = self.directory(row).kept(row.task, own=True)
        return kept and Submission(**kept._asdict(), tags=self.tags(row), project=self._project(row))

    def reasons(self, rows: Iterable[JobRow], limit: int | None = EXPLAINED) -> Iterator[tuple[JobRow, Reason]]:
        """Why jobs do not run: those of some jobs that wait or are blocked, each with its first reason.

        Args:
            rows: The jobs.
            limit: How many are explained at most; None for all.
        """
        if self.view.away is not None:
            return
        waiting = [row for row in rows if row.state in UNSTARTED]
        reader = self.reader.reasons
        history = reader.history()
        for row in waiting[:limit]:
            try:
                yield row, reader.why(row.identity, history).reasons[0]
            except UnknownJobError:  # the server was wiped meanwhile
                continue

    def directory(self, row: JobRow) -> JobDirectory:
        """The directory of a job."""
        return self.workspace.job(row.task or "", row.identity)

    def _project(self, row: JobRow) -> str:
        """The name of the project whose code a job needs; empty if the job's directory does not say."""
        code = self.params(row).get("code")
        file = code.get("project") if isinstance(code, dict) else None
        return project_in(file) if isinstance(file, str) else ""


@contextmanager
def open_workspace(
    *, live: bool = False, acts: bool = False, surveys: bool = False, foreign: bool = False
) -> Iterator[OpenWorkspace]:
    """Open the workspace that is meant.

    Args:
        live: Whether the command asks for what only the server knows. Then the files of the workspace are not enough.
        acts: Whether the command changes something. Then the server also has to be fit for that.
        surveys: Whether the command begins with the survey, see `View`.
        foreign: Whether runs that xpm has not made are enough for the command (`xpm import --csv` and the like).

    Raises:
        WorkspaceError: There is no such workspace.
        RedisUnavailableError, EmbeddedServerError, ServerNotFoundError: Its server cannot be had, and the files are
            not enough, or know of no job; or it went away meanwhile.
        RedisUnfitError: `acts` is true, and the server could lose jobs, or the user lacks rights on it.
    """
    given, url = setting("workspace"), setting("redis")
    place = find_workspace(given).path
    if not setting("quiet"):
        warn_of_password(url, place)
    workspace = Workspace.open(place, create=False, writable=False)
    with View(workspace, url, surveys=surveys) as view:
        commands = Commands.of_program(view.workspace.path, given, view.server if url else "")
        if view.away is not None:
            if live or acts:
                raise view.away
            if view.age_s == float("inf") and not (foreign and _has_foreign(place)):
                if (view.workspace.path / "jobs").is_dir():
                    say("The workspace has no index of its jobs. Make it from their directories: xpm doctor --repair.")
                raise view.away
            _say_that_files_answer(view)
        opened = OpenWorkspace(view, commands)
        if acts:
            opened.check()
        try:
            yield opened
        except UnknownJobError as error:
            if view.away is None:
                raise
            raise RedisUnavailableError(f"Job {error.name!r}", UNKNOWN_TO_FILES, REMEDY_OF_UNKNOWN) from error
        except ServerError as error:
            fault = fault_of(error, view.connector.client)
            remedy = fault.remedy if fault.lasting else f"Try again: {commands.status()}"
            raise RedisUnavailableError(f"Redis ({view.server})", fault.problem, remedy) from error


def _has_foreign(place: Path) -> bool:
    """Whether the workspace has runs that xpm has not made."""
    from xpm_core.results.foreign import foreign_runs  # late, because few commands show them

    return bool(foreign_runs(place).runs)


def _say_that_files_answer(view: View) -> None:
    say(f"{view.away}")
    if view.age_s == float("inf"):
        say("The files of the workspace know of no job. They have the runs that were imported.")
        return
    say(f"The files of the workspace answer, last written {ago(view.age_s)}.")
    say("The state of a job that had not ended then is not known.")
