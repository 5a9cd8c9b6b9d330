"""What all benches share: pairs of ours and theirs, turn by turn, their ratios, and the file of results.

Owns: what a row of results is, and bench/RESULTS.md, section by section. On a busy machine, two runs differ by up to
five times. So only the median of the ratios of pairs counts. Imports the standard library only.
"""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "RESULTS.md"
SHM = Path("/dev/shm")
"""Workspaces of benches lie here: a disk that has just had many directories deleted makes inodes slowly for minutes."""

PAIRS = 5
Measure = Callable[[], float]


@dataclass(frozen=True)
class Limit:
    """What a row must reach."""

    sign: Literal[">=", "<="]
    bound: float

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:g}"

    def holds(self, value: float) -> bool:
        """Whether a value keeps the limit."""
        return value >= self.bound if self.sign == ">=" else value <= self.bound


@dataclass(frozen=True)
class Size:
    """How much a bench does: all of it, or as much as fits into a few minutes."""

    quick: bool

    def of(self, full: int, quick: int) -> int:
        """A number that the size decides."""
        return quick if self.quick else full


@dataclass(frozen=True)
class Row:
    """One comparison. Without `theirs`, our value is compared with nothing.

    Args:
        what: What was measured.
        against: What it is compared with; empty when there is nothing.
        unit: The unit of both sides.
        ours, theirs: One value a turn.
        limit: The limit of the median of the ratios, or of our values.
        absent: Why there is nothing to compare with.
    """

    what: str
    against: str = ""
    unit: str = ""
    ours: Sequence[float] = field(default_factory=list)
    theirs: Sequence[float] = field(default_factory=list)
    limit: Limit | None = None
    absent: str = ""

    @property
    def values(self) -> list[float]:
        """The values that the limit concerns: the ratio of each pair, or our value of each turn."""
        if self.absent:
            return []
        if not self.against:
            return list(self.ours)
        return [mine / other for mine, other in zip(self.ours, self.theirs, strict=True)]

    @property
    def reached(self) -> bool | None:
        """Whether the limit is reached; None if there is no limit, or if nothing could be measured."""
        return None if self.limit is None or not self.values else self.limit.holds(statistics.median(self.values))

    def cells(self) -> list[str]:
        """The row of a table."""
        verdict = {True: "reached", False: "**missed**", None: ""}[self.reached]
        if self.absent:
            return [self.what, self.against, median(self.ours, self.unit), "", self.absent, _said(self.limit), "absent"]
        span = f"{number(min(self.values))} to {number(max(self.values))}"
        shown = f"{number(statistics.median(self.values))} ({span})" if self.against else span
        sides = [median(self.ours, self.unit), median(self.theirs, self.unit)]
        return [self.what, self.against, *sides, shown, _said(self.limit), verdict]


HEAD = ["what", "against", "ours", "theirs", "ratio: median (min to max)", "must be", ""]


def turns(subjects: dict[str, Measure | None], count: int = PAIRS) -> dict[str, list[float]]:
    """Measure subjects turn by turn: a, b, a, b ... Subjects that are None are left out."""
    found: dict[str, list[float]] = {name: [] for name, subject in subjects.items() if subject is not None}
    for _ in range(count):
        for name, subject in subjects.items():
            if subject is not None:
                found[name].append(subject())
    return found


def median(values: Sequence[float], unit: str) -> str:
    return f"{number(statistics.median(values))} {unit}".strip() if values else ""


def number(value: float) -> str:
    """A number with three significant digits."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def table(rows: Sequence[Row]) -> list[str]:
    """Rows as a table of Markdown."""
    lines = ["| " + " | ".join(HEAD) + " |", "|" + " --- |" * len(HEAD)]
    return lines + ["| " + " | ".join(row.cells()) + " |" for row in rows]


def write_section(title: str, lines: Sequence[str]) -> None:
    """Put a section into RESULTS.md, in the place of the one of that title. All other sections stay as they are."""
    before = RESULTS.read_text() if RESULTS.exists() else "# Results\n\nHow fast it is, and how that was measured.\n"
    head, *parts = before.split("\n## ")
    section = "\n".join([title, "", *lines]).rstrip("\n")
    titles = [part.split("\n", 1)[0] for part in parts]
    if title in titles:
        parts[titles.index(title)] = section
    else:
        parts.append(section)
    RESULTS.write_text("\n\n## ".join(part.strip("\n") for part in [head, *parts]) + "\n")


def machine() -> str:
    """The machine in a line."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    return (
        f"{model}, {os.cpu_count()} CPUs, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def load() -> str:
    """How many processes wanted a CPU in the last minute. If these are more than the CPUs, times say little."""
    return f"{os.getloadavg()[0]:.1f}"


def today() -> str:
    """The date that stands above results."""
    return date.today().isoformat()


def _said(limit: Limit | None) -> str:
    return "" if limit is None else str(limit)
