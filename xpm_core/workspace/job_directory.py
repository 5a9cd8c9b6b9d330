"""A job's directory: the record of what was run there, and of what came of it.

    params.json  <name>.out  <name>.err  and what the task writes
    .xpm/executions/<n>-<execution>.json    one file for each attempt, so that a late one overwrites nothing
    .xpm/done  or  .xpm/failed              names the execution that counts
    .xpm/handed.json                        what its worker was handed, once it is done: enough to run it again
    .xpm/outputs.jsonl                      what the task registered while it ran (xpm_core.job.outputs), one a line

Owns: these files, and the order in which they appear. An execution's record is written first, then
Redis accepts its end, then comes the marker. Imports nothing heavy: job processes use it.
"""

from __future__ import annotations

import contextlib
import json
import os
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from xpm_core.scalars import all_atoms
from xpm_core.workspace.files import append_line, explained, write_atomic
from xpm_core.workspace.job_records import (
    _EXECUTION,
    _MARKER,
    _RECORD,
    KINDS,
    Handed,
    Kind,
    Marker,
    _checked,
    _marker,
    _object_in,
    _read_own,
    _read_small,
    _read_whole,
)


class JobDirectory:
    """The directory of one job, made by `Workspace.job`. Looking at it makes nothing; `prepare` does.

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
        """Its path within the workspace, as it stands in Redis and payloads."""
        self.identity = relative.rpartition("/")[2]
        """The job's identity, 64 hexadecimal digits."""

    @property
    def folder(self) -> str:
        """The folder that holds the directories of the task's jobs."""
        return f"{self._root}/{self.relative.rpartition('/')[0]}"

    @property
    def name(self) -> str:
        """The task's short name, lower case; its logs are called after it."""
        return _short_name(self.relative.split("/")[-2])

    @property
    def _path(self) -> str:
        return f"{self._root}/{self.relative}"

    @property
    def _meta(self) -> str:
        return f"{self._root}/{self.relative}/.xpm"

    @property
    def _executions(self) -> str:
        return f"{self._root}/{self.relative}/.xpm/executions"

    def __repr__(self) -> str:
        return f"JobDirectory({str(self.path)!r})"

    @property
    def path(self) -> Path:
        """Where it lies on this machine."""
        return self._workspace / self.relative

    @property
    def workspace(self) -> Path:
        """The workspace that it lies in, on this machine."""
        return self._workspace

    @property
    def logs(self) -> tuple[str, str]:
        """Files that the job's standard output and error go to."""
        start = f"{self._path}/{self.name}"
        return f"{start}.out", f"{start}.err"

    @property
    def out(self) -> Path:
        """File that the job's standard output goes to."""
        return Path(self.logs[0])

    @property
    def err(self) -> Path:
        """File that the job's standard error goes to."""
        return Path(self.logs[1])

    @property
    def params(self) -> Path:
        """File that holds the job's parameters, readable and complete."""
        return self.path / "params.json"

    def prepare(self, number: int, *, resumable: bool = False) -> int:
        """Make the directory ready for an execution to start in.

        What an earlier execution left is kept for a resumable task. Otherwise its whole directory is renamed
        aside, to `<workspace>/old/<task>/`, and only its logs and records move over. No marker stays.

        Args:
            number: Which attempt this is, counted from 1, as far as Redis knows.
            resumable: Whether the task goes on from what is there.

        Returns:
            The number to record the execution under: `number`, or more when the directory knows of later ones.

        Raises:
            WorkspaceError: It cannot be made, such as for a full disk.
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

    def marker(self) -> Marker | None:
        """What the job came to, by its directory; None when no execution has ended it."""
        listed = self._listed()
        kinds = [kind for kind in KINDS if kind in listed]
        markers = [marker for kind in kinds if (marker := self._read_marker(kind)) is not None]
        if len(markers) < 2:
            return markers[0] if markers else None
        numbers = self._numbers()  # a crash came between a new marker and the removal of the other
        return max(markers, key=lambda marker: numbers.get(marker.execution, 0))

    def done_marker(self) -> Marker | None:
        """The `done` marker. One that seems to be missing is looked for in a listing, made afresh."""
        marker = self._read_marker("done")
        return marker if marker is not None or "done" not in self._listed() else self._read_marker("done")

    def is_marked(self) -> bool:
        """Whether there is a `done` marker; one look, if there is."""
        try:
            if os.stat(f"{self._meta}/done").st_size:
                return True
        except OSError:
            pass
        return self.done_marker() is not None

    def adoptable(self) -> str | None:
        """The execution whose result may be taken as the job's, though Redis knows nothing of it.

        The directory is listed afresh, which makes a network file system ask its server.

        Returns:
            The execution named by a `done` marker, if it has a record and none is later; else None.
        """
        marker = self.done_marker()
        if marker is None:
            return None
        numbers = self._numbers()
        newest = max(numbers.values(), default=0)
        return marker.execution if numbers.get(marker.execution, -1) == newest else None

    def write_marker(self, kind: Kind, execution: str) -> None:
        """Say what the job came to, once Redis has accepted the execution's end.

        Raises:
            WorkspaceError: It cannot be written; an earlier marker then stands.
        """
        write_atomic(f"{self._meta}/{kind}", _marker(execution), durable=True)
        self._remove_markers(*(other for other in KINDS if other != kind))

    def write_lost(self, execution: str) -> None:
        """Say that the job has failed because its workers were lost, the last with this execution.

        It is heard of by others, perhaps late: a marker that is there prevails.

        Raises:
            WorkspaceError: It cannot be written, or the directory is gone.
        """
        if self.marker() is None:
            write_atomic(f"{self._meta}/failed", _marker(execution), durable=True)

    def records(self) -> list[dict[str, Any]]:
        """The records of all executions that have ended, in order.

        One that cannot be read (a power cut) appears with its `number`, its `execution`, and the `reason` "unreadable".
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
        """Write down how an execution went, before Redis is told.

        Args:
            number: What `prepare` returned.
            execution: The execution's id.
            record: Anything that JSON can hold.

        Raises:
            WorkspaceError: It cannot be written, or the directory is gone.
        """
        fields = {"schema": 1, **record, "number": number, "execution": _checked(execution)}
        path = f"{self._executions}/{number}-{execution}.json"
        write_atomic(path, readable(fields), durable=True)

    def write_params(self, params: Mapping[str, Any]) -> None:
        """Write `params.json`: anything that JSON can hold.

        Raises:
            WorkspaceError: It cannot be written.
        """
        write_atomic(self.params, readable(params), durable=False)

    def write_handed(self, handed: Handed) -> None:
        """Write down what a job's worker was handed, before Redis is told that it is done, and forgets it.

        Only the same user can read it if an environment was given, which may hold secrets.

        Raises:
            WorkspaceError: It cannot be written.
        """
        payload = b2a_base64(handed.payload, newline=False).decode()
        fields = {"schema": 1, **handed._asdict(), "payload": payload}
        mode = 0o600 if handed.options.get("env") else 0o666
        write_atomic(f"{self._meta}/handed.json", json.dumps(fields).encode() + b"\n", durable=False, mode=mode)

    def handed(self, *, own: bool = False) -> Handed | None:
        """What was written down of that; None when it is not there, not to be read, or damaged.

        Args:
            own: Only if this user has written it, and nobody else who can write in the workspace: it decides what runs.
        """
        try:
            fields = _object_in((_read_own if own else _read_whole)(f"{self._meta}/handed.json"))
            found = Handed(*(fields[name] for name in Handed._fields))
            payload = a2b_base64(fields["payload"])
            return found._replace(payload=payload) if payload and found.sound else None
        except (OSError, KeyError, TypeError, ValueError):
            return None

    def add_output(self, line: str) -> None:
        """Write down an output that the task has registered: one line.

        Raises:
            WorkspaceError: It cannot be written, or the directory is gone.
        """
        append_line(f"{self._meta}/outputs.jsonl", line)

    def outputs(self) -> list[str]:
        """The lines that were written down of outputs, in order. The last one may be cut, as by a power cut."""
        try:
            with open(f"{self._meta}/outputs.jsonl", encoding="utf-8", errors="replace") as file:
                return file.read().splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _prepare_again(self, number: int, resumable: bool) -> int:
        """Make an existing directory ready."""
        newest = max(self._numbers().values(), default=0)
        if resumable:
            self._remove_markers(*KINDS)
        elif newest or not set(os.listdir(self.path)) <= {".xpm", "params.json"}:
            self._set_aside(newest)
        os.makedirs(self._executions, exist_ok=True)
        return max(number, newest + 1)

    def _set_aside(self, newest: int) -> None:
        """Rename the directory to `old/`, and start an empty one with its records and logs."""
        folder = os.path.join(self._workspace, "old", self.path.parent.name)
        old = f"{folder}/{self.identity}-{newest}-{os.urandom(4).hex()}"
        os.makedirs(folder, exist_ok=True)
        os.rename(self.path, old)
        os.makedirs(self._meta)
        for name in (".xpm/executions", self.out.name, self.err.name):
            with contextlib.suppress(FileNotFoundError):
                os.rename(f"{old}/{name}", self.path / name)

    def _listed(self) -> list[str]:
        """Names in `.xpm/`, none when it is not there."""
        try:
            return os.listdir(self._meta)
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _numbers(self) -> dict[str, int]:
        """Number of each execution on record."""
        try:
            names = os.listdir(self._executions)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        return {match[2]: int(match[1]) for match in map(_RECORD.fullmatch, names) if match}

    def _read_marker(self, kind: Kind) -> Marker | None:
        try:
            content = _read_small(f"{self._meta}/{kind}")
        except FileNotFoundError:
            return None
        if (ours := _MARKER.fullmatch(content)) is not None:  # as `write_marker` writes it; there may be many
            return Marker(kind, ours[1].decode())
        execution = _object_in(content).get("execution")
        return Marker(kind, execution) if isinstance(execution, str) and _EXECUTION.fullmatch(execution) else None

    def _read_record(self, number: int, execution: str) -> dict[str, Any]:
        path = f"{self._executions}/{number}-{execution}.json"
        try:
            fields = _object_in(_read_whole(path))
        except FileNotFoundError:
            fields = {}
        fields = fields or {"reason": "unreadable"}
        return {**fields, "number": number, "execution": execution}

    def _remove_markers(self, *kinds: Kind) -> None:
        for kind in kinds:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{self._meta}/{kind}")


def readable(fields: Mapping[str, Any]) -> bytes:
    """The file that holds an object of JSON, as people read it."""
    text = _indented(fields, "\n ")
    return text.encode(errors="backslashreplace") + b"\n"  # of half a character: as JSON writes it, so it is UTF-8


def _indented(value: Any, margin: str) -> str:
    """What `json.dumps` makes with `indent=1`, by an encoder that is several times as fast, and knows of no indent."""
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
