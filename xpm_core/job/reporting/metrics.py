"""Metrics of a job at each step: `log`. Each call adds a line to `metrics.jsonl` in the job's directory.

    {"xpm_execution": "e7f3…", "at": 1764288000.2}             a line for each execution, before its own
    {"step": 3, "loss": 0.41, "at": 1764288001.7}
    {"step": 4, "loss": null, "at": …, "not_finite": {"loss": "nan"}}

A line is written at once, with one call of the system: so none is lost when the job is killed, and curves can be seen
while it runs. Only the process of the job writes the file. `xpm_core/results/curves.py` reads it.

Owns: writing this file, and what says in it that an execution begins (`MARK`).
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping
from time import time
from typing import Any

from xpm_core.errors import ResultValueError
from xpm_core.job import running as job
from xpm_core.job.reporting import results
from xpm_core.workspace.reported.values import flat, plain

NAME = "metrics.jsonl"
MARK = "xpm_execution"
"""The name under which a line says that an execution begins."""
TAKEN = frozenset({MARK, "at", "not_finite"})
"""Names that no metric can have."""
LONGEST_LINE = 64_000
"""Bytes of a line. A longer one is not written, and the job's log says so."""


_NESTED = frozenset({dict, list, tuple})


def _encoder() -> Callable[[Any], str]:
    """A function that writes strict JSON. It is prepared once, because a job may call it a million times."""
    plain_encoder = json.JSONEncoder(separators=(", ", ": "), allow_nan=False, check_circular=False)
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # a Python without the module in C
        return plain_encoder.encode
    escape = json.encoder.encode_basestring_ascii
    write = make(None, plain_encoder.default, escape, None, ": ", ", ", False, False, False)
    return lambda value: "".join(write(value, 0))


_encode = _encoder()


class Metrics:
    """The file of metrics of the job that runs in this process.

    Args:
        running: The job.
    """

    def __init__(self, running: job.RunningJob) -> None:
        self._path, self._execution = f"{running.directory.path}/{NAME}", running.execution
        self._pid, self._fd, self._inode = running.pid, -1, 0
        self._lock = threading.RLock()  # a signal handler of the job may log while a line is written
        self._is_marked = False
        """Whether the file says that this execution has begun."""
        self._is_cut = False
        """Whether the last line of the file may lack its end."""

    def add(self, step: Any, values: dict[str, Any]) -> None:
        """Add a line."""
        if os.getpid() != self._pid:
            results.of_this_process("log")  # it warns
            return
        line = self._line(step, values)
        if line:
            self._write(line)

    def _line(self, step: Any, values: dict[str, Any]) -> str:
        """The line for some values; empty if they are no metrics."""
        if not TAKEN.isdisjoint(values):
            values = _without_taken(values)
        row: dict[str, Any] = values if step is None else {"step": step, **values}
        row["at"] = round(time(), 3)
        try:
            line = _encode(row)
        except (TypeError, ValueError, RecursionError):  # a scalar of NumPy, NaN, or what is no JSON
            line = self._careful_line(row)
        else:
            if not _NESTED.isdisjoint(map(type, values.values())):
                line = self._careful_line(row)
        if len(line) > LONGEST_LINE:
            _note(f"a line of {len(line)} bytes: expected at most {LONGEST_LINE}")
            return ""
        return line

    def _careful_line(self, row: dict[str, Any]) -> str:
        """The line for values that need care. A value that is no number or text is left out, and said."""
        known: dict[str, Any] = {}
        marks: dict[str, str] = {}
        for name, value in row.items():
            try:
                found = plain(value, name, marks)
            except ResultValueError as error:
                _note(f"{error.where}: {error.problem}")
                continue
            except Exception as error:  # a value whose own methods fail
                _note(f"{name}: {type(error).__name__}: {error}")
                continue
            if isinstance(found, list):
                _note(f"{name}: a list is no metric: expected a number")
                continue
            known |= flat({name: found})[0]
        if not known.keys() - {"step", "at"}:
            return ""
        return _encode({**known, "not_finite": marks} if marks else known)

    def _write(self, line: str) -> None:
        try:
            with self._lock:
                if not self._is_open():
                    self._open()
                if not self._is_marked:  # never a line before it, which would count for the execution before
                    self._add(_encode({MARK: self._execution, "at": round(time(), 3)}))
                    self._is_marked = True
                self._add(line)
        except OSError as error:  # such as a full disk: the next call tries again
            _note(f"{NAME} lacks lines: {error.strerror}")

    def _is_open(self) -> bool:
        """Whether the descriptor still is the file. The job's code may have closed it, and opened another one."""
        try:
            return self._fd >= 0 and os.fstat(self._fd).st_ino == self._inode
        except OSError:
            return False

    def _open(self) -> None:
        """Open the file. A line that an earlier execution has not finished gets an end."""
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        about = os.fstat(self._fd)
        self._inode, self._is_marked = about.st_ino, False
        self._is_cut = bool(about.st_size) and os.pread(self._fd, 1, about.st_size - 1) != b"\n"

    def _add(self, line: str) -> None:
        data = (f"\n{line}\n" if self._is_cut else f"{line}\n").encode("ascii")
        self._is_cut = True
        if os.write(self._fd, data) != len(data):
            raise OSError(28, "the disk is full")
        self._is_cut = False


def _without_taken(values: Mapping[str, Any]) -> dict[str, Any]:
    for name in sorted(TAKEN.intersection(values)):
        _note(f"{name}: no metric can have this name, which means something else in {NAME}. Choose another one")
    return {name: value for name, value in values.items() if name not in TAKEN}


def log(step: float | None = None, **values: Any) -> None:
    """Report metrics at a step, such as the loss of an epoch. Outside of a job, nothing happens.

    It never fails the job, and takes some microseconds. Each call adds a line to `metrics.jsonl` in the job's
    directory. If a resumable task runs again, the steps that it repeats replace those of before.

    Args:
        step: The number of the step. Without it, the lines are numbered.
        values: Numbers by name. Scalars of NumPy and torch are taken, too, and NaN and infinity are kept. The names
            `at`, `not_finite` and `xpm_execution` are taken.

    Example:
        for epoch in range(epochs):
            log(step=epoch, loss=train(), accuracy=test())
    """
    running = job.current
    if running is None:
        results.warn_elsewhere("log")
        return
    metrics: Metrics | None = running.metrics
    if metrics is None:
        metrics = _begun(running)
    metrics.add(step, values)


_beginning = threading.RLock()


def _begun(running: job.RunningJob) -> Metrics:
    """The file of a job that logs for the first time, maybe in several threads at once."""
    with _beginning:
        found: Metrics | None = running.metrics
        if found is None:
            found = running.metrics = Metrics(running)
        return found


def _note(problem: str) -> None:
    found = results.of_this_process("log")
    if found is not None:
        found.note(f"log(): {problem}")
