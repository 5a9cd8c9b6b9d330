"""The part of a table that compares two groups of its jobs.

Owns: which jobs two filters find.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from xpm_core.errors import ResultsError
from xpm_core.results.columns import Column, Columns
from xpm_core.results.comparing.compared import Comparisons, Two, compared, improved
from xpm_core.results.folding.cells import Cell
from xpm_core.results.folding.choosing import as_names
from xpm_core.results.folding.grouping import Line, foldable, grouped
from xpm_core.results.folding.settings import Settings
from xpm_core.tracebacks.edges import edge


class Comparable:
    """The part of a table that compares two groups of its jobs."""

    if TYPE_CHECKING:

        @property
        def _all(self) -> Columns: ...
        def __iter__(self) -> Iterator[Line]: ...
        def where(self, filter: str) -> Comparable: ...
        def _of(self, rows: Iterable[Any]) -> Comparable: ...
        def _metric(self, name: str, place: str) -> Column: ...

    @edge
    def compare(
        self, a: str, b: str, *, over: str | Sequence[str], value: str = "", level: float = 0.95
    ) -> Comparisons:
        """Compare two groups of jobs: how much greater the result of the first is.

        Jobs are compared within each combination of the other columns: paired by the seeds that both groups have,
        by Welch's test if these are fewer than 3. A row names the seeds that only one of them has. p-values are
        corrected by Holm's method for all comparisons that are returned.

        Args:
            a: A filter for the first group, such as `model=bm25`.
            b: A filter for the second group.
            over: What varies between jobs that belong together, such as `seed`.
            value: The name of a result; it may be left out if there is only one.
            level: The level of confidence.

        Raises:
            FilterError: A filter cannot be understood.
            ResultsError: A filter finds no job, both find the same one, or the groups have nothing in common.
            UnknownColumnError: Nothing has such a name.

        Example:
            >>> for row in table.compare("model=bm25", "model=dense", over="seed", value="accuracy"):
            ...     print(row["difference"], row["adjusted"])
        """
        settings = Settings(as_names(over), "t", level)
        return compared(self._two(a, b, settings, "compare"), self._metric(value, "compare"), settings)

    @edge
    def improvement(
        self, a: str, b: str, *, over: str | Sequence[str], value: str = "", level: float = 0.95, seed: int = 0
    ) -> Cell:
        """Return the probability that a run of one group has a greater result than one of another, on the same task.

        Args:
            a: A filter for the first group, such as `model=bm25`.
            b: A filter for the second group.
            over: What tells tasks from each other, and last what varies between the runs of one: `["dataset", "seed"]`.
            value: The name of a result; it may be left out if there is only one.
            level: The level of confidence.
            seed: The seed of the bootstrap, which is stratified by task.

        Raises:
            FilterError: A filter cannot be understood.
            ResultsError: A filter finds no job or several configurations, both find the same job, or they do not have
                the same tasks.
            UnknownColumnError: Nothing has such a name.
        """
        settings = Settings(as_names(over), "stratified", level, None, seed)
        return improved(self._two(a, b, settings, "improvement"), self._metric(value, "improvement"), settings)

    def _two(self, a: str, b: str, settings: Settings, place: str) -> Two:
        """The jobs that two filters find."""
        first, second = (list(self.where(filter)) for filter in (a, b))
        known = {row.identity for row in first}
        if shared := [row for row in second if row.identity in known]:
            raise ResultsError(place, f"both filters find {shared[0]!r}", "Write filters that exclude each other.")
        both = self._of([*first, *second])
        over = foldable(both._all, settings.names, place)
        return Two(grouped(list(both), both._all, over), (a, b), known)
