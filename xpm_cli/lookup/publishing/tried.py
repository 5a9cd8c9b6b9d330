"""What an experiment has tried: all its jobs, those that it has given up, and the values of what varies among them.

Owns: which parameters are seeds, and how many runs each configuration has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_core.errors import UnknownExperimentError
from xpm_core.filters import from_options
from xpm_core.index.folders import END, submissions_folder
from xpm_core.reading.listing.row import JobRow
from xpm_core.results.columns import Column, key_of
from xpm_core.results.foreign import ForeignRun, foreign_runs, with_foreign
from xpm_core.results.jobs import Known
from xpm_core.results.table import Row, Table
from xpm_core.states import State


def is_seed(name: str) -> bool:
    """Whether a parameter or a tag is a seed, by its name, as the records of jobs say it."""
    last = name.rpartition(".")[2]
    return last in ("seed", "random_state") or last.endswith("_seed")


@dataclass(frozen=True)
class Repeats:
    """How often the configurations of a task were run.

    Attributes:
        varied: The names of the seeds that vary.
        configurations: How many there are that differ in anything else.
        least: How many done jobs the one has that has the fewest.
        most: Likewise the most.
    """

    varied: Sequence[str]
    configurations: int
    least: int
    most: int


class Tried:
    """The jobs of a task in an experiment, whatever their state.

    Attributes:
        name: The bare name of the task.
        table: Its jobs.
    """

    def __init__(self, name: str, rows: Sequence[JobRow], known: Known) -> None:
        self.name, self.table = name, Table(rows, known)

    @property
    def varying(self) -> list[Column]:
        """The tags and parameters that vary."""
        return [column for column in self.table.columns if column.kind in ("tag", "param")]

    def values(self, column: Column) -> list[Any]:
        """The values of a column, each once; numbers in their order."""
        found = {key_of(value): value for row in self.table if (value := row.value(column)) is not None}
        numbers = all(isinstance(value, (int, float)) for value in found.values())
        return sorted(found.values()) if numbers else sorted(found.values(), key=str)

    def seeds(self) -> dict[str, list[Any]]:
        """By name, the values of each seed, also of one that does not vary."""
        columns = {column.key: column for column in self.varying if is_seed(column.key)}
        for row in self.table:
            for path in (*row.params, *row.tags):
                if is_seed(path) and path not in columns:
                    columns[path] = Column(path, "param" if path in row.params else "tag", path)
        named = {column.name: self.values(column) for column in columns.values()}
        return dict(self._telling(named))

    @staticmethod
    def _telling(named: Mapping[str, list[Any]]) -> Iterator[tuple[str, list[Any]]]:
        """Seeds without those that only repeat a shorter name, as `train.seed` does that was tagged as `seed`."""
        kept: list[tuple[str, list[Any]]] = []
        for name, values in sorted(named.items(), key=lambda item: (item[0].count("."), item[0])):
            last = name.rpartition(".")[2]
            if not any(other.rpartition(".")[2] == last and values == seen for other, seen in kept):
                kept.append((name, values))
        yield from kept

    @property
    def repeats(self) -> Repeats:
        """How often each configuration was run to its end."""
        varying = self.varying
        others = [column for column in varying if not is_seed(column.key)]
        counts: dict[tuple[Any, ...], int] = {}
        for row in self.table:
            key = tuple(key_of(row.value(column)) for column in others)
            counts[key] = counts.get(key, 0) + (row.state is State.DONE)
        varied = [column.name for column in varying if is_seed(column.key)]
        return Repeats(varied, len(counts), min(counts.values(), default=0), max(counts.values(), default=0))

    @property
    def reports(self) -> bool:
        """Whether any of its jobs has reported a result."""
        return any(_results(row) for row in self.table)


def _results(row: Row) -> bool:
    return bool(row.results)


def tried(opened: OpenWorkspace, rows: Sequence[JobRow]) -> list[Tried]:
    """What was tried, by task, in the order of the first submissions."""
    by_task: dict[str, list[JobRow]] = {}
    for row in rows:
        by_task.setdefault(row.task or "?", []).append(row)
    everything = opened.view.jobs
    known = Known(opened.workspace.path, lambda: list(everything()))
    return [Tried(found[0].name or "?", found, known) for found in by_task.values()]


def foreign_in(opened: OpenWorkspace, experiment: str) -> list[ForeignRun]:
    """The runs in the tables of an experiment that xpm has not made."""
    return foreign_runs(opened.workspace.path, experiment).runs


def jobs_of(opened: OpenWorkspace, experiment: str) -> list[JobRow]:
    """All jobs of an experiment, in the order of their submission.

    Raises:
        UnknownExperimentError: There is no such experiment.
    """
    names = sorted(opened.view.vocabulary.experiments or ())
    if experiment not in names and not foreign_in(opened, experiment):
        raise UnknownExperimentError(experiment, with_foreign(names, opened.workspace.path))
    if experiment not in names:
        return []
    return list(opened.view.jobs(from_options(experiment=[experiment]), sort="submitted"))


def given_up(opened: OpenWorkspace, experiment: str, rows: Sequence[JobRow]) -> list[JobRow] | None:
    """The jobs of an experiment that its latest run does not name any more.

    None if that is not known: the run goes on, was killed, or has left no record.
    """
    directory = opened.workspace.experiment(experiment)
    runs = directory.path / "runs"
    with suppress(OSError):
        latest = directory.latest.resolve(strict=True)
        if latest.parent == runs.resolve():
            from xpm_core.workspace.experiment_directory import RunDirectory  # late, because few commands read runs

            record = RunDirectory(latest).record
            if record is None or not record.ended:
                return None
            return [row for row in rows if row.identity not in record.identities]
    return None


def removed(opened: OpenWorkspace, experiment: str, rows: Sequence[JobRow]) -> int:
    """How many jobs an experiment had that are no more: somebody has removed them."""
    known, submitted = {row.identity for row in rows}, set()
    with suppress(OSError):
        for file in submissions_folder(opened.workspace.experiment(experiment)).iterdir():
            if file.name.endswith(END):
                submitted |= set(_identities(file.read_bytes()))
    return len(submitted - known)


def _identities(content: bytes) -> Iterator[str]:
    for line in content.splitlines():
        with suppress(ValueError, TypeError, KeyError):
            yield str(json.loads(line)["id"])
