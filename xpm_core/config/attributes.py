"""The attributes that every configuration has, unless its class uses the name itself: identity, state, logs, waiting.

If a class has a parameter or attribute of such a name, or inherits one, that one is used. A live object has none of
these attributes, except for what a job reports: `result`, `log`, `output`, and the `results` of tasks that it uses. So
a new name here breaks no class that worked before.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xpm_core.errors import ExperimentError, UnsubmittedTaskError, XpmError
from xpm_core.language.graph import tags
from xpm_core.language.graph.state import is_configuration, state_of
from xpm_core.language.identity.seal import foreseen
from xpm_core.language.parameters.schema import MISSING
from xpm_core.states import State
from xpm_core.tracebacks.edges import edge

if TYPE_CHECKING:
    from xpm_core.workspace.job_directory import JobDirectory

_NOT_BEGUN = (State.WAITING, State.READY, State.DELAYED, State.BLOCKED)

experiments: list[Any] = []
"""The experiments that are entered, the current one last. Each adds itself. `submit()` goes to the current one."""


class fallback_property:
    """A property of configurations that is used only if nothing else has its name."""

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
        return self if config is None else self.of(config, cls)

    def of(self, config: Any, cls: type) -> Any:
        """The value for an object."""
        if not is_configuration(config):
            raise AttributeError(f"{cls.__name__!r} object has no attribute {self.name!r}")
        return self.function(config)


class fallback_attribute(fallback_property):
    """The same for live objects, too."""

    def of(self, instance: Any, cls: type) -> Any:
        """The value for an object."""
        return self.function(instance)


class fallback_function:
    """A function that objects of a class have as if it were a method, if nothing else has its name.

    It is a function of the job that runs in this process, so it takes no object. A class, an instance, and an inherited
    class may use the name for anything else.

    Args:
        module: The module that has it, which is imported when it is first used.
    """

    def __init__(self, module: str) -> None:
        self.module = module
        self.owner: type = object

    def __set_name__(self, owner: type, name: str) -> None:
        self.owner, self.name = owner, name

    def __get__(self, instance: Any, cls: type) -> Any:
        later = super(self.owner, cls if instance is None else instance)
        if (other := getattr(later, self.name, MISSING)) is not MISSING:
            return other
        return getattr(import_module(self.module), self.name)


class ConfigAttributes:
    """The attributes of each configuration. Type checkers see plain attributes, which any class may declare anew."""

    if TYPE_CHECKING:
        identity: Any
    else:

        @fallback_property
        def identity(self):
            """The identity as 64 hexadecimal characters: the one it has, or would get if it were sealed now.

            Reading it seals nothing.

            Raises:
                MissingParameterError: A parameter has no value.

            Example:
                >>> Learn.C(epochs=3).identity[:7]
                '3f9ac2e'
            """
            return foreseen(self)


class ReportingAttributes:
    """What tasks report with, and also tasks that run in the job of another one, before its `execute`."""

    if TYPE_CHECKING:
        result: Any
        output: Any
        log: Any
    else:
        result = fallback_function("xpm_core.job.reporting.results")
        output = fallback_function("xpm_core.job.reporting.results")
        log = fallback_function("xpm_core.job.reporting.metrics")


class TaskAttributes(ReportingAttributes):
    """The attributes of each task. They can be read once it is submitted."""

    if TYPE_CHECKING:
        state: Any
        stdout: Any
        stderr: Any
        wait: Any
        _repr_html_: Any
        results: Any
    else:

        @fallback_attribute
        def results(self):
            """What the job has reported: a mapping from name to value, as of now.

            It is empty if the job has reported nothing, and while it waits to run, or to run again.

            A job reads it of the tasks that it uses: `self.train.results["accuracy"]`.

            Raises:
                UnsubmittedTaskError: The task was not submitted.
                UnknownResultError: For a name that the job has not reported.

            Example:
                >>> learn.wait()
                >>> learn.results["accuracy"]
                0.93
            """
            from xpm_core.workspace.reported.job_results import JobResults  # late, because few ask for it

            if is_configuration(self):
                job = job_of(self, "results")
                state = getattr(job, "state", None)  # a job does not know it of the tasks that it uses: they are done
                return JobResults(Path(job.jobpath), state if state in _NOT_BEGUN else None)
            if (folder := self.__dict__.get("__taskdir__")) is None:
                wrong = "it was not submitted, but is part of the task that runs"
                raise UnsubmittedTaskError(f"{type(self).__name__}.results", wrong, "Submit it, and then this task.")
            return JobResults(Path(folder))

        @fallback_property
        def state(self):
            """The state of the job, as far as this script knows it: a `State`, equal to its word, such as "running"."""
            return followed(self, "state").state

        @fallback_property
        def stdout(self):
            """The path of the file with the job's output. The file exists once the job has started."""
            return directory_of(self, "stdout").out

        @fallback_property
        def stderr(self):
            """The path of the file with the job's standard error. The file exists once the job has started."""
            return directory_of(self, "stderr").err

        @fallback_property
        def wait(self):
            """Wait until the job is settled. It is `experiment.wait` for this one task.

            The callbacks of the task may not have been called when it returns.

            Returns:
                Whether the job is done.

            Raises:
                ExperimentError: The experiment that the task was submitted to is not open.
                WorkersFailedError, WipedError: As for `experiment.wait`.

            Example:
                >>> if learn.wait():
                ...     print(learn.jobpath)
            """
            job = followed(self, "wait")
            return edge(lambda: waited(type(self).__name__, job))

        @fallback_property
        def _repr_html_(self):
            """What a notebook shows of the task: its class, tags, identity, state and directory."""
            return lambda: sheet(self)


def job_of(task: Any, what: str) -> Any:
    """The experiment's object for the job of a task.

    Raises:
        UnsubmittedTaskError: The task was not submitted.
    """
    own = state_of(task)
    if own.submitted is None:
        wrong = f"the task made at {own.created} was not submitted"
        raise UnsubmittedTaskError(f"{type(task).__name__}.{what}", wrong, "Read it after submit().")
    return own.submitted


def followed(task: Any, what: str) -> Any:
    """The job of a task, with its state. Only the script that submitted the task has that.

    Raises:
        ExperimentError: This process is a job, which knows only the directories of other jobs.
    """
    job = job_of(task, what)
    if not hasattr(job, "state"):
        wrong = "a job does not follow the tasks that it uses"
        raise ExperimentError(f"{type(task).__name__}.{what}", wrong, "Ask in the script that submits them.")
    return job


def directory_of(task: Any, what: str) -> JobDirectory:
    """The directory of the job of a submitted task."""
    from xpm_core.workspace.job_directory import JobDirectory  # late, because few scripts need it before they submit

    path = Path(job_of(task, what).jobpath)
    return JobDirectory(path.parent.parent, f"{path.parent.name}/{path.name}")


def waited(name: str, job: Any) -> bool:
    """Wait for a job of the open experiment, and return whether it is done."""
    if not job.state.settled and not (experiments and experiments[-1].wait_for(job)):
        wrong = f"no open experiment follows its job, whose last known state is {job.state.value}"
        raise ExperimentError(f"{name}.wait", wrong, "Wait inside of the experiment that it was submitted to.")
    return bool(job.state is State.DONE or getattr(job, "rehearsed", False))  # a dry run goes on as if it were done


def sheet(task: Any) -> str:
    """A task as HTML. What cannot be said yet is replaced by the reason."""
    from xpm_core.words import html  # late, because only notebooks need it

    job = state_of(task).submitted
    state = getattr(job, "state", None)
    try:
        identity = html.code(foreseen(task))
    except XpmError as error:
        identity = html.text(error)
    labels = ", ".join(f"{name}={value}" for name, value in tags.collect(task).items())
    facts = {"identity": identity, "tags": labels or "-", "state": "not submitted"}
    if state is not None:
        facts["state"] = html.text(state.value, state=state)
    if job is not None:
        facts["directory"] = html.code(job.jobpath)
    return html.card(type(task).__qualname__, facts)
