"""The folder `code` of a workspace: contents of files, manifests, and other documents, each named by its SHA-256.

Owns: where they lie, and what is believed of them: only what has the digest by which it is named. Also the mark by
which `xpm gc` sees that somebody is about to need a file: its time. What was used within a day stays there.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Literal

from xpm_core.errors import SnapshotError
from xpm_core.labels import short
from xpm_core.snapshot.manifest import LARGEST_MANIFEST, RUN_AGAIN, Manifest
from xpm_core.workspace.files import explained, write_atomic

Kind = Literal["snapshots", "provenance", "packages", "ran"]
"""The documents, by the name of their folder."""


MARKED_S = 3600.0
"""After how long a file is marked as used again, seconds. It has to be much shorter than a day."""
RELIED_ON_S = 3600.0
"""For how long a process believes that what it has found or written is still there, seconds. The same holds for it."""


def clock_s() -> float:
    """A clock for `RELIED_ON_S`, in seconds. It also counts while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class CodeStore:
    """The code and the documents that a workspace keeps. Folders are made when something is written.

    Args:
        workspace: The workspace's directory on this machine.

    Attributes:
        keeps: Whether it may write into the workspace.
    """

    keeps = True

    def __init__(self, workspace: Path) -> None:
        self.folder = workspace / "code"

    # -- contents of files -----------------------------------------------------------------------------------------

    def object_path(self, digest: str) -> str:
        """Where the content of a file lies, whether it is there or not."""
        return f"{self.folder}/objects/{digest[:2]}/{digest[2:]}"

    def has_object(self, digest: str, size: int) -> bool:
        """Whether the content of a file is there, with the right size. Its bytes are not read.

        If it is there, it is marked as used, so the caller can rely on it. False also if that is impossible.
        """
        return _is_marked(self.object_path(digest), size)

    def put_object(self, data: bytes) -> str:
        """Keep the content of a file, unless it is there.

        Returns:
            Its SHA-256, 64 hexadecimal digits.

        Raises:
            WorkspaceError: It cannot be written, for example because the disk is full. Nothing is left behind.
        """
        digest = sha256(data).hexdigest()
        if not self.has_object(digest, len(data)):
            path = self.object_path(digest)
            with explained(path, "cannot be written"):
                os.makedirs(os.path.dirname(path), exist_ok=True)
            write_atomic(path, data, durable=False, mode=0o444)
        return digest

    def object(self, digest: str) -> bytes:
        """The content of a file.

        A damaged one is removed, so that the next script that needs it writes it anew.

        Raises:
            SnapshotError: It is missing, cannot be read, or was damaged.
        """
        path = self.object_path(digest)
        data = _read(path)
        if data is not None and sha256(data).hexdigest() == digest:
            return data
        if data is not None:
            self.discard(path)
        wrong = "is missing, or cannot be read" if data is None else "was damaged, as by a power cut"
        raise SnapshotError(path, f"this content of a file of a snapshot {wrong}", RUN_AGAIN)

    def discard(self, path: str) -> None:
        """Remove a damaged content of a file."""
        with suppress(OSError):
            os.unlink(path)

    # -- documents -------------------------------------------------------------------------------------------------

    def document_path(self, kind: Kind, digest: str) -> str:
        """Where a document lies, whether it is there or not."""
        return f"{self.folder}/{kind}/{digest}"

    def put(self, kind: Kind, data: bytes) -> str:
        """Keep a document, unless it is there. It is on the disk before this returns, and marked as used.

        Returns:
            Its SHA-256, 64 hexadecimal digits.

        Raises:
            WorkspaceError: It cannot be written.
        """
        digest = sha256(data).hexdigest()
        path = self.document_path(kind, digest)
        if _read(path) != data or not _is_marked(path, len(data)):
            with explained(path, "cannot be written"):
                os.makedirs(os.path.dirname(path), exist_ok=True)
            write_atomic(path, data, durable=True)
        return digest

    def mark(self, kind: Kind, digest: str) -> bool:
        """Mark a document as used now, because old ones may be removed; whether it is there."""
        path = self.document_path(kind, digest)
        try:
            os.utime(path)
        except FileNotFoundError:
            return False
        except OSError:  # it belongs to somebody else
            return os.path.exists(path)
        return True

    def get(self, kind: Kind, digest: str) -> bytes:
        """A document, as it was written.

        Raises:
            SnapshotError: It is missing, or was changed.
        """
        path = self.document_path(kind, digest)
        data = _read(path)
        if data is None:
            with suppress(OSError):
                os.listdir(os.path.dirname(path))  # a network file system then asks its server again
            data = _read(path)
        if data is None or len(data) > LARGEST_MANIFEST or sha256(data).hexdigest() != digest:
            wrong = "is missing, or cannot be read" if data is None else "was changed, as by a power cut"
            raise SnapshotError(path, f"this description of {_NAMES[kind]} {short(digest)} {wrong}", RUN_AGAIN)
        return data

    def manifest(self, digest: str) -> Manifest:
        """The manifest of a snapshot.

        Raises:
            SnapshotError: It is missing, or was changed.
        """
        return Manifest.read(self.get("snapshots", digest), digest)


_NAMES = {
    "snapshots": "snapshot",
    "provenance": "the submission",
    "packages": "the packages",
    "ran": "what a job ran,",
}


def _is_marked(path: str, size: int) -> bool:
    """Mark a file of this size as used; whether that was possible. Another user's file cannot be marked."""
    try:
        about = os.stat(path)
        if about.st_size != size:
            return False
        if time.time() - about.st_mtime > MARKED_S:
            os.utime(path)
    except OSError:
        return False
    return True


def _read(path: str) -> bytes | None:
    """The content of a file; None if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None
