"""What a job has reported, without what differs each time: the execution, and when a line was written.

Owns: which parts of `results.json` and `metrics.jsonl` count when two runs of a job are compared. Of metrics, the
curves count: so a job that was resumed equals one that was not, if both have the same values at the same steps.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeAlias

from xpm_core.job.reporting.metrics import MARK, TAKEN
from xpm_core.job.reporting.metrics import NAME as METRICS
from xpm_core.results.curves import curves
from xpm_core.results.latest import rows_in
from xpm_core.workspace.reported.results_file import NAME as RESULTS
from xpm_core.workspace.reported.results_file import SCHEMA

Value: TypeAlias = "float | str | None"
"""A number or a text; None if there is none."""

_EVERY_POINT = 10**9


class Parting(NamedTuple):
    """The first place where the metrics of two runs differ.

    Attributes:
        metric: Its name.
        step: The step.
        then: The value in the job's directory; None if it has none at this step.
        now: Likewise the value of the new run.
    """

    metric: str
    step: float
    then: Value
    now: Value


class Parted(NamedTuple):
    """How the metrics of two runs compare.

    Attributes:
        first: The first place where they differ; None if they are equal.
        relative: If they have numbers at the same steps, and all else is equal: the largest relative difference of two
            of these. Else None.
    """

    first: Parting | None
    relative: float | None


def counting(path: str, content: bytes) -> bytes:
    """The part of a file that counts; all of it, if xpm has not written the file.

    Args:
        path: The path of the file in the job's directory.
        content: Its content.

    Example:
        >>> counting("results.json", b'{"schema": 1, "execution": "e7f3", "results": {"accuracy": 0.9}}')
        b'{"schema": 1, "results": {"accuracy": 0.9}}'
    """
    if path != RESULTS:
        return content
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return content
    if not isinstance(found, dict) or found.get("schema") != SCHEMA or "execution" not in found:
        return content
    return json.dumps({name: value for name, value in found.items() if name != "execution"}).encode()


def are_metrics(path: str, first: bytes, second: bytes) -> bool:
    """Whether both contents of a file are metrics that xpm has written.

    Args:
        path: The path of the file in the job's directory.
        first: One content.
        second: The other one.
    """
    return path == METRICS and all(MARK in next(rows_in(content), {}) for content in (first, second))


def are_same_metrics(path: str, then: Path, now: Path) -> bool:
    """Whether a file has the metrics of two runs, and they were logged in the same order. It holds one line at a time.

    False of a file that xpm has not written.

    Args:
        path: The path of the file in the job's directory.
        then: The job's directory.
        now: The folder of the new run.
    """
    if path != METRICS:
        return False
    with open(then / METRICS, "rb") as first, open(now / METRICS, "rb") as second:
        if not (_is_ours(first) and _is_ours(second)):
            return False
        return all(a == b for a, b in zip_longest(map(_logged, first), map(_logged, second)))


def _is_ours(file: BinaryIO) -> bool:
    """Whether the first row of a file begins an execution, as xpm writes it. The file is then at its beginning."""
    first: Mapping[str, Any] = next((row for line in file for row in rows_in(line)), {})
    file.seek(0)
    return MARK in first


def _logged(line: bytes) -> Any:
    """What a line says, without when; of a line that begins an execution, that it does. A torn line as it is."""
    row = next(rows_in(line), None)
    if row is None:
        return line
    return MARK if MARK in row else {name: value for name, value in row.items() if name != "at"}


def parted(then: Path, now: Path) -> Parted:
    """Compare the metrics of two runs, step by step.

    Args:
        then: The job's directory.
        now: The folder of the new run.

    Example:
        >>> parted(then, now).first
        Parting(metric='loss', step=3, then=0.41, now=0.43)
    """
    before, after = _values(then), _values(now)
    others = [place for place in {*before, *after} if not _equal(before.get(place), after.get(place))]
    if not others:
        return Parted(None, None)
    step, name = min(others)
    first = Parting(name, step, before.get((step, name)), after.get((step, name)))
    return Parted(first, _relative([(before.get(place), after.get(place)) for place in others]))


def relative(a: float, b: float) -> float:
    """The relative difference of two numbers; infinite if only one of them is finite."""
    if a == b or (math.isnan(a) and math.isnan(b)):
        return 0.0
    if not (math.isfinite(a) and math.isfinite(b)):
        return math.inf
    return abs(a - b) / max(abs(a), abs(b))


def _relative(pairs: list[tuple[Value, Value]]) -> float | None:
    found = 0.0
    for a, b in pairs:
        if not isinstance(a, (int, float)) or not isinstance(b, (int, float)):
            return None
        found = max(found, relative(a, b))
    return found


def _equal(a: Value, b: Value) -> bool:
    return a == b or (a != a and b != b)  # nan is no other value than nan


def _values(folder: Path) -> Mapping[tuple[float, str], Value]:
    """By step and name: the numbers that count, and the texts."""
    found: dict[tuple[float, str], Value] = dict(_texts((folder / METRICS).read_bytes()))
    for name, points in curves(folder, most=_EVERY_POINT).items():
        found.update({(step, name): value for step, value in points})
    return found


def _texts(content: bytes) -> Iterator[tuple[tuple[float, str], str]]:
    """The texts at each step. Lines without a step are numbered."""
    count = 0
    for row in rows_in(content):
        step = row.get("step")
        if MARK in row:
            continue
        if not isinstance(step, (int, float)):
            step, count = count, count + 1
        for name, value in row.items():
            if isinstance(value, str) and name not in TAKEN and name != "step":
                yield (step, name), value
