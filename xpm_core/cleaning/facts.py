"""All that is known of a workspace when it is decided what may go: by its server, its index and its files.

Owns: what is read, and that it is read once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from xpm_core.cleaning.code.kept import KeptCode
from xpm_core.cleaning.code.naming import Naming
from xpm_core.cleaning.needs import Needs
from xpm_core.cleaning.places import Places
from xpm_core.cleaning.runs import Runs
from xpm_core.cleaning.trees import Scale, Size
from xpm_core.index.entries import Entry
from xpm_core.index.merged import MergedIndex
from xpm_core.labels import bare_class, title
from xpm_core.reading.jobs import Job
from xpm_core.reading.reader import Reader
from xpm_core.states import State
from xpm_core.workspace.workspace import Workspace

ENDED = (State.DONE, State.FAILED, State.CANCELLED)
"""The states in which a job may be removed. A blocked one may still run."""

Tick = Callable[[str, int], None]
"""Called with what is being done, and how many were looked at so far."""


@dataclass
class Facts:
    """What is known.

    Attributes:
        workspace: The workspace.
        jobs: The jobs that the server knows, by identity.
        entries: What the index says, by identity.
        places: What lies in the folders of the workspace.
        runs: The runs of its experiments.
        needs: What its jobs need.
        now_s: When all this was read, epoch seconds by this machine's clock.
    """

    workspace: Workspace
    jobs: dict[str, Job]
    entries: dict[str, Entry]
    places: Places
    runs: Runs
    needs: Needs
    tick: Tick
    now_s: float

    @classmethod
    def read(cls, workspace: Workspace, reader: Reader, tick: Tick = lambda *_: None) -> Facts:
        """Read them. What the runs name is read first: the server notes what runs name later, within a collection.

        Raises:
            WorkspaceError: Something in the workspace cannot be read.
        """
        entries = MergedIndex(workspace.path).read()
        runs = Runs(workspace.path, entries, reader.experiments.identities)
        places = Places.read(workspace.path, lambda count: tick("directories", count))
        asked = {*reader.jobs.identities(), *places.jobs, *places.fixed}
        jobs = {job.identity: job for job in reader.jobs.read(sorted(asked))}
        unfinished = [identity for identity, job in jobs.items() if job.state is not State.DONE]
        needs = Needs(workspace.path, {**places.jobs, **places.fixed}, reader.jobs.needs_of(unfinished))
        return cls(workspace, jobs, entries, places, runs, needs, tick, time.time())

    @property
    def known(self) -> set[str]:
        """All jobs that the server knows, or that have a directory."""
        return {*self.jobs, *self.places.jobs, *self.places.fixed}

    @cached_property
    def unfinished(self) -> set[str]:
        """The jobs that are not settled, or may run again: waiting, ready, delayed, running, blocked."""
        return {identity for identity, job in self.jobs.items() if job.state not in ENDED}

    @cached_property
    def forgotten(self) -> list[str]:
        """The jobs of the index that are not known to have ended, and that the server does not know.

        It was wiped; or it is not the server that has these jobs, and their code would go although they wait.
        """
        lacking = (entry for identity, entry in self.entries.items() if identity not in self.jobs and entry.task)
        return [each.identity for each in lacking if each.state is None and self.state(each.identity) is None]

    @cached_property
    def code(self) -> KeptCode:
        """The code that the workspace keeps. It is looked at when it is asked for."""
        return KeptCode(self.workspace.path)

    @cached_property
    def naming(self) -> Naming:
        """Which code the jobs name. Their records are read when it is asked for."""
        return Naming(self.workspace.path, {identity: job.options for identity, job in self.jobs.items()})

    @cached_property
    def _sizes(self) -> dict[str, Size]:
        return {}

    @cached_property
    def _scale(self) -> Scale:
        return Scale()

    def size(self, relative: str) -> Size:
        """The size of something in the workspace. It is measured once."""
        if relative not in self._sizes:
            self._sizes[relative] = self._scale.size(f"{self.workspace.path}/{relative}")
            self.tick("sizes", len(self._sizes))
        return self._sizes[relative]

    def state(self, identity: str) -> State | None:
        """How a job stands by the server; of a job that it does not know, how it has ended by its directory."""
        if (job := self.jobs.get(identity)) is not None:
            return job.state
        relative = self.places.jobs.get(identity)
        marker = self.workspace.job_at(relative).marker() if relative else None
        return State(marker.kind) if marker else None

    def changed_s(self, identity: str) -> float:
        """When a job has ended; if the server does not know that, when its directory was changed last."""
        job = self.jobs.get(identity)
        if job is not None and job.ended_s:
            return job.ended_s
        relative = self.places.jobs.get(identity)
        if relative:
            return self.size(relative).newest_s
        return job.submitted_s if job is not None else 0.0

    def what(self, identity: str) -> str:
        """A job as people know it: `Train lr=0.1`."""
        entry, job = self.entries.get(identity), self.jobs.get(identity)
        if entry is not None and entry.task:
            return title(bare_class(entry.task) or "job", entry.tags)
        if job is not None:
            return job.title
        relative = self.places.jobs.get(identity, "")
        return self.workspace.job_at(relative).name if relative else "job"

    def is_silent(self, relative: str, seconds: float) -> bool:
        """Whether nothing was changed in a directory for so long."""
        return self.now_s - self.size(relative).newest_s >= seconds
