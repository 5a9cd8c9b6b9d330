"""The curves of a job: what it has logged at each step (`log`), read from `metrics.jsonl` in its directory.

The file is read as a stream, because it may have a gigabyte. A curve of more than `MOST_POINTS` points is thinned
while it is read, and a note says so.

A resumable task that runs again adds its lines at the end. The steps that it repeats replace those of before: of each
metric, points of earlier executions at or after the first step of a later one are passed over. Each metric has its own
first step, because one may be logged by epochs and another by batches.

Owns: reading this file. `xpm_core/job/reporting/metrics.py` writes it, and `latest.py` reads only its end.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from errno import EINVAL
from operator import le
from pathlib import Path
from stat import S_ISREG
from typing import Any, BinaryIO, Literal, NamedTuple

from xpm_core.job.reporting.metrics import LONGEST_LINE, MARK, NAME, TAKEN
from xpm_core.results.thinning import Thinned
from xpm_core.words.text import listed, plural
from xpm_core.workspace.reported.results_file import marks_in
from xpm_core.workspace.reported.values import NOT_FINITE

MOST_POINTS = 10_000
"""How many points of a curve are kept."""
MOST_CURVES = 500
"""How many metrics are read."""
BLOCK = 1_000_000

_HEAD = 256
"""So many bytes at its beginning tell a file from another one: it begins with the name of an execution."""

_NO_METRICS = TAKEN | {"step"}

Keep = Literal["extremes", "every"]


class Point(NamedTuple):
    """A value at a step."""

    step: float
    value: float


class Curves(Mapping[str, list[Point]]):
    """The curves of a job by the names of their metrics. The points are in the order of their steps.

    Attributes:
        notes: What one should know of them, each a sentence.

    Example:
        >>> curves(task.directory)["loss"][-1]
        Point(step=9, value=0.31)
    """

    def __init__(self, points: Mapping[str, list[Point]], notes: list[str]) -> None:
        self._points, self.notes = points, notes

    def __getitem__(self, name: str) -> list[Point]:
        return self._points[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._points)

    def __len__(self) -> int:
        return len(self._points)

    def __repr__(self) -> str:
        return f"<Curves of {listed(list(self._points), 8) or 'nothing'}>"


def curves(directory: Path, *, most: int = MOST_POINTS, keep: Keep = "extremes", only: str = "") -> Curves:
    """Read the curves of a job.

    Args:
        directory: The job's directory.
        most: How many points a curve may have before it is thinned.
        keep: What a thinned curve keeps besides its first and its last point: the least and the greatest value among
            neighbours, which is right to look at; or every second, fourth … point, which is right for means.
        only: The only metric to read; empty for all.

    Returns:
        Its notes say what was passed over, and which curves were thinned. There is no curve if nothing was logged.

    Raises:
        OSError: The file is there, but cannot be read.
    """
    file = CurveFile(directory, most=most, keep=keep, only=only)
    file.read_on()
    return file.curves()


class CurveFile:
    """The curves of a job while it runs: each reading takes up only what was added to the file since the last one.

    It holds at most `most` points of each metric. A file that is another one than before is read from its beginning.

    Args:
        directory: The job's directory.
        most: As for `curves`.
        keep: As for `curves`.
        only: As for `curves`.

    Example:
        >>> file = CurveFile(task.directory, keep="every", only="loss")
        >>> file.read_on()
        True
        >>> file.curves()["loss"][-1]
        Point(step=9, value=0.31)
    """

    def __init__(self, directory: Path, *, most: int = MOST_POINTS, keep: Keep = "extremes", only: str = "") -> None:
        self._path, self._options = directory / NAME, (most, keep, only)
        self._forget()

    def _forget(self) -> None:
        self._reading = _Reading(*self._options)
        self._stamp: tuple[int, ...] = ()
        self.is_whole = True
        """Whether the last reading has reached the end of the file."""
        self._read = 0
        """How many bytes were read."""
        self._head = self._rest = b""
        """How the file begins, and the last line if it has no end yet."""

    @property
    def held(self) -> int:
        """How many points are held."""
        return sum(one.kept.held for one in self._reading.curves.values())

    def read_on(self, budget_s: float = math.inf) -> bool:
        """Read what was added.

        Args:
            budget_s: After so many seconds it stops, maybe before the end of the file. The next call goes on there.

        Returns:
            Whether the file has changed since it was last read.

        Raises:
            OSError: The file is there, but cannot be read.
        """
        try:
            found = os.stat(self._path)
            if not S_ISREG(found.st_mode):  # such as a pipe, which would be waited for
                raise OSError(EINVAL, "it is no regular file")
            stamp = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
            if stamp == self._stamp:
                return False
            with open(self._path, "rb", buffering=0) as file:
                self._go_on(file, stamp, time.monotonic() + budget_s)
        except FileNotFoundError:
            was_there = bool(self._stamp)
            self._forget()
            return was_there
        self._stamp = stamp if self.is_whole else (*stamp[:2], -1, -1)
        return True

    def _go_on(self, file: BinaryIO, stamp: tuple[int, ...], until_s: float) -> None:
        """Read from where the last reading ended, or all of it if the file is another one."""
        head = file.read(_HEAD)
        if stamp[:2] != self._stamp[:2] or stamp[2] < self._read or not head.startswith(self._head):
            self._forget()
        self._head = head
        file.seek(self._read)
        while block := file.read(BLOCK):
            self._read += len(block)
            lines = (self._rest + block).split(b"\n")
            self._rest = lines.pop()[: 2 * LONGEST_LINE]  # of a line that is too long to be one of ours, only a part
            self._reading.add_lines(lines)
            if time.monotonic() > until_s:
                break
        self.is_whole = not block or self._read >= stamp[2]

    def curves(self, only: str = "") -> Curves:
        """The curves, as far as they were read.

        Args:
            only: The only metric that is asked for; empty for all that were read.
        """
        reading = self._reading
        if self._rest:  # the last line has no end: it counts if it is whole, and is read again when it has its end
            reading = deepcopy(reading)
            reading.add_lines([self._rest])
        wanted = {name: one for name, one in reading.curves.items() if not only or name == only}
        return Curves({name: one.points() for name, one in wanted.items() if one.kept.count}, reading.notes(wanted))


# -- lines -------------------------------------------------------------------------------------------------------------


def _rows(lines: list[bytes], cannot_read: Callable[[], None]) -> Iterator[dict[str, Any]]:
    """The objects in some lines. They are parsed together, which is faster, and one by one if one of them is torn."""
    try:
        found = json.loads(f"[{b','.join(filter(None, lines)).decode()}]")
    except (ValueError, RecursionError):
        found = [_parsed(line) for line in lines if line]
    for row in found:
        if type(row) is dict:
            yield row
        else:
            cannot_read()


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line.decode())
    except (ValueError, RecursionError):
        return None


def _number(value: Any, name: str, marks: Mapping[str, str]) -> float | None:
    """A value as a number; None if it is none."""
    if type(value) is float:
        return value
    if isinstance(value, (int, float)):
        try:
            return float(value)
        except OverflowError:
            return None
    return NOT_FINITE.get(marks.get(name, "")) if value is None and marks else None


def _as_logged(steps: list[float]) -> list[float]:
    """Steps as they were logged: a whole number is an int."""
    if all(map(float.is_integer, steps)) and max(map(abs, steps), default=0) < 2**53:
        return list(map(int, steps))  # as nearly always, and a chart may have a million
    return [int(step) if step.is_integer() and abs(step) < 2**53 else step for step in steps]


# -- curves ------------------------------------------------------------------------------------------------------------


class _Curve:
    """A curve while it is read."""

    def __init__(self, most: int, keep: Keep) -> None:
        self.kept = Thinned(most, keep)
        self.execution = 0
        self.first = math.inf
        """The least step of the current execution."""
        self.no_numbers = self.repeated = 0

    def add(self, step: float, value: float, execution: int) -> None:
        if execution > self.execution:
            self.kept.new_part()
            self.execution, self.first = execution, math.inf
        if execution and step < self.first:
            self.first = step
            self.kept.cut(step)
        self.kept.add(step, value)

    def points(self) -> list[Point]:
        """The points in order. If a step has several, the last one counts."""
        pairs = self.kept.pairs()
        steps = [step for step, _ in pairs]
        if any(map(le, steps[1:], steps)):
            by_step = dict(pairs)
            self.repeated = len(pairs) - len(by_step)
            pairs = sorted(by_step.items())
            steps = [step for step, _ in pairs]
        return list(map(Point, _as_logged(steps), [value for _, value in pairs]))


class _Reading:
    """What was read of a file so far."""

    def __init__(self, most: int, keep: Keep, only: str) -> None:
        self.curves: dict[str, _Curve] = {}
        self._most, self._keep, self._only = most, keep, only
        self._executions: list[str] = []
        self._unnumbered = self._resumed_at = 0
        self._torn = self._maybe_torn = 0
        self._too_many: set[str] = set()
        self._more = False

    def add_lines(self, lines: list[bytes]) -> None:
        """Add some lines."""
        for row in _rows(lines, self.cannot_read):
            self.add(row)

    def cannot_read(self) -> None:
        """Count a line that cannot be read. The last one of an execution was torn when it was killed: that is usual."""
        self._maybe_torn += 1

    def add(self, row: dict[str, Any]) -> None:
        """Add a line."""
        if MARK in row:
            self._torn += max(self._maybe_torn - 1, 0)
            self._maybe_torn = 0
            if (begun := str(row[MARK])) not in self._executions[-1:]:  # it is there twice if the file was opened twice
                self._executions.append(begun)
                self._resumed_at = self._unnumbered
            return
        if self._maybe_torn:
            self._torn, self._maybe_torn = self._torn + self._maybe_torn, 0
        marks = marks_in(row) if "not_finite" in row else {}
        step = _number(row.get("step"), "step", marks)
        numbered = step is None or not math.isfinite(step)
        if step is None or numbered:
            step = float(self._unnumbered)
            self._unnumbered += 1
        execution = 0 if numbered else max(len(self._executions) - 1, 0)
        for name, value in row.items():
            if name in _NO_METRICS or (self._only and name != self._only):
                continue
            one = self.curves.get(name) or self._new_curve(name)
            if one is None:
                continue
            number = value if type(value) is float else _number(value, name, marks)
            if number is None:
                one.no_numbers += 1
            elif execution <= one.execution and (not execution or step >= one.first):
                one.kept.add(step, number)
            else:
                one.add(step, number, execution)

    def _new_curve(self, name: str) -> _Curve | None:
        """A curve for a metric; None if there are too many."""
        if len(self.curves) < MOST_CURVES:
            found = self.curves[name] = _Curve(self._most, self._keep)
            return found
        if len(self._too_many) < MOST_CURVES:
            self._too_many.add(name)
        elif name not in self._too_many:
            self._more = True
        return None

    def notes(self, curves: Mapping[str, _Curve]) -> list[str]:
        """What one should know of some of the curves."""
        found = [note for name, one in curves.items() for note in _notes_of(name, one)]
        thinned = {name: one.kept for name, one in curves.items() if one.kept.is_thinned}
        found += [_thinned_note(thinned)] if thinned else []
        if self._unnumbered and self._resumed_at:
            found.append(
                f"{NAME}: its lines have no steps, and the task was resumed at line {self._resumed_at}: steps that it "
                "repeated are there twice. Log them with step=."
            )
        if self._torn:
            found.append(f"{NAME}: {plural(self._torn, 'line')} cannot be read, and were passed over.")
        if self._too_many:
            more = "more than " if self._more else ""
            found.append(
                f"{NAME} has {more}{MOST_CURVES + len(self._too_many)} metrics: the first {MOST_CURVES} were read."
            )
        return found


def _notes_of(name: str, one: _Curve) -> Iterator[str]:
    kept = one.kept
    if one.no_numbers and kept.count:
        what = "is no number, and no point" if one.no_numbers == 1 else "are no numbers, and no points"
        yield f"{name}: {one.no_numbers} of {one.no_numbers + kept.count} values {what}."
    elif one.no_numbers:
        yield f"{name}: none of its {plural(one.no_numbers, 'value')} is a number, so it has no curve."
    if kept.nans:
        yield f"{name}: {plural(kept.nans, 'value')} of {kept.count} {'is' if kept.nans == 1 else 'are'} nan."
    if one.repeated:
        yield f"{name}: {plural(one.repeated, 'point')} repeat a step; of each step, the last value counts."


def _thinned_note(curves: Mapping[str, Thinned]) -> str:
    """One sentence about all curves that were thinned, with the numbers of the longest one."""
    longest = max(curves.values(), key=lambda each: each.count)
    what = "extremes" if longest.keep == "extremes" else f"one in {longest.stride}"
    count = f"{len(longest)} of {longest.count} points are kept"
    count = count if len(curves) == 1 else f"of the longest, {count}"
    return f"{listed(list(curves))}: {count} (first, last and {what})."
