"""What a worker, its starter and a job's process say to each other.

    worker   -> starter   Run, Renewed, Stop
    starter  -> worker    Hello, Started, Relay, Output, Ended
    starter  -> job       Run
    job      -> starter   Begun, Loaded, Relay, Output, Leaving, Finished
    template -> starter   Ready

Owns: the messages, and their way over a stream socket: four bytes of length, then msgpack. Whatever does
not fit is refused. Imports nothing heavy: job processes use it.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Hello(NamedTuple):
    """A starter is there. `mark` is found in the environment of all that descends from it; empty where it cannot be."""

    mark: str
    pid: int


class Run(NamedTuple):
    """Run a job. Moments are those of the boot clock (`clock.boot_time`).

    `grace_s` is how long after SIGTERM it is killed; from `ends_at` on, if that is not None, it is handed back. `allow`
    holds patterns of the modules that it may import, empty for all; `max_log`, the bytes that each log may have, 0 for
    any number.
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


class Renewed(NamedTuple):
    """The lease goes on until `lease_until`: before it passes, another word must have come."""

    execution: str
    lease_until: float


class Stop(NamedTuple):
    """End the job. `reason` is cancelled, lost, killed or released; with a grace, SIGTERM comes first."""

    execution: str
    reason: str
    grace_s: float


class Started(NamedTuple):
    """The job's process runs, as attempt `number` of its directory. Not told of one that ends at once."""

    execution: str
    pid: int
    number: int


class Ready(NamedTuple):
    """A template has imported what it was to; or jobs cannot be forked from it, for a reason.

    If it was started for the first job of a task, `modules` are those of installed packages that it has imported.
    """

    problem: str
    modules: list[str]


class Begun(NamedTuple):
    """The job's process is there. Nothing of the user's has run yet."""

    pid: int


class Loaded(NamedTuple):
    """The job's classes are imported; `modules` are those of installed packages that came with them."""

    modules: list[str]


class Relay(NamedTuple):
    """Something that the job tells while it runs. Of one kind, only the latest word may arrive."""

    kind: str
    data: dict[str, Any]


class Output(NamedTuple):
    """An output that the job has registered. Each one arrives, in order."""

    data: dict[str, Any]


class Leaving(NamedTuple):
    """The job's code has come to its end, its threads and exit handlers, too. What it left open is written now."""


class Finished(NamedTuple):
    """The last word of a job's process: whether `execute` returned, what went wrong, or that it hands itself back.

    `missing` is the module that was not found when the job's code was imported, `looked` where it was looked for.
    """

    returned: bool
    error: dict[str, Any] | None
    handed_back: bool = False
    missing: str = ""
    looked: str = ""


class Ended(NamedTuple):
    """The job's processes are gone, and what came of it is on record.

    `began`: there was a process of it. `handed_back`: that it ended was its own wish. If the reason is "refused",
    `missing` and `looked` are what `Finished` said.
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


Message = Hello | Run | Renewed | Stop | Started | Ready | Begun | Loaded | Relay | Output | Leaving | Finished | Ended
