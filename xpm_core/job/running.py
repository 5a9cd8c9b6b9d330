"""The job that this process runs, as its own code sees it: what it holds, how long it may run, how it is told to end.

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
"""Set in a job's environment: its identity."""

TOKENS_VARIABLE = "XPM_TOKENS"
"""Set in a job's environment: the tokens that it holds, `cpu=3;gpu=2:0,1`: how many, then the numbers of the units."""


class TaskCancelled(BaseException):
    """Raised in a job's main thread when the job is to end: its worker is leaving, or somebody cancelled it.

    Catch it to save what is there, and raise it again. Code that catches it and returns has finished its job. It is no
    `Exception`, so that what handles errors of the job's own does not swallow it.

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
        left_s: Seconds until it is to end; None without any limit.
        report: Tells something of a kind; returns whether it went out. It never waits.
        output: Tells of an output; what does not go out now goes later.
    """

    def __init__(
        self,
        label: str,
        directory: JobDirectory,
        *,
        left_s: Callable[[], float | None],
        report: Callable[[str, dict[str, Any]], bool],
        output: Callable[[dict[str, Any]], None],
    ) -> None:
        self.label, self.directory = label, directory
        self.left_s, self.report, self.output = left_s, report, output
        self.task: Any = None
        """The live task, once it was loaded."""
        self.kept: set[str] | None = None
        """What its directory keeps of outputs, once that was looked at; see xpm_core.job.outputs."""
        self.pid = os.getpid()
        """The process; those that it forks are others."""


current: RunningJob | None = None
"""The job that runs in this process; None elsewhere."""


def own(where: str) -> RunningJob:
    """The job that runs in this process.

    Args:
        where: What asks, for the message.

    Raises:
        NoJobError: None does.
    """
    if current is None or current.pid != os.getpid():
        raise NoJobError(where)
    return current


def remaining_time() -> float | None:
    """Seconds until this job is told to end; None without any limit, and outside of a job."""
    left_s = current.left_s() if current is not None else None
    return None if left_s is None else max(left_s, 0.0)


def token_units(where: str, name: str) -> tuple[int, ...] | int:
    """The numbers of the units of a token that this job holds; how many, where units are not numbered.

    Also in processes that the job has started: it is their environment that tells.

    Args:
        where: What asks, for the message.
        name: The token's.

    Raises:
        TokenHoldingError: The job holds none of it.
    """
    held = dict(part.split("=", 1) for part in os.environ.get(TOKENS_VARIABLE, "").split(";") if part)
    if name not in held:
        raise TokenHoldingError(where, name, tuple(held))
    count, _, numbers = held[name].partition(":")
    return tuple(map(int, numbers.split(","))) if numbers else int(count)
