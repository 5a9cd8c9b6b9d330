"""Several scripts in one terminal: only a script that is alone in the foreground draws there; others print plain lines.

A drawing is moved by each line that another process prints. So a script that draws stops as soon as a second one
comes, and the second one waits for that before it prints.

Owns: the files by which scripts know of each other, and who may draw.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import tempfile
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

PATIENCE_S = 1.0
"""How long a script waits for another one to stop drawing, in seconds. A script that is suspended never stops."""

_DRAWING = "drawing"


class Turns:
    """This process among the scripts in one terminal, until the process ends: it may print after its experiment, too.

    Args:
        terminal: Number of the terminal's open file.
        folder: Where the scripts of this terminal meet. Each has a locked file there, named by its process.
    """

    def __init__(self, terminal: int, folder: Path) -> None:
        self._terminal, self._folder = terminal, folder
        self._drawing: int | None = None
        self._own = folder / str(os.getpid())
        coming = folder / f"{os.getpid()}.new"  # nobody may see the file before it is locked
        self._file = locked(coming)
        coming.rename(self._own)
        atexit.register(self._go, os.getpid())
        self._wait()

    def mine(self) -> bool:
        """Whether this script may draw. If so, others that come wait until it gives up drawing."""
        if not self.in_foreground() or self._others():
            return False
        if self._drawing is None:
            with suppress(OSError):
                self._drawing = locked(self._folder / _DRAWING)
        return self._drawing is not None

    def give_up(self) -> None:
        """This script has erased its drawing, or leaves it."""
        if self._drawing is not None:
            os.close(self._drawing)
            self._drawing = None

    def in_foreground(self) -> bool:
        """Whether the terminal sends this script what is typed; a script started with `&` gets nothing."""
        try:
            return os.tcgetpgrp(self._terminal) == os.getpgrp()
        except OSError:  # it is not the terminal of this session
            return True

    def _others(self) -> bool:
        """Whether another script is in this terminal. Files that ended scripts have left are removed.

        The folder may be gone: many systems remove XDG_RUNTIME_DIR when its user logs out. Then nobody is found.
        """
        with suppress(OSError):
            for path in self._folder.iterdir():
                if path == self._own or not path.name.isdigit():
                    continue
                if is_locked(path):
                    return True
                path.unlink(missing_ok=True)
        return False

    def _wait(self) -> None:
        """Wait until no script draws."""
        deadline = time.monotonic() + PATIENCE_S
        while is_locked(self._folder / _DRAWING) and time.monotonic() < deadline:
            time.sleep(0.01)

    def _go(self, pid: int) -> None:
        if os.getpid() == pid:  # not in a process that was forked
            self._own.unlink(missing_ok=True)


class Alone:
    """Stands for `Turns` where scripts cannot find each other: this one draws."""

    def mine(self) -> bool:
        return True

    def give_up(self) -> None:
        pass

    def in_foreground(self) -> bool:
        return True


@lru_cache(maxsize=8)
def turns_in(terminal: int, pid: int) -> Turns | Alone:
    """This process among the scripts in a terminal. Each process has one such object for a terminal.

    Args:
        terminal: Number of the terminal's open file.
        pid: Of this process, because a forked one is another script.
    """
    try:
        return Turns(terminal, _folder(os.ttyname(terminal)))
    except OSError:  # no room for files, or another user's folder
        return Alone()


def _folder(name: str) -> Path:
    """The folder of a terminal, which only this user can write to.

    Raises:
        OSError: It cannot be made, or belongs to somebody else.
    """
    above = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"xpm-terminals-{os.getuid()}"
    above.mkdir(mode=0o700, exist_ok=True)
    found = above.lstat()
    if found.st_uid != os.getuid() or above.is_symlink():
        raise PermissionError(f"{above} belongs to somebody else")
    folder = above / name.strip("/").replace("/", "-")
    folder.mkdir(exist_ok=True)
    return folder


def locked(path: Path) -> int:
    """Open a file, and lock it; the lock ends with the process, or when the file is closed.

    Raises:
        BlockingIOError: Another process has locked it.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise
    return file


def is_locked(path: Path) -> bool:
    """Whether a process has locked a file."""
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
