"""The code of a workspace for somebody who may write nothing, such as a dry run.

Owns: what such a process would have written. It is kept in memory, and found there, too.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from xpm_core.snapshot.code_store import CodeStore, Kind


class UnwrittenStore(CodeStore):
    """Reads what a workspace keeps, and keeps in memory what is added. No file is made, changed, marked or removed.

    The snapshots that are taken with it have the names that they would have in the workspace.

    Args:
        workspace: The workspace's directory. It need not exist.

    Example:
        >>> store = UnwrittenStore(workspace.path)
        >>> store.object(store.put_object(b"x = 1"))
        b'x = 1'
    """

    keeps = False

    def __init__(self, workspace: Path) -> None:
        super().__init__(workspace)
        self._added: dict[str, bytes] = {}

    def has_object(self, digest: str, size: int) -> bool:
        """Whether the content of a file is known here, or is in the workspace with the right size."""
        if digest in self._added:
            return True
        try:
            return os.stat(self.object_path(digest)).st_size == size
        except OSError:
            return False

    def put_object(self, data: bytes) -> str:
        """Keep the content of a file in memory."""
        return self._add(data)

    def object(self, digest: str) -> bytes:
        """The content of a file. The errors are those of `CodeStore.object`."""
        return self._added[digest] if digest in self._added else super().object(digest)

    def discard(self, path: str) -> None:
        """Leave a damaged file to somebody who may write."""

    def put(self, kind: Kind, data: bytes) -> str:
        """Keep a document in memory."""
        return self._add(data)

    def mark(self, kind: Kind, digest: str) -> bool:
        """Whether a document is known here, or is in the workspace."""
        return digest in self._added or os.path.exists(self.document_path(kind, digest))

    def get(self, kind: Kind, digest: str) -> bytes:
        """A document. The errors are those of `CodeStore.get`."""
        return self._added[digest] if digest in self._added else super().get(kind, digest)

    def _add(self, data: bytes) -> str:
        digest = sha256(data).hexdigest()
        self._added[digest] = data
        return digest
