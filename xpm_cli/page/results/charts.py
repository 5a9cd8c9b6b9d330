"""A metric over the steps, as a browser draws it: means of all runs with their bands, or the curves of jobs.

Owns: how many curves are drawn, how many jobs are read, and how often a chart is made again: only if a file or a state
has changed, and not all the time if it takes long.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from xpm_cli.page.results.curve_files import CurveFiles, Wanted
from xpm_core.errors import ResultsError
from xpm_core.results.folding.folded import Folded
from xpm_core.results.plotting.bands import Band
from xpm_core.results.plotting.curved import Group, Source, curved
from xpm_core.results.table import Table
from xpm_core.states import State
from xpm_core.words.text import listed, plural

MOST_SERIES = 20
"""How many curves a chart shows."""
MOST_JOBS = 2_000
"""How many jobs a chart is made of. A mean is that of all of them, or there is none."""
BUDGET_S = 3.0
"""How long a request reads files, seconds. The next one goes on."""
KEPT = 24
"""How many charts are kept."""
SHARE, QUICK_S = 20, 0.1
"""A chart whose making took longer than so many seconds is made again only after so many times of that."""
PLACE = "curves"
SCHEMA = 1


@dataclass(frozen=True)
class Series:
    """A curve.

    Attributes:
        name: What tells it from others.
        count: How many runs it is the mean of.
        steps: Its steps.
        values: Its value at each step; None where there is no finite one.
        lows: Where the band begins at each step; None where there is none.
        highs: Where it ends.
        counts: How many runs count at each step.
    """

    name: str
    count: int
    steps: Sequence[float]
    values: Sequence[float | None]
    lows: Sequence[float | None]
    highs: Sequence[float | None]
    counts: Sequence[int]

    def as_data(self) -> dict[str, Any]:
        """It as JSON. A curve without a band has none."""
        has_band = any(low is not None for low in self.lows)
        return {
            "name": self.name,
            "n": self.count,
            "step": self.steps,
            "value": self.values,
            "low": self.lows if has_band else None,
            "high": self.highs if has_band else None,
            "count": self.counts,
        }


@dataclass(frozen=True)
class Chart:
    """Some curves of a metric.

    Attributes:
        metric: The metric.
        series: The curves that are shown.
        total: How many there are.
        jobs: How many jobs they are made of.
        caption: What a curve is, a sentence.
        notes: What one should know of it, each a sentence.
        version: Another one for each change of it.
        live: Whether it may change: a job of it has not ended.
        unread: How many jobs were not read yet. Then there is no curve: a mean is that of all runs.
    """

    metric: str
    series: Sequence[Series] = ()
    total: int = 0
    jobs: int = 0
    caption: str = ""
    notes: Sequence[str] = ()
    version: str = ""
    live: bool = False
    unread: int = 0

    def as_data(self) -> dict[str, Any]:
        """It as JSON."""
        return {
            "schema": SCHEMA,
            "metric": self.metric,
            "curves": [each.as_data() for each in self.series],
            "total": self.total,
            "jobs": self.jobs,
            "caption": self.caption,
            "notes": list(self.notes),
            "version": self.version,
            "live": self.live,
            "unread": self.unread,
        }

    @cached_property
    def steps(self) -> list[float]:
        """All steps of its curves."""
        return sorted({step for each in self.series for step in each.steps})


class Charts:
    """Makes charts. Any thread may call it.

    Args:
        files: Reads the curves of jobs.
    """

    def __init__(self, files: CurveFiles | None = None) -> None:
        self.files = files or CurveFiles()
        self._kept: OrderedDict[str, tuple[Chart, float]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, table: Table | Folded, metric: str, *, whole: bool = False) -> Chart:
        """The chart of a metric: a mean for each row of a folded table, else a curve for each job.

        Args:
            table: The jobs.
            metric: The metric.
            whole: Whether other metrics of these jobs will be asked for: then their files are read once for all.

        Returns:
            If files are left to be read, it has no curves, and says how many.

        Raises:
            ResultsError: There are too many jobs, or no job has logged the metric.
        """
        lines = [line for row in table.to_plot().rows for line in row.lines]
        if len(lines) > MOST_JOBS:
            problem = f"{plural(len(lines), 'job')} match, and curves are made of at most {MOST_JOBS:,}"
            raise ResultsError(PLACE, problem, "Narrow the filter: a mean of some of them would be a sample.")
        wanted = Wanted("" if whole else metric, "every" if isinstance(table, Folded) else "extremes")
        directories = [line.directory for line in lines if line.directory is not None]
        unread = len(directories) - self.files.read_on(directories, wanted, BUDGET_S)
        live = any(line.state is None or not line.state.settled for line in lines)
        if unread:
            return Chart(metric, jobs=len(lines), live=True, unread=unread)
        kind = (metric, wanted, table.settings if isinstance(table, Folded) else None)
        files = [line.directory and self.files.changes(line.directory, wanted) for line in lines]
        which = _digest(kind, [line.identity for line in lines])
        version = _digest(which, [line.state for line in lines], files)
        with self._lock:  # who asks for the same meanwhile gets the same
            kept, until_s = self._kept.pop(which, (None, 0.0))
            began_s = time.monotonic()
            if kept is not None and (kept.version == version or began_s < until_s):
                found = kept if kept.version == version else replace(kept, live=True)
            else:
                found = replace(self._made(table, metric, wanted), jobs=len(lines), version=version, live=live)
                spent_s = time.monotonic() - began_s
                until_s = time.monotonic() + SHARE * spent_s if spent_s > QUICK_S else 0.0
            self._kept[which] = found, until_s
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found

    def _made(self, table: Table | Folded, metric: str, wanted: Wanted) -> Chart:
        source = _without_holes(table)
        found = curved(
            source,
            metric,
            source.telling,
            read=lambda directory, _: self.files.curve(directory, wanted, metric),
            place=PLACE,
        )
        groups, total = found.groups, len(found.groups)
        if source.spread is None:
            groups = [group for group in groups if group.runs[0].points]
            total = len(groups)
        found.groups = groups[:MOST_SERIES]
        if source.spread is None:
            names = _told_apart(groups[:MOST_SERIES])
            series = [_of_job(group, name) for group, name in zip(found.groups, names, strict=True)]
        else:
            series = [_of_band(band) for band in found.bands()]
        notes = list(found.notes)
        if source.spread is None:
            notes += [*_unended(found.groups), *_infinite(found.groups)]
        if total > MOST_SERIES:
            notes.insert(0, f"The first {MOST_SERIES} of {total} curves are shown. Narrow the filter, or fold more.")
        return Chart(metric, series, total, caption=found.caption, notes=notes)


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()[:20]


def _without_holes(table: Table | Folded) -> Source:
    """What is drawn of a table. Jobs that are not done have no result, and this a table says; but they have a curve."""
    source = table.to_plot()
    if not isinstance(table, Folded):
        return source
    return source._replace(notes=table.notes_but_holes)


def _told_apart(groups: Sequence[Group]) -> list[str]:
    """The names of jobs. Where two are alike, or one has none, its identity stands beside it."""
    names = [group.name for group in groups]
    return [
        name if name and names.count(name) == 1 else f"{name} {group.runs[0].job[:7]}".strip()
        for name, group in zip(names, groups, strict=True)
    ]


def _unended(groups: Sequence[Group]) -> list[str]:
    """Sentences about runs that go on, and about those that have not come to a good end."""
    runs = [run for group in groups for run in group.runs if run.points]
    failed = [run for run in runs if run.state in (State.FAILED.value, State.CANCELLED.value)]
    going = sum(run.state in (State.RUNNING.value, State.DELAYED.value) for run in runs)
    words = listed([f"{run.job[:7]} {run.state}" for run in failed], 3)
    unsuccessful = f"{plural(len(failed), 'run')} did not succeed: {words}."
    return [
        *([f"{going} of {plural(len(runs), 'run')} not ended yet."] if going else []),
        *([unsuccessful] if failed else []),
    ]


def _infinite(groups: Sequence[Group]) -> list[str]:
    """A sentence if curves of jobs have infinite values. What is nan is said where the file is read."""
    count = sum(math.isinf(point.value) for group in groups for run in group.runs for point in run.points)
    return [f"{plural(count, 'infinite value')} not drawn."] if count else []


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _of_band(band: Band) -> Series:
    return Series(
        band.name,
        band.n,
        [step.step for step in band.steps],
        [_finite(step.mean) for step in band.steps],
        [_finite(step.low) for step in band.steps],
        [_finite(step.high) for step in band.steps],
        [step.n for step in band.steps],
    )


def _of_job(group: Group, name: str) -> Series:
    points = group.runs[0].points
    nothing = [None] * len(points)
    values = [_finite(point.value) for point in points]
    return Series(name, 1, [point.step for point in points], values, nothing, nothing, [1] * len(points))
