"""The commands that a script's messages name, written so that they work as printed, in whatever directory."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SHOWN = 7
"""Characters of an identity that people are shown."""


@dataclass(frozen=True)
class Commands:
    """Commands for the jobs of one workspace.

    Args:
        workspace: Its directory.
        server: The address of its server where only the script names one (`redis=`), without a password; else empty.

    Example:
        >>> Commands(Path("/data/xpm")).show("3f2a91c…")
        'xpm show 3f2a91c --workspace /data/xpm'
    """

    workspace: Path
    server: str = ""

    def show(self, identity: str) -> str:
        """Tell all about a job."""
        return self._whole(f"xpm show {identity[:SHOWN]} {self._place}")

    def cancel(self, identities: Sequence[str]) -> str:
        """Cancel some jobs."""
        return self._whole(f"xpm cancel {' '.join(identity[:SHOWN] for identity in identities)} {self._place}")

    def cancel_all(self, experiment: str) -> str:
        """Cancel all unfinished jobs of an experiment."""
        return self._whole(f"xpm cancel --experiment {experiment} {self._place}")

    def retry_failed(self, experiment: str) -> str:
        """Run the failed jobs of an experiment again."""
        return self._whole(f"xpm retry --failed --experiment {experiment} {self._place}")

    def status(self) -> str:
        """Tell how the workspace stands."""
        return self._whole(f"xpm status {self._place}")

    def start_worker(self, queue: str) -> str:
        """Start a worker."""
        return self._whole(f"xpm-worker {self._place} --queue {queue}")

    @property
    def _place(self) -> str:
        return f"--workspace {shlex.quote(str(self.workspace))}"

    def _whole(self, command: str) -> str:
        return f"XPM_REDIS_URL={shlex.quote(self.server)} {command}" if self.server else command
