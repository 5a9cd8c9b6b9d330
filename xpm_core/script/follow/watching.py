"""The outputs of running jobs, brought to the functions of a script that watch for them.

Owns: the promise that each function is called once for each output in a run, in the order in which the job registered
the outputs. An output may arrive as an event, or be found in the job's directory, or both.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from xpm_core.config import ResumableTask, produced_by
from xpm_core.job.output_watch import Watch
from xpm_core.job.outputs import Output, arguments, is_output, kept, key
from xpm_core.script.follow.callbacks import Callbacks, call
from xpm_core.workspace.job_directory import JobDirectory

log = logging.getLogger("xpm")


@dataclass
class _Watching:
    """A function that watches, and the outputs that it was called with."""

    watch: Watch
    seen: set[str] = field(default_factory=set)
    has_earlier: bool = False


class Watches:
    """The functions that watch for the outputs of one job. The thread of callbacks makes all calls, in order.

    Args:
        label: The job's label, for the log.
        directory: The job's directory.
        callbacks: The thread.
    """

    def __init__(self, label: str, directory: JobDirectory, callbacks: Callbacks) -> None:
        self._label, self._directory, self._callbacks = label, directory, callbacks
        self._watches: list[_Watching] = []

    def add(self, watch: Watch) -> bool:
        """Add a watch; return whether it is new.

        Raises:
            OutputError: The method does not belong to the task.
        """
        watch.source()
        if any(known.watch == watch for known in self._watches):
            return False
        self._watches.append(_Watching(watch))
        return True

    @property
    def survive(self) -> bool:
        """Whether the outputs of the job are still there when it runs again."""
        return any(isinstance(known.watch.task, ResumableTask) for known in self._watches)

    def produced(self, output: Output) -> None:
        """An output has arrived as an event."""
        if self._watches:
            self._callbacks.put(self._label, self._bring, output)

    def catch_up(self) -> None:
        """Look for outputs in the directory: of an earlier attempt or run, or registered during an outage."""
        if self._watches:
            self._callbacks.put(self._label, self._read, None)

    def _read(self, _: None) -> None:
        for output in kept(self._directory):
            self._bring(output)

    def _bring(self, output: Output) -> None:
        """Call the functions that watch for an output, unless they were called with it before.

        A function that began to watch only now is first called with the earlier ones, which the directory has.
        """
        if not is_output(output):
            log.warning("%s: it sent an output that cannot be understood: %r", self._label, output)
            return
        for watching in list(self._watches):
            if not watching.has_earlier:
                watching.has_earlier = True
                for earlier in kept(self._directory):
                    self._call(watching, earlier)
            self._call(watching, output)

    def _call(self, watching: _Watching, output: Output) -> None:
        watch = watching.watch
        if watch.source() == (output["of"], output["identity"]) and watch.method.__name__ == output["method"]:
            known = key(output)
            if known not in watching.seen:
                watching.seen.add(known)
                call(self._label, watch.callback, partial(self._made, watch, output))

    def _made(self, watch: Watch, output: Output) -> Any:
        """The configuration that stands for an output: the method of the task makes it."""
        args, kwargs = arguments(output, self._directory)
        return watch.method(partial(produced_by, watch.task), *args, **kwargs)
