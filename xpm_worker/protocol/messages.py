"""The messages between the processes of a worker.

    slot     -> starter   RunJob, LeaseRenewed, StopJob
    starter  -> slot      Hello, AttemptStarted, StatusUpdate, OutputRegistered, AttemptEnded
    starter  -> job       RunJob
    job      -> starter   StandbyReady, TaskLoaded, StatusUpdate, OutputRegistered, ClosingFiles, TaskRan,
                          ResultsReported, TaskFinished
    template -> starter   TemplateReady

Both ends always belong to the same installation, so messages may change from version to version.

Owns: what each message says. codec.py turns messages into bytes, channel.py sends them. Imports nothing heavy, because
processes of jobs use it.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Hello(NamedTuple):
    """The starter runs.

    Attributes:
        mark: This mark stands in the environment of all descendants of the starter (system/marks.py). It is empty where
            the environment cannot be changed.
        pid: Process id of the starter.
    """

    mark: str
    pid: int


class RunJob(NamedTuple):
    """Run a job.

    Attributes:
        execution: Id of this execution.
        identity: The job's identity.
        task: The job's task, as `module:Class`.
        label: How messages name the job: `Train/3f9ac2e`.
        workspace: Path of the workspace.
        directory: The job's directory, relative to the workspace.
        payload: The task as bytes (xpm_core.wire).
        attempt: Number of this attempt; the first one is 1.
        resumable: Whether the job may find the files of its last attempt.
        template: Whether the job may be forked from a template with imported packages.
        env: Environment variables of the job.
        timeout_s: The job's time limit, seconds; None for no limit.
        lease_until: When the lease ends, by the boot clock (`clock.boot_time`).
        worker: Name of the slot's RQ worker.
        host: Name of this machine.
        grace_s: How long after SIGTERM the job is killed, seconds.
        ends_at: When the job is handed back because the worker's time is over, by the boot clock; None for never.
        allow: Patterns of the modules that the job may import; empty for all modules.
        max_log: How many bytes each log may have; 0 for any number.
        code: Where the code of the snapshot lies here (`MovedCode.folders`); empty for code that is where it was.
        snapshot: The snapshot that the job imports, by its digest; empty for live code.
        provenance: How the job came to be submitted, by its digest; empty if that is not known.
        about: What the record says of the code, of the worker and of its machine.
        number: Number of the attempt in the job's directory, once the starter knows it.
        trackers: How trackers name the job (`xpm_core.job.environment.tracker_names`). No part of a template.
        extra: Variables of hooks, which the job has unless `env` has them. No part of a template.
    """

    execution: str
    identity: str
    task: str
    label: str
    workspace: str
    directory: str
    payload: bytes
    attempt: int
    resumable: bool
    template: bool
    env: dict[str, str]
    timeout_s: float | None
    lease_until: float
    worker: str
    host: str
    grace_s: float = 0.0
    ends_at: float | None = None
    allow: list[str] = []  # noqa: RUF012, nobody adds to it
    max_log: int = 0
    code: dict[str, str] = {}  # noqa: RUF012, nobody adds to it
    snapshot: str = ""
    provenance: str = ""
    about: dict[str, Any] = {}  # noqa: RUF012, nobody adds to it
    number: int = 0
    trackers: dict[str, str] = {}  # noqa: RUF012, nobody adds to it
    extra: dict[str, str] = {}  # noqa: RUF012, nobody adds to it


class LeaseRenewed(NamedTuple):
    """The lease now ends at `lease_until`, by the boot clock. At that time the starter freezes the job."""

    execution: str
    lease_until: float


class StopJob(NamedTuple):
    """End the job.

    Attributes:
        execution: Which one.
        reason: cancelled, lost, killed or released.
        grace_s: How long the job may take to end after SIGTERM, seconds; 0 to kill it at once.
    """

    execution: str
    reason: str
    grace_s: float


class AttemptStarted(NamedTuple):
    """The job's process runs, as attempt `number` of its directory. This is not sent for a job that ends at once."""

    execution: str
    pid: int
    number: int


class TemplateReady(NamedTuple):
    """A template has imported its packages, or jobs cannot be forked from it.

    Attributes:
        problem: Why jobs cannot be forked from it; empty when they can.
        modules: The modules of installed packages that it imported, if it was started for the first job of a task.
    """

    problem: str
    modules: list[str]


class StandbyReady(NamedTuple):
    """A process stands by for a job, with this process id. Nothing of the user's has run in it yet."""

    pid: int


class TaskLoaded(NamedTuple):
    """The job has imported its classes.

    Attributes:
        modules: The modules of installed packages that came with them.
        seeds: The seeds among its parameters, by their paths.
    """

    modules: list[str]
    seeds: dict[str, Any] = {}  # noqa: RUF012, nobody adds to it


class StatusUpdate(NamedTuple):
    """The job says something while it runs. An update may be dropped when a later one of its kind follows."""

    kind: str
    data: dict[str, Any]


class OutputRegistered(NamedTuple):
    """The job has registered an output. Each of these messages arrives, in order."""

    data: dict[str, Any]


class ResultsReported(NamedTuple):
    """What the job has reported for tables, once its code has ended: `Reported.summary`."""

    summary: dict[str, Any]


class ClosingFiles(NamedTuple):
    """The job's code, its threads and its exit handlers have ended. The process now writes files that it left open."""


class TaskRan(NamedTuple):
    """What the job's process ran of its snapshot: a document, see `xpm_core.fingerprints.ran`."""

    document: bytes


class TaskFinished(NamedTuple):
    """The last message of a job's process.

    Attributes:
        returned: Whether `execute` returned.
        error: What went wrong (job/failure.py); None if nothing did, or if the job hands itself back.
        handed_back: Whether the job hands itself back.
        missing: The module that was not found when the job's code was imported; empty for other errors.
        looked: Where that module was looked for.
    """

    returned: bool
    error: dict[str, Any] | None
    handed_back: bool = False
    missing: str = ""
    looked: str = ""


class AttemptEnded(NamedTuple):
    """All processes of the job are gone, and its record is written.

    Attributes:
        execution: Which one.
        reason: How it ended: done, failed, killed, timeout, released, cancelled, lost or refused.
        error: What went wrong; None if nothing did.
        exit_code: The exit code of the job's process, if it exited.
        signal: The signal that ended the job's process, if one did.
        seconds: How long it took.
        began: Whether there was a process of the job.
        handed_back: Whether the job handed itself back.
        missing: As in `TaskFinished`, if the reason is "refused".
        looked: As in `TaskFinished`, if the reason is "refused".
        live_files: Whether the job has read files of the project that its snapshot does not hold.
        reported: What the job has reported for tables.
        number: Number of the attempt in the job's directory; 0 if there was none.
    """

    execution: str
    reason: str
    error: dict[str, Any] | None
    exit_code: int | None
    signal: int | None
    seconds: float = 0.0
    began: bool = False
    handed_back: bool = False
    missing: str = ""
    looked: str = ""
    live_files: bool = False
    reported: dict[str, Any] = {}  # noqa: RUF012, nobody adds to it
    number: int = 0


Message = (
    Hello
    | RunJob
    | LeaseRenewed
    | StopJob
    | AttemptStarted
    | TemplateReady
    | StandbyReady
    | TaskLoaded
    | StatusUpdate
    | OutputRegistered
    | ResultsReported
    | ClosingFiles
    | TaskRan
    | TaskFinished
    | AttemptEnded
)
