"""Failures grouped by cause: errors of one type at one line of the user's code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from xpm_core.labels import bare_class
from xpm_core.reading.jobs import Job
from xpm_core.words.text import line

LONGEST = 200


@dataclass(frozen=True)
class Failures:
    """Failures of one cause.

    Attributes:
        error: The class of the error.
        message: The message of the newest one, in a line.
        place: `train.py:88`; empty if it is not known.
        jobs: The failed jobs, the newest first.
        common: The tags that all of them have.
    """

    error: str
    message: str
    place: str
    jobs: tuple[Job, ...]
    common: dict[str, Any]


def grouped(failed: Iterable[Job]) -> list[Failures]:
    """Group failed jobs by cause, the largest group first.

    Args:
        failed: The jobs, the newest first.
    """
    groups: dict[tuple[str, str], list[Job]] = {}
    for job in failed:
        kind, place = _kind(job), _place(job)
        groups.setdefault((kind, place or _message(job)), []).append(job)
    found = [
        Failures(kind, _message(jobs[0]), _place(jobs[0]), tuple(jobs), _common(jobs))
        for (kind, _), jobs in groups.items()
    ]
    return sorted(found, key=lambda each: -len(each.jobs))


def _kind(job: Job) -> str:
    return bare_class(line(job.error.get("type") or job.reason or "failed", LONGEST))


def _message(job: Job) -> str:
    lines = str(job.error.get("message") or "").strip().splitlines()
    return line(lines[0], LONGEST) if lines else ""


def _place(job: Job) -> str:
    file, number = str(job.error.get("file") or ""), job.error.get("line")
    return line(f"{file.rpartition('/')[2]}:{number}", LONGEST) if file and number else ""


def _common(jobs: list[Job]) -> dict[str, Any]:
    first = jobs[0].tags.items()
    return {name: value for name, value in first if all(job.tags.get(name) == value for job in jobs)}
