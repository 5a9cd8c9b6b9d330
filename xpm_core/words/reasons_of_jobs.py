"""Reasons that lie in the job itself, or in the jobs that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from xpm_core.labels import bare_class, short
from xpm_core.words.reasons import Code, Outlook, Reason
from xpm_core.words.text import ago, line, plural, span

if TYPE_CHECKING:
    from xpm_core.words.commands import Commands

LONGEST_ERROR = 200
"""Characters of an error that a reason shows."""


def said(error: Mapping[str, Any]) -> str:
    """An error in a few words: `ValueError: the learning rate is negative`; empty without one."""
    kind = bare_class(line(error.get("type", ""), LONGEST_ERROR))
    message = line(error.get("message", ""), LONGEST_ERROR)
    return ": ".join(filter(None, [kind, message]))


@dataclass(frozen=True)
class Blocked(Reason):
    """A job that it needs did not succeed.

    Attributes:
        root: That job; empty if it is not known.
        state: Its state: failed or cancelled; empty if it is not known.
        error: Its error in a few words; empty without one.
    """

    root: str
    state: str = ""
    error: str = ""

    code: ClassVar = Code.BLOCKED

    def __str__(self) -> str:
        if not self.root:
            return "it needs a job that did not succeed; which one is unknown"
        how = {"failed": "failed", "cancelled": "was cancelled"}.get(self.state, "did not succeed")
        error = f": {self.error}" if self.error else ""
        return f"it needs {short(self.root)}, which {how}{error}"

    def what_to_do(self, commands: Commands, identity: str) -> list[str]:
        """Look at the job that it needs, and run that again."""
        if not self.root:
            return [commands.show(identity)]
        return [commands.show(self.root), commands.retry(self.root)]


@dataclass(frozen=True)
class Dependency(Reason):
    """Jobs that it needs are not done.

    Attributes:
        pending: How many.
        steps: From the nearest of them to the job that has to run first: identity and state.
        why: The first reason of that last job; None if it is not known.
    """

    pending: int
    steps: tuple[tuple[str, str], ...] = ()
    why: Reason | None = None

    code: ClassVar = Code.DEPENDENCY

    def __str__(self) -> str:
        if not self.pending:
            return "what it needs has just been done"
        return f"it needs {plural(self.pending, 'job')} that {'is' if self.pending == 1 else 'are'} not done"

    def details(self) -> list[str]:
        """The way to the job that has to run first, and why that one does not run or is not done."""
        if not self.steps:
            return []
        way = ", which needs ".join(f"{short(job)} ({state or 'unknown'})" for job, state in self.steps)
        return [f"it needs {way}", *([f"{short(self.steps[-1][0])}: {self.why}"] if self.why else [])]

    def what_to_do(self, commands: Commands, identity: str) -> list[str]:
        """Wait, or do what helps the job that has to run first. If that one runs, there is nothing to help."""
        if not self.steps:
            return ["wait"]
        first = self.steps[-1][0]
        if self.why is None or self.why.outlook is not Outlook.NOT_YET:
            return ["wait", commands.show(first)]
        return self.why.what_to_do(commands, first)


@dataclass(frozen=True)
class Cancelled(Reason):
    """Somebody cancelled it."""

    code: ClassVar = Code.CANCELLED

    def __str__(self) -> str:
        return "somebody cancelled it"

    def what_to_do(self, commands: Commands, identity: str) -> list[str]:
        """Run it again."""
        return [commands.retry(identity)]


@dataclass(frozen=True)
class Retry(Reason):
    """It is tried again in `left_s` seconds. `error` says what happened, if that is known."""

    left_s: float
    error: str = ""

    code: ClassVar = Code.RETRY

    def __str__(self) -> str:
        after = f", after {self.error}" if self.error else ""
        return (f"next attempt in {span(self.left_s)}" if self.left_s > 0 else "its next attempt is due") + after

    def what_to_do(self, commands: Commands, identity: str) -> list[str]:
        """Wait, or see what happened."""
        return ["wait", commands.logs(identity)]


@dataclass(frozen=True)
class Running(Reason):
    """It runs.

    Attributes:
        for_s: For how long, seconds.
        worker: The worker.
        host: Its machine.
        progress: The latest report of progress; empty without one.
        renewed_s: How long ago its lease was renewed, seconds; None if that is not known.
        left_s: In how many seconds its lease is over; None if that is not known.
        cancel_asked: Whether somebody asked to cancel it.
    """

    for_s: float
    worker: str
    host: str
    progress: Mapping[str, Any] = field(default_factory=dict)
    renewed_s: float | None = None
    left_s: float | None = None
    cancel_asked: bool = False

    code: ClassVar = Code.RUNNING

    def __str__(self) -> str:
        return f"it has run for {span(self.for_s)} on {self.host or 'an unknown machine'}"

    def details(self) -> list[str]:
        """The worker, the last word of progress, and the age of the lease."""
        found = [f"worker {self.worker or 'unknown'}"]
        if self.progress:
            share = self.progress.get("fraction")
            parts = [f"{share:.0%}"] if isinstance(share, (int, float)) else []
            parts += [line(self.progress["desc"], LONGEST_ERROR)] if self.progress.get("desc") else []
            found.append(f"last word of progress: {'  '.join(parts)}")
        if self.renewed_s is not None and self.left_s is not None:
            left = f"over in {span(self.left_s)}" if self.left_s > 0 else "over"
            found.append(f"lease renewed {ago(self.renewed_s)}, {left}")
        if self.cancel_asked:
            found.append("its worker was told to stop it")
        return found

    def what_to_do(self, commands: Commands, identity: str) -> list[str]:
        """Follow it, or end it."""
        return [commands.logs(identity), *([] if self.cancel_asked else [commands.cancel(identity)])]


@dataclass(frozen=True)
class Frozen(Running):
    """It runs by what Redis knows, but its worker cannot reach Redis. The facts are those of `Running`."""

    code: ClassVar = Code.FROZEN

    def __str__(self) -> str:
        return f"its processes are frozen, or gone: its worker has not reached Redis for {span(self.renewed_s or 0)}"

    def details(self) -> list[str]:
        """The same, and what comes next."""
        free = "whoever claims next takes it" if (self.left_s or 0) <= 0 else f"it is free in {span(self.left_s or 0)}"
        return [f"started {ago(self.for_s)} on {self.host or 'an unknown machine'}", *super().details(), free]


@dataclass(frozen=True)
class Done(Reason):
    """It is done, since `ago_s` seconds; None if that is not known."""

    ago_s: float | None = None

    code: ClassVar = Code.DONE

    def __str__(self) -> str:
        return "it is done" + (f", {ago(self.ago_s)}" if self.ago_s is not None else "")

    def what_to_do(self, commands: Commands, identity: str) -> list[str]:
        """See what it printed."""
        return [commands.show(identity), commands.logs(identity)]


@dataclass(frozen=True)
class Failed(Reason):
    """It failed, `ago_s` seconds ago (None if that is not known), with an error in a few words."""

    error: str = ""
    ago_s: float | None = None

    code: ClassVar = Code.FAILED

    def __str__(self) -> str:
        when = f" {ago(self.ago_s)}" if self.ago_s is not None else ""
        return f"it failed{when}" + (f": {self.error}" if self.error else "")

    def what_to_do(self, commands: Commands, identity: str) -> list[str]:
        """See the error, and run it again."""
        return [commands.show(identity), commands.logs(identity), commands.retry(identity)]


@dataclass(frozen=True)
class Unknown(Reason):
    """The reason cannot be read. `cause` says why not."""

    cause: str

    code: ClassVar = Code.UNKNOWN

    def __str__(self) -> str:
        return f"unknown: {self.cause}"

    def what_to_do(self, commands: Commands, identity: str) -> list[str]:
        """Look at the workspace."""
        return [commands.status()]
