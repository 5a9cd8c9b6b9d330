"""Scripts of users, as files. They run as users run them, from a shell or a terminal, and they are really killed.

`from helpers.user_scripts import Desktop`; the fixture around it is in faults/conftest.py.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pyte
import redis
from helpers.daemons import alive
from helpers.waiting import PATIENCE_S, wait_until

from xpm_core.reading.jobs import Job
from xpm_core.reading.reader import Reader
from xpm_core.server import connection
from xpm_core.server.embedded.record import ServerRecord
from xpm_core.states import State
from xpm_core.workspace.workspace import Workspace

TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)

TASKS = """
    from pathlib import Path
    import sys, time
    from xpm_core import *

    class Quick(Task):
        n: Param[int]
        def execute(self):
            Path("n.txt").write_text(str(self.n))

    class Hold(Task):
        n: Param[int]
        until: Meta[Path]
        def execute(self):
            Path("started").touch()
            while not self.until.exists():
                time.sleep(0.005)

    class Bad(Task):
        n: Param[int]
        def execute(self):
            raise ValueError("no good")
"""
"""What most scripts begin with."""


class Running:
    """A script that was started. Its standard output and error are in files."""

    def __init__(self, process: subprocess.Popen[bytes], out: Path, err: Path) -> None:
        self.process, self._out, self._err = process, out, err

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def out(self) -> str:
        """Its standard output so far."""
        return self._out.read_text()

    @property
    def err(self) -> str:
        """Its standard error so far."""
        return self._err.read_text()

    def says(self, words: str, timeout_s: float = PATIENCE_S) -> str:
        """Wait until it says that on stderr; returns all that it has said."""
        wait_until(lambda: words in self.err, show=lambda: self.err, timeout_s=timeout_s)
        return self.err

    def interrupt(self) -> None:
        """Ctrl-C, as a terminal sends it: to the whole process group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL, to this process alone."""
        self.process.kill()
        self.process.wait()

    def ends(self, timeout_s: float = PATIENCE_S) -> int:
        """Wait for its end; returns the exit code."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the script has not ended:\n{self.out}\n{self.err}") from None


class Terminal(Running):
    """A script in a terminal of its own: what it shows can be looked at at any moment."""

    def __init__(self, process: subprocess.Popen[bytes], master: int, columns: int, lines: int) -> None:
        super().__init__(process, Path(), Path())
        self.raw = b""
        self._master, self._lock = master, threading.Lock()
        self._screen = pyte.HistoryScreen(columns, lines, history=10000)
        self._stream = pyte.ByteStream(self._screen)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # EIO: nobody has the terminal open any more
            while data := os.read(self._master, 65536):
                with self._lock:
                    self.raw += data
                    self._stream.feed(data)
        os.close(self._master)

    def lines(self) -> list[str]:
        """What is on the screen."""
        with self._lock:
            return [line.rstrip() for line in self._screen.display]

    def shows(self, words: str, timeout_s: float = PATIENCE_S) -> list[str]:
        """Wait until that is on the screen; returns its lines."""

        def found() -> list[str]:
            lines = self.lines()
            return lines if words in "\n".join(lines) else []

        return wait_until(found, show=lambda: "\n".join(self.lines()), timeout_s=timeout_s)

    def draws(self, wanted: Callable[[list[str]], bool]) -> list[str]:
        """Wait until a display is drawn to its end and shows what is wanted; returns its lines, without blank ones."""

        def found() -> list[str]:
            lines = [line for line in self.lines() if line]
            return lines if lines and lines[-1].startswith("Ctrl-C: ") and wanted(lines) else []

        return wait_until(found, show=lambda: "\n".join(self.lines()))

    @property
    def out(self) -> str:
        return "\n".join(self.lines())

    err = out

    def chosen(self) -> list[str]:
        """The lines that are shown in reverse."""
        with self._lock:
            screen = self._screen
            return [text.rstrip() for n, text in enumerate(screen.display) if screen.buffer[n][0].reverse]

    def resize(self, columns: int, lines: int) -> None:
        """Make it wider, narrower, higher or lower."""
        with self._lock:
            self._screen.resize(lines, columns)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, text: str) -> None:
        """Type something; "\\x03" is Ctrl-C. Nobody may be there any more."""
        with contextlib.suppress(OSError):
            os.write(self._master, text.encode())

    def interrupt(self) -> None:
        self.type("\x03")

    def ends(self, timeout_s: float = PATIENCE_S) -> int:
        code = super().ends(timeout_s)
        self._reader.join(timeout_s)
        return code


def open_terminal(*command: str, cwd: Path, env: dict[str, str], columns: int = 80, lines: int = 24) -> Terminal:
    """Run a command in a terminal; `env` is added to this process's variables."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, *command],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=cwd,
        env={**environment, "TERM": "xterm", **env},
        start_new_session=True,
    )
    os.close(slave)
    return Terminal(process, master, columns, lines)


def in_terminal(
    *command: str, cwd: Path, env: dict[str, str], columns: int = 80, ctrl_c: Callable[[str], bool] | None = None
) -> str:
    """Run a command in a terminal to its end; returns what is on the screen then.

    Args:
        command: The words of the command.
        cwd: Where it runs.
        env: Variables beside this process's own.
        columns: The width of the terminal. It is high enough for all that a command shows.
        ctrl_c: Ctrl-C is pressed as soon as this is true of the screen.
    """
    terminal = open_terminal(*command, cwd=cwd, env=env, columns=columns, lines=200)
    try:
        if ctrl_c is not None:
            wait_until(lambda: ctrl_c(terminal.out), show=lambda: terminal.out)
            terminal.interrupt()
        terminal.ends()
    finally:
        if terminal.process.poll() is None:
            terminal.kill()
    return terminal.out.rstrip()


class Desktop:
    """A folder with scripts and a workspace, whose server is embedded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace = folder / "workspace"
        self._running: list[Running] = []

    def write(self, name: str, text: str) -> Path:
        """Write a file; returns it."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def script(self, name: str, body: str, *, options: str = "workers=1") -> Path:
        """Write a script of usual tasks, whose experiment has that body."""
        block = textwrap.indent(textwrap.dedent(body).strip(), " " * 8)
        head = textwrap.dedent(TASKS)
        main = (
            f'if __name__ == "__main__":\n'
            f"    import logging, os, signal\n"
            f'    with experiment({str(self.workspace)!r}, "desk", {options}) as xp:\n{block}\n'
        )
        return self.write(name, f"{head}\n\n{main}")

    def start(
        self,
        *command: str | Path,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        python: str = sys.executable,
    ) -> Running:
        """Run Python with these words, in a process group of its own, piped."""
        number = len(self._running)
        out, err = self.folder / f"out{number}.txt", self.folder / f"err{number}.txt"
        with open(out, "wb") as stdout, open(err, "wb") as stderr:
            process = subprocess.Popen(
                [python, *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                cwd=cwd or self.folder,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        self._running.append(Running(process, out, err))
        return self._running[-1]

    def terminal(
        self, *command: str | Path, columns: int = 80, lines: int = 24, env: dict[str, str] | None = None
    ) -> Terminal:
        """Run Python with these words in a terminal."""
        terminal = open_terminal(
            sys.executable, *map(str, command), cwd=self.folder, env=env or {}, columns=columns, lines=lines
        )
        self._running.append(terminal)
        return terminal

    def run(self, *command: str | Path, code: int = 0, **options: object) -> Running:
        """Run Python with these words to the end, and check the exit code."""
        running = self.start(*command, **options)  # type: ignore[arg-type]
        assert running.ends() == code, f"{running.out}\n{running.err}"
        return running

    # -- what came of it -------------------------------------------------------------------------------------------

    def client(self) -> redis.Redis | None:
        """A connection to the embedded server, if it runs; nothing is started, and this is no user of it."""
        record = ServerRecord.read(self.workspace / ".xpm" / "redis")
        return connection.open(f"unix://{record.socket}") if record is not None and record.alive else None

    def jobs(self) -> dict[str, Job]:
        """All jobs, by task and number: {"Quick 1": …}; none while no server runs."""
        if (client := self.client()) is None:
            return {}
        w = Workspace.open(self.workspace, create=False).id
        with client:
            try:
                found = Reader(client, w).jobs.read(Reader(client, w).jobs.identities())
            except connection.ServerError:
                return {}
        return {f"{job.name} {job.tags.get('n', '')}".strip(): job for job in found}

    def states(self) -> dict[str, State]:
        """The states of all jobs, by task and number."""
        return {name: job.state for name, job in self.jobs().items()}

    def wait_for(self, **states: State) -> None:
        """Wait until jobs are in these states: `wait_for(Hold_1=State.RUNNING)`."""
        wanted = {name.replace("_", " "): state for name, state in states.items()}
        wait_until(lambda: wanted.items() <= self.states().items(), show=self.states)

    def executions(self) -> dict[str, int]:
        """How many executions each job directory has on record, by task and identity's beginning."""
        folders = (self.workspace / "jobs").glob("*/*")
        return {
            f"{folder.parent.name}/{folder.name[:7]}": len(list((folder / ".xpm" / "executions").glob("*.json")))
            for folder in folders
        }

    def daemons(self) -> list[psutil.Process]:
        """The daemons of workers that serve the workspace; their slots, which are forked from them, are not."""
        found = {
            process.pid: process
            for process in psutil.process_iter(["cmdline", "ppid"])
            if {"xpm_worker", str(self.workspace)} <= set(process.info["cmdline"] or ())
        }
        return [process for process in found.values() if process.info["ppid"] not in found]

    def server_lives(self) -> bool:
        """Whether the embedded server runs."""
        record = ServerRecord.read(self.workspace / ".xpm" / "redis")
        return record is not None and record.alive

    def clear(self) -> None:
        """End whatever is left of it."""
        for running in self._running:
            if running.process.poll() is None:
                running.process.kill()
            running.ends()
        daemons = self.daemons()
        for daemon in daemons:
            with contextlib.suppress(psutil.NoSuchProcess):
                daemon.kill()  # which leaves none of its slots and jobs behind
        wait_until(lambda: not any(map(alive, daemons)))  # nobody need have reaped them
        record = ServerRecord.read(self.workspace / ".xpm" / "redis") if self.workspace.exists() else None
        if record is not None and record.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(record.pid, signal.SIGKILL)
