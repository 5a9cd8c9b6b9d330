"""Reasons of a job that stands in line: tokens, workers that are busy, and jobs before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from xpm_core.labels import short
from xpm_core.words.reasons import Code, Reason
from xpm_core.words.reasons_of_workers import listed
from xpm_core.words.text import plural, span

if TYPE_CHECKING:
    from xpm_core.words.commands import Commands


def likely(what: str, seconds: float | None) -> str:
    """When the first of some things is likely to be so.

    Example:
        >>> likely("ends", 720), likely("is free", None)
        ('the first likely ends in 12 min', 'when the first is free is unknown')
    """
    return f"when the first {what} is unknown" if seconds is None else f"the first likely {what} in {span(seconds)}"


@dataclass(frozen=True)
class Holder:
    """A job that holds units of a token.

    Attributes:
        job: Its identity.
        units: How many units it holds.
        for_s: For how long, seconds; None if that is not known.
        workspace: Its workspace's id, if that is another one; else empty.
    """

    job: str
    units: int
    for_s: float | None = None
    workspace: str = ""

    def __str__(self) -> str:
        of = f" of workspace {self.workspace}" if self.workspace else ""
        return f"{short(self.job)}{of}" + (f" for {span(self.for_s)}" if self.for_s is not None else "")


@dataclass(frozen=True)
class Shortage:
    """A token of which too few units are free.

    Attributes:
        name: The token.
        wants: How many units the job asks for.
        free: How many are free.
        capacity: How many there are.
        host: The machine whose units these are; empty if all machines share them.
        holders: The jobs that hold units, the longest first.
        first_end_s: When the first of them is likely to end, in seconds; None if that is not known.
    """

    name: str
    wants: int
    free: int
    capacity: int
    host: str = ""
    holders: tuple[Holder, ...] = ()
    first_end_s: float | None = None

    def lines(self) -> list[str]:
        """The facts in words."""
        host = f" on {self.host}" if self.host else ""
        found = [f"token {self.name}: it asks for {self.wants}, {self.free} of {self.capacity} free{host}"]
        if self.holders:
            found.append(f"held by {listed(list(map(str, self.holders)))}; {likely('ends', self.first_end_s)}")
        return found


@dataclass(frozen=True)
class Place:
    """Where a job stands in its line: the ready jobs of its queue with the same demand.

    Attributes:
        place: Its place, from 1.
        jobs: How many jobs stand there.
        before: The first of those before it.
    """

    place: int
    jobs: int
    before: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The facts in words."""
        ahead = f", behind {listed(list(map(short, self.before)), self.place - 1)}" if self.before else ""
        return [f"place {self.place} of {self.jobs} in its line{ahead}"]


@dataclass(frozen=True)
class TokenHeld(Reason):
    """Running jobs hold units of tokens that it asks for.

    Attributes:
        tokens: The names of these tokens.
        shortages: More about each, if that is known.
        place: Where the job stands, if that is known.
    """

    tokens: tuple[str, ...]
    shortages: tuple[Shortage, ...] = ()
    place: Place | None = None

    code: ClassVar = Code.TOKEN_HELD

    def __str__(self) -> str:
        return f"token {', '.join(self.tokens)} held by running jobs"

    def details(self) -> list[str]:
        """Who holds the tokens, until when, and the place in line."""
        held = [line for shortage in self.shortages for line in shortage.lines()]
        return [*held, *(self.place.lines() if self.place else [])]

    def what_to_do(self, commands: Commands, identity: str) -> list[str]:
        """Wait, or give the tokens more units."""
        return ["wait", f"give token {', '.join(self.tokens)} more units"]


@dataclass(frozen=True)
class TokenKept(Reason):
    """Its tokens are kept for the job `job`, which was passed too often.

    Attributes:
        job: That job.
        workspace: Its workspace's id, if that is another one; else empty.
    """

    job: str
    workspace: str = ""

    code: ClassVar = Code.TOKEN_KEPT

    def __str__(self) -> str:
        of = f" of workspace {self.workspace}" if self.workspace else ""
        return f"its tokens are kept for {short(self.job)}{of}, which was passed too often"

    def what_to_do(self, commands: Commands, identity: str) -> list[str]:
        """Wait, or see why the other job does not run."""
        return ["wait", *([] if self.workspace else [commands.why(self.job)])]


@dataclass(frozen=True)
class Busy(Reason):
    """All workers that could take it run other jobs.

    Attributes:
        workers: How many workers could take it; None if that is not known.
        first_s: When the first of them is likely free, in seconds; None if that is not known.
        ahead: How many jobs of its queue come before it; None if that is not known.
    """

    workers: int | None = None
    first_s: float | None = None
    ahead: int | None = None

    code: ClassVar = Code.BUSY

    def __str__(self) -> str:
        return "all workers are busy" if self.workers is None else f"{self._which} busy"

    @property
    def _which(self) -> str:
        return "the worker that could take it is" if self.workers == 1 else f"all {self.workers} workers are"

    def details(self) -> list[str]:
        """When a worker is likely free, and how many jobs come before."""
        if self.workers is None:
            return []
        ahead = [] if self.ahead is None else [before(self.ahead)]
        return [likely("is free", self.first_s), *ahead]

    def what_to_do(self, commands: Commands, identity: str) -> list[str]:
        """Wait, or start a worker."""
        return ["wait", "start another worker"]


def before(count: int) -> str:
    """How many jobs come before one."""
    if not count:
        return "no job of its queue comes before it"
    return f"{plural(count, 'job')} of its queue {'comes' if count == 1 else 'come'} before it"


@dataclass(frozen=True)
class InLine(Reason):
    """Idle workers take other jobs first; `ahead` is how many jobs of its queue come before it."""

    ahead: int | None = None

    code: ClassVar = Code.IN_LINE

    def __str__(self) -> str:
        return "idle workers take other jobs first"

    def details(self) -> list[str]:
        """How many jobs come before."""
        return [] if self.ahead is None else [before(self.ahead)]


@dataclass(frozen=True)
class AboutToStart(Reason):
    """Nothing keeps it from running; `worker` is a worker that takes it, if that is known."""

    worker: str = ""

    code: ClassVar = Code.ABOUT_TO_START

    def __str__(self) -> str:
        return f"worker {self.worker} is about to take it" if self.worker else "about to start"
