"""What was read before: for each file of a root, its digest, and how the system described it then.

    <workspace>/code/seen/<host>-<user's number>-<hash of the root's path>      JSON

A file whose description is the same has the same content, so it is not read again. This holds only if the file was last
changed well before it was read: two changes within one tick of the file system's clock look the same. Git has the same
rule for its index. The file is a cache: a damaged one is as good as none, and two scripts may write it at once. A file
that others could have written is not believed, because it decides which code a job of this user gets.

Owns: the form of this file, and when a digest is believed.
"""

from __future__ import annotations

import json
import os
import re
import socket
import time
from contextlib import suppress
from hashlib import sha256
from typing import Any

from xpm_core.errors import WorkspaceError
from xpm_core.workspace.files import explained, write_atomic

_VERSION = 1
_DIGEST = re.compile("[0-9a-f]{64}")
_SECOND_NS = 1_000_000_000
CLEARLY_NS = 2 * _SECOND_NS
"""How much older than the reading a change has to be: the coarsest clock of a file system ticks every two seconds."""

Description = tuple[int, int, int, int, int]
"""Size, mtime, ctime (both in nanoseconds), inode and mode of a file."""


def described(status: os.stat_result) -> Description:
    """What the system says of a file, as far as it changes with the content."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_mode


def is_settled(status: os.stat_result, read_ns: int) -> bool:
    """Whether a later change of the file would be seen in its description.

    Args:
        status: What the system said of the file when it was read.
        read_ns: When the reading began, in nanoseconds since 1970.
    """
    changed = max(status.st_mtime_ns, status.st_ctime_ns)
    has_fine_clock = status.st_ctime_ns % _SECOND_NS != 0
    return has_fine_clock and changed + CLEARLY_NS < read_ns


class Seen:
    """The digests of the files of a root.

    Args:
        folder: The folder of these files in the workspace.
        root: The root.

    Example:
        >>> seen = Seen(f"{workspace}/code/seen", "/home/me/digits")
        >>> seen.digest("train.py", os.stat("/home/me/digits/train.py"))
        '8c1f2e0…'
    """

    def __init__(self, folder: str, root: str) -> None:
        name = f"{socket.gethostname()}-{os.geteuid()}-{sha256(os.fsencode(root)).hexdigest()[:16]}"
        self._path, self._root = os.path.join(folder, name), root
        self._known = self._read()
        self._changed = False

    def digest(self, path: str, status: os.stat_result) -> str | None:
        """The digest of a file; None if it has to be read.

        Args:
            path: Its path in the root.
            status: What the system says of it now.
        """
        known = self._known.get(path)
        return known[5] if known is not None and (*known[:5],) == described(status) else None

    def note(self, path: str, status: os.stat_result, digest: str, read_ns: int) -> None:
        """Note the digest of a file, if it can be believed later."""
        if is_settled(status, read_ns):
            self._known[path] = [*described(status), digest]
            self._changed = True
        elif self._known.pop(path, None) is not None:
            self._changed = True

    def write(self, paths: set[str]) -> None:
        """Keep what was noted for the next script. Without space or rights for it, the next one reads all files again.

        Args:
            paths: The files of the root. What is known of others is forgotten.
        """
        if not self._changed:
            return
        self._known = {path: known for path, known in self._known.items() if path in paths}
        data = json.dumps({"version": _VERSION, "root": self._root, "files": self._known}, separators=(",", ":"))
        with suppress(WorkspaceError):
            with explained(self._path, "cannot be written"):
                os.makedirs(os.path.dirname(self._path), exist_ok=True)
            write_atomic(self._path, data.encode(), durable=False, mode=0o600)
        self._changed = False

    def _read(self) -> dict[str, list[Any]]:
        try:
            with open(self._path, "rb") as file:
                about = os.fstat(file.fileno())
                if about.st_uid != os.geteuid() or about.st_mode & 0o022:
                    return {}
                kept = json.loads(file.read())
            if kept["version"] != _VERSION or kept["root"] != self._root:
                return {}
            return {path: known for path, known in kept["files"].items() if _is_sound(known)}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}


def _is_sound(known: Any) -> bool:
    """Whether a line of the file has its form."""
    return type(known) is list and len(known) == 6 and type(known[5]) is str and _DIGEST.fullmatch(known[5]) is not None


def now_ns() -> int:
    """The time of this machine, in nanoseconds since 1970."""
    return time.time_ns()
