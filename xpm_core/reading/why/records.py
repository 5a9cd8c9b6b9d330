"""The records that say why jobs do not run.

Owns: what they contain, and their JSON form. `schema` and times as people write them belong to the program.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xpm_core.reading.jobs import Job
from xpm_core.reading.why.history import Attempt
from xpm_core.words.reasons import Code, Outlook, Reason

if TYPE_CHECKING:
    from xpm_core.words.commands import Commands


@dataclass(frozen=True)
class Why:
    """Why a job does not run; or that it runs, or has ended.

    Attributes:
        job: The job.
        reasons: All reasons that hold, in their order. The first one is the reason.
        now_s: When this was read, by the server's clock, epoch seconds.
        since_s: Since when the job is in its state, epoch seconds; None if that is not known.
        heartbeat_s: How long ago the worker called that was silent longest, of the workers that count; None if there is
            none, or if it is not known.
        earlier: Earlier attempts, the oldest first, as far as they are known.
        forgotten: How many earlier attempts are not known any more.

    Example:
        >>> why = reader.reasons.why(identity)
        >>> print(why.reason)
        token gpu held by running jobs
    """

    job: Job
    reasons: tuple[Reason, ...]
    now_s: float
    since_s: float | None
    heartbeat_s: float | None
    earlier: tuple[Attempt, ...]
    forgotten: int

    @property
    def reason(self) -> Reason:
        """The first of the reasons."""
        return self.reasons[0]

    @property
    def outlook(self) -> Outlook:
        """Whether the job will run: never if one of the reasons says so."""
        outlooks = [reason.outlook for reason in self.reasons]
        return Outlook.NEVER if Outlook.NEVER in outlooks else outlooks[0]

    def what_to_do(self, commands: Commands) -> list[str]:
        """What to do or to type, by the first of the reasons."""
        return self.reason.what_to_do(commands, self.job.identity)

    def as_data(self) -> dict[str, Any]:
        """The JSON form of the reasons, the earlier attempts and the age of the facts, without the job."""
        return {
            "outlook": self.outlook.value,
            "reasons": [reason.as_data() for reason in self.reasons],
            "earlier": [attempt.as_data() for attempt in self.earlier],
            "forgotten": self.forgotten,
            "facts": {"redis_s": 0.0, "heartbeats_s": _rounded(self.heartbeat_s)},
        }


@dataclass(frozen=True)
class Group:
    """Jobs that wait for one reason.

    Attributes:
        code: Its code.
        text: The reason in words.
        jobs: How many jobs.
        queue: Their queue; empty if they are of several queues.
        example: The identity of one of them; empty if none is known.
        reason: The reason with its facts; None if it is known only that jobs are in a state.
    """

    code: Code
    text: str
    jobs: int
    queue: str = ""
    example: str = ""
    reason: Reason | None = None

    def as_data(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "code": self.code.value, "outlook": self.code.outlook.value, "text": self.text, "jobs": self.jobs,
            "queue": self.queue or None, "example": self.example or None,
        }  # fmt: skip


@dataclass(frozen=True)
class Summary:
    """All jobs that wait, by reason.

    Attributes:
        now_s: When this was read, by the server's clock, epoch seconds.
        groups: The groups, in the order of their reasons; within a reason, the largest first.
    """

    now_s: float
    groups: tuple[Group, ...]

    @property
    def jobs(self) -> int:
        """How many jobs wait."""
        return sum(group.jobs for group in self.groups)

    def as_data(self) -> dict[str, Any]:
        """The JSON form."""
        return {"jobs": self.jobs, "groups": [group.as_data() for group in self.groups], "facts": {"redis_s": 0.0}}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
