"""The samples of `xp.until("accuracy", width=0.01, make=...)`.

Owns: how many seeds are submitted next, when it stops, what a caption then says, and that later tables know of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from xpm_core.config import Task
from xpm_core.errors import ResultsError
from xpm_core.index.merged import MergedIndex
from xpm_core.labels import label, short
from xpm_core.language.graph.state import state_of
from xpm_core.reading.listing.known_jobs import by_index
from xpm_core.results.folding.cells import Cell
from xpm_core.results.folding.folded import Folded
from xpm_core.results.folding.settings import Settings
from xpm_core.results.jobs import Job, Known
from xpm_core.results.statistics.arguments import checked_choice
from xpm_core.results.table import Table
from xpm_core.script.sampling.sampled_job import SampledJob
from xpm_core.states import State
from xpm_core.workspace.experiment_directory import HOPELESS, LIMIT, UNREPORTED, WIDTH, Sampling

if TYPE_CHECKING:
    from pathlib import Path

    from xpm_core.script.follow.tracked_job import TrackedJob
    from xpm_core.workspace.workspace import Workspace

LEAST = 3
"""Below so many seeds there is no interval."""
KINDS = ("t", "bootstrap", "se")
"""Intervals that become narrower with more seeds."""


@dataclass(frozen=True)
class Wanted:
    """What is sampled, and until when.

    Attributes:
        metric: The name of a result.
        width: How wide the interval may be, from its low to its high end.
        over: What `make` varies.
        most: How many seeds there are at most.
        make: Returns the task of a seed.
        settings: The interval.

    Raises:
        ResultsError: A value makes no sense.
    """

    metric: str
    width: float
    most: int
    make: Callable[[int], Task]
    settings: Settings

    def __post_init__(self) -> None:
        checked_choice("interval", self.settings.interval, KINDS)
        width, most = self.width, self.most
        if isinstance(width, bool) or not isinstance(width, (int, float)) or not 0 < width < math.inf:
            raise ResultsError("until", f"width: expected a number above 0, got {width!r}", "Write width=0.01.")
        if isinstance(most, bool) or not isinstance(most, int) or most < LEAST:
            problem = f"most: expected a whole number of at least {LEAST}, got {most!r}"
            raise ResultsError("until", problem, "Write most=20.")
        if not callable(self.make):
            remedy = "Write make=lambda seed: Train.C(seed=seed)."
            raise ResultsError("until", f"make: expected a function, got {self.make!r}", remedy)

    def satisfied(self, cell: Cell) -> bool:
        """Whether the interval is narrow enough."""
        return cell.interval is not None and cell.interval.high - cell.interval.low <= self.width

    def hopeless(self, cell: Cell) -> bool:
        """Whether no further seed gives an interval: a value is nan, or lies outside of the range."""
        return cell.interval is None and cell.n >= LEAST

    def next(self, cell: Cell, submitted: int) -> int:
        """How many seeds to submit now, by how the width shrinks with their number; at most as many as there are."""
        wanted = 1
        if cell.interval is not None and cell.n:
            ratio = (cell.interval.high - cell.interval.low) / self.width
            wanted = math.ceil(cell.n * min(ratio * ratio, 2.0)) - cell.n
        return min(max(wanted, 1), self.most - submitted)

    def why(self, cell: Cell, submitted: int) -> str:
        """Why the sampling ended: see `Sampling.why`."""
        if self.satisfied(cell):
            return WIDTH
        if self.hopeless(cell):
            return HOPELESS
        return LIMIT if submitted >= self.most else UNREPORTED

    def stopped(self, cell: Cell, submitted: int) -> str:
        """What a caption says of how the sampling ended."""
        unit, why = self.settings.unit, self.why(cell, submitted)
        if why == WIDTH:
            said = (
                f"The width of the interval stopped the sampling at n={cell.n}, of at most {self.most} {unit}: "
                f"it was to be {self.width:g}. So the level of the interval holds only roughly."
            )
            equal = f"All {cell.n} values are equal, so its width says little."
            return f"{said} {equal}" if cell.sd == 0 else said
        if why == HOPELESS:
            return f"The sampling ended after {submitted} {unit}, because no further ones help: {cell.note}."
        if why == LIMIT:
            return (
                f"The sampling ended at its limit of {self.most} {unit}, before the interval was {self.width:g} wide."
            )
        return f"The sampling ended after {submitted} {unit}, because none of the last ones has reported a number."


class Experiment(Protocol):
    """What an experiment does for its samples."""

    name: str
    workspace: Workspace

    def wait_for(self, job: TrackedJob) -> bool: ...
    def refuse_dry(self, what: str) -> None: ...


def sampled(experiment: Experiment, wanted: Wanted) -> Folded:
    """Submit tasks until an interval is narrow; see `Sampling.until`."""
    jobs: dict[str, SampledJob] = {}
    count = LEAST
    while True:
        batch = [_sample(experiment, wanted, seed, jobs) for seed in range(len(jobs), len(jobs) + count)]
        experiment.refuse_dry("the script asks for the results of xp.until()")
        for job in batch:
            if not job.state.settled:
                experiment.wait_for(job.tracked)
        folded = _folded(list(jobs.values()), experiment.workspace.path, wanted)
        cell = folded[0][wanted.metric]
        reported = any(job.identity in cell.jobs for job in batch)
        if wanted.satisfied(cell) or wanted.hopeless(cell) or len(jobs) >= wanted.most or not reported:
            _keep(experiment, wanted, folded, frozenset(jobs))
            return folded.stopped(wanted.stopped(cell, len(jobs)))
        count = wanted.next(cell, len(jobs))


def _keep(experiment: Experiment, wanted: Wanted, folded: Folded, jobs: frozenset[str]) -> None:
    """Let tables that are made later know how the sampling has ended."""
    cell, metric = folded[0][wanted.metric], folded.column(wanted.metric).key
    over, width, most, why = wanted.settings.names, wanted.width, wanted.most, wanted.why(cell, len(jobs))
    sampling = Sampling(metric, tuple(over), width, most, why, cell.n, jobs)
    experiment.workspace.experiment(experiment.name).keep_sampling(sampling)


def _sample(experiment: Experiment, wanted: Wanted, seed: int, jobs: dict[str, SampledJob]) -> SampledJob:
    """Submit the task of a seed."""
    task = wanted.make(seed)
    if not isinstance(task, Task):
        problem = f"make({seed}): expected a task, got {task!r}"
        raise ResultsError("until", problem, "Return the task that is to be submitted.")
    if state_of(task).submitted is None:
        task.submit()
    tracked = cast("TrackedJob", state_of(task).submitted)
    if tracked.identity in jobs:
        problem = f"make({seed}) returns {label(tracked.name, tracked.identity)}, as it did for an earlier seed"
        raise ResultsError("until", problem, "Pass the seed to a parameter that is no Meta, and is not ignored.")
    jobs[tracked.identity] = job = SampledJob(task, tracked, experiment.name)
    return job


def _folded(jobs: Sequence[SampledJob], workspace: Path, wanted: Wanted) -> Folded:
    """The jobs in one row.

    Raises:
        ResultsError: They differ in more than the seed, or no job has reported the result as a number.
        UnknownColumnError: They have no parameter of the name that is folded, or no result of that name.
    """
    if not any(job.results for job in jobs if job.state is State.DONE):
        states = ", ".join(f"{label(job.name, job.identity)} {job.state.value}" for job in jobs[:LEAST])
        problem = f"no job has reported a result ({states})"
        raise ResultsError("until", problem, f"Look at one: xpm show {short(jobs[0].identity)}.")

    def others() -> Collection[Job]:
        return list(by_index(MergedIndex(workspace).read()).rows.values())

    settings, metric = wanted.settings, wanted.metric
    table = Table(jobs, Known(workspace, others)).select(metric)
    folded = table.over(*settings.names, interval=settings.interval, level=settings.level, range=settings.range)
    if len(folded) > 1:
        names = ", ".join(column.name for column in folded.grouping.columns)
        problem = f"the tasks that make() returns differ in {names}, not only in {' and '.join(settings.names)}"
        raise ResultsError("until", problem, "Vary only the seed, or name all that varies by over=.")
    found = folded[0][metric]
    if not isinstance(found, Cell) or (found.n and not found.values):
        said = found.note if isinstance(found, Cell) else f"all jobs have {found!r}"
        raise ResultsError("until", f"{metric} is no number: {said}", "Name a result that is a number.")
    return folded
