"""What a configuration can be asked by names that every class may use for itself: identity, state, logs, waiting.

A parameter of such a name, an attribute, or a member of a base that comes later, wins; and a live object has none of
them. So a name that is added here breaks no class that worked before.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xpm_core.errors import ExperimentError, UnsubmittedTaskError
from xpm_core.language.graph.state import is_configuration, state
from xpm_core.language.identity.seal import foreseen
from xpm_core.language.parameters.schema import MISSING
from xpm_core.states import State
from xpm_core.tracebacks.edges import edge

if TYPE_CHECKING:
    from xpm_core.workspace.job_directory import JobDirectory

experiments: list[Any] = []
"""The experiments that are entered, the current one last; each puts itself here. `submit()` goes to the current one."""


class yielding:
    """A property of configurations that gives way to whatever else has its name."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function, self.__doc__ = function, function.__doc__
        self.owner: type = object

    def __set_name__(self, owner: type, name: str) -> None:
        self.owner, self.name = owner, name

    @edge
    def __get__(self, config: Any, cls: type) -> Any:
        later = super(self.owner, cls if config is None else config)
        if (other := getattr(later, self.name, MISSING)) is not MISSING:
            return other
        if config is None:
            return self
        if not is_configuration(config):
            raise AttributeError(f"{cls.__name__!r} object has no attribute {self.name!r}")
        return self.function(config)


class AskedConfig:
    """What each configuration can be asked. Checkers see plain attributes, which any class may declare anew."""

    if TYPE_CHECKING:
        identity: Any
    else:

        @yielding
        def identity(self):
            """The identity that it has, or will have once sealed, as 64 hexadecimal characters. Seals nothing.

            Raises:
                MissingParameterError: A parameter has no value.
            """
            return foreseen(self)


class AskedTask:
    """What each task can be asked, once it is submitted."""

    if TYPE_CHECKING:
        state: Any
        stdout: Any
        stderr: Any
        wait: Any
    else:

        @yielding
        def state(self):
            """Where the job stands, as this script has heard: a `State`, equal to its word, such as "running"."""
            return followed(self, "state").state

        @yielding
        def stdout(self):
            """The file with what the job has printed; it is there once the job has started."""
            return directory_of(self, "stdout").out

        @yielding
        def stderr(self):
            """The file with what the job has printed to its standard error, as `stdout`."""
            return directory_of(self, "stderr").err

        @yielding
        def wait(self):
            """Wait until the job is settled: `if learn.wait(): ...`. Returns whether it is done.

            Like `experiment.wait`, but for this one task; its callbacks may not have been made yet.

            Raises:
                ExperimentError: No experiment is open, or another than that it was submitted to.
                WorkersFailedError, WipedError: As for `experiment.wait`.
            """
            job = followed(self, "wait")
            return edge(lambda: waited(type(self).__name__, job))


def job_of(task: Any, what: str) -> Any:
    """What the experiment knows of the job of a task that was submitted.

    Raises:
        UnsubmittedTaskError: It was not submitted.
    """
    own = state(task)
    if own.submitted is None:
        wrong = f"the task made at {own.created} was not submitted"
        raise UnsubmittedTaskError(f"{type(task).__name__}.{what}", wrong, "Read it after submit().")
    return own.submitted


def followed(task: Any, what: str) -> Any:
    """The job of a task, in the script that has submitted it: a job knows of others only where they lie.

    Raises:
        ExperimentError: This is not the script.
    """
    job = job_of(task, what)
    if not hasattr(job, "state"):
        wrong = "a job does not follow the tasks that it uses"
        raise ExperimentError(f"{type(task).__name__}.{what}", wrong, "Ask in the script that submits them.")
    return job


def directory_of(task: Any, what: str) -> JobDirectory:
    """The directory of the job of a task that was submitted."""
    from xpm_core.workspace.job_directory import JobDirectory  # which few scripts need before they submit

    path = Path(job_of(task, what).jobpath)
    return JobDirectory(path.parent.parent, f"{path.parent.name}/{path.name}")


def waited(name: str, job: Any) -> bool:
    """Wait for a job of the experiment that is open; returns whether it is done."""
    if not job.state.settled and not (experiments and experiments[-1].wait_for(job)):
        wrong = f"no open experiment follows its job, which was {job.state.value} when one did"
        raise ExperimentError(f"{name}.wait", wrong, "Wait inside of the experiment that it was submitted to.")
    return bool(job.state is State.DONE)
