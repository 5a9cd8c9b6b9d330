"""The standard streams of a job.

Owns: how they are opened, and where they go.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path


def open_text() -> None:
    """Open `sys.stdin`, `sys.stdout` and `sys.stderr` as jobs have them. Done once, before jobs are forked.

    Each line is written at once, so that people can follow the log. A character that UTF-8 cannot write is escaped, so
    that printing never fails.
    """
    for fd, name in enumerate(("stdin", "stdout", "stderr")):
        mode, errors = ("w", "backslashreplace") if fd else ("r", "replace")
        binary = open(fd, f"{mode}b", closefd=False)  # noqa: SIM115, it stays open
        stream = io.TextIOWrapper(binary, "utf-8", errors, line_buffering=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def redirect(out: Path, err: Path) -> None:
    """Send standard output and standard error to files, and make standard input empty.

    Args:
        out: The file for standard output. What is there already stays.
        err: The file for standard error.
    """
    for target, path in ((0, os.devnull), (1, out), (2, err)):
        flags = os.O_RDONLY if target == 0 else os.O_WRONLY | os.O_APPEND | os.O_CREAT
        opened = os.open(path, flags, 0o666)
        os.dup2(opened, target)
        os.close(opened)


def append_to(path: Path, text: str) -> None:
    """Append a text to a file, even if the job has closed its streams. An error of the disk is ignored."""
    with contextlib.suppress(OSError):
        opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        write(opened, text)
        os.close(opened)


def write(fd: int, text: str) -> None:
    """Write a text to a descriptor. An error of the disk is ignored."""
    data = text.encode("utf-8", "backslashreplace")
    with contextlib.suppress(OSError):
        while data:
            data = data[os.write(fd, data) :]
