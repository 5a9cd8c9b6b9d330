"""The workspace that is examined, and the facts that several checks need, each read once.

Owns: reading these facts anew before something is mended by them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from xpm_core.reading.look import View
from xpm_core.server.connection import Client
from xpm_core.states import State
from xpm_core.store import keys
from xpm_core.store.replies import seconds_of, text_of
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.workspace import Workspace

PAGE = 500
"""How many jobs are read, or compared, in one round trip."""
FIELDS = ("state", "task", "execution", "ended", "reason")

Progress = Callable[[str, int, int], None]
"""Gets what is being looked at, how many were, and how many there are."""

T = TypeVar("T")


@dataclass(frozen=True)
class JobFacts:
    """A job by the server. `ended_s` is 0 if it has not ended."""

    identity: str
    state: State
    task: str
    execution: str
    ended_s: float
    reason: str


class Patient:
    """A workspace that is examined.

    Args:
        view: What can be seen of it, over a server or without one.
        deep: Whether files are also read that are large, or many.
        progress: Is called now and then while many things are looked at.
    """

    def __init__(self, view: View, *, deep: bool = False, progress: Progress = lambda *_: None) -> None:
        self.view, self.deep, self.progress = view, deep, progress

    @property
    def workspace(self) -> Workspace:
        """The workspace."""
        return self.view.workspace

    @property
    def away(self) -> bool:
        """Whether the server cannot be had."""
        return self.view.away is not None

    @property
    def client(self) -> Client:
        """A client of the server. It raises the error of a server that cannot be had."""
        return self.view.connector.client

    @property
    def w(self) -> str:
        """The id of the workspace."""
        return self.view.workspace.id

    @cached_property
    def jobs(self) -> dict[str, JobFacts]:
        """All jobs that the server knows, by identity; none without the server."""
        return {} if self.away else self.read(self.view.reader.jobs.identities())

    def read(self, identities: Sequence[str]) -> dict[str, JobFacts]:
        """Read jobs anew. Those that the server does not know are left out."""
        found = {}
        for page in self.pages("jobs on the server", identities):
            with self.client.pipeline(transaction=False) as pipe:
                for identity in page:
                    pipe.hmget(keys.job(self.w, identity), FIELDS)
                for identity, row in zip(page, pipe.execute(), strict=True):
                    if row[0]:
                        found[identity] = _facts(identity, row)
        return found

    @cached_property
    def on_disk(self) -> dict[str, JobDirectory]:
        """The job directories that exist, by identity."""
        found = {}
        for task in _folders(f"{self.workspace.path}/jobs"):
            for name in _folders(f"{self.workspace.path}/jobs/{task}"):
                if len(name) == 64:
                    found[name] = JobDirectory(self.workspace.path, f"jobs/{task}/{name}")
        return found

    def directory(self, job: JobFacts) -> JobDirectory:
        """The directory of a job, which need not exist."""
        return self.on_disk.get(job.identity) or self.workspace.job(job.task, job.identity)

    def counted(self, what: str, things: Iterable[T], total: int) -> Iterator[T]:
        """Iterate over things, and say now and then how far that is."""
        for number, thing in enumerate(things):
            if number % PAGE == 0:
                self.progress(what, number, total)
            yield thing

    def pages(self, what: str, things: Sequence[T]) -> Iterator[Sequence[T]]:
        """The things in pages, for one round trip each."""
        for start in range(0, len(things), PAGE):
            self.progress(what, start, len(things))
            yield things[start : start + PAGE]

    def forget(self) -> None:
        """Read all facts anew when they are asked for next, because something was mended."""
        self.__dict__.pop("jobs", None)
        self.__dict__.pop("on_disk", None)


def _facts(identity: str, row: Sequence[Any]) -> JobFacts:
    state, task, execution, ended, reason = (text_of(value or b"") for value in row)
    return JobFacts(identity, State(state), task, execution, seconds_of(ended), reason)


def _folders(place: str) -> list[str]:
    try:
        with os.scandir(place) as found:
            return sorted(each.name for each in found if each.is_dir(follow_symlinks=False))
    except OSError:
        return []
