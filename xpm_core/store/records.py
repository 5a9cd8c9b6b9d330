"""The records that the store takes and returns.

Owns: these, and the result codes of the scripts (each script's header names the same).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from xpm_core.defaults import DEFAULT_LEASE_S, DEFAULT_QUEUE
from xpm_core.states import State
from xpm_core.workspace.job_spec import JobSpec, Retries

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class SubmitCode(IntEnum):
    """What `submit` did with a job."""

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
    ORDERED = -4


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
    """What became of a job that a worker has refused."""

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
    """Whether what a running job says was accepted."""

    TOLD = 1
    STALE = -2


class CancelCode(IntEnum):
    """What cancelling did."""

    CANCELLED = 1
    ASKED = 2
    SPARED = 3
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


class CollectCode(IntEnum):
    """Whether a collection has begun or ended."""

    BEGUN = 1
    ENDED = 2
    BUSY = 0


class ForgetCode(IntEnum):
    """Whether the server has forgotten a job."""

    TAKEN = 1
    UNSETTLED = 0
    NEEDED = -1
    STALE = -2
    NAMED = -4
    OVER = -5


class Submission(NamedTuple):
    """A job on its way to Redis.

    Args:
        spec: What it runs.
        needs: Identities of the jobs that it needs.
        demand: How many units of each token it needs.
        queue: Its queue.
        priority: -100 to 100; higher first.
        marker: The execution that a `done` marker in the job's directory names, if it may be adopted; else empty.
        retries: How often it runs again.
        min_time_s: A worker that has less time left, in seconds, does not claim it.
        tags: For people.
        project: The project whose code it needs. A worker that cannot import that code gets no more of its jobs.
        made_ms: When the script made it, ms of the server's clock; 0 for the time when its run began. Of two
            submissions of a job that has not begun, the one that was made later counts.
        where: The line of the script that submits it, for messages.
    """

    spec: JobSpec
    needs: Sequence[str] = ()
    demand: Mapping[str, int] = _NOTHING
    queue: str = DEFAULT_QUEUE
    priority: int = 0
    marker: str = ""
    retries: Retries = Retries()
    min_time_s: int = 0
    tags: Mapping[str, Any] = _NOTHING
    project: str = ""
    made_ms: int = 0
    where: str = ""

    @property
    def identity(self) -> str:
        """The job's identity."""
        return self.spec.identity

    @property
    def label(self) -> str:
        """The job as messages name it, with its line: an error may come when the script is at another line."""
        return f"{self.spec.label} (submitted at {self.where})" if self.where else self.spec.label


class Submitted(NamedTuple):
    """What became of one submission.

    Args:
        code: What was done with it.
        state: The job's state.
        execution: Its latest execution; empty if there was none.
        ended_s: When it ended by the server's clock, epoch seconds; 0 if it has not ended.
        root: The job that blocks it; empty if none does.
        cursor: The event up to which all this holds.
        since: All events after this one, up to `cursor`, are of jobs of the same call. Empty if there are others.
        kept: The snapshot that the job keeps, if it is another one than that of the submission; empty for code that
            is not kept; None if the job has that of the submission, or is done.
        replaced: The snapshot that the job had before, if it now has that of the submission; else as `kept`.
    """

    code: SubmitCode
    state: State
    execution: str
    ended_s: float
    root: str
    cursor: str
    since: str = ""
    kept: str | None = None
    replaced: str | None = None


@dataclass(frozen=True)
class Run:
    """One execution of an experiment's script, as the server knows it."""

    id: str
    started_ms: int
    cursor: str
    jobs: int


class Lease(NamedTuple):
    """An execution's right to a job, and all that is needed to run it.

    Args:
        spec: What it runs.
        execution: The execution's id.
        left_s: How long the lease lasts, seconds from when it was asked for.
        attempt: Which attempt at the job this is, from 1.
        queue: The queue that it came from.
        units: The tokens that it holds: `{"gpu": (1, "0")}` is one unit, number 0 ("" if they are not numbered).
        variables: Variables that name its units to the job: `{"CUDA_VISIBLE_DEVICES": "0"}`.
        replaces: The execution that somebody asked to replace. Its `done` marker must not be adopted.
        cancelled: Whether somebody asked to cancel the job.
        needs: Identities of the jobs that this one needs.
        retries: How often it runs again.
        tags: For people. They are not signed.
        experiment: Of the experiments that it belongs to, the one whose run began last; empty if more than 200 others
            began later. It is not signed.
    """

    spec: JobSpec
    execution: str
    left_s: float
    attempt: int
    queue: str
    units: dict[str, tuple[int, str]]
    variables: dict[str, str]
    replaces: str
    cancelled: bool
    needs: tuple[str, ...]
    retries: Retries
    tags: Mapping[str, Any] = _NOTHING
    experiment: str = ""

    @property
    def identity(self) -> str:
        """The job's identity."""
        return self.spec.identity


class Claim(NamedTuple):
    """The reply to a claim.

    Args:
        code: What it brought.
        wait_s: After how many seconds to claim again, if nothing wakes the worker before.
        more: Whether to call `look` at once.
        ready, delayed, running: How many jobs of the whole workspace are in that state.
        registered: Whether the server knows the worker. If not, the worker joins anew.
        order: What the worker was ordered to do: drain, stop, stop_now; empty for nothing.
        lease: The job that was claimed, if any.
    """

    code: ClaimCode
    wait_s: float
    more: bool
    ready: int
    delayed: int
    running: int
    registered: bool
    order: str
    lease: Lease | None

    @property
    def open(self) -> int:
        """How many jobs of the workspace are ready, delayed or running."""
        return self.ready + self.delayed + self.running


class Finish(NamedTuple):
    """Whether the outcome counts, the state that the job went to, and the reply to the next claim.

    The state is empty if the outcome was accepted before, and another execution has the job since.
    """

    code: FinishCode
    state: str
    next: Claim

    @property
    def accepted(self) -> bool:
        """Whether this execution's outcome is the one that counts."""
        return self.code in (FinishCode.ACCEPTED, FinishCode.ALREADY)


class Renewal(NamedTuple):
    """The reply to a heartbeat. The last three are those of a `Claim`."""

    code: RenewCode
    registered: bool
    more: bool
    order: str


class Pause(NamedTuple):
    """The pause of a queue.

    Args:
        since_s: Since when, epoch seconds by the server's clock; 0 if that is not known.
        by: Who has paused it: `alice@node1`.
        why: Why; may be empty.
    """

    since_s: float
    by: str
    why: str


@dataclass(frozen=True)
class Serving:
    """A queue, its ready jobs, and the living workers that serve it.

    `workers` may be 0 if all of these only finish their jobs. `pause` is None if the queue is not paused.
    """

    queue: str
    ready: int
    workers: int
    pause: Pause | None = None


@dataclass(frozen=True)
class Look:
    """What a waiting script sees: how many jobs are open, the queues, and whether to look again at once (`more`)."""

    more: bool
    ready: int
    delayed: int
    running: int
    queues: list[Serving]


@dataclass(frozen=True)
class WorkerId:
    """The worker that calls, the same in each of its calls.

    Args:
        name: Its name.
        host: Its machine.
        queues: The queues that it serves, in order.
        lease_s: How long its leases last, seconds.
        devices: How many devices its own variables list: `CUDA_VISIBLE_DEVICES=2`. Kinds that are not listed have no
            limit.
    """

    name: str
    host: str
    queues: tuple[str, ...] = (DEFAULT_QUEUE,)
    lease_s: float = DEFAULT_LEASE_S
    devices: str = ""

    @property
    def lease_ms(self) -> int:
        """The lease in milliseconds, which is what the scripts take."""
        return round(self.lease_s * 1000)
