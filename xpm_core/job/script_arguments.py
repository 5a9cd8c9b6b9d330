"""What a script was started with, `sys.argv`, on its way to the processes of its jobs.

A module can look at it while it is imported, and make another class of it. So a job's class sees what it saw when the
script made it. Passwords in URLs are left out. Long arguments, such as the names of many files, are written once into
the workspace; the payload of each job names them by their digest.
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
"""Bytes of arguments that each payload holds itself."""

FOLDER = Path(".xpm", "arguments")
"""In the workspace: longer arguments, in files named by their digest."""

_PASSWORD = re.compile(r"(\b[a-z][a-z0-9+.-]*://(?:[^/?#\s:@]*:)?)[^/?#\s]*@", re.IGNORECASE)
_SECRET_OPTION = re.compile(r"(://\S*?[?&][^=&\s]*pass[^&=\s]*=)[^&\s]*", re.IGNORECASE)


def pack(arguments: tuple[str, ...], workspace: Path | None) -> list[bytes] | bytes:
    """The arguments as a payload holds them: themselves, or the digest of the file in the workspace that holds them.

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
    """The arguments one by one, all of them as a file holds them, and the digest of that."""
    words = [without_passwords(each).encode("utf-8", "surrogatepass") for each in arguments]
    data: bytes = msgpack.packb(words)
    return words, data, hashlib.sha256(data).digest()


def unpack(packed: list[bytes] | bytes, workspace: Path) -> list[str]:
    """The arguments that `pack` was given.

    Raises:
        PayloadError: The file that holds them is not there, or is another one.
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
