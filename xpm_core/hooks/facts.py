"""What hooks are told of a job, of its end, and of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from xpm_core.states import State


class HookedJob(NamedTuple):
    """A job that starts, or that has ended, as hooks get it.

    Attributes:
        identity: Its identity, 64 hexadecimal digits.
        task: Its task: `sweep:Train`.
        title: The job as people know it: `Train lr=0.1 model=mlp`.
        tags: Its tags.
        experiment: The experiment that it is known by: of those that it belongs to, the one whose script began last.
            Empty if that is not known, or if 200 others began later.
        execution: The id of this execution.
        attempt: The number of this attempt, from 1: that of its record in the job's directory, which `WANDB_RUN_ID`
            ends with. The server may know fewer attempts, if it was wiped since.
        queue: Its queue.
        workspace: The workspace.
        directory: The job's directory. Before the first attempt it does not exist.
        host: The machine on which it runs.
        worker: The worker that runs it.
    """

    identity: str
    task: str
    title: str
    tags: Mapping[str, Any]
    experiment: str
    execution: str
    attempt: int
    queue: str
    workspace: Path
    directory: Path
    host: str
    worker: str


class JobOutcome(NamedTuple):
    """How a job has ended. The server has accepted this end, and the job does not run again by itself.

    Attributes:
        state: done, failed or cancelled.
        seconds: How long its last attempt took; 0 if there was none.
        error: What went wrong: type, message, file, line, function. Empty without an error.
        results: What the job has reported, by name, without lists.
    """

    state: State
    seconds: float
    error: Mapping[str, Any]
    results: Mapping[str, Any]


class EndedRun(NamedTuple):
    """A run of a script that has ended.

    Attributes:
        experiment: The experiment.
        workspace: The workspace.
        directory: The directory of the run, `experiments/<name>/runs/<time>`.
        outcome: "done" if all jobs are done, "failed" if not, "stopped" after an error of the script, "interrupted"
            after Ctrl-C.
        counts: How many jobs of the run stand in each state: done, failed, blocked, cancelled, unfinished; and how many
            of the done ones were reused.
        seconds: How long the run took.
        report: The lines that the script has printed at its end.
    """

    experiment: str
    workspace: Path
    directory: Path
    outcome: str
    counts: Mapping[str, int]
    seconds: float
    report: str
