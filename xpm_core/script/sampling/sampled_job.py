"""A job of this run as tables of results see it.

Owns: reading what it has reported from its directory. The index may learn of that a moment after the script knows that
the job is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from xpm_core.index.parameters import flat_parameters
from xpm_core.labels import title
from xpm_core.language.identity.digest import task_id
from xpm_core.states import State
from xpm_core.workspace.reported import results_file
from xpm_core.workspace.reported.values import flat

if TYPE_CHECKING:
    from xpm_core.config import Task
    from xpm_core.script.follow.tracked_job import TrackedJob


class SampledJob:
    """A job of this run, with what it has reported when it is first asked for.

    Args:
        task: Its task.
        tracked: What the script knows of it.
        experiment: The name of the experiment.
    """

    submitted_s = started_s = ended_s = None
    attempts = host = code = commit = packages = None

    def __init__(self, task: Task, tracked: TrackedJob, experiment: str) -> None:
        self.tracked, self.experiments = tracked, (experiment,)
        self.identity, self.name, self.tags = tracked.identity, tracked.name, tracked.tags
        self.queue, self.demand = tracked.queue, tracked.demand
        self.task: str = task_id(type(task))
        self.params: Mapping[str, Any] = flat_parameters(task, tracked.directory)

    @property
    def state(self) -> State:
        """Its state."""
        return self.tracked.state

    @property
    def worker(self) -> str:
        """The worker that runs it."""
        return self.tracked.worker

    @property
    def error_type(self) -> str:
        """The class of the error that it ended with; empty without one."""
        return str(self.tracked.error.get("type", ""))

    @property
    def title(self) -> str:
        """The job as people know it."""
        return title(self.name, self.tags)

    @cached_property
    def results(self) -> Mapping[str, Any]:
        """What it has reported, in one level."""
        found = results_file.read(self.tracked.directory)
        return {} if found is None else flat(found.values)[0]
