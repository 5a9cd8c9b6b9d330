"""What payloads share: configurations below submitted tasks, written once to the workspace, and named by their digest.

A payload holds a small graph whole. Of a large one, as of a long chain of tasks, it names the parts that hold the rest,
so that what many payloads have in common is written once. A part's name is the SHA-256 of its bytes: it never changes,
and whoever signs a payload signs its parts. Imports nothing heavy: job processes use it.
"""

from __future__ import annotations

import contextlib
import os
import threading
from hashlib import sha256
from pathlib import Path
from typing import Any

from xpm_core.errors import PayloadError
from xpm_core.limits import LARGEST_PAYLOAD
from xpm_core.workspace.files import explained, write_atomic

MANY = 24
"""Submitted tasks that a payload holds itself; if it needs more, they lie in parts."""
LARGE = 64 * 1024
"""Bytes that a payload has, likewise."""


class Parts:
    """The parts of payloads in a workspace. Nothing is made before the first one is written.

    Args:
        workspace: The workspace's directory on this machine.

    Attributes:
        lock: Held while a payload is packed: two that are packed at once would give a configuration two homes.
        floating: Configurations in parts, no tasks, that have generated paths, each with those that are in the part,
            as bytes. Where such a path lies depends on the task that it is seen from.
        used: Whether any configuration is in a part.
    """

    def __init__(self, workspace: Path) -> None:
        self._folder = workspace / ".xpm" / "parts"
        self.lock = threading.Lock()
        self.floating: list[tuple[Any, dict[str, bytes]]] = []
        self.used = False

    def put(self, data: bytes) -> bytes:
        """Write a part, unless it is there. It is on the disk before a payload names it.

        Returns:
            Its digest.

        Raises:
            WorkspaceError: It cannot be written.
        """
        digest = sha256(data).digest()
        if self._read(digest) != data:
            with explained(self._folder, "cannot be made"):
                self._folder.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path(digest), data, durable=True)
        self.used = True
        return digest

    def get(self, digest: bytes) -> bytes:
        """A part as it was written.

        Raises:
            PayloadError: It is not there, or was changed.
        """
        data = self._read(digest)
        if data is None:
            with contextlib.suppress(OSError):
                os.listdir(self._folder)  # makes a network file system ask its server
            data = self._read(digest)
        if data is None or len(data) > LARGEST_PAYLOAD or sha256(data).digest() != digest:
            wrong = "is not there, or too large" if data is None else "was changed, as by a power cut"
            problem = f"this part of a job's parameters {wrong}"
            raise PayloadError(str(self._path(digest)), problem, "Run the script again, which writes it anew.")
        return data

    def _path(self, digest: bytes) -> Path:
        return self._folder / digest.hex()

    def _read(self, digest: bytes) -> bytes | None:
        """What is there under that name; None when it is nothing that could be a part."""
        try:
            with open(self._path(digest), "rb") as file:
                return file.read() if os.fstat(file.fileno()).st_size <= LARGEST_PAYLOAD else None
        except OSError:
            return None
