"""A job as a table of results sees it, and its parameters together with those of the jobs that it uses.

Owns: how a parameter that is a job is replaced by what that job was given.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

from xpm_core.filters import row as filters
from xpm_core.index.columns import Cells
from xpm_core.labels import label

DEEPEST = 8
"""How many jobs may use each other in a row, as far as their parameters are shown."""


class Job(filters.Row, Protocol):
    """A job in a list: what the index and the server say of it (`xpm_core.reading.listing.row.JobRow`)."""

    @property
    def title(self) -> str: ...


class _Seen:
    """A job with the parameters that its row shows, as filters see it."""

    def __init__(self, job: Job, params: Mapping[str, Any]) -> None:
        self._job, self.params = job, params

    def __getattr__(self, name: str) -> Any:
        return getattr(self._job, name)


class Known:
    """What a table knows besides its own jobs.

    Args:
        workspace: The directory of the workspace.
        others: Returns all jobs of the workspace; asked once, and only if a job of the table uses another one.

    Example:
        >>> known = Known(workspace.path, view.all_rows)
        >>> known.parameters(job)
        {'train': 'Train', 'train.lr': 0.1, 'train.seed': 3, 'split': 'test'}
    """

    def __init__(self, workspace: Path, others: Callable[[], Collection[Job]]) -> None:
        self.workspace = workspace
        self._others = others
        self._by_label: dict[str, Job | None] | None = None
        self._using: set[str] = set()
        self._classes: dict[str, set[str | None]] = {}
        self._parameters: dict[str, Mapping[str, Any]] = {}
        self._maps: dict[int, tuple[object, list[str]]] = {}

    def parameters(self, job: Job, depth: int = 0) -> Mapping[str, Any]:
        """The parameters of a job by path. In place of a job that it uses stand its class and its parameters.

        A job whose parameters the index does not know stays as it is, `{"job": "Train/1d22f0a"}`.
        """
        found = self._parameters.get(job.identity)
        if found is None:
            given = job.params if job.params is not None else {}
            uses = self._used(given) if depth < DEEPEST else []
            found = dict(self._replaced(given, depth)) if uses else given
            self._parameters[job.identity] = found
            if found is not given:
                self._using.add(job.identity)
        return found

    def seen(self, job: Job) -> Job:
        """A job with all parameters that its row shows, so that filters know `train.lr`, too."""
        params = self.parameters(job)
        return job if job.identity not in self._using else cast("Job", _Seen(job, params))

    def _used(self, given: Mapping[str, Any]) -> list[str]:
        """The names of parameters that are jobs. Of jobs whose values lie in columns, most have none that can be."""
        names: Iterable[str] = given
        if isinstance(given, Cells):
            if id(given.columns) not in self._maps:
                maps = [name for name, samples in given.columns.samples.items() if dict in map(type, samples)]
                self._maps[id(given.columns)] = given.columns, maps
            names = self._maps[id(given.columns)][1]
        return [name for name in names if type(given[name]) is dict and _label(given[name])]

    def _replaced(self, given: Mapping[str, Any], depth: int) -> Iterator[tuple[str, Any]]:
        for name, value in given.items():
            used = self._job(_label(value)) if type(value) is dict else None
            if used is None or used.params is None:
                yield name, value
                continue
            yield name, self._class_of(used)
            for path, each in self.parameters(used, depth + 1).items():
                yield f"{name}.{path}", each

    def _class_of(self, job: Job) -> str:
        """The class of a job that is used, as a nested configuration is named; with its module if two have its name."""
        bare, full = job.name or "?", job.task or "?"
        return full if len(self._classes.get(bare, ())) > 1 else bare

    def _job(self, name: str) -> Job | None:
        """The job of a label; None if the index has none of it, or several."""
        if not name:
            return None
        if self._by_label is None:
            self._by_label = {}
            for each in self._others():
                self._classes.setdefault(each.name or "?", set()).add(each.task)
                key = label(each.name or "", each.identity)
                self._by_label[key] = None if key in self._by_label else each
        return self._by_label.get(name)


def _label(value: Mapping[str, Any]) -> str:
    """The label of a job that is the value of a parameter; empty for other values."""
    found = value.get("job") if len(value) == 1 else None
    return found if isinstance(found, str) else ""
