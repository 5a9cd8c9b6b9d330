"""What a job has reported, for `xpm show`: results, announced files, what could not be kept, and its latest metrics.

Owns: whose report counts, and how much of it people see.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from xpm_cli.output.json_form import moment
from xpm_cli.output.tables.cells import text_of
from xpm_cli.output.terminal import Terminal
from xpm_core.reading.listing.row import JobRow
from xpm_core.results.latest import LatestMetrics, latest_metrics
from xpm_core.states import State
from xpm_core.store.replies import shown
from xpm_core.words.text import amount, line
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.reported import results_file
from xpm_core.workspace.reported.results_file import Reported

MOST = 24
"""How many results, files and metrics are listed on a terminal."""
LONGEST = 60
DIGITS = 6
"""Significant digits of a number on a terminal."""

_BEGUN = (State.RUNNING, State.DONE, State.FAILED, State.CANCELLED, None)


class JobReport:
    """What a job has reported.

    Args:
        row: The job.
        directory: Its directory.
    """

    def __init__(self, row: JobRow, directory: JobDirectory) -> None:
        self._row, self._directory = row, directory

    @cached_property
    def _reported(self) -> Reported:
        """What its directory says. What an earlier execution has reported does not count."""
        found = results_file.read(self._directory) if self._row.state in _BEGUN else None
        if found is None or (self._counting and found.execution and found.execution not in self._counting):
            return Reported()
        return found

    @property
    def _counting(self) -> set[str]:
        """The execution that counts, by the server and by the index."""
        row = self._row
        end = row.entry.end if row.state is None or row.state is row.entry.state else None
        return {each for each in (row.job.execution if row.job else "", end.execution if end else "") if each}

    @cached_property
    def results(self) -> Mapping[str, Any]:
        """Its results as they were reported; in one level, by the index, if its directory does not have them."""
        found = self._reported.values or dict(self._row.results or {})
        return dict(shown(found))

    @cached_property
    def files(self) -> dict[str, int | None]:
        """The sizes of the files that it has announced, in bytes; None for one that is not there."""
        return {str(shown(name)): _size(self._directory.path / name) for name in self._reported.files}

    @cached_property
    def metrics(self) -> LatestMetrics:
        """The latest value of each metric."""
        return latest_metrics(self._directory.path) if self._row.state in _BEGUN else LatestMetrics()

    @property
    def problems(self) -> list[str]:
        """What of it could not be kept, each a sentence."""
        return [str(shown(problem)) for problem in self._reported.problems]

    def lines(self, terminal: Terminal, *, whole: bool) -> Iterator[str]:
        """The lines to print; none of a job that has reported nothing.

        Args:
            terminal: What the terminal can show.
            whole: Whether to show all, and whole values.
        """
        values = [f"{name} = {_text(value, whole)}" for name, value in leaves(self.results)]
        files = [f"{name} {'is not there' if size is None else amount(size)}" for name, size in self.files.items()]
        metrics = [
            f"{shown(name)} = {_text(each.value, whole)}{'' if each.step is None else f' at step {each.step:g}'}"
            for name, each in self.metrics.values.items()
        ]
        if not self.metrics.whole:
            metrics.append("(by the end of metrics.jsonl)")
        for label, items in (("results", values), ("outputs", files), ("metrics", metrics)):
            if items:
                yield terminal.entry(label, _first(items, whole))
        for number, problem in enumerate(self.problems):
            yield terminal.entry("" if number else "not kept", [problem])

    def as_data(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "results": dict(self.results),
            "files": [{"name": name, "size": size} for name, size in self.files.items()],
            "problems": self.problems,
            "metrics": {
                str(shown(name)): {"value": each.value, "step": each.step, "at": moment(each.at_s or 0)}
                for name, each in self.metrics.values.items()
            },
            "metrics_whole": self.metrics.whole,
        }


def _first(items: list[str], whole: bool) -> list[str]:
    if whole or len(items) <= MOST:
        return items
    return [*islice(items, MOST), f"({MOST} of {len(items)}, --all)"]


def _text(value: Any, whole: bool) -> str:
    """A value as people read it: a number with some digits, if not the whole value is wanted."""
    value = shown(value)
    if isinstance(value, float) and not whole:
        return f"{value:.{DIGITS}g}"
    text = text_of(value)
    return text if whole else line(text, LONGEST)


def leaves(values: Mapping[str, Any], start: str = "") -> Iterator[tuple[str, Any]]:
    """The values by the names that tables and filters use: `loss.test`."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{start}{name}.")
        else:
            yield start + name, value


def _size(path: Path) -> int | None:
    """The size of a file, or of the files right in a folder, in bytes; None if it is not there."""
    try:
        if path.is_dir():
            return sum(each.stat().st_size for each in path.iterdir() if each.is_file())
        return path.stat().st_size
    except OSError:
        return None
