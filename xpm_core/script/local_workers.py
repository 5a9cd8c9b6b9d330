"""The workers that a script starts for itself: one daemon, in a session of its own.

Owns: starting that process, letting it end, and starting it again if it ended because it had nothing to do. What the
daemon does is written in xpm_worker.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING

from xpm_core.cluster.slurm import allocation_end
from xpm_core.defaults import DEFAULT_GRACE_S, LEAVE_S
from xpm_core.errors import WorkersFailedError
from xpm_core.script.this_process import environment_for
from xpm_core.workspace.files import explained

if TYPE_CHECKING:
    from pathlib import Path

    from xpm_core.workspace.workspace import Workspace

LINGER_S = 10.0
"""How long the workers stay, in seconds, when no job of their workspace is ready, delayed or running."""

ORDERED_CODE = 5
"""The exit code of the daemon if somebody has ordered all its workers to leave: `xpm workers drain`."""

log = logging.getLogger("xpm")


class LocalWorkers:
    """A daemon of this script's own.

    Ctrl-C and hang-up do not reach it, because it has its own session; it logs to a file. If the script dies, the
    daemon goes on with the queued jobs, and ends when there are no more.

    Args:
        workspace: The workspace that it serves.
        slots: How many jobs it runs at once; with 0, it is never started.
        queue: The queue that it serves.
        url: The server's address; empty for the embedded one.
        lease_s: The lease of its workers, seconds.
    """

    def __init__(self, workspace: Workspace, slots: int, queue: str, *, url: str = "", lease_s: float) -> None:
        self._workspace, self._slots, self.queue, self._url, self._lease_s = workspace, slots, queue, url, lease_s
        self._process: subprocess.Popen[bytes] | None = None
        self._log: Path | None = None
        self._lock = threading.Lock()
        self._warned_of_end = self._warned_of_order = False

    def ensure(self) -> bool:
        """Start the daemon, unless it runs, or there is a reason not to start it.

        It is not started if somebody has ordered its workers to leave, or if Slurm's allocation ends so soon that it
        would have to leave at once.

        Returns:
            Whether this call has started it.

        Raises:
            WorkersFailedError: It had ended with an error.
            WorkspaceError: Its log cannot be written.
        """
        with self._lock:
            if not self._slots or (self._process is not None and self._process.poll() is None):
                return False
            self.check()
            if self._was_ordered() or not self._has_time():
                return False
            self._start()
            return True

    def check(self) -> None:
        """Make sure that the daemon has not ended with an error.

        Raises:
            WorkersFailedError: It has; the error holds the end of its log.
        """
        code = self._process.poll() if self._process is not None else None
        if code and code != ORDERED_CODE:
            tail = self._log.read_text("utf-8", "replace").splitlines()[-5:] if self._log is not None else []
            raise WorkersFailedError(str(self._log), code, "\n".join(tail))

    @property
    def left(self) -> bool:
        """Whether the daemon has run, and has ended: it had nothing to do, no time left, or was ordered to."""
        return self._process is not None and self._process.poll() in (0, ORDERED_CODE)

    def drain(self, wait_s: float) -> None:
        """Let the daemon finish its running jobs and end; wait for that for at most `wait_s` seconds."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(wait_s)
        self.let_go()

    def let_go(self) -> None:
        """Leave the daemon to itself."""
        # Popen warns in __del__ about a child that still runs. This child is meant to.
        if self._process is not None and self._process.returncode is None:
            self._process.returncode = 0

    def _was_ordered(self) -> bool:
        """Whether somebody has ordered the workers to leave. One warning says so."""
        ordered = self._process is not None and self._process.poll() == ORDERED_CODE
        if ordered and not self._warned_of_order:
            self._warned_of_order = True
            log.warning(
                "the workers of this script were ordered to leave (xpm workers), so it starts no others. Start a "
                "worker of queue %s yourself, or run the script again",
                self.queue,
            )
        return ordered

    def _has_time(self) -> bool:
        """Whether the allocation lasts longer than workers need to leave it. If not, one warning says so."""
        end_s = allocation_end(os.environ)
        left_s = float("inf") if end_s is None else end_s - time.time()
        if left_s > DEFAULT_GRACE_S + LEAVE_S:
            return True
        if not self._warned_of_end:
            self._warned_of_end = True
            log.warning(
                "no workers are started: this allocation of Slurm ends in %.0f s. To go on, run the script again in "
                "another one",
                max(left_s, 0.0),
            )
        return False

    def _start(self) -> None:
        folder = self._workspace.path / ".xpm" / "workers"
        self._log = folder / f"{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}.log"
        with explained(self._log, "cannot be written"):
            folder.mkdir(parents=True, exist_ok=True)
            output = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=environment_for(self._url),
                cwd="/",
            )
        finally:
            os.close(output)
        log.info("workers started: process %d, %d slots, log %s", self._process.pid, self._slots, self._log)

    def _command(self) -> list[str]:
        command = [sys.executable, "-m", "xpm_worker", "--workspace", str(self._workspace.path)]
        command += ["--slots", str(self._slots), "--queue", self.queue]
        command += ["--ordered-code", str(ORDERED_CODE)]
        return [*command, "--linger", str(LINGER_S), "--lease", str(self._lease_s)]
