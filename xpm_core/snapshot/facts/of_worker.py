"""What a worker's machine and interpreter add to the record of each execution.

Owns: that this is found once, kept in the workspace, and looked at again only so often that it costs nothing.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from xpm_core.errors import SnapshotError, WorkspaceError
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.facts.machine import machine_facts
from xpm_core.snapshot.facts.packages import Environment
from xpm_core.snapshot.provenance import Provenance

log = logging.getLogger(__name__)

LEAST_S, SHARE = 1.0, 20
"""The packages are looked at again after `LEAST_S`, and not before `SHARE` times as long as a look takes, seconds."""


class WorkerFacts:
    """The facts of a worker. Its daemon finds them before it forks its slots, so that these have them.

    Args:
        workspace: The workspace that the worker serves. The list of packages is kept there.
        pythonpath: Folders where jobs look for modules first.

    Example:
        >>> WorkerFacts(workspace).about(provenance)
        {'packages': '06838f4e...', 'machine': {'cpu': 'AMD EPYC 7543', 'cores': 16, ...}, 'git': {'commit': ...}}
    """

    def __init__(self, workspace: Path, pythonpath: Sequence[str] = ()) -> None:
        self._store = CodeStore(workspace)
        self._environment = Environment([*pythonpath, *sys.path])
        self._machine: dict[str, Any] | None = None
        self._packages = ""
        self._look_at = 0.0
        self._failed = False
        self._thread: threading.Thread | None = None
        self._git = lru_cache(maxsize=16)(self._read_git)

    def about(self, provenance: str = "") -> dict[str, Any]:
        """What a record says of the worker, and of how the job's code stood in git. After the first call, it takes
        microseconds: the packages are those of the last look.

        Args:
            provenance: How the job came to be submitted, by its digest; empty if that is not known.
        """
        if self._machine is None:
            self._machine = machine_facts()
            self._look()
        found = {"packages": self._packages, "machine": self._machine}
        found |= {"git": self._git(provenance)} if provenance else {}
        return {name: value for name, value in found.items() if value}

    def look(self) -> None:
        """Begin to look whether packages have changed, if it is time to, or if somebody has removed their list.

        A look takes milliseconds, and as long as it likes where a file system hangs. So a thread does it.
        """
        kept = self._packages and os.path.exists(self._store.document_path("packages", self._packages))
        is_due = time.monotonic() >= self._look_at or not (kept or self._failed)
        if is_due and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._look, name="xpm-packages", daemon=True)
            self._thread.start()

    def settle(self, timeout_s: float) -> None:
        """Wait until the look that was begun has ended, at most so long."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _look(self) -> None:
        begun = time.monotonic()
        data = self._environment.document()
        try:
            self._packages = self._store.put("packages", data)
            self._failed = False
        except WorkspaceError as error:
            if not self._failed:
                log.warning("%s; records do not say which packages are installed", error)
            self._packages, self._failed = "", True
        took = time.monotonic() - begun
        self._look_at = begun + max(LEAST_S, SHARE * took)

    def _read_git(self, provenance: str) -> Mapping[str, Any]:
        """The commit of the first tree that lies in git, and whether files differed; empty if there is none."""
        try:
            trees = Provenance.read(self._store.get("provenance", provenance)).trees
        except SnapshotError:  # the job itself cannot start without it, if it has a snapshot
            return {}
        git = next((tree.git for tree in trees if tree.git is not None), None)
        return {} if git is None else {"commit": git.commit, "dirty": git.is_dirty}
