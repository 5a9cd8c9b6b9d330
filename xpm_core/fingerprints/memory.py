"""What is known of contents that were parsed before.

    <workspace>/code/definitions/<SHA-256 of the content>

A document is a line with the digest of the rest, and the rest. It is a cache: a damaged one, or one of another version,
is made again. Files with equal content share one, because definitions depend on the content alone.

Owns: where these documents lie, and what is believed of them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from xpm_core.errors import WorkspaceError
from xpm_core.fingerprints.source.definitions import Definitions, definitions
from xpm_core.workspace.files import explained, write_atomic

_DIGITS = 32

MARKED_S = 86400.0
"""After how long a document is marked as used again, seconds. `xpm gc` removes what nobody has used for a week."""


class Memory:
    """The definitions of contents.

    Args:
        workspace: The workspace's directory.
        keeps: Whether what is found out may be written there, and what is used may be marked.

    Example:
        >>> memory = Memory(workspace.path)
        >>> memory.definitions(digest, "train.py", lambda: store.object(digest)).names["Train"].kind
        'class'
    """

    def __init__(self, workspace: Path, *, keeps: bool = True) -> None:
        self._keeps = keeps
        self.folder = f"{workspace}/code/definitions"
        self._known: dict[str, Definitions] = {}
        self._making: dict[tuple[str, frozenset[str]], Definitions] = {}

    def definitions(self, digest: str, path: str, content: Callable[[], bytes]) -> Definitions:
        """The definitions of a content.

        Args:
            digest: The SHA-256 of the content.
            path: The path of a file that has it. It says only whether the file is Python source.
            content: Reads the content. It is called only if nothing is known of it.

        Raises:
            SnapshotError: `content` raises it.
        """
        if not path.endswith((".py", ".pyw")):
            return definitions(b"", path)
        known = self._known.get(digest)
        if known is None:
            known = self._read(digest)
            if known is None:
                data = content()
                known = definitions(data, path)
                if sha256(data).hexdigest() != digest:  # it was changed since its digest was taken
                    return known
                if known.problem:  # another Python can perhaps read it
                    self._known[digest] = known
                    return known
                if self._keeps:
                    self._write(digest, known)
            self._known[digest] = known
        return known

    def making(self, digest: str, path: str, making: frozenset[str], content: Callable[[], bytes]) -> Definitions:
        """The definitions of a content where calls are known to make configurations. They depend on other files.

        So they are kept for this process alone.

        Args:
            digest: The SHA-256 of the content.
            path: The path of a file that has it.
            making: Which calls, see `definitions`.
            content: Reads the content.

        Raises:
            SnapshotError: `content` raises it.
        """
        key = digest, making
        if key not in self._making:
            self._making[key] = definitions(content(), path, making)
        return self._making[key]

    def _read(self, digest: str) -> Definitions | None:
        try:
            with open(f"{self.folder}/{digest}", "rb") as file:
                if self._keeps and time.time() - os.fstat(file.fileno()).st_mtime > MARKED_S:
                    with suppress(OSError):  # it belongs to somebody else
                        os.utime(file.fileno())
                head, _, data = file.read().partition(b"\n")
        except OSError:
            return None
        return Definitions.read(data) if head.decode("latin-1") == sha256(data).hexdigest()[:_DIGITS] else None

    def _write(self, digest: str, found: Definitions) -> None:
        """Keep what was found. Without space or rights for it, the next script parses the file again."""
        data = found.written()
        path = f"{self.folder}/{digest}"
        with suppress(WorkspaceError):
            with explained(path, "cannot be written"):
                os.makedirs(self.folder, exist_ok=True)
            write_atomic(path, sha256(data).hexdigest()[:_DIGITS].encode() + b"\n" + data, durable=False)
