"""What may be removed, and what was: the records of this room."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Kind(str, Enum):
    """Why something may be removed."""

    OLD = "old"
    FAILED = "failed"
    ORPHANS = "orphans"
    RUNS = "runs"
    LEFTOVERS = "leftovers"
    TRASH = "trash"
    CODE = "code"

    __hash__ = str.__hash__


@dataclass(frozen=True)
class Wanted:
    """What somebody wants to remove.

    Attributes:
        old: What retries have set aside.
        failed: Jobs that failed, or were cancelled.
        orphans: Jobs that no run names, code that no record names, and what processes have left behind.
        keep_runs: How many runs of each experiment stay, the newest ones; None for all.
        before_s: Only what ended, or was changed last, before that, epoch seconds; None for all.
    """

    old: bool = False
    failed: bool = False
    orphans: bool = False
    keep_runs: int | None = None
    before_s: float | None = None

    @property
    def nothing(self) -> bool:
        """Whether no kind is wanted."""
        return not (self.old or self.failed or self.orphans) and self.keep_runs is None

    def is_older(self, moment_s: float) -> bool:
        """Whether a moment lies before `before_s`."""
        return self.before_s is None or moment_s < self.before_s


@dataclass
class Item:
    """Something that may be removed.

    Attributes:
        kind: Why it may go.
        path: Where it is, within the workspace; empty for a job without a directory.
        identity: The job, if it is one.
        what: What it is, for people: `Train lr=0.1`.
        state: The state of the job; empty if the server does not know the job, or if it is none.
        execution: The latest execution of the job, as the server had it.
        changed_s: When it ended, or was changed last, epoch seconds.
        size: The space that it takes on the disk, bytes.
        parts: The files that it consists of, within the workspace, if it is kept code.
    """

    kind: Kind
    path: str
    identity: str = ""
    what: str = ""
    state: str = ""
    execution: str = ""
    changed_s: float = 0.0
    size: int = 0
    parts: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What names it in another plan."""
        return self.path, self.identity


@dataclass(frozen=True)
class Left:
    """Something that stays.

    Attributes:
        path: Where it is, within the workspace; or the job.
        problem: Why it stays.
    """

    path: str
    problem: str


class Why(str, Enum):
    """Why a job, a run or a directory stays that could have been removed otherwise."""

    NEEDED = "another job that stays needs it"
    BLOCKED = "a blocked job needs it"
    FRESH = "it may still run, or was changed within a day"
    NAMED = "the script of a run that names it may still run"
    IN_USE = "its script may still run, or not all of its jobs have ended"
    MOVED = "a worker may be setting it aside just now"

    __hash__ = str.__hash__


@dataclass
class Plan:
    """What would be removed.

    Attributes:
        items: What goes.
        kept: How many jobs, runs (`IN_USE`) and directories (`MOVED`) stay for each reason.
        strange: What stays because it is not of the form that xpm writes: a link, a mount.
        unnamed: How many jobs no run names any more once the runs are gone.
        left: What could go, but was not agreed to. So it stays, and what it needs.
    """

    items: list[Item] = field(default_factory=list)
    kept: dict[Why, int] = field(default_factory=dict)
    strange: list[Left] = field(default_factory=list)
    unnamed: int = 0
    left: list[Item] = field(default_factory=list)

    def keep(self, why: Why, count: int = 1) -> None:
        """Count what stays."""
        if count:
            self.kept[why] = self.kept.get(why, 0) + count

    def of(self, kind: Kind) -> list[Item]:
        """The items of a kind, the largest first."""
        return sorted((item for item in self.items if item.kind is kind), key=lambda item: (-item.size, item.path))

    @property
    def size(self) -> int:
        """What all items take on the disk, bytes."""
        return sum(item.size for item in self.items)


@dataclass
class Done:
    """What was removed.

    Attributes:
        items: What is gone.
        spared: What stays because somebody has used it meanwhile.
        failures: What could not be removed.
    """

    items: list[Item] = field(default_factory=list)
    spared: list[Left] = field(default_factory=list)
    failures: list[Left] = field(default_factory=list)

    @property
    def size(self) -> int:
        """What is gone, bytes."""
        return sum(item.size for item in self.items)
