"""The workers that a script starts for itself: one daemon, in a session of its own.

Owns: starting and draining that process. What it does is xpm_worker's.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from xpm_core.errors import WorkersFailedError

if TYPE_CHECKING:
    from pathlib import Path

    from xpm_core.workspace import Workspace

LINGER_S = 10
"""How long workers of a script that is gone stay when nothing of their workspace is ready, delayed or running."""
REDIS_VARIABLE = "XPM_REDIS_URL"


class LocalWorkers:
    """A daemon of this script's own.

    Ctrl-C and hang-up do not reach it: it has its own session, and logs to a file. If the script dies, it goes on with
    what is queued, and leaves when there is nothing more.

    Args:
        workspace: What it serves.
        slots: How many jobs it runs at once.
        queues: Names of the queues it serves.
        url: A server to use; empty for the embedded one.
        lease_s: The lease of its workers.
    """

    def __init__(
        self, workspace: Workspace, slots: int, queues: Sequence[str], *, url: str = "", lease_s: float
    ) -> None:
        folder = workspace.path / ".xpm" / "workers"
        folder.mkdir(parents=True, exist_ok=True)
        self.log: Path = folder / f"{datetime.now():%Y%m%d-%H%M%S}-{os.getpid()}.log"
        command = [sys.executable, "-m", "xpm_worker", "--workspace", str(workspace.path), "--slots", str(slots)]
        command += [word for queue in queues for word in ("--queue", queue)]
        command += ["--linger", str(LINGER_S), "--lease", str(lease_s)]
        environment = {name: value for name, value in os.environ.items() if name != REDIS_VARIABLE}
        if url:
            environment[REDIS_VARIABLE] = url  # not an argument: those are seen by every user of the machine
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=environment,
                cwd="/",
            )

    @property
    def pid(self) -> int:
        """Process id of the daemon."""
        return self._process.pid

    def check(self) -> None:
        """Make sure that it did not end by itself with an error.

        Raises:
            WorkersFailedError: It did; with the end of its log.
        """
        code = self._process.poll()
        if code:
            tail = self.log.read_text("utf-8", "replace").splitlines()[-5:]
            raise WorkersFailedError(str(self.log), code, "\n".join(tail))

    def drain(self, wait_s: float) -> None:
        """Let it finish what it runs and leave; wait for that a little, not for another script's job."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(wait_s)
        self.let_go()

    def let_go(self) -> None:
        """Leave it to itself."""
        # Popen warns in __del__ about a child that still runs; this one is meant to.
        if self._process.returncode is None:
            self._process.returncode = 0
