"""What goes to the scripts and what comes back, in Python's words.

Owns: result codes (each script's header names the same), defaults, and the records that `jobs.py` returns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from xpm_core.defaults import DEFAULT_BACKOFF_S, DEFAULT_LEASE_S, DEFAULT_MAX_LOSSES, DEFAULT_MAX_RETRIES, DEFAULT_QUEUE
from xpm_core.states import State

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class SubmitCode(IntEnum):
    """What submit did with a job."""

    NEW = 1
    ATTACHED = 2
    DONE = 3
    RETRIED = 4
    UNMARKED = 5


class ClaimCode(IntEnum):
    """What a claim brought."""

    CLAIMED = 1
    EMPTY = 0
    SUSPENDED = -1
    STALE = -2
    UNWANTED = -3


class FinishCode(IntEnum):
    """Whether an outcome counts."""

    ACCEPTED = 1
    ALREADY = 2
    STALE = -2
    UNKNOWN = -3


class RenewCode(IntEnum):
    """Whether a lease goes on."""

    RENEWED = 1
    IDLE = 0
    CANCEL = -1
    STALE = -2
    UNKNOWN = -3


class ReleaseCode(IntEnum):
    """Whether a job was handed back."""

    RELEASED = 1
    ALREADY = 2
    STALE = -2
    UNKNOWN = -3


class RefuseCode(IntEnum):
    """What became of a job that a worker cannot import."""

    REFUSED = 1
    FAILED = 3
    ALREADY = 2
    STALE = -2
    UNKNOWN = -3


class LoseCode(IntEnum):
    """Whether a job counts as lost by its worker."""

    LOST = 1
    ALREADY = 2
    STALE = -2
    UNKNOWN = -3


class TellCode(IntEnum):
    """Whether what a job says was heard."""

    TOLD = 1
    STALE = -2


class CancelCode(IntEnum):
    """What cancelling did."""

    CANCELLED = 1
    ASKED = 2
    SETTLED = 0
    UNKNOWN = -3


class RetryCode(IntEnum):
    """What asking for a retry did."""

    RETRIED = 1
    UNSETTLED = 0
    BLOCKED = -1
    STALE = -2
    UNKNOWN = -3
    IN_USE = -4
    BARE = -5


class Submission(NamedTuple):
    """A sealed task on its way to Redis.

    `marker` names the execution of an adoptable done marker in the job's directory, if there is one. A worker that has
    less than `min_time_s` left does not claim it. `project` names the project whose code it needs: a worker that cannot
    import that is offered no more of it. `where` is the script's line, for messages.
    """

    identity: str
    task: str
    name: str
    directory: str
    payload: bytes
    needs: Sequence[str] = ()
    demand: Mapping[str, int] = _NOTHING
    queue: str = DEFAULT_QUEUE
    priority: int = 0
    marker: str = ""
    max_retries: int = DEFAULT_MAX_RETRIES
    max_losses: int = DEFAULT_MAX_LOSSES
    backoff_s: float = DEFAULT_BACKOFF_S
    min_time_s: int = 0
    options: Mapping[str, Any] = _NOTHING
    tags: Mapping[str, Any] = _NOTHING
    project: str = ""
    where: str = ""

    @property
    def label(self) -> str:
        """How messages name it. A refusal may come late, when the script is at another line."""
        name = f"{self.name}/{self.identity[:7]}"
        return f"{name} (submitted at {self.where})" if self.where else name


class Submitted(NamedTuple):
    """What became of one submission.

    `ended_s` is the server's time (epoch seconds), 0 when it has not ended; `cursor`, the event up to which this holds.
    All events after `since` up to there are of what was submitted together; empty when there are others.
    """

    code: SubmitCode
    state: State
    execution: str
    ended_s: float
    root: str
    cursor: str
    since: str = ""


@dataclass(frozen=True)
class Run:
    """One execution of an experiment's script, as the server knows it."""

    id: str
    started_ms: int
    cursor: str
    jobs: int


class Lease(NamedTuple):
    """An execution's right to a job, and what is needed to run it.

    `units` tells the tokens that it holds: `{"gpu": (1, "0")}` is one unit, which is number 0 ("" if not numbered);
    `variables`, those of the job's environment that name units: `{"CUDA_VISIBLE_DEVICES": "0"}`.
    `replaces` is the execution whose done marker must not be adopted (an asked-for retry); `needs`, the jobs that this
    one needs.
    """

    identity: str
    execution: str
    left_s: float
    attempt: int
    task: str
    name: str
    directory: str
    payload: bytes
    options: dict[str, Any]
    queue: str
    units: dict[str, tuple[int, str]]
    variables: dict[str, str]
    replaces: str
    cancelled: bool
    needs: tuple[str, ...]
    max_retries: int
    max_losses: int
    backoff_s: float


class Claim(NamedTuple):
    """The reply to a claim. `wait_s` says when to look again; `more`, to call `look` at once.

    `ready`, `delayed` and `running` count the whole workspace. When `registered` is false the worker joins anew.
    """

    code: ClaimCode
    wait_s: float
    more: bool
    ready: int
    delayed: int
    running: int
    registered: bool
    lease: Lease | None

    @property
    def open(self) -> int:
        """How many jobs of the workspace are ready, delayed or running."""
        return self.ready + self.delayed + self.running


class Finish(NamedTuple):
    """Whether the outcome counts, where the job went, and the next claim."""

    code: FinishCode
    state: str
    next: Claim

    @property
    def accepted(self) -> bool:
        """Whether this execution's outcome is the one that counts."""
        return self.code in (FinishCode.ACCEPTED, FinishCode.ALREADY)


@dataclass(frozen=True)
class Serving:
    """A queue, its ready jobs, and the living workers that serve it."""

    queue: str
    ready: int
    workers: int


@dataclass(frozen=True)
class Look:
    """What a waiting script sees."""

    more: bool
    ready: int
    delayed: int
    running: int
    queues: list[Serving]


@dataclass(frozen=True)
class WorkerId:
    """Who calls: a worker's name, host, lease and queues, the same in each of its calls.

    `devices` tells how many devices its own variables list (`CUDA_VISIBLE_DEVICES=2`); of others it may have any.
    """

    name: str
    host: str
    queues: tuple[str, ...] = (DEFAULT_QUEUE,)
    lease_s: float = DEFAULT_LEASE_S
    devices: str = ""

    @property
    def lease_ms(self) -> int:
        """The lease in milliseconds, as the scripts take it."""
        return round(self.lease_s * 1000)
