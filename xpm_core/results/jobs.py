"""A job as a table of results sees it, and its parameters together with those of the jobs that it uses.

Owns: how a parameter that is a job is replaced by what that job was given.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from xpm_core.filters import row as filters
from xpm_core.labels import label

DEEPEST = 8
"""How many jobs may use each other in a row, as far as their parameters are shown."""


class Job(filters.Row, Protocol):
    """A job in a list: what the index and the server say of it (`xpm_core.reading.listing.row.JobRow`)."""

    @property
    def title(self) -> str: ...


class Known:
    """What a table knows besides its own jobs.

    Args:
        workspace: The directory of the workspace.
        others: Returns all jobs of the workspace; asked once, and only if a job of the table uses another one.

    Example:
        >>> known = Known(workspace.path, view.all_rows)
        >>> known.parameters(job)
        {'train.lr': 0.1, 'train.seed': 3, 'split': 'test'}
    """

    def __init__(self, workspace: Path, others: Callable[[], Collection[Job]]) -> None:
        self.workspace = workspace
        self._others = others
        self._by_label: dict[str, Job | None] | None = None
        self._parameters: dict[str, Mapping[str, Any]] = {}

    def parameters(self, job: Job, depth: int = 0) -> Mapping[str, Any]:
        """The parameters of a job by path. In place of a job that it uses stand the parameters of that job.

        A job that the index does not know stays as it is, `{"job": "Train/1d22f0a"}`.
        """
        found = self._parameters.get(job.identity)
        if found is None:
            given = job.params or {}
            uses = [name for name, value in given.items() if type(value) is dict and _label(value)]
            found = dict(self._replaced(given, depth)) if uses and depth < DEEPEST else given
            self._parameters[job.identity] = found
        return found

    def _replaced(self, given: Mapping[str, Any], depth: int) -> Iterator[tuple[str, Any]]:
        for name, value in given.items():
            used = self._job(_label(value)) if type(value) is dict else None
            if used is None:
                yield name, value
                continue
            for path, each in self.parameters(used, depth + 1).items():
                yield f"{name}.{path}", each

    def _job(self, name: str) -> Job | None:
        """The job of a label; None if the index has none of it, or several."""
        if not name:
            return None
        if self._by_label is None:
            self._by_label = {}
            for each in self._others():
                key = label(each.name or "", each.identity)
                self._by_label[key] = None if key in self._by_label else each
        return self._by_label.get(name)


def _label(value: Mapping[str, Any]) -> str:
    """The label of a job that is the value of a parameter; empty for other values."""
    found = value.get("job") if len(value) == 1 else None
    return found if isinstance(found, str) else ""
