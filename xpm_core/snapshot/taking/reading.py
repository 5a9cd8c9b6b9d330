"""Reading files while people and programs work on them, and keeping their content.

Owns: what is done about a file that changes while it is read, that is gone, or that is no file any more.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from hashlib import sha256
from typing import NamedTuple

from xpm_core.errors import SnapshotError
from xpm_core.snapshot.code_store import RELIED_ON_S, CodeStore, clock_s
from xpm_core.snapshot.taking.files.links import exclude
from xpm_core.snapshot.taking.files.names import shown
from xpm_core.snapshot.taking.files.selection import Found
from xpm_core.snapshot.taking.seen import Seen, described, now_ns

TRIES = 6
_PAUSE_S = 0.01
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""A link that was put in the file's place is not followed, and a FIFO does not block."""


class Content(NamedTuple):
    """The content of a file, and what the system said of the file while it was read."""

    data: bytes
    status: os.stat_result
    read_ns: int


class Kept(NamedTuple):
    """A file whose content lies in the workspace.

    Attributes:
        digest: The SHA-256 of its content.
        status: What the system said of it when it was read.
        settled: Whether a later change would be seen in what the system says.
        is_new: Whether the content was not in the workspace before.
    """

    digest: str
    status: os.stat_result
    settled: bool
    is_new: bool

    def is_still(self, path: str) -> bool:
        """Whether a file has this content. It is read only if the system's description does not settle it."""
        try:
            if described(os.stat(path)) != described(self.status):
                return False
        except OSError:
            return False
        if self.settled:
            return True
        content = read_stable(os.path.realpath(path), path)
        return content is not None and sha256(content.data).hexdigest() == self.digest


def read_stable(path: str, own: str) -> Content | None:
    """Read a file so that its content is that of one moment.

    Args:
        path: The file, an absolute path that is no link.
        own: Its path in its root, for messages.

    Returns:
        The content; None if the file is gone, or is no file any more.

    Raises:
        SnapshotError: It cannot be read, or changes each time while it is read.
    """
    for number in range(TRIES):
        if number:
            time.sleep(_PAUSE_S * 2**number)
        began = now_ns()
        try:
            descriptor = os.open(path, _FLAGS)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if os.path.islink(path):
                return None
            if error.errno == errno.ESTALE:  # another machine has replaced it on a network file system
                continue
            raise _unreadable(path, own, error) from None
        try:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                return None
            data = _whole(descriptor, before.st_size)
            after = os.fstat(descriptor)
        except OSError as error:
            if error.errno == errno.ESTALE:
                continue
            raise _unreadable(path, own, error) from None
        finally:
            os.close(descriptor)
        if described(before) == described(after) and len(data) == after.st_size:
            return Content(data, after, began)
    problem = f"this file changes while it is read, {TRIES} times in a row"
    raise SnapshotError(shown(path), problem, f"Wait until it is written. Or: {exclude(own)}")


def _whole(descriptor: int, size: int) -> bytes:
    """All that a file holds, and one byte more if it has grown."""
    parts, left = [], size + 1
    while left > 0 and (part := os.read(descriptor, left)):
        parts.append(part)
        left -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _unreadable(path: str, own: str, error: OSError) -> SnapshotError:
    reason = (error.strerror or str(error)).lower()
    return SnapshotError(shown(path), f"cannot be read: {reason}", f"Make it readable for you. Or: {exclude(own)}")


class Keeper:
    """Keeps the files of roots in a workspace.

    Args:
        store: Where the contents are kept.
    """

    def __init__(self, store: CodeStore) -> None:
        self._store = store
        self._present: set[str] = set()
        self._since_s = clock_s()

    def forget(self) -> None:
        """Look anew whether contents are there."""
        self._present.clear()

    def keep(self, path: str, found: Found, seen: Seen) -> Kept | None:
        """Keep a file. It is read only if it is not known, or if its content is not in the workspace any more.

        Args:
            path: Its path in its root.
            found: Where to read it.
            seen: What is known of the files of the root.

        Returns:
            What was kept; None if the file is gone.

        Raises:
            SnapshotError: It cannot be read.
            WorkspaceError: It cannot be written.
        """
        digest = seen.digest(path, found.stat)
        if digest is not None and self._has(digest, found.stat.st_size):
            return Kept(digest, found.stat, True, False)
        content = read_stable(found.place, path)
        if content is None:
            return None
        digest = sha256(content.data).hexdigest()
        is_new = not self._has(digest, len(content.data))
        if is_new:
            self._store.put_object(content.data)
            self._present.add(digest)
        seen.note(path, content.status, digest, content.read_ns)
        return Kept(digest, content.status, seen.digest(path, content.status) is not None, is_new)

    def _has(self, digest: str, size: int) -> bool:
        """Whether a content is in the workspace. This is believed for an hour: after a day, `xpm gc` may remove it."""
        if clock_s() - self._since_s > RELIED_ON_S:
            self.forget()
            self._since_s = clock_s()
        if digest not in self._present:
            if not self._store.has_object(digest, size):
                return False
            self._present.add(digest)
        return True
