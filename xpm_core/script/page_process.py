"""The page of a run: a process of its own, which the script starts and which ends with it.

Owns: starting that process, saying where the page is, and letting it end. What it serves is written in xpm_cli/page.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from xpm_core.script.this_process import environment_for, others_read

log = logging.getLogger("xpm")

_HELD: weakref.WeakSet[PageProcess] = weakref.WeakSet()


class PageProcess:
    """The page of a run. Whatever goes wrong with it is one warning: the run goes on.

    The script holds one end of a pipe to it. When the script ends, however it does, the system closes that end, and the
    page ends, too.

    Args:
        name: The experiment's.
        workspace: The workspace's directory.
        port: The port that the script wants; 0 for a free one.
        url: The server's address; empty for the embedded one.
        log_file: Where the process writes what goes wrong in it.
        tell: Shows a line to whoever runs the script, whatever else is shown.
    """

    def __init__(
        self, name: str, workspace: Path, port: int, *, url: str, log_file: Path, tell: Callable[[str], None]
    ) -> None:
        self._name, self._log, self._tell = name, log_file, tell
        self._command = [sys.executable, "-m", "xpm_cli.page", "--workspace", str(workspace), "--port", str(port)]
        self._environment = environment_for(url)
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def start(self) -> None:
        """Start the process. This does not wait for it: a thread shows where the page is, once it is there."""
        words = [*self._command, "--parent", str(os.getpid())]
        if others_read(sys.stderr):
            words.append("--hidden")
        try:
            with open(self._log, "ab") as errors:
                self._process = subprocess.Popen(
                    words,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    bufsize=0,
                    start_new_session=True,
                    env=self._environment,
                    cwd="/",
                )
        except OSError as error:
            self._warn(f"it cannot be started: {error}")
            return
        _HELD.add(self)
        threading.Thread(target=self._follow, args=(self._process,), name="xpm-page", daemon=True).start()

    def close(self) -> None:
        """Let the page end, without waiting for it."""
        self._closed = True
        self.let_go()

    def let_go(self) -> None:
        """Close this process's end of the pipe. A process that was forked does it, too: it does not own the page."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        """Show what the process says, and then wait for its end."""
        assert process.stdout is not None
        with process.stdout as stdout:
            said = _understood(stdout.readline())
        if self._closed:
            pass
        elif isinstance(lines := said.get("lines"), list):
            for line in lines:
                self._tell(str(line))
        elif "error" in said:
            self._closed = True
            self._warn(str(said["error"]))
        code = process.wait()
        if not self._closed:
            self._warn(f"its process has ended with exit code {code}, see {self._log}")

    def _warn(self, problem: str) -> None:
        log.warning("%s: there is no page: %s. The run goes on without it", self._name, problem.rstrip("."))


def _understood(line: bytes) -> dict[str, object]:
    """What the process has said; empty if it has ended before it said anything."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _let_all_go() -> None:
    for process in list(_HELD):
        process.let_go()


os.register_at_fork(after_in_child=_let_all_go)
