"""The arguments of a script, `sys.argv`, on their way to the processes of its jobs.

A module may read them while it is imported, and make its classes accordingly. So a job's process gets the arguments of
the script that made the task. Passwords in URLs are left out. Long arguments, such as the names of many files, are
written once into the workspace; the payload of each job names that file by its digest.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import lru_cache
from pathlib import Path

import msgpack

from xpm_core.errors import PayloadError
from xpm_core.workspace.files import explained, write_once

LONGEST = 256
"""How many bytes of arguments a payload holds itself; more go into a file."""

FOLDER = Path(".xpm", "arguments")
"""Folder of the workspace for longer arguments, in files named by their digest."""

_PASSWORD = re.compile(r"(\b[a-z][a-z0-9+.-]*://(?:[^/?#\s:@]*:)?)[^/?#\s]*@", re.IGNORECASE)
_SECRET_OPTION = re.compile(r"(://\S*?[?&][^=&\s]*pass[^&=\s]*=)[^&\s]*", re.IGNORECASE)


def pack(arguments: tuple[str, ...], workspace: Path | None) -> list[bytes] | bytes:
    """The arguments in the form in which a payload holds them.

    Args:
        arguments: The arguments, such as `tuple(sys.argv)`.
        workspace: The workspace's directory; None to keep long arguments in the payload, too.

    Returns:
        The arguments, each as bytes; or the digest of the file in the workspace that holds them.

    Raises:
        WorkspaceError: That file cannot be written.
    """
    words, data, digest = _packed(arguments)
    if workspace is None or len(data) <= LONGEST:
        return words
    file = _file(workspace, digest)
    if not file.exists():
        with explained(file.parent, "cannot be made"):
            file.parent.mkdir(parents=True, exist_ok=True)
        write_once(file, data)
    return digest


@lru_cache(maxsize=16)
def _packed(arguments: tuple[str, ...]) -> tuple[list[bytes], bytes, bytes]:
    """The arguments one by one, the content of a file that holds them, and the digest of that content."""
    words = [without_passwords(each).encode("utf-8", "surrogatepass") for each in arguments]
    data: bytes = msgpack.packb(words)
    return words, data, hashlib.sha256(data).digest()


def unpack(packed: list[bytes] | bytes, workspace: Path) -> list[str]:
    """The arguments that `pack` was given.

    Raises:
        PayloadError: The file that holds them is not there, or was changed.
    """
    words = packed if isinstance(packed, list) else _read(_file(workspace, packed), packed)
    return [word.decode("utf-8", "surrogatepass") for word in words]


def without_passwords(text: str) -> str:
    """The text with `***` for each password in a URL.

    Example:
        >>> without_passwords("--db=postgres://alice:secret@head/runs")
        '--db=postgres://alice:***@head/runs'
    """
    return _SECRET_OPTION.sub(r"\1***", _PASSWORD.sub(r"\1***@", text))


def _file(workspace: Path, digest: bytes) -> Path:
    return workspace / FOLDER / digest.hex()


def _read(file: Path, digest: bytes) -> list[bytes]:
    try:
        data = file.read_bytes()
    except OSError as error:
        wrong = f"the arguments of its script cannot be read: {os.strerror(error.errno or 0).lower()}"
    else:
        if hashlib.sha256(data).digest() == digest:
            words: list[bytes] = msgpack.unpackb(data)
            return words
        wrong = "the arguments of its script were changed"
    raise PayloadError(str(file), wrong, "Submit the task again.")
