"""Why a job does not run: the closed list of reasons.

Owns: the codes with their order, and what all reasons have in common. The words of each reason stand in `reasons_*.py`;
text, JSON and the display of a script all take them from there. `reading/why` finds out which reasons hold.

To add a reason, give it a place among the codes, and write its class.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from xpm_core.words.commands import Commands


class Outlook(str, Enum):
    """Whether a job will run."""

    NEVER = "never"
    """Not unless somebody changes something: the job, what it needs, a token, or the workers."""
    NOT_YET = "not yet"
    """It runs once something has happened that may happen by itself."""
    RUNNING = "running"
    """It has started."""
    ENDED = "ended"
    """It is done, or has failed."""
    UNKNOWN = "unknown"


class Code(str, Enum):
    """The codes, in their order: of the reasons that hold, the first one is the reason.

    Attributes:
        outlook: Whether a job with this reason will run.
        meaning: The reason in one sentence.
        remedy: What to do about it.
    """

    outlook: Outlook
    meaning: str
    remedy: str

    def __new__(cls, word: str, outlook: Outlook, meaning: str, remedy: str) -> Code:
        """Make a member, whose value is its word."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.outlook, member.meaning, member.remedy = outlook, meaning, remedy
        return member

    BLOCKED = (
        "blocked", Outlook.NEVER, "It needs a job that failed or was cancelled.",
        "Look at that job, and run it again: `xpm retry JOB`.",
    )  # fmt: skip
    DEPENDENCY = (
        "dependency", Outlook.NOT_YET, "It needs jobs that are not done.",
        "Wait, or look at the job that has to run first: `xpm why JOB`.",
    )  # fmt: skip
    CANCELLED = ("cancelled", Outlook.NEVER, "Somebody cancelled it.", "Run it again: `xpm retry JOB`.")
    TOO_LARGE = (
        "too_large", Outlook.NEVER, "It asks for more units than a token, or any worker of its queue, has.",
        "Give the token more units (`xpm tokens set`), start a worker on a larger machine, or ask for fewer.",
    )  # fmt: skip
    PAUSED = (
        "paused", Outlook.NOT_YET, "Somebody has paused its queue.", "Resume the queue: `xpm queues resume NAME`.",
    )  # fmt: skip
    UNSERVED = ("unserved", Outlook.NOT_YET, "No living worker serves its queue.", "Start a worker of that queue.")
    REFUSED = (
        "refused", Outlook.NOT_YET,
        "Workers refused it: they lack a module, do not know one of its options, or have no place for its code.",
        "Install on the worker what it lacks, or start a worker that has it.",
    )  # fmt: skip
    SILENT = (
        "silent", Outlook.NOT_YET, "The workers that could take it have not been heard of lately.",
        "Wait until their leases are over, or start a worker.",
    )  # fmt: skip
    SUSPENDED = ("suspended", Outlook.NOT_YET, "All workers of the server are suspended.", "Resume them: `rq resume`.")
    DRAINING = (
        "draining", Outlook.NOT_YET, "The workers that could take it finish their jobs, and then leave.",
        "Start a worker.",
    )  # fmt: skip
    SHORT_LIVED = (
        "short_lived", Outlook.NOT_YET, "The workers that could take it end before it would.",
        "Start a worker that lives longer.",
    )  # fmt: skip
    TOKEN_HELD = (
        "token_held", Outlook.NOT_YET, "Running jobs hold units of a token that it asks for.",
        "Wait, or give the token more units: `xpm tokens set`.",
    )  # fmt: skip
    TOKEN_KEPT = (
        "token_kept", Outlook.NOT_YET, "Its tokens are kept for a job that was passed too often.",
        "Wait until that job has run.",
    )  # fmt: skip
    BUSY = ("busy", Outlook.NOT_YET, "All workers that could take it run other jobs.", "Wait, or start a worker.")
    IN_LINE = ("in_line", Outlook.NOT_YET, "Idle workers take other jobs first.", "Wait.")
    RETRY = ("retry", Outlook.NOT_YET, "It failed, and is tried again after a pause.", "Wait, or look at its log.")
    ABOUT_TO_START = ("about_to_start", Outlook.NOT_YET, "A worker is about to take it.", "Wait.")
    RUNNING = ("running", Outlook.RUNNING, "It runs.", "Follow it: `xpm logs JOB`.")
    FROZEN = (
        "frozen", Outlook.RUNNING, "Its worker cannot reach Redis, so its processes are frozen, or gone.",
        "Wait: it goes on when its worker is back, or another worker takes it.",
    )  # fmt: skip
    DONE = ("done", Outlook.ENDED, "It is done.", "See what it printed: `xpm logs JOB`.")
    FAILED = ("failed", Outlook.ENDED, "It failed.", "See its error: `xpm show JOB`. Run it again: `xpm retry JOB`.")
    UNKNOWN = ("unknown", Outlook.UNKNOWN, "The reason cannot be read.", "Look at the workspace: `xpm status`.")

    __hash__ = str.__hash__

    @property
    def place(self) -> int:
        """Its place in the order, from 0."""
        return list(type(self)).index(self)


@dataclass(frozen=True)
class Reason:
    """A reason that holds for a job, with its facts. Its text is one sentence without a full stop."""

    code: ClassVar[Code]

    @property
    def outlook(self) -> Outlook:
        """Whether the job will run."""
        return self.code.outlook

    def details(self) -> list[str]:
        """Facts behind the sentence, one a line."""
        return []

    def what_to_do(self, commands: Commands, identity: str) -> list[str]:
        """What to do or to type about it.

        Args:
            commands: Writes command lines.
            identity: The job that has this reason.
        """
        return ["wait"]

    def as_data(self) -> dict[str, Any]:
        """The JSON form: code, outlook, text, and the facts."""
        facts = {field.name: _data(getattr(self, field.name)) for field in fields(self)}
        return {"code": self.code.value, "outlook": self.outlook.value, "text": str(self), **facts}


def _data(value: Any) -> Any:
    if isinstance(value, Reason):
        return value.as_data()
    if is_dataclass(value):
        return {field.name: _data(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, (tuple, list)):
        return [_data(each) for each in value]
    return round(value, 3) if isinstance(value, float) else value
