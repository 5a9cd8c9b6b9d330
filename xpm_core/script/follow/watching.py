"""The outputs of running jobs, brought to the functions of a script that watch for them.

Owns: the promise that each function is called once for each output in a run, in the order in which the job registered
the outputs. An output may arrive as an event, or be found in the job's directory, or both.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from xpm_core.config import ResumableTask, produced_by
from xpm_core.job.output_watch import Watch
from xpm_core.job.outputs import Output, arguments, is_output, kept, key
from xpm_core.script.follow.callbacks import Callbacks, call
from xpm_core.workspace.job_directory import JobDirectory

log = logging.getLogger("xpm")


class Watches:
    """The functions that watch for the outputs of one job. The thread of callbacks makes all calls, in order.

    Args:
        label: The job's label, for the log.
        directory: The job's directory.
        callbacks: The thread.
    """

    def __init__(self, label: str, directory: JobDirectory, callbacks: Callbacks) -> None:
        self._label, self._directory, self._callbacks = label, directory, callbacks
        self._watches: list[tuple[Watch, set[str]]] = []

    def add(self, watch: Watch) -> bool:
        """Add a watch; return whether it is new.

        Raises:
            OutputError: The method does not belong to the task.
        """
        watch.source()
        if any(known == watch for known, _ in self._watches):
            return False
        self._watches.append((watch, set()))
        return True

    @property
    def survive(self) -> bool:
        """Whether the outputs of the job are still there when it runs again."""
        return any(isinstance(watch.task, ResumableTask) for watch, _ in self._watches)

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
        """Call the functions that watch for an output, unless they were called with it before."""
        if not is_output(output):
            log.warning("%s: it sent an output that cannot be understood: %r", self._label, output)
            return
        for watch, seen in list(self._watches):
            if watch.source() == (output["of"], output["identity"]) and watch.method.__name__ == output["method"]:
                known = key(output)
                if known not in seen:
                    seen.add(known)
                    call(self._label, watch.callback, partial(self._made, watch, output))

    def _made(self, watch: Watch, output: Output) -> Any:
        """The configuration that stands for an output: the method of the task makes it."""
        args, kwargs = arguments(output, self._directory)
        return watch.method(partial(produced_by, watch.task), *args, **kwargs)
