"""Write the index: a script the jobs that it submits, a worker how its jobs end.

A line that cannot be written is no reason to stop: the log says so once, and the job directories hold the same.

Owns: the files of one writer.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from xpm_core.errors import WorkspaceError
from xpm_core.index.entries import End, again_line, ended_line, removed_line, submitted_line
from xpm_core.index.folders import END, ends_folder, removals_folder, submissions_folder
from xpm_core.index.merged import MergedIndex
from xpm_core.index.rebuild import ended_by
from xpm_core.states import Event, State
from xpm_core.workspace.experiment_directory import ExperimentDirectory
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.reported import results_file
from xpm_core.workspace.workspace import Workspace

log = logging.getLogger("xpm")


class IndexedJob(NamedTuple):
    """A job as it enters the index.

    Attributes:
        identity: Its identity.
        task: Its task, `module:Class`.
        tags: Its tags.
        params: Returns its parameters in one level. It is called only if the index lacks the job.
        again: Whether it had ended, and is to run again.
        new: Whether the server did not know it. What the index has of it may be of a job that was removed since.
        asked_s: When the server was asked, before it answered: the job may have run and ended since. Epoch seconds;
            0 for the time of the line.
    """

    identity: str
    task: str
    tags: Mapping[str, Any]
    params: Callable[[], Mapping[str, Any]]
    again: bool = False
    new: bool = False
    asked_s: float = 0.0


class SubmissionWriter:
    """Writes the jobs that one run of a script submits. A job that the index has, with the same tags, is passed over.

    Args:
        directory: The directory of the experiment.
        run: The name of the run; no other run of the experiment has it.

    Example:
        >>> writer.add([IndexedJob(identity, "sweep:Train", {"lr": 0.1}, lambda: {"lr": 0.1, "epochs": 10})])
    """

    def __init__(self, directory: ExperimentDirectory, run: str) -> None:
        self._directory = directory
        self._file = _LineFile(submissions_folder(directory) / f"{run}{END}")
        self._tags: dict[str, Mapping[str, Any]] | None = None

    def add(self, jobs: Iterable[IndexedJob]) -> None:
        """Write the jobs that are new."""
        known = self._known()
        now_s, lines = time.time(), []
        for job in jobs:
            asked_s = job.asked_s or now_s
            if job.new or not _same(known.get(job.identity), job.tags):
                lines.append(submitted_line(job.identity, job.task, job.tags, job.params(), asked_s))
                known[job.identity] = job.tags
            if job.again:
                lines.append(again_line(job.identity, asked_s))
        self._file.append(lines)

    def _known(self) -> dict[str, Mapping[str, Any]]:
        """The tags of the experiment's jobs that the index has, by identity."""
        if self._tags is None:
            name, entries = self._directory.name, MergedIndex(self._directory.workspace).read()
            self._tags = {each.identity: each.tags for each in entries.values() if name in each.experiments}
        return self._tags


def _same(known: Mapping[str, Any] | None, tags: Mapping[str, Any]) -> bool:
    """Whether the tags of a job are those that the index has. A NaN is no other one than before."""
    return known == tags or (known is not None and repr(dict(known)) == repr(dict(tags)))


class EndWriter:
    """Writes the ends of jobs: a worker those that it has run, `xpm` what it cancels and retries.

    Args:
        workspace: The workspace.
        writer: The name of the worker, or of the user and the machine; no other writer has it.
    """

    def __init__(self, workspace: Path, writer: str) -> None:
        self._file = _LineFile(ends_folder(workspace) / f"{writer}{END}")

    def again(self, identities: Iterable[str], asked_s: float) -> None:
        """Write that jobs were asked to run again.

        Args:
            identities: The jobs.
            asked_s: When the server was asked, before it answered: a job may have ended again since. Epoch seconds.
        """
        self._file.append([again_line(identity, asked_s) for identity in identities])

    def cancelled(self, identities: Iterable[str], asked_s: float) -> None:
        """Write that jobs were cancelled that did not run; `asked_s` as for `again`."""
        end = End(State.CANCELLED, asked_s)
        self._file.append([ended_line(identity, end) for identity in identities])

    def add(self, identity: str, end: End) -> None:
        """Write the end of a job."""
        self._file.append([ended_line(identity, end)])


class EndedJob(Protocol):
    """What the server knows of a job, as `reading.jobs.Job` has it."""

    @property
    def identity(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def state(self) -> State: ...
    @property
    def reason(self) -> str: ...
    @property
    def execution(self) -> str: ...
    @property
    def attempts(self) -> int: ...
    @property
    def worker(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def started_s(self) -> float: ...
    @property
    def ended_s(self) -> float: ...
    @property
    def error(self) -> dict[str, Any]: ...


class UnreportedEnds:
    """Writes the ends of jobs whose workers were lost, which no worker writes.

    The process whose call has ended a job writes its end, and so does a script that follows the job. If a job comes
    twice, it is written once.

    Args:
        workspace: The workspace.
        ends: The file of this process.

    Example:
        >>> unreported = UnreportedEnds(workspace, EndWriter(workspace.path, f"run-{run}"))
        >>> store.on_losses = lambda identities: unreported.add(reader.jobs.read(identities))
    """

    def __init__(self, workspace: Workspace, ends: EndWriter) -> None:
        self._workspace, self._ends = workspace, ends
        self._written: set[tuple[str, str]] = set()

    def add(self, jobs: Iterable[EndedJob]) -> None:
        """Write the ends of jobs, as the server knows them. A job that has not ended, or is done, is passed over."""
        for job in jobs:
            lost = job.state is State.FAILED and job.reason == Event.LOST
            if (lost or job.state is State.CANCELLED) and (job.identity, job.execution) not in self._written:
                self._add(job, lost)
                self._written.add((job.identity, job.execution))

    def _add(self, job: EndedJob, lost: bool) -> None:
        directory = self._workspace.job(job.task, job.identity)
        with contextlib.suppress(WorkspaceError, OSError):  # lost before it had a directory; or it is somebody else's
            if lost:  # before the line: if that is never written, `xpm doctor --repair` finds the end by its marker
                directory.write_lost(job.execution)
        self._ends.add(job.identity, end_by_server(directory, job))


def end_by_server(directory: JobDirectory, job: EndedJob) -> End:
    """How a job was cancelled, or lost, by the server and by what lies in its directory."""
    known = {"started_s": job.started_s, "host": job.host, "worker": job.worker, "number": job.attempts}
    left: dict[str, Any] = {}
    with contextlib.suppress(WorkspaceError, OSError):
        left = results_file.kept(directory, job.execution) | (directory.record(job.execution) or {})
    error = job.error if job.state is State.FAILED else {}
    counts = {"ended_s": job.ended_s, "execution": job.execution, "error": error}
    return ended_by(known | left | counts, job.state)


class RemovalWriter:
    """Writes which jobs were removed, so that what the index says of them counts no more.

    Args:
        workspace: The workspace.
        writer: The name of the user and the machine; no other writer has it.
    """

    def __init__(self, workspace: Path, writer: str) -> None:
        self._file = _LineFile(removals_folder(workspace) / f"{writer}{END}", maybe_cut=True)

    def add(self, identity: str, until_s: float) -> None:
        """Write that nothing counts that was written of a job up to that time, by the clocks of its writers."""
        self._file.append([removed_line(identity, until_s)])


class _LineFile:
    """A file to which lines are appended. It is closed each time, so that other machines see the lines.

    Args:
        path: The file.
        maybe_cut: Whether an earlier process may have left a line without its end: then an empty line comes first.
    """

    def __init__(self, path: Path, *, maybe_cut: bool = False) -> None:
        self._path, self._cut, self._failed = path, maybe_cut, False

    def append(self, lines: list[str]) -> None:
        """Append lines, in one call of the system. Without a line, the file is not made."""
        if not lines:
            return
        data = "\n".join([*([""] if self._cut else []), *lines, ""]).encode("utf-8", "backslashreplace")
        try:
            self._cut = True  # until all is written: the next line then begins a line of its own
            self._write(data)
            self._cut = False
        except OSError as error:
            if not self._failed:
                log.warning("%s: the index cannot be written: %s", self._path, error.strerror or error)
            self._failed = True

    def _write(self, data: bytes) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            descriptor = os.open(self._path, flags, 0o666)
        except FileNotFoundError:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, flags, 0o666)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        finally:
            os.close(descriptor)
