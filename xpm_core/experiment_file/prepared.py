"""An experiment's file, read and checked: its function, and the configurations with which the function is called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from xpm_core.defaults import DEFAULT_QUEUE
from xpm_core.errors import DryRunError, ExperimentFileError
from xpm_core.experiment_file import function
from xpm_core.experiment_file.content import merging, overrides
from xpm_core.experiment_file.content.header import Header, header_of, target_of
from xpm_core.experiment_file.content.merging import Document
from xpm_core.experiment_file.content.overrides import CONFIG
from xpm_core.experiment_file.content.values import Axis, Combinations, combinations
from xpm_core.language.graph.tags import label_in_path
from xpm_core.script.experiment import experiment
from xpm_core.script.follow.tracked_job import TrackedJob
from xpm_core.tracebacks.callsite import format_line
from xpm_core.words.text import plural, say

if TYPE_CHECKING:
    from xpm_core.script.rehearsal.plan import Plan


class Prepared(NamedTuple):
    """An experiment that can be run.

    Attributes:
        header: What the file says of the experiment.
        function: The function that submits its tasks.
        calls: For each call, what the function gets beside the experiment.
        axes: The grids of the file.
    """

    header: Header
    function: function.Function
    calls: list[tuple[Any, ...]]
    axes: list[Axis]

    def run(self, workspace: Path, *, redis: str | None = None, workers: int | None = None) -> None:
        """Run the experiment, and wait for its jobs.

        Args:
            workspace: The directory of the workspace.
            redis: The address of the server, if it was given.
            workers: How many workers to start, if that was given.

        Raises:
            FailedExperiment: Not all jobs are done.
        """
        header = self.header
        workers = header.workers if workers is None else workers
        queue = header.queue or DEFAULT_QUEUE
        name, code = header.experiment, header.code
        with experiment(workspace, name, redis=redis, workers=workers, queue=queue, code=code) as xp:
            for name, value in header.env.items():
                xp.setenv(name, value)
            for call in self.calls:
                self.function.call(xp, *call)
            for note in untagged(self.axes, xp.tracker.snapshot().values()):
                say(note)

    def rehearse(
        self, workspace: Path, *, redis: str | None = None, workers: int | None = None
    ) -> tuple[Plan, list[str]]:
        """Do a dry run: submit nothing, and collect what would be submitted. The arguments are those of `run`.

        Returns:
            What a run would do, and notes for the user.
        """
        stops: dict[str, int] = {}
        header = self.header
        workers = header.workers if workers is None else workers
        queue, name = header.queue or DEFAULT_QUEUE, header.experiment
        with experiment(
            workspace, name, redis=redis, workers=workers, queue=queue, code=header.code, dry_run=True
        ) as xp:
            assert xp.rehearsal is not None
            xp.rehearsal.silent = True
            for name, value in header.env.items():
                xp.setenv(name, value)
            for call in self.calls:
                try:
                    self.function.call(xp, *call)
                except (DryRunError, OSError) as error:
                    stop = error if isinstance(error, DryRunError) else xp.rehearsal.explained(error)
                    if stop is None:
                        raise
                    stops[str(stop)] = stops.get(str(stop), 0) + 1
            plan = xp.plan()
        after = "What the function does after that is not known"
        times = {what: f" ({plural(count, 'call')})." if len(self.calls) > 1 else "." for what, count in stops.items()}
        return plan, [*(f"{what} {after}{times[what]}" for what in stops), *untagged(self.axes, plan.jobs)]


def prepare(file: Path, words: tuple[str, ...] = (), name: str | None = None) -> Prepared:
    """Read and check a file, import its function, and make its configurations. Nothing is begun.

    Args:
        file: The YAML file.
        words: Values that go before those of the file: `lr=0.1`.
        name: The name of the experiment, if it is another one than the file's.

    Raises:
        ConfigurationError: Something in the file or in the words is wrong; names its line.
    """
    document = merging.read(file)
    overrides.override(document, words)
    header = header_of(document, name)
    found = function.load(target_of(document))
    if found.config is None:
        _refuse_values(document, found)
        return Prepared(header, found, [()], [])
    made = combinations(found.config, document)
    return Prepared(header, found, _calls(found, made), made.axes)


def _calls(found: function.Function, made: Combinations) -> list[tuple[Any, ...]]:
    return [(made.configs,)] if found.takes_all else [(config,) for config in made.configs]


def _refuse_values(document: Document, found: function.Function) -> None:
    if document.values.get(CONFIG):
        wrong = f"there are values, and the function takes no configuration ({found.place})"
        raise ExperimentFileError(document.at(CONFIG), wrong, "Write run(xp, config: Settings) there.")


def untagged(axes: Iterable[Axis], jobs: Iterable[TrackedJob]) -> Iterator[str]:
    """Notes about grids that are the tag of no job, so that lists of jobs do not show their values."""
    found = list(jobs)
    names = {name for job in found for name in job.tags}
    labels = {label_in_path(label) for job in found for label in job.tags.values()}
    for axis in axes:
        used = all(label_in_path(label) in labels for label in axis.labels.values())
        if found and axis.name not in names and not used:
            give = f"Give it to a task as tag(config.{axis.name}), or give it the configuration itself."
            yield f"{format_line(axis.place)}: no task has the tag {axis.name!r} of this grid. {give}"
