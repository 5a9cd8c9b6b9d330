"""The job that runs in this process, as its own code sees it: its tokens, its time, and the signal to end.

Owns: `current`, which the worker's job process sets; in any other process it is None. Imports nothing heavy.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from xpm_core.errors import NoJobError, TokenHoldingError

if TYPE_CHECKING:
    from xpm_core.workspace.job_directory import JobDirectory

JOB_VARIABLE = "XPM_JOB"
"""Variable in a job's environment that holds the job's identity."""

TOKENS_VARIABLE = "XPM_TOKENS"
"""Variable in a job's environment that names the tokens of the job: `cpu=3;gpu=2:0,1`. After each token comes how many
units the job holds, and after `:` the numbers of these units, if they are numbered."""


class TaskCancelled(BaseException):
    """Raised in a job's main thread when the job is to end: its worker is leaving, or somebody cancelled it.

    Catch it to save what is there, and raise it again. Code that catches it and returns has finished its job. It is no
    `Exception`, so that `except Exception` for the job's own errors does not swallow it.

    Attributes:
        remaining_time: Seconds until the process is killed, counted from when this was raised; None when unknown.

    Example:
        try:
            train()
        except TaskCancelled:
            save_checkpoint()
            raise
    """

    def __init__(self, message: str = "the job is to end", remaining_time: float | None = None) -> None:
        super().__init__(message, remaining_time)
        self.message, self.remaining_time = message, remaining_time

    def __str__(self) -> str:
        return self.message


class RunningJob:
    """What this process knows of the job that it runs.

    Args:
        label: The job as messages name it, `Train/3f2a91c`.
        directory: Where it runs.
        execution: The id of its execution.
        left_s: Returns the seconds until the job is to end; None without a limit.
        report: Sends a report of a kind; returns whether it could be sent at once. It never waits.
        output: Sends an output. If that cannot be done at once, it is sent later.

    Attributes:
        task: The live task, once it was loaded.
        metrics: Its file of metrics; None until it logs something (reporting/metrics.py).
        kept: The outputs that the job's directory keeps, as texts; None until the first output is registered
            (output_registration.py).
        pid: The process that runs the job. Processes that it forks have other ids.
    """

    def __init__(
        self,
        label: str,
        directory: JobDirectory,
        execution: str = "",
        *,
        left_s: Callable[[], float | None],
        report: Callable[[str, dict[str, Any]], bool],
        output: Callable[[dict[str, Any]], None],
    ) -> None:
        self.label, self.directory, self.execution = label, directory, execution
        self.left_s, self.report, self.output = left_s, report, output
        self.task: Any = None
        self.metrics: Any = None
        self.kept: set[str] | None = None
        self.pid = os.getpid()


current: RunningJob | None = None
"""The job that runs in this process; None elsewhere."""


def own(where: str) -> RunningJob:
    """The job that runs in this process.

    Args:
        where: The call that needs the job, for the message.

    Raises:
        NoJobError: No job runs in this process.
    """
    if current is None or current.pid != os.getpid():
        raise NoJobError(where)
    return current


def remaining_time() -> float | None:
    """Seconds until this job has to end.

    Returns:
        None if the job has no limit, and outside of a job.

    Example:
        left_s = remaining_time()
        if left_s is not None and left_s < 60:
            save_checkpoint()
    """
    left_s = current.left_s() if current is not None else None
    return None if left_s is None else max(left_s, 0.0)


def token_units(where: str, name: str) -> tuple[int, ...] | int:
    """The units of a token that this job holds.

    It works in processes that the job has started, too, because it reads their environment.

    Args:
        where: The call that asks, for the message.
        name: The token's name.

    Returns:
        The numbers of the units; how many units there are, if they are not numbered.

    Raises:
        TokenHoldingError: The job does not hold the token.
    """
    held = dict(part.split("=", 1) for part in os.environ.get(TOKENS_VARIABLE, "").split(";") if part)
    if name not in held:
        raise TokenHoldingError(where, name, tuple(held))
    count, _, numbers = held[name].partition(":")
    return tuple(map(int, numbers.split(","))) if numbers else int(count)
