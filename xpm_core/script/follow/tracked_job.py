"""A job of this run, as the script knows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from xpm_core.labels import label
from xpm_core.language.graph.state import EMPTY
from xpm_core.states import State
from xpm_core.tracebacks.callsite import CodeLine, format_line

if TYPE_CHECKING:
    from pathlib import Path

    from xpm_core.job.output_watch import Watch
    from xpm_core.script.follow.watching import Watches
    from xpm_core.workspace.job_directory import JobDirectory


class Registry(Protocol):
    """Where functions of the script are registered for a job: its tracker."""

    def listen(self, job: TrackedJob, callback: Callable[..., object], task: Any) -> None: ...

    def watch(self, job: TrackedJob, watch: Watch) -> None: ...


class TrackedJob:
    """A job of this run, as the script knows it. It does not keep its task: a script may submit very many.

    Only the tracker changes it, under its lock.

    Args:
        tracker: Keeps it up to date.
        identity: The job's.
        name: Name of its task's class.
        directory: Where it runs.
        place: The line of the script that submitted it.
        queue: The queue that it waits in.
        tags: Its tags.
        demand: Units of tokens that it asks for, by token.

    Attributes:
        state: Its state, as of the event at `position`.
        position: Place of the last event that counts here; (0, 0) until the server has answered the submission.
        told: Place of the last event that was read, or of the answer. A record of the job may be ahead of it.
        since_s: When it came into this state, epoch seconds.
        root: If it is blocked, the job that did not succeed.
        worker: While it runs, the worker.
        error: If it failed, type, message, file, line and function; empty when the script has not read it.
        progress: While it runs, its latest report of progress: `fraction`, `desc` and `inner`.
        took_s: How long its last attempt took, seconds, if the script has followed it and it is done; else 0.
        needs: Identities of the jobs that it needs.
        reused: Whether it was done already when it was submitted.
        entering: Whether the script has heard of its submission, and not yet of the state that it came into by that.
        marked: Whether the script has seen the `done` marker in its directory.
        called_back: Whether its listeners were called.
        listeners: Functions to call once it is done, each with its task.
        watches: Functions to call with each of its outputs; None without any.
    """

    state: State = State.WAITING
    position = (0, 0)
    told = (0, 0)
    since_s = took_s = 0.0
    needs: tuple[str, ...] = ()
    root = worker = ""
    error: Mapping[str, Any] = EMPTY
    progress: Mapping[str, Any] = EMPTY
    reused = entering = marked = called_back = False
    listeners: tuple[tuple[Callable[..., object], Any], ...] = ()
    watches: Watches | None = None

    def __init__(
        self,
        tracker: Registry,
        identity: str,
        name: str,
        directory: JobDirectory,
        place: CodeLine,
        queue: str,
        tags: Mapping[str, Any] = EMPTY,
        demand: Mapping[str, int] = EMPTY,
    ) -> None:
        self.tracker, self.identity, self.name, self.directory = tracker, identity, name, directory
        self.place, self.queue, self.tags, self.demand = place, queue, tags, demand

    @property
    def label(self) -> str:
        """The job as messages name it: `Train/3f2a91c`."""
        return label(self.name, self.identity)

    @property
    def where(self) -> str:
        """The line that submitted it, as `sweep.py:42`."""
        return format_line(self.place)

    @property
    def jobpath(self) -> Path:
        """The job's directory on this machine."""
        return self.directory.path

    def on_completed(self, callback: Callable[..., object], task: Any) -> None:
        """Call a function with the task once the job is done; at once if it is done already."""
        self.tracker.listen(self, callback, task)

    def watch(self, watch: Watch) -> None:
        """Call a function with each output of the job, also with the outputs that are there already."""
        self.tracker.watch(self, watch)
