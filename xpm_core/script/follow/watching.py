"""The outputs of running jobs, brought to the functions of a script that watch for them.

Owns: that each function is called once for each output in a run, in the order in which the job registered them,
whether they come as events or are found in the job's directory.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from xpm_core.config import ResumableTask, produced_by
from xpm_core.job.outputs import Output, Watch, arguments, is_output, kept, key
from xpm_core.script.follow.callbacks import Callbacks, call
from xpm_core.workspace.job_directory import JobDirectory

log = logging.getLogger("xpm")


class Watches:
    """Who watches for the outputs of one job. All is done in the thread of callbacks, in the order of the calls here.

    Args:
        label: The job, for the log.
        directory: The job's.
        callbacks: The thread.
    """

    def __init__(self, label: str, directory: JobDirectory, callbacks: Callbacks) -> None:
        self._label, self._directory, self._callbacks = label, directory, callbacks
        self._watches: list[tuple[Watch, set[str]]] = []

    def add(self, watch: Watch) -> bool:
        """Watch for more; returns whether that is new.

        Raises:
            OutputError: The method is none of the task's.
        """
        watch.source()
        if any(known == watch for known, _ in self._watches):
            return False
        self._watches.append((watch, set()))
        return True

    @property
    def survive(self) -> bool:
        """Whether what the job has produced is there still when it is run again."""
        return any(isinstance(watch.task, ResumableTask) for watch, _ in self._watches)

    def produced(self, output: Output) -> None:
        """An output was told."""
        if self._watches:
            self._callbacks.put(self._label, self._bring, output)

    def catch_up(self) -> None:
        """There may be outputs in the directory that were not told: of an earlier attempt, or run, or in an outage."""
        if self._watches:
            self._callbacks.put(self._label, self._read, None)

    def _read(self, _: None) -> None:
        for output in kept(self._directory):
            self._bring(output)

    def _bring(self, output: Output) -> None:
        if not is_output(output):
            log.warning("%s: it told of an output that cannot be understood: %r", self._label, output)
            return
        for watch, seen in list(self._watches):
            if watch.source() == (output["of"], output["identity"]) and watch.method.__name__ == output["method"]:
                known = key(output)
                if known not in seen:
                    seen.add(known)
                    call(self._label, watch.callback, partial(self._made, watch, output))

    def _made(self, watch: Watch, output: Output) -> Any:
        """The configuration that stands for an output."""
        args, kwargs = arguments(output, self._directory)
        return watch.method(partial(produced_by, watch.task), *args, **kwargs)
