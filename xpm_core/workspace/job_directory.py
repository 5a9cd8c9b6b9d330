"""A job's directory: the record of its attempts, and of what they came to.

    params.json  <name>.out  <name>.err  and the files that the task writes
    .xpm/executions/<n>-<execution>.json    one file for each attempt, so that a late one overwrites nothing
    .xpm/done  or  .xpm/failed              names the execution that counts
    .xpm/handed.json                        the job as its worker got it, once it is done: enough to run it again
    .xpm/imported.json                      the mark of a job that came from somebody else's file (xpm_core.exchange)
    .xpm/accepted.jsonl                     who has accepted its result with later code (xpm_core.judging), one a line
    .xpm/outputs.jsonl                      the outputs that the task registered (xpm_core.job.outputs), one a line

Owns: these files, and the order in which they appear. The record of an execution is written first, then Redis accepts
its end, then the marker is written. Imports nothing heavy: job processes use it.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xpm_core.scalars import all_atoms
from xpm_core.workspace.files import append_line, explained, write_atomic
from xpm_core.workspace.job_records import (
    EXECUTION,
    IMPORTED,
    KINDS,
    MARKER,
    RECORD,
    Kind,
    Marker,
    checked,
    marker_text,
    object_in,
    read_own,
    read_small,
    read_whole,
)

if TYPE_CHECKING:
    from xpm_core.workspace.kept_job import KeptJob


class JobDirectory:
    """The directory of one job, as `Workspace.job` returns it. Only `prepare` makes it on disk.

    Example:
        >>> number = job.prepare(1)
        >>> job.write_record(number, execution, {"exit_code": 0})
        >>> job.write_marker("done", execution)
        >>> job.adoptable() == execution
        True
    """

    __slots__ = ("_root", "_workspace", "identity", "relative")

    def __init__(self, workspace: Path, relative: str) -> None:
        self._workspace, self._root = workspace, str(workspace)
        self.relative = relative
        """Its path within the workspace, as Redis and payloads hold it."""
        self.identity = relative.rpartition("/")[2]
        """The job's identity, 64 hexadecimal digits."""

    @property
    def folder(self) -> str:
        """The folder that holds the directories of the task's jobs."""
        return f"{self._root}/{self.relative.rpartition('/')[0]}"

    @property
    def task(self) -> str:
        """The name of that folder, which stands for the task's class (`task_folder`)."""
        return self.relative.split("/")[-2]

    @property
    def name(self) -> str:
        """The task's short name, lower case. The logs have this name."""
        return _short_name(self.relative.split("/")[-2])

    @property
    def _path(self) -> str:
        return f"{self._root}/{self.relative}"

    @property
    def _records_folder(self) -> str:
        return f"{self._root}/{self.relative}/.xpm"

    @property
    def _executions(self) -> str:
        return f"{self._root}/{self.relative}/.xpm/executions"

    def __repr__(self) -> str:
        return f"JobDirectory({str(self.path)!r})"

    @property
    def path(self) -> Path:
        """Its path on this machine."""
        return self._workspace / self.relative

    @property
    def workspace(self) -> Path:
        """The path of its workspace on this machine."""
        return self._workspace

    @property
    def logs(self) -> tuple[str, str]:
        """The files of the job's standard output and error."""
        start = f"{self._path}/{self.name}"
        return f"{start}.out", f"{start}.err"

    def log_sizes(self) -> list[int]:
        """How many bytes the two logs have: where what a later attempt prints begins. 0 for a log that is not there."""
        found = []
        for path in self.logs:
            try:
                found.append(os.stat(path).st_size)
            except OSError:
                found.append(0)
        return found

    @property
    def out(self) -> Path:
        """The file of the job's standard output."""
        return Path(self.logs[0])

    @property
    def err(self) -> Path:
        """The file of the job's standard error."""
        return Path(self.logs[1])

    @property
    def params(self) -> Path:
        """The file that holds all parameters of the job, for people to read."""
        return self.path / "params.json"

    def prepare(self, number: int, *, resumable: bool = False) -> int:
        """Make the directory ready for an execution.

        The files of earlier executions stay for a resumable task. For other tasks the whole directory is renamed, to
        `<workspace>/old/<task>/`, and only its logs and records come into the new one. No marker stays.

        Args:
            number: The number of the attempt, from 1, as far as Redis knows.
            resumable: Whether the task continues from the files that are there.

        Returns:
            The number under which to record the execution: `number`, or a higher one if the directory has records of
            later attempts.

        Raises:
            WorkspaceError: It cannot be made, for example because the disk is full.
        """
        path = self._path
        with explained(path, "cannot be made ready"):
            try:
                os.mkdir(path)
            except FileNotFoundError:
                os.makedirs(path)
            except FileExistsError:
                return self._prepare_again(number, resumable)
            os.mkdir(f"{path}/.xpm")
            os.mkdir(f"{path}/.xpm/executions")
            return number

    def numbered(self, number: int) -> int:
        """The number that `prepare` would record an execution under now. It changes nothing.

        Args:
            number: The number of the attempt, as far as Redis knows.
        """
        return max(number, max(self._numbers().values(), default=0) + 1)

    def marker(self) -> Marker | None:
        """The outcome of the job by its directory; None if no execution has ended it."""
        listed = self._listed()
        kinds = [kind for kind in KINDS if kind in listed]
        markers = [marker for kind in kinds if (marker := self._read_marker(kind)) is not None]
        if len(markers) < 2:
            return markers[0] if markers else None
        numbers = self._numbers()  # a crash has left both: the new one was written, the other not yet removed
        return max(markers, key=lambda marker: numbers.get(marker.execution, 0))

    def done_marker(self) -> Marker | None:
        """The `done` marker, if any. If it seems to be missing, `.xpm/` is listed afresh, and it is read once more."""
        marker = self._read_marker("done")
        return marker if marker is not None or "done" not in self._listed() else self._read_marker("done")

    def is_marked(self) -> bool:
        """Whether there is a `done` marker. If there is one, this costs one call of the file system."""
        try:
            if os.stat(f"{self._records_folder}/done").st_size:
                return True
        except OSError:
            pass
        return self.done_marker() is not None

    def adoptable(self) -> str | None:
        """The execution whose result counts as the job's, even if Redis does not know the execution.

        The directory is listed afresh, because a network file system then asks its server.

        Returns:
            The execution that a `done` marker names, if it has a record and no record is later; else None.
        """
        marker = self.done_marker()
        if marker is None:
            return None
        numbers = self._numbers()
        newest = max(numbers.values(), default=0)
        return marker.execution if numbers.get(marker.execution, -1) == newest else None

    def write_marker(self, kind: Kind, execution: str) -> None:
        """Write the outcome of the job, after Redis has accepted the execution's end.

        Raises:
            WorkspaceError: It cannot be written; an earlier marker then stays.
        """
        write_atomic(f"{self._records_folder}/{kind}", marker_text(execution), durable=True)
        self._remove_markers(*(other for other in KINDS if other != kind))

    def write_lost(self, execution: str) -> None:
        """Write that the job has failed because its workers were lost, the last one with this execution.

        Another process writes this, perhaps late. So a marker that is there stays.

        Raises:
            WorkspaceError: It cannot be written, or the directory is gone.
        """
        if self.marker() is None:
            write_atomic(f"{self._records_folder}/failed", marker_text(execution), durable=True)

    def records(self) -> list[dict[str, Any]]:
        """The records of all executions that have ended, in order.

        A record that cannot be read, for example after a power cut, has its `number`, its `execution`, and the `reason`
        "unreadable".
        """
        numbers = self._numbers()
        return [
            self._read_record(numbers[execution], execution) for execution in sorted(numbers, key=numbers.__getitem__)
        ]

    def record(self, execution: str) -> dict[str, Any] | None:
        """The record of one execution, or None."""
        number = self._numbers().get(execution)
        return None if number is None else self._read_record(number, execution)

    def write_record(self, number: int, execution: str, record: Mapping[str, Any]) -> None:
        """Write the record of an execution, before its end is sent to Redis.

        Args:
            number: The number that `prepare` returned.
            execution: The execution's id.
            record: Any fields that JSON can hold.

        Raises:
            WorkspaceError: It cannot be written, or the directory is gone.
        """
        fields = {"schema": 1, **record, "number": number, "execution": checked(execution)}
        path = f"{self._executions}/{number}-{execution}.json"
        write_atomic(path, readable(fields), durable=True)

    def write_params(self, params: Mapping[str, Any]) -> None:
        """Write `params.json`: any fields that JSON can hold.

        Raises:
            WorkspaceError: It cannot be written.
        """
        write_atomic(self.params, readable(params), durable=False)

    def keep(self, job: KeptJob) -> None:
        """Write all that is needed to run the job again, before Redis learns that it is done, and forgets it.

        If the job has an environment, which may hold secrets, only the same user can read the file.

        Raises:
            WorkspaceError: It cannot be written.
        """
        mode = 0o600 if job.spec.options.env else 0o666
        write_atomic(f"{self._records_folder}/handed.json", job.written(), durable=False, mode=mode)

    def kept(self, task: str, *, own: bool = False) -> KeptJob | None:
        """Return what `keep` has written; None if there is no such file, or it cannot be read, or it is damaged.

        Args:
            task: The name of the job's class, `models:Train`, which is not in the file.
            own: Whether to believe only a file of the same user. Others may write in the workspace, and the file
                decides what runs.
        """
        try:
            content = (read_own if own else read_whole)(f"{self._records_folder}/handed.json")
        except OSError:
            return None
        from xpm_core.workspace.kept_job import KeptJob  # only workers and people need it

        return KeptJob.read(content, self.identity, task, self.relative)

    def imported(self) -> dict[str, Any] | None:
        """The mark of a job that came from somebody else's file: which file, and by whom; None for a job of one's own.

        A damaged mark is an empty one. The mark goes when the job runs again.
        """
        try:
            return object_in(read_whole(f"{self._records_folder}/{IMPORTED}"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            return {}

    def is_imported(self) -> bool:
        """Whether the job has that mark."""
        return os.path.lexists(f"{self._records_folder}/{IMPORTED}")

    def add_output(self, line: str) -> None:
        """Add an output that the task has registered: one line.

        Raises:
            WorkspaceError: It cannot be written, or the directory is gone.
        """
        append_line(f"{self._records_folder}/outputs.jsonl", line)

    def outputs(self) -> list[str]:
        """The outputs that were added, one line each, in order. A power cut may cut the last line."""
        try:
            with open(f"{self._records_folder}/outputs.jsonl", encoding="utf-8", errors="replace") as file:
                return file.read().splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _prepare_again(self, number: int, resumable: bool) -> int:
        """Make an existing directory ready."""
        newest = max(self._numbers().values(), default=0)
        if resumable:
            self._remove_markers(*KINDS, IMPORTED)
        elif newest or not set(os.listdir(self.path)) <= {".xpm", "params.json"}:
            self._set_aside(newest)
        else:
            self._remove_markers(*KINDS, IMPORTED)
        os.makedirs(self._executions, exist_ok=True)
        return max(number, newest + 1)

    def _set_aside(self, newest: int) -> None:
        """Rename the directory to `old/`, and make a new one with its records and logs."""
        folder = os.path.join(self._workspace, "old", self.path.parent.name)
        old = f"{folder}/{self.identity}-{newest}-{os.urandom(4).hex()}"
        os.makedirs(folder, exist_ok=True)
        os.rename(self.path, old)
        os.makedirs(self._records_folder)
        for name in (".xpm/executions", self.out.name, self.err.name):
            with contextlib.suppress(FileNotFoundError):
                os.rename(f"{old}/{name}", self.path / name)

    def _listed(self) -> list[str]:
        """The names in `.xpm/`; none if it is not there."""
        try:
            return os.listdir(self._records_folder)
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _numbers(self) -> dict[str, int]:
        """The number of each execution that has a record."""
        try:
            names = os.listdir(self._executions)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        return {match[2]: int(match[1]) for match in map(RECORD.fullmatch, names) if match}

    def _read_marker(self, kind: Kind) -> Marker | None:
        try:
            content = read_small(f"{self._records_folder}/{kind}")
        except FileNotFoundError:
            return None
        if (ours := MARKER.fullmatch(content)) is not None:  # the usual form, read fast: there may be many markers
            return Marker(kind, ours[1].decode())
        execution = object_in(content).get("execution")
        return Marker(kind, execution) if isinstance(execution, str) and EXECUTION.fullmatch(execution) else None

    def _read_record(self, number: int, execution: str) -> dict[str, Any]:
        path = f"{self._executions}/{number}-{execution}.json"
        try:
            fields = object_in(read_whole(path))
        except OSError:
            fields = {}
        fields = fields or {"reason": "unreadable"}
        return {**fields, "number": number, "execution": execution}

    def _remove_markers(self, *kinds: str) -> None:
        for kind in kinds:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{self._records_folder}/{kind}")


def readable(fields: Mapping[str, Any]) -> bytes:
    """The content of a file with an object of JSON, for people to read."""
    text = _indented(fields, "\n ")
    return text.encode(errors="backslashreplace") + b"\n"  # half a character is written as JSON does, to stay UTF-8


def _indented(value: Any, margin: str) -> str:
    """The text that `json.dumps` makes with `indent=1`. This is several times as fast: its encoder does not indent."""
    encode = _encoder(margin).encode
    if not value or not isinstance(value, (dict, list)):
        return encode(value)
    if all_atoms(value.values() if isinstance(value, dict) else value):
        whole = encode(value)
        return f"{whole[0]}{margin}{whole[1:-1]}{margin[:-1]}{whole[-1]}"
    inner = f"{margin} "
    if isinstance(value, list):
        return f"[{margin}{f',{margin}'.join(_indented(each, inner) for each in value)}{margin[:-1]}]"
    entries = (encode({key: 0})[1:-2] + _indented(each, inner) for key, each in value.items())
    return f"{{{margin}{f',{margin}'.join(entries)}{margin[:-1]}}}"


@lru_cache(maxsize=256)
def _encoder(margin: str) -> json.JSONEncoder:
    return json.JSONEncoder(ensure_ascii=False, separators=(f",{margin}", ": "))


@lru_cache(maxsize=1024)
def _short_name(folder: str) -> str:
    return folder.rstrip(".").rpartition(".")[2] or "task"
