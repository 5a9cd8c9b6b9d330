"""Parts of payloads: configurations below submitted tasks, each written to the workspace once and named by its digest.

A payload holds a small graph whole. The payload of a large graph, such as a long chain of tasks, names the parts that
hold the rest, so that what many payloads have in common is written once. The name of a part is the SHA-256 of its
bytes: a part never changes, and the signature of a payload covers its parts. Job processes load this module, so it
imports nothing heavy.

Owns: the files in `.xpm/parts`. xpm_core.wire.part_packer says what is in them.
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


class Parts:
    """The parts of payloads in a workspace. The folder is made when the first part is written.

    Args:
        workspace: The workspace's directory on this machine.

    Attributes:
        lock: Held while a payload is packed. Two threads that pack at once would put a configuration into two parts.
        floating: Configurations in parts that are no tasks and have generated paths, each with the paths that the part
            holds, as bytes. Where such a path lies depends on the task that refers to the configuration.
        used: Whether any configuration is in a part.
    """

    def __init__(self, workspace: Path) -> None:
        self._folder = workspace / ".xpm" / "parts"
        self.lock = threading.Lock()
        self.floating: list[tuple[Any, dict[str, bytes]]] = []
        self.used = False

    def put(self, data: bytes) -> bytes:
        """Write a part, unless it exists. It is on the disk before a payload names it.

        Returns:
            The SHA-256 of the part, 32 bytes.

        Raises:
            WorkspaceError: The part cannot be written.
        """
        digest = sha256(data).digest()
        if self._read(digest) != data:
            with explained(self._folder, "cannot be made"):
                self._folder.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path(digest), data, durable=True)
        self.used = True
        return digest

    def get(self, digest: bytes) -> bytes:
        """The bytes of a part, as they were written.

        Raises:
            PayloadError: The part does not exist, or was changed.
        """
        data = self._read(digest)
        if data is None:
            with contextlib.suppress(OSError):
                os.listdir(self._folder)  # a network file system then asks its server again
            data = self._read(digest)
        if data is None or len(data) > LARGEST_PAYLOAD or sha256(data).digest() != digest:
            wrong = "is not there, or too large" if data is None else "was changed, as by a power cut"
            problem = f"this part of a job's parameters {wrong}"
            raise PayloadError(str(self._path(digest)), problem, "Run the script again, which writes it anew.")
        return data

    def _path(self, digest: bytes) -> Path:
        return self._folder / digest.hex()

    def _read(self, digest: bytes) -> bytes | None:
        """The content of a part's file; None when there is no such file, or one that is too large."""
        try:
            with open(self._path(digest), "rb") as file:
                return file.read() if os.fstat(file.fileno()).st_size <= LARGEST_PAYLOAD else None
        except OSError:
            return None
