"""The mark that a daemon leaves in its workspace, and that its slots note on the server (xpm_core.diagnosis.mark).

Owns: when the mark is renewed and noted. Neither stops a worker: what goes wrong is logged once.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from xpm_core.diagnosis.mark import RENEW_S, Mark, mark_file, versions
from xpm_core.errors import XpmError
from xpm_core.server.connection import ServerError
from xpm_core.store import keys
from xpm_core.store.jobs import Store
from xpm_core.workspace.files import explained, write_atomic
from xpm_core.workspace.workspace import Workspace
from xpm_worker.system.clock import boot_time

log = logging.getLogger(__name__)

FRESH = ("join", "claim", "finish", "renew")
"""The calls after which a slot notes the mark, if it is time."""
QUICK_S = 1.0
"""The longest time that the server may take to say its time, in seconds, for the clocks to be compared by it."""


class DaemonMark:
    """The mark of one daemon.

    Args:
        workspace: The workspace's directory.
        daemon: The name of the daemon.
        host: The name of this machine.

    Example:
        >>> mark.renew_if_due()
        >>> mark.remove()
    """

    def __init__(self, workspace: Path, daemon: str, host: str) -> None:
        self._file = mark_file(workspace, daemon)
        self._mark = Mark(daemon, os.urandom(12).hex(), 0.0, host, str(workspace), versions=versions())
        self._due_at = 0.0
        self._failed = False

    def renew_if_due(self) -> None:
        """Write the mark, if it is time."""
        if boot_time() < self._due_at:
            return
        self._due_at = boot_time() + RENEW_S
        folder = self._file.parent
        try:
            with explained(folder, "cannot be made"):
                folder.mkdir(exist_ok=True)  # never the workspace itself, which may have been removed
                free = shutil.disk_usage(folder).free
            mark = replace(self._mark, at_s=time.time(), free_bytes=free)
            write_atomic(self._file, mark.written().encode(), durable=False)
        except XpmError as error:
            if not self._failed:
                log.warning("%s", error)
            self._failed = True
        else:
            self._failed = False

    def remove(self) -> None:
        """Remove the mark, because the daemon leaves."""
        with contextlib.suppress(OSError):
            self._file.unlink()


class MarkedStore(Store):
    """The store of a slot. It notes the mark of the slot's daemon now and then, after a call that was answered.

    Args:
        client: As for `Store`.
        workspace: The workspace.
        worker: The name of the slot's worker.
        daemon: The name of its daemon.
    """

    def __init__(self, client: Any, workspace: Workspace, worker: str, daemon: str) -> None:
        super().__init__(client, workspace.id, alone=True)
        self._worker, self._daemon, self._path = worker, daemon, workspace.path
        self._due_at = 0.0

    def _run(self, script: str, key: str, *args: Any) -> Any:
        reply = super()._run(script, key, *args)
        if script in FRESH and (script == "join" or boot_time() >= self._due_at):
            self._due_at = boot_time() + RENEW_S
            with contextlib.suppress(XpmError, ServerError):  # the next call is tried again, a minute later
                super()._run("mark", keys.workers(self.w), self._worker, self._seen().written())
        return reply

    def _seen(self) -> Mark:
        """The mark as this slot reads it in its workspace, with how far the clock of this machine is ahead."""
        try:
            found = Mark.read(mark_file(self._path, self._daemon).read_bytes())
            problem = "" if found else "it is damaged"
        except OSError as error:
            found, problem = None, (error.strerror or str(error)).lower()
        mark = found or Mark(self._daemon, "", time.time(), "", str(self._path), versions=versions())
        return replace(mark, problem=problem, ahead_s=self._ahead_s())

    def _ahead_s(self) -> float | None:
        """How far the clock of this machine is ahead of the server's, seconds; None if the server was slow to say."""
        asked, began = time.time(), boot_time()
        seconds, micros = self.client.time()
        took = boot_time() - began
        return round(asked + took / 2 - seconds - micros / 1e6, 3) if took < QUICK_S else None
