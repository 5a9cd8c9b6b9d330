"""Tasks that leave data which their process must write at its end. A worker imports this module."""

from __future__ import annotations

import atexit
import ctypes
import fcntl
import gzip
import logging.handlers
import os
import sys
import termios
import threading
import weakref
import zipfile
from array import array
from pathlib import Path
from typing import IO, Any

from xpm_core import Param, Task, field

TEXT = "what a plain program would have written\n"

KEPT: list[Any] = []
"""What the tasks of this module leave in a list of their module."""


class Trailer:
    """Writes its last line when nobody needs it any more."""

    def __init__(self, name: str) -> None:
        self.file = open(name, "w")  # noqa: SIM115

    def __del__(self) -> None:
        self.file.write(TEXT)


class Deeds:
    """Leaves files open, each in another way; as a plain program may."""

    shared: Any = None

    def __init__(self) -> None:
        self.own = self.written(open("own", "w"))  # noqa: SIM115
        KEPT.append(self.written(open("listed", "w")))  # noqa: SIM115
        Deeds.shared = self.written(open("shared", "w"))  # noqa: SIM115
        self.zipped = self.written(gzip.open("zipped.gz", "wt"))  # noqa: SIM115
        self.archive = zipfile.ZipFile("archive.zip", "w")
        self.archive.writestr("member", TEXT)
        KEPT.append(Trailer("deleted"))
        self.cycle = [Trailer("in a cycle"), self]
        self.finalized = Trailer("finalized")
        weakref.finalize(self.finalized, Path("finalizer").write_text, TEXT)
        self.logged()
        late = open("late", "w")  # noqa: SIM115
        atexit.register(late.write, TEXT)
        left_by_c(b"from C")

    def written(self, file: IO[str]) -> IO[str]:
        file.write(TEXT)
        return file

    def logged(self) -> None:
        target = logging.FileHandler("log", delay=True)
        handler = logging.handlers.MemoryHandler(1000, target=target)
        logger = logging.getLogger("left")
        logger.addHandler(handler)
        logger.warning(TEXT.strip())


class LeaveOpen(Task):
    """Leaves such deeds behind."""

    fails: Param[bool] = field(default=False)

    def execute(self) -> None:
        self.deeds = Deeds()
        if self.fails:
            raise ValueError("after all that")


class LeaveThread(Task):
    """Leaves a thread that never ends, and has a file open."""

    note: Param[str]

    def execute(self) -> None:
        threading.Thread(target=(waiting := Waiting("of a thread")), daemon=True).start()
        waiting.there.wait()


class Waiting:
    """Has a file open in a thread that never ends."""

    def __init__(self, name: str) -> None:
        self.name, self.there = name, threading.Event()

    def __call__(self) -> None:
        with open(self.name, "w") as file:
            file.write(TEXT)
            self.there.set()
            threading.Event().wait()


class Refused:
    """Writes to a full disk when nobody needs it any more."""

    def __del__(self) -> None:
        Path("/dev/full").write_text(TEXT)


class LeaveFull(Task):
    """Leaves something that cannot be written, because the disk is full."""

    how: Param[str]

    def execute(self) -> None:
        if self.how == "deleted":
            KEPT.append(Refused())
        elif self.how == "exit handler":
            atexit.register(Path("/dev/full").write_text, TEXT)
        elif self.how == "C":
            left_by_c(b"/dev/full")
        else:
            file = (gzip.open if self.how == "zipped" else open)("/dev/full", "wt")
            file.write(TEXT)
            KEPT.append(file)


class Stuck(Task):
    """Leaves a file open that a thread of its own writes to, and never comes to an end with."""

    fails: Param[bool] = field(default=False)

    def execute(self) -> None:
        read, write = os.pipe()
        file = open(write, "wb")  # noqa: SIM115
        KEPT.append(file)
        threading.Thread(target=file.write, args=[bytes(1_000_000)], daemon=True).start()
        held = array("i", [0])
        while not held[0]:
            fcntl.ioctl(read, termios.FIONREAD, held)
        if self.fails:
            raise ValueError("after all that")


class Child(Task):
    """Forks a process that leaves `execute` as its parent does."""

    note: Param[str]

    def execute(self) -> None:
        if os.fork() == 0:
            sys.exit(3)
        os.wait()


def left_by_c(name: bytes) -> None:
    """Write into a file of the C library, and leave it open."""
    libc = ctypes.CDLL(None)
    libc.fopen.restype = ctypes.c_void_p
    libc.fputs(TEXT.encode(), ctypes.c_void_p(libc.fopen(name, b"w")))
