"""Commands of `xpm`, typed as processes.

`from helpers.typed_commands import Shell`; fixtures around it are in cli/conftest.py.
"""

from __future__ import annotations

import os
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from helpers.waiting import PATIENCE_S

PROGRAM = Path(sysconfig.get_path("scripts"), "xpm")
AWAY = "unix:///nowhere/redis.sock"
"""The address of a server that is not there."""


@dataclass(frozen=True)
class Shell:
    """A shell in the directory of a workspace.

    Attributes:
        folder: The directory.
        url: The server's address.
        home: A folder for what the program remembers.
    """

    folder: Path
    url: str
    home: Path

    def environment(self, **more: str) -> dict[str, str]:
        """What a command finds in its environment."""
        known = {"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}", "HOME": str(self.home), "LC_ALL": "C.UTF-8"}
        return {**known, "XDG_CONFIG_HOME": str(self.home), "XPM_REDIS_URL": self.url, **more}

    def run(
        self, *words: object, away: bool = False, cwd: Path | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Type a command, and wait for its end.

        Args:
            words: The words after `xpm`.
            away: Whether the server cannot be had.
            cwd: Another directory.
            more: Variables.
        """
        environment = self.environment(**({"XPM_REDIS_URL": AWAY} if away else {}), **more)
        command = [str(PROGRAM), *map(str, words)]
        return subprocess.run(
            command,
            env=environment,
            cwd=cwd or self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )

    def start(self, *words: object, out: int | None = None) -> subprocess.Popen[str]:
        """Type a command that goes on; its output is piped, or goes to a file descriptor."""
        return subprocess.Popen(
            [str(PROGRAM), *map(str, words)],
            env=self.environment(),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if out is None else out,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
