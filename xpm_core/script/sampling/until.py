"""Sampling until an interval is narrow enough: `xp.until("accuracy", width=0.01, make=...)`.

Owns: the part of the experiment that offers it. Tables and statistics are imported only when it is called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from xpm_core.tracebacks.edges import edge

if TYPE_CHECKING:
    from xpm_core.config import Task
    from xpm_core.results.folding.folded import Folded
    from xpm_core.results.statistics.arguments import Bounds
    from xpm_core.script.follow.tracked_job import TrackedJob
    from xpm_core.workspace.workspace import Workspace


class Sampling:
    """The part of an experiment that submits tasks until an interval is narrow."""

    if TYPE_CHECKING:
        name: str
        workspace: Workspace

        def wait_for(self, job: TrackedJob) -> bool: ...
        def _opened(self) -> object: ...
        def refuse_dry(self, what: str) -> None: ...

    @edge
    def until(
        self,
        metric: str,
        *,
        width: float,
        make: Callable[[int], Task],
        over: str = "seed",
        most: int = 20,
        interval: str = "t",
        level: float = 0.95,
        range: Bounds | None = None,
    ) -> Folded:
        """Submit tasks with more and more seeds until the interval of a result is narrow, and return it.

        It begins with 3 seeds, 0 to 2, waits for their jobs, and goes on with as many as the width seems to need, but
        never doubles their number at once. It stops when the interval is at most `width` wide, at `most` seeds, when no
        job of the last ones has reported the result, or when there can be no interval, because a value is nan or lies
        outside of the range. The caption says which it was. Jobs that fail are named as holes. Seeds that were computed
        before are used again.

        Sampling that stops at a width makes intervals a little too narrow. The caption of the table says that the width
        has stopped it, and so do those of tables that are made later: `xp.results()`, `xpm results`.

        Args:
            metric: The name of a result, a number.
            width: How wide the interval may be, from its low to its high end.
            make: Returns the task of a seed, a whole number from 0 on.
            over: The tag or parameter that `make` varies.
            most: How many seeds there are at most, at least 3.
            interval: "t", "bootstrap" or "se".
            level: The level of confidence.
            range: The least and the greatest value that the result can have.

        Returns:
            A table of one row.

        Raises:
            ResultsError: An argument makes no sense, the tasks differ in more than the seed, or no job has reported
                anything.
            UnknownColumnError: The jobs have no result of that name, or nothing has the name `over`.
            DryRunError: This is a dry run, in which no job reports anything. The first 3 tasks are in its plan.
            ExperimentError: The experiment is not open.
            WorkspaceError: How the sampling has ended cannot be written into the experiment's directory.

        Example:
            >>> xp.until("accuracy", width=0.01, make=lambda seed: Train.C(seed=seed))[0]["accuracy"].n
            7
        """
        from xpm_core.results.folding.settings import Settings  # late, because few scripts sample
        from xpm_core.script.sampling.sampler import Wanted, sampled

        self._opened()
        return sampled(self, Wanted(metric, width, most, make, Settings((over,), interval, level, range)))
