"""Reasons that lie in the workers: none is there, or none may take the job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from xpm_core.words.reasons import Code, Reason
from xpm_core.words.text import ago, line, plural, span

if TYPE_CHECKING:
    from xpm_core.words.commands import Commands

LONGEST = 100
"""Characters of what people wrote of a pause."""
NAMED = 4
"""How many workers, jobs or refusals a reason names."""


def listed(names: Sequence[str], total: int | None = None) -> str:
    """The first of some names, and how many more there are: `a, b and 3 more`."""
    more = (len(names) if total is None else total) - len(names[:NAMED])
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _of(count: int, total: int) -> str:
    """How many of the workers that serve a queue: `the worker`, `all 3 workers`, `2 of 3 workers`."""
    if count >= total:
        return "the worker" if total == 1 else f"all {total} workers"
    return f"{count} of {total} workers"


def _be(count: int) -> str:
    return "is" if count == 1 else "are"


@dataclass(frozen=True)
class TooLarge(Reason):
    """It asks for more units than there are.

    Attributes:
        token: The token.
        wants: How many units it asks for.
        most: How many units there are at most: the token's, or those of the largest machine of a worker.
        machine: Whether the machines of workers have too few; else the token has too few.
    """

    token: str
    wants: int
    most: int
    machine: bool = False

    code: ClassVar = Code.TOO_LARGE

    def __str__(self) -> str:
        where = "the largest worker of its queue has" if self.machine else "there are"
        return f"it asks for {self.wants} of token {self.token}, {where} {self.most}"

    def what_to_do(self, commands: Commands, identity: str) -> list[str]:
        """Ask for fewer, or offer more."""
        return [*self.offers(), commands.cancel(identity)]

    def offers(self) -> list[str]:
        """What lets such jobs run."""
        offer = "start a worker on a larger machine" if self.machine else f"give token {self.token} more units"
        return [offer, f"ask for at most {self.most}"]


@dataclass(frozen=True)
class Paused(Reason):
    """Somebody has paused its queue.

    Attributes:
        queue: The queue.
        for_s: For how long it has been paused, seconds; None if that is not known.
        by: Who has paused it: `alice@node1`.
        why: Why; may be empty.
    """

    queue: str
    for_s: float | None = None
    by: str = ""
    why: str = ""

    code: ClassVar = Code.PAUSED

    def __str__(self) -> str:
        since = "" if self.for_s is None else f" {ago(self.for_s)}"
        by = f" by {line(self.by, LONGEST)}" if self.by else ""
        return f"queue {self.queue} was paused{since}{by}{f': {line(self.why, LONGEST)}' if self.why else ''}"

    def what_to_do(self, commands: Commands, identity: str) -> list[str]:
        """Resume it."""
        return [commands.resume_queue(self.queue)]

    def warning(self, resume: str) -> str:
        """A warning to somebody who waits for jobs of it; `resume` is the command line that resumes it."""
        return f"{self}. Resume it: {resume}"


@dataclass(frozen=True)
class Unserved(Reason):
    """Jobs are ready in a queue that no living worker serves.

    Attributes:
        queue: The queue.
        ready: How many jobs are ready in it.
    """

    queue: str
    ready: int

    code: ClassVar = Code.UNSERVED

    def __str__(self) -> str:
        return f"no living worker serves queue {self.queue}"

    def what_to_do(self, commands: Commands, identity: str) -> list[str]:
        """Start a worker."""
        return [commands.start_worker(self.queue)]

    def entry(self) -> str:
        """One line in a list of problems."""
        return f"{plural(self.ready, 'job')} ready in queue {self.queue}, which no worker serves"

    def warning(self, start: str) -> str:
        """A warning to somebody who waits; `start` is the command line that starts a worker."""
        are = "is" if self.ready == 1 else "are"
        jobs = f"{plural(self.ready, 'job')} {are} ready in queue '{self.queue}'"
        return f"{jobs}, and no living worker serves it. Start one: {start}"

    def after_retry(self, start: str) -> str:
        """A warning to somebody who has made jobs ready, and does not wait; `start` as above."""
        return f"No worker serves queue {self.queue}. Start one: {start} (or the script, if it still submits such jobs)"


@dataclass(frozen=True)
class Avoided(Reason):
    """A worker lacks something that jobs need, so it gets none of them.

    Attributes:
        worker: The worker.
        problem: What it lacks: `cannot import sweep: looked in /data/code`.
        remedy: What to do about it.
        jobs: How many ready jobs avoid it.
    """

    worker: str
    problem: str
    remedy: str
    jobs: int

    code: ClassVar = Code.REFUSED

    def __str__(self) -> str:
        avoid = "avoids" if self.jobs == 1 else "avoid"
        return f"worker {self.worker} {self.problem}; {plural(self.jobs, 'job')} {avoid} it"

    def what_to_do(self, commands: Commands, identity: str) -> list[str]:
        """Let the worker have what it lacks."""
        return [self.remedy]


@dataclass(frozen=True)
class OfWorkers(Reason):
    """Something that is in the way of workers that serve its queue.

    Attributes:
        queue: The queue.
        count: In the way of how many workers.
        total: How many living workers serve the queue.
        workers: The names of some of them.
    """

    queue: str
    count: int
    total: int
    workers: tuple[str, ...] = ()

    @property
    def who(self) -> str:
        """How many workers it is about, and the queue."""
        return f"{_of(self.count, self.total)} of queue {self.queue}"

    def details(self) -> list[str]:
        """The workers."""
        return [listed(self.workers, self.count)] if self.workers else []

    def what_to_do(self, commands: Commands, identity: str) -> list[str]:
        """Start another worker."""
        return [commands.start_worker(self.queue)]


@dataclass(frozen=True)
class Refused(OfWorkers):
    """Workers refused jobs of its project, and no other worker can take it.

    Attributes:
        problems: What they lack: `worker m2 on node2 cannot import sweep: looked in /data/code`.
        remedies: What to do about each.
    """

    problems: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()

    code: ClassVar = Code.REFUSED

    def __str__(self) -> str:
        return f"{self.who} refused jobs of its project"

    def details(self) -> list[str]:
        """What the workers lack."""
        more = len(self.problems) - NAMED
        return [*self.problems[:NAMED], *([f"and {plural(more, 'refusal')} more"] if more > 0 else [])]

    def what_to_do(self, commands: Commands, identity: str) -> list[str]:
        """Let the workers have what they lack, or start another worker."""
        return [*dict.fromkeys(self.remedies), *super().what_to_do(commands, identity)]


@dataclass(frozen=True)
class Silent(OfWorkers):
    """The workers were not heard of for `silent_s` seconds, and count as gone in `left_s`; None if not known."""

    silent_s: float | None = None
    left_s: float | None = None

    code: ClassVar = Code.SILENT

    def __str__(self) -> str:
        since = f"for {span(self.silent_s)}" if self.silent_s is not None else "now"
        counts = "counts" if self.count == 1 else "count"
        gone = "" if self.left_s is None else f", and {counts} as gone in {span(self.left_s)}"
        return f"{self.who} {_be(self.count)} silent {since}{gone}"

    def what_to_do(self, commands: Commands, identity: str) -> list[str]:
        """Wait, or start another worker."""
        return ["wait", *super().what_to_do(commands, identity)]


@dataclass(frozen=True)
class Suspended(Reason):
    """All workers of the server are suspended."""

    code: ClassVar = Code.SUSPENDED

    def __str__(self) -> str:
        return "all workers of the server are suspended"

    def what_to_do(self, commands: Commands, identity: str) -> list[str]:
        """Resume them."""
        return ["rq resume (with the address of the server: -u URL)"]


@dataclass(frozen=True)
class Draining(OfWorkers):
    """The workers finish their jobs, and then leave."""

    code: ClassVar = Code.DRAINING

    def __str__(self) -> str:
        return f"{self.who} {'finishes its job and leaves' if self.count == 1 else 'finish their jobs and leave'}"


@dataclass(frozen=True)
class ShortLived(OfWorkers):
    """The workers end before the job would.

    Attributes:
        least_s: How long a worker must live, seconds.
        longest_s: How long the longest-lived of them will live, seconds; None if that is not known.
    """

    least_s: float = 0.0
    longest_s: float | None = None

    code: ClassVar = Code.SHORT_LIVED

    def __str__(self) -> str:
        if self.longest_s is None:
            return f"it needs {span(self.least_s)}, and {self.who} {'ends' if self.count == 1 else 'end'} before that"
        have = "has" if self.count == 1 else "have"
        return f"it needs {span(self.least_s)}, and {self.who} {have} at most {span(self.longest_s)} left"
