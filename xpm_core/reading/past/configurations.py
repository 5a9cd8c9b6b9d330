"""Read the configurations of old jobs: with today's classes, else with those of their snapshots, else as plain values.

Owns: this order. Today's classes are found by name, in the folders that this process imports from. What they make must
have the identity of the job; so an edited class that means something else is not taken for the old one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from xpm_core.errors import XpmError
from xpm_core.reading.listing.row import JobRow
from xpm_core.reading.past import plain_values
from xpm_core.reading.past.old_classes import OldJob, opened, read_old, said
from xpm_core.reading.past.sources import Sources, params_of
from xpm_core.wire.unpacker import Unpacker
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_spec import JobSpec

Reader = Literal["today", "snapshot", "values", ""]
"""With what a configuration was read: today's classes, those of its snapshot, none; or it was not."""


class Reading(NamedTuple):
    """The configuration of a job.

    Attributes:
        config: A sealed configuration of today's class, or its parameters as plain values; None if nothing is known.
        read_by: With what it was read.
        problem: Why not with today's classes, and not with the snapshot's; empty if with today's.
    """

    config: Any
    read_by: Reader
    problem: str


class PastJob(NamedTuple):
    """A job whose configuration can be read.

    Attributes:
        row: What the index and the server say of it.
        task: The name of its class, `models:Train`; empty if nobody knows it.
        directory: Its directory.
    """

    row: JobRow
    task: str
    directory: JobDirectory


class Configurations:
    """Reads the configurations of some jobs, each when it is asked for.

    Args:
        jobs: The jobs.
        workspace: The workspace.
        sources: Finds what they run.
    """

    def __init__(self, jobs: Sequence[PastJob], workspace: Path, sources: Sources) -> None:
        self.sources = sources
        self._jobs = {job.row.identity: job for job in jobs}
        self._workspace = workspace
        self._read: dict[str, Reading] = {}

    def __getitem__(self, identity: str) -> Reading:
        """The configuration of a job. If it needs a snapshot, the other jobs of this snapshot are read with it."""
        if identity not in self._read:
            spec = self._with_today(identity)
            if isinstance(spec, JobSpec):
                self._with_snapshot(spec)
        return self._read[identity]

    def _with_today(self, identity: str) -> JobSpec | None:
        """Read a job with today's classes. If that fails, and it has a snapshot, what it runs is returned."""
        job = self._jobs[identity]
        spec = self.sources.believed(job.task, job.directory)
        if isinstance(spec, str):
            self._read[identity] = self._plain(job, spec)
            return None
        try:
            reader = Unpacker(self._workspace, job.directory.path, by_name=True)
            config, _ = reader.configuration(spec.payload, identity)
        except XpmError as error:
            problem = f"with today's classes: {said(error)}"
            self._read[identity] = self._plain(job, problem if spec.options.snapshot else f"{problem}. {_UNKNOWN}")
            return spec if spec.options.snapshot else None
        self._read[identity] = Reading(config, "today", "")
        return None

    def _with_snapshot(self, spec: JobSpec) -> None:
        """Read a job, and all others of its snapshot that today's classes cannot read."""
        same = [spec]
        for identity in self._jobs.keys() - self._read.keys():
            other = self.sources.spec(self._jobs[identity].task, self._jobs[identity].directory)
            if other is None or _code(other) != _code(spec):
                continue
            if (found := self._with_today(identity)) is not None:
                same.append(found)
        jobs = [OldJob(each.identity, each.payload, self._jobs[each.identity].directory.path) for each in same]
        try:
            with opened(self._workspace, *_code(spec)) as code:
                found_by = read_old(jobs, self._workspace, code)
        except XpmError as error:
            found_by = {each.identity: said(error) for each in jobs}
        for each in jobs:
            described, before = found_by[each.identity], self._read[each.identity]
            if isinstance(described, str):
                problem = f"{before.problem}. With those of its snapshot: {described}"
                self._read[each.identity] = before._replace(problem=problem)
            else:
                config = plain_values.of_description(described, job=each.directory, workspace=self._workspace)
                self._read[each.identity] = Reading(config, "snapshot", before.problem)

    def _plain(self, job: PastJob, problem: str) -> Reading:
        """What `params.json` says of a job, else the index, else nothing."""
        try:
            config = plain_values.of_description(
                params_of(job.directory), job=job.directory.path, workspace=self._workspace
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            if job.row.params is None:
                return Reading(None, "", problem)
            config = plain_values.of_flat(job.task, job.row.identity, job.row.params)
        return Reading(config, "values", problem)


_UNKNOWN = "No snapshot of its code was kept."


def _code(spec: JobSpec) -> tuple[str, str]:
    return spec.options.snapshot, spec.options.provenance
