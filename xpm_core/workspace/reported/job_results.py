"""The results of a job, as other jobs, scripts and notebooks read them: `task.results`."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from xpm_core.errors import UnknownResultError
from xpm_core.labels import label
from xpm_core.states import State
from xpm_core.tracebacks.edges import edge
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.reported import results_file
from xpm_core.workspace.reported.results_file import Reported


class JobResults(Mapping[str, Any]):
    """What a job has reported. It is read when it is first asked for, and does not change afterwards.

    Args:
        directory: The directory of the job.
        waits: The state of a job that has not begun, or is to run again: what lies in its directory counts no more.
            None for any other job.

    Raises:
        UnknownResultError: The job has no result of that name.

    Example:
        >>> task.results["accuracy"], task.results["loss.test"], dict(task.results)
        (0.93, 0.31, {'accuracy': 0.93, 'loss': {'train': 0.02, 'test': 0.31}})
    """

    def __init__(self, directory: Path, waits: State | None = None) -> None:
        self._waits = waits
        self._directory = JobDirectory(directory.parents[2], "/".join(directory.parts[-3:]))

    @cached_property
    def _reported(self) -> Reported:
        found = None if self._waits is not None else results_file.read(self._directory)
        return found or Reported()

    @cached_property
    def _values(self) -> dict[str, Any]:
        return self._reported.values

    @edge
    def __getitem__(self, name: str) -> Any:
        if name in self._values:
            return self._values[name]
        found: Any = self._values
        for part in name.split("."):  # as the columns of tables name it
            if not isinstance(found, dict) or part not in found:
                raise UnknownResultError(*self._missing(name))
            found = found[part]
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"JobResults({self._values!r})"

    @property
    def files(self) -> dict[str, Path]:
        """The paths of the files that the job has announced by `output`, by their names."""
        return {name: self._directory.path / name for name in self._reported.files}

    @property
    def problems(self) -> list[str]:
        """What the job has reported, and what could not be kept, each a line."""
        return self._reported.problems

    def _missing(self, name: str) -> tuple[str, str, str]:
        folder = self._directory.relative.split("/")[1]
        where = f"{label(folder.rpartition('.')[2], self._directory.identity)}.results"
        if self._waits is not None:
            return where, f"has no result {name!r}: the job is {self._waits.value}", "Wait for it: xp.wait()."
        if not self._values:
            return (
                where,
                f"has no result {name!r}, nor any other",
                "Report it in execute(): return it, or call result().",
            )
        near = difflib.get_close_matches(name, self._values, n=1)
        remedy = f"Did you mean {near[0]!r}? " if near else ""
        return where, f"has no result {name!r}", f"{remedy}There are: {', '.join(sorted(self._values))}."
