"""The options of `submit`: their defaults and checks, and those of them that the job's worker reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from xpm_core.config import ResumableTask
from xpm_core.defaults import DEFAULT_BACKOFF_S, DEFAULT_MAX_LOSSES, DEFAULT_MAX_RETRIES
from xpm_core.errors import ExperimentError
from xpm_core.language.graph.state import EMPTY
from xpm_core.project.settings import templates_wanted
from xpm_core.scalars import is_number, is_whole
from xpm_core.script.code.choice import CHOICES, EXPECTED, NO_CODE, Choice, Code
from xpm_core.script.submit.arguments import refuse_unknown
from xpm_core.tracebacks.callsite import CodeLine, format_line
from xpm_core.words.names import check_queue_name
from xpm_core.workspace.job_spec import JobOptions


@dataclass(frozen=True)
class Options:
    """The options of `Task.submit`.

    Args:
        queue: The queue; None for the experiment's own.
        priority: -100 to 100; higher first.
        timeout: After how many seconds the job is killed; None for never.
        max_retries: How often it runs again after its own errors.
        max_losses: How often it runs again after its worker was lost.
        backoff: How long the first retry waits, seconds; each further one waits twice as long.
        env: Variables that are added to the job's environment.
        min_time: How long it runs at least, seconds. Workers that have less time left do not take it.
        code: "snapshot" for the project's files as they are when the task is submitted, "live" for the files as they
            are when the job starts; None for what the experiment says.
    """

    queue: str | None = None
    priority: int = 0
    timeout: float | None = None
    max_retries: int = DEFAULT_MAX_RETRIES
    max_losses: int = DEFAULT_MAX_LOSSES
    backoff: float = DEFAULT_BACKOFF_S
    env: Mapping[str, str] = field(default_factory=dict)
    min_time: float = 0
    code: Choice | None = None
    _in_job: dict[tuple[type, Code], JobOptions] = field(default_factory=dict, init=False, repr=False, compare=False)

    def chosen(self) -> tuple[tuple[str, Any], ...]:
        """The options by their names, in a form that can be compared and shared."""
        env = tuple(sorted(self.env.items()))
        return tuple((each.name, env if each.name == "env" else getattr(self, each.name)) for each in fields(self)[:-1])

    def in_job(self, cls: type, code: Code = NO_CODE) -> JobOptions:
        """Return how a worker runs a job of a class with some code. All such submissions share the record."""
        found = self._in_job.get((cls, code))
        if found is None:
            found = self._in_job[cls, code] = JobOptions(
                timeout_s=self.timeout,
                env=dict(self.env),
                resumable=issubclass(cls, ResumableTask),
                template=getattr(cls, "template", True) is not False and templates_wanted(cls),
                snapshot=code.snapshot,
                provenance=code.provenance,
            )
        return found

    @classmethod
    def of(cls, given: Mapping[str, Any], place: CodeLine, common: Options) -> Options:
        """Read the options that `submit` was given, and take the others from those of the whole experiment.

        Args:
            given: The arguments of `submit`.
            place: The line that calls it.
            common: The options of the experiment.

        Raises:
            ExperimentError: There is no such option, or its value cannot work.
        """
        names = ["init_tasks", *(known.name for known in fields(cls) if known.init)]
        refuse_unknown("submit(): unknown option", given, names, place)
        for name, value in given.items():
            right, wanted = _CHECKS[name]
            if not right(value):
                problem = f"submit({name}={value!r}): expected {wanted}"
                raise ExperimentError(format_line(place), problem, "Pass such a value.")
        merged = {"env": {**common.env, **given.get("env", EMPTY)}, "code": given.get("code") or common.code}
        options = replace(common, **{**given, **merged})
        if options.queue is not None:
            check_queue_name(options.queue)
        return options


_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "queue": (lambda value: value is None or isinstance(value, str), "a name"),
    "priority": (lambda value: is_whole(value, -100, 100), "an integer from -100 to 100"),
    "timeout": (lambda value: value is None or (is_number(value, 0) and value > 0), "a number of seconds above 0"),
    "max_retries": (lambda value: is_whole(value, 0), "an integer of at least 0"),
    "max_losses": (lambda value: is_whole(value, 0), "an integer of at least 0"),
    "backoff": (lambda value: is_number(value, 0), "a number of seconds, at least 0"),
    "env": (
        lambda value: isinstance(value, Mapping) and all(isinstance(x, str) for x in [*value, *value.values()]),
        "names and values as strings",
    ),
    "min_time": (lambda value: is_number(value, 0, 10**9), "a number of seconds, at least 0"),
    "code": (lambda value: value is None or value in CHOICES, EXPECTED),
}
