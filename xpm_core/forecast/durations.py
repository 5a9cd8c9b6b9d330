"""How long jobs of each class took, and what follows from that for other jobs of the class.

Owns: which past jobs count, and how one number is made of their durations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

from xpm_core.states import State
from xpm_core.workspace.workspace import task_folder

if TYPE_CHECKING:
    from xpm_core.index.entries import Entry

SAMPLES = 200
"""How many past jobs of a class count, the latest ones."""
ENOUGH = 20
"""If this run has done so many jobs of a class, only they count: they ran today's code on today's workers. Of
fewer ones, the quickest have ended first, so earlier jobs count, too."""
OUTLIER = 4
"""No job counts with more than so many times the median: one that hung says nothing about the others."""


class Durations:
    """How long done jobs of each class took.

    A class is named by the folder of its jobs (`task_folder`): scripts, the index and job directories all know it.

    Args:
        past: Durations of jobs of earlier runs, seconds, by class; see `past_durations`.

    Example:
        >>> durations = Durations({"sweep.train": [60.0, 70.0]})
        >>> durations.typical("sweep.train"), durations.left("sweep.train", 50.0)
        (65.0, 15.0)
    """

    def __init__(self, past: Mapping[str, Sequence[float]] | None = None) -> None:
        self._past, self._own = past or {}, dict[str, list[float]]()

    def add(self, task: str, seconds: float) -> None:
        """Add a job that this run has done."""
        self._own.setdefault(task, []).append(seconds)

    def samples(self, task: str) -> Sequence[float]:
        """The durations that count for a class: those of this run if they are enough, else also earlier ones."""
        own = self._own.get(task, [])[-SAMPLES:]
        return own if len(own) >= ENOUGH else [*own, *self._past.get(task, ())]

    def typical(self, task: str, running: Iterable[float] = ()) -> float | None:
        """How long a job of a class is likely to take, seconds; None if none has been done.

        It is a mean, and not the median, because it is added up over many jobs: where a few jobs take long, as they
        do in most sweeps, the sum of medians is too small. Running jobs count with what they are likely to take in all:
        early in a run only the quickest jobs have ended.

        Args:
            task: The class.
            running: For how long each running job of the class has run, seconds.
        """
        samples = self.samples(task)
        return mean([*samples, *(for_s + (self.left(task, for_s) or 0.0) for for_s in running)]) if samples else None

    def left(self, task: str, for_s: float) -> float | None:
        """In how many seconds a job is likely to end that has run for `for_s`; None if none of its class is done.

        Jobs that took longer than that count. If none has, the job is taken to need half as long again.
        """
        samples = self.samples(task)
        longer = mean([each for each in samples if each > for_s])
        if longer is not None:
            return max(longer - for_s, 0.0)
        return for_s / 2 if samples else None


def mean(samples: Sequence[float]) -> float | None:
    """The mean of some durations, in which none counts more than `OUTLIER` times the median; None without any.

    Example:
        >>> mean([10.0, 10.0, 10.0, 1000.0])
        17.5
    """
    if not samples:
        return None
    middle = sorted(samples)[(len(samples) - 1) // 2]
    return sum(min(each, OUTLIER * middle) for each in samples) / len(samples)


def past_durations(entries: Iterable[Entry]) -> dict[str, list[float]]:
    """How long the done jobs of an index took, by class: the last attempt of each, the latest `SAMPLES` of a class."""
    found: dict[str, list[tuple[float, float]]] = {}
    for entry in entries:
        end = entry.end
        if end is not None and end.state is State.DONE and entry.task and 0 < end.started_s <= end.ended_s:
            found.setdefault(entry.task, []).append((end.ended_s, end.ended_s - end.started_s))
    result: dict[str, list[float]] = {}
    for task, ends in found.items():
        latest = sorted(ends, key=itemgetter(0))[-SAMPLES:]
        result.setdefault(task_folder(task), []).extend(seconds for _, seconds in latest)
    return result
