"""The latest values of a job's metrics, from the end of its `metrics.jsonl`.

Owns: how much of a large file is read for that. Curves are read in full (`curves.py`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xpm_core.job.reporting.metrics import NAME, TAKEN
from xpm_core.workspace.job_records import regular
from xpm_core.workspace.reported.results_file import marks_in
from xpm_core.workspace.reported.values import Scalar, is_flat, restored

READ = 4 * 2**20
"""Bytes at the end of the file that are read."""

_OTHERS = ("step", *TAKEN)


@dataclass(frozen=True)
class Latest:
    """The latest value of a metric.

    Attributes:
        value: The value, with NaN and infinity.
        step: Its step; None if the job has not named one.
        at_s: When it was reported, epoch seconds; None if the line does not say it.
    """

    value: Scalar
    step: float | None
    at_s: float | None


@dataclass
class LatestMetrics:
    """What the end of a file says.

    Attributes:
        values: The latest value of each metric, by name, in the order in which they were last reported first.
        whole: Whether the whole file was read: else a metric that was not reported for long is missing.
    """

    values: dict[str, Latest] = field(default_factory=dict)
    whole: bool = True


def latest_metrics(directory: Path, most: int = READ) -> LatestMetrics:
    """Return the latest value of each metric of a job.

    That is the value that was logged last, so those of a later execution count (`curves.py` has the rule). A line that
    is damaged, or has no end yet, is passed over. A link is not followed: the job may have made it, and it could lead
    to a file that is not meant for those who see the values.

    Args:
        directory: The directory of the job.
        most: How many bytes at the end of the file are read.

    Example:
        >>> latest_metrics(directory).values["loss"]
        Latest(value=0.41, step=3, at_s=1764288001.7)
    """
    try:
        with open(directory / NAME, "rb", opener=_no_link) as stream:
            start = max(0, os.fstat(stream.fileno()).st_size - most)
            stream.seek(start)
            data = stream.read(most)
    except OSError:
        return LatestMetrics()
    if start:
        data = data[data.find(b"\n") + 1 :]  # the first line lacks its beginning
    found = LatestMetrics(whole=not start)
    for row in rows_in(data[: data.rfind(b"\n") + 1]):
        step = row.get("step")
        _add(found.values, row, step if isinstance(step, (int, float)) and not isinstance(step, bool) else None)
    return found


def _no_link(path: str, flags: int) -> int:
    return regular(path, flags | os.O_NOFOLLOW)


def rows_in(content: bytes) -> Iterator[dict[str, Any]]:
    """The lines of a file of metrics that hold an object."""
    for line in content.splitlines():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            yield row


def _add(found: dict[str, Latest], row: Mapping[str, Any], step: float | None) -> None:
    marks, at_s = marks_in(row), row.get("at")
    for name, value in row.items():
        if name not in _OTHERS and is_flat(name, value):
            moment = float(at_s) if isinstance(at_s, (int, float)) else None
            found[name] = Latest(restored(value, name, marks), step, moment)
