"""Make the index again, from the job directories: what it lacks is added, nothing is taken away.

A directory that was never in an experiment of this workspace belongs to none; it is passed over.

Owns: what the directories say. The links of an experiment (`job_links.py`) say which jobs it has.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from xpm_core.errors import WorkspaceError
from xpm_core.index.entries import End, Entry, code_facts, ended_line, read_line, read_removals, submitted_line
from xpm_core.index.flat_form import flattened
from xpm_core.index.folders import END, ends_folder, removal_files, submissions_folder
from xpm_core.index.merged import MergedIndex
from xpm_core.states import State
from xpm_core.workspace.experiment_directory import ExperimentDirectory
from xpm_core.workspace.files import explained, write_atomic
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_records import object_in, read_whole
from xpm_core.workspace.reported import results_file
from xpm_core.workspace.reported.results_file import results_in
from xpm_core.workspace.workspace import Workspace

_ERROR = ("type", "message", "file", "line", "function")
"""What the index has of an error; the record has its frames, too."""


@dataclass(frozen=True)
class Lacking:
    """What the index lacks, by the directories.

    Attributes:
        submissions: By experiment, the jobs whose parameters it lacks.
        ends: The ends that it lacks, by identity.
    """

    submissions: dict[str, list[Entry]]
    ends: dict[str, End]

    @property
    def jobs(self) -> int:
        """How many jobs it lacks something of."""
        listed = {entry.identity for entries in self.submissions.values() for entry in entries}
        return len(listed | self.ends.keys())


def lacking(workspace: Workspace) -> Lacking:
    """Compare the index with the job directories."""
    known = MergedIndex(workspace.path).read()
    submissions: dict[str, list[Entry]] = {}
    ends: dict[str, End] = {}
    read: dict[str, Entry | None] = {}
    for experiment, directory in _linked(workspace):
        identity = directory.identity
        entry = known.get(identity)
        if entry is None or experiment not in entry.experiments or not entry.task:
            if identity not in read:
                read[identity] = described(directory)
            if (found := read[identity]) is not None:
                submissions.setdefault(experiment, []).append(found)
        if identity not in ends and (end := ended(directory)) is not None and _is_news(end, entry, directory):
            earlier_s = entry.end.ended_s if entry is not None and entry.end is not None else None
            ends[identity] = end_that_counts(end, earlier_s)
    return Lacking(submissions, ends)


def rebuild(workspace: Workspace) -> Lacking:
    """Add to the index what it lacks.

    Returns:
        What was added.

    Raises:
        WorkspaceError: It cannot be written.
    """
    _remove_damage(workspace)
    found, removed = lacking(workspace), read_removals(removal_files(workspace.path))
    name = _file_name("rebuilt")
    for experiment, entries in found.submissions.items():
        lines = [
            submitted_line(e.identity, e.task, e.tags, e.params, that_counts(e.submitted_s, removed.get(e.identity)))
            for e in entries
        ]
        _write(submissions_folder(workspace.experiment(experiment)) / name, lines)
    add_ends(workspace, found.ends)
    return found


def add_ends(workspace: Workspace, ends: Mapping[str, End]) -> None:
    """Add ends, by the identities of their jobs.

    Raises:
        WorkspaceError: They cannot be written.
    """
    removed = read_removals(removal_files(workspace.path))
    lines = [ended_line(each, end_that_counts(end, removed.get(each))) for each, end in ends.items()]
    if lines:
        _write(ends_folder(workspace.path) / _file_name("rebuilt"), lines)


class Addition(NamedTuple):
    """A job that has come into a workspace from elsewhere.

    Attributes:
        directory: Its directory.
        task: Its task.
        tags: Its tags.
        ended: Whether the index may lack its end.
    """

    directory: JobDirectory
    task: str
    tags: Mapping[str, Any]
    ended: bool


def add(workspace: Workspace, experiment: ExperimentDirectory, jobs: Iterable[Addition]) -> None:
    """Add jobs that have come from elsewhere, by what their directories say.

    Args:
        workspace: The workspace.
        experiment: The directory of the experiment that gets them, which need not lie in the workspace yet.
        jobs: The jobs.

    Raises:
        WorkspaceError: It cannot be written.
    """
    removed, name = read_removals(removal_files(workspace.path)), _file_name("imported")
    submissions: list[str] = []
    ends: list[str] = []
    for job in jobs:
        identity = job.directory.identity
        entry = described(job.directory) or Entry(identity, submitted_s=time.time())
        submitted_s = that_counts(entry.submitted_s, removed.get(identity))
        submissions.append(submitted_line(identity, job.task, job.tags, entry.params, submitted_s))
        end = ended(job.directory) if job.ended else None
        if end is not None:
            ends.append(ended_line(identity, end_that_counts(end, removed.get(identity))))
    if ends:
        _write(ends_folder(workspace.path) / name, ends)
    _write(submissions_folder(experiment) / name, submissions)


def _file_name(what: str) -> str:
    return f"{what}-{time.strftime('%Y%m%d-%H%M%S')}-{os.urandom(3).hex()}{END}"


def that_counts(moment_s: float, earlier_s: float | None) -> float:
    """A time for a line that is to count instead of what was written before, in whatever order files are read.

    A job that was removed may be there again, from a copy; then earlier lines count no more.
    """
    return moment_s if earlier_s is None else max(moment_s, earlier_s + 0.001)


def end_that_counts(end: End, earlier_s: float | None) -> End:
    """An end with such a time. Its beginning moves along, because tables and forecasts ask how long it took."""
    ended_s = that_counts(end.ended_s, earlier_s)
    if ended_s == end.ended_s:
        return end
    moves = end.started_s and end.ended_s  # else it is not known how long it took
    return replace(end, ended_s=ended_s, started_s=end.started_s + (ended_s - end.ended_s) if moves else end.started_s)


def _remove_damage(workspace: Workspace) -> None:
    """Take lines that cannot be read out of their files."""
    index = MergedIndex(workspace.path)
    index.read()
    for path in index.damaged:
        with explained(path, "cannot be repaired"), open(path, "rb") as stream:
            _keep_good_lines(path, stream)


def _keep_good_lines(path: str, stream: BinaryIO) -> None:
    """Replace a file by its good lines. What its writer adds meanwhile to the old file is taken over, too."""
    *lines, begun = stream.read().split(b"\n")
    good = [line for line in lines if line and read_line(line, "", {})]
    write_atomic(path, b"\n".join([*good, b""]), durable=True)
    if late := stream.read():
        with open(path, "ab") as replaced:
            replaced.write(begun + late)


def _write(path: Path, lines: list[str]) -> None:
    with explained(path, "cannot be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, "\n".join([*lines, ""]).encode("utf-8", "backslashreplace"), durable=True)


def _linked(workspace: Workspace) -> Iterator[tuple[str, JobDirectory]]:
    """The job directories to which an experiment has a link, each with the experiment."""
    for experiment in _listed(workspace.path / "experiments"):
        for task in _listed(experiment / "jobs"):
            for link in _listed(task):
                try:
                    place = Path(os.path.normpath(task / os.readlink(link)))
                    yield experiment.name, workspace.job_at(place.relative_to(workspace.path).as_posix())
                except (OSError, ValueError, WorkspaceError):  # no link of ours
                    continue


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def described(directory: JobDirectory) -> Entry | None:
    """What `params.json` says of a job; None if it does not exist, or is damaged."""
    try:
        found = object_in(read_whole(str(directory.params)))
        written_s = directory.params.stat().st_mtime
    except OSError:
        return None
    if not isinstance(found.get("task"), str):
        return None
    tags = found.get("tags")
    return Entry(
        directory.identity, found["task"], tags if isinstance(tags, dict) else {}, flattened(found), [], written_s
    )


def ended(directory: JobDirectory) -> End | None:
    """How a job ended, by its marker and the record of the execution that the marker names; None without a marker."""
    marker = directory.marker()
    if marker is None:
        return None
    record: Mapping[str, Any] = directory.record(marker.execution) or {}
    if marker.kind == "failed" and "results" not in record:  # a worker that was lost has not written them
        record = {**record, **results_file.kept(directory, marker.execution)}
    return ended_by({**record, "execution": marker.execution}, State(marker.kind))


def ended_by(record: Mapping[str, Any], state: State) -> End:
    """How a job ended, by the record of the execution that counts."""
    error = record.get("error")
    return End(
        state=state,
        ended_s=_seconds(record.get("ended_s")),
        started_s=_seconds(record.get("started_s")),
        host=str(record.get("host") or ""),
        worker=str(record.get("worker") or ""),
        execution=str(record.get("execution") or ""),
        attempt=record["number"] if isinstance(record.get("number"), int) else 0,
        error={name: error[name] for name in _ERROR if name in error} if isinstance(error, dict) else {},
        **code_facts(record),
        results=results_in(record),
    )


def _is_news(end: End, entry: Entry | None, directory: JobDirectory) -> bool:
    """Whether the index lacks an end, or the results of that end, as after a worker of an earlier xpm."""
    known = entry.end if entry else None
    if known is None:
        return True
    lacks_results = known.state is end.state and bool(end.results) and not known.results
    if known.execution == end.execution:
        return lacks_results or (end.state is State.DONE and known.state is State.FAILED)
    if known.ended_s <= end.ended_s:
        return True
    earlier = directory.record(known.execution) if known.execution else None  # `known.attempt` may be the server's
    if earlier is not None and earlier["number"] < end.attempt:  # it ran before; the clock of its machine was ahead
        return True
    return lacks_results and directory.adoptable() == end.execution  # it was adopted, and another one was noted


def _seconds(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
