"""A file of tar, written under a temporary name and renamed once it is whole."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import stat
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from xpm_core.errors import ExchangeError
from xpm_core.workspace.files import explained

PIECE = 1 << 20
"""Bytes that are read at once."""

Tick = Callable[[int], None]
"""Called with the number of bytes that were written since the last call."""


class TarWriter:
    """Writes files below one folder into a tar.

    Args:
        stream: Where to.
        top: The name of the folder.
        tick: Called while it writes.
    """

    def __init__(self, stream: IO[bytes], top: str, tick: Tick = lambda size: None) -> None:
        form = tarfile.PAX_FORMAT
        self._tar = tarfile.open(fileobj=stream, mode="w|", format=form, bufsize=PIECE)  # noqa: SIM115  # see `close`
        self._top, self._tick = top, tick
        self._now_s = int(time.time())

    def add(self, name: str, data: bytes, mode: int = 0o644) -> None:
        """Add a file with this content."""
        self._tar.addfile(self._member(name, len(data), mode, self._now_s), io.BytesIO(data))
        self._tick(len(data))

    def copy(self, name: str, path: str) -> None:
        """Add a file of the disk as it is now.

        Raises:
            ExchangeError: It changed while it was read.
        """
        with open(path, "rb") as file:
            about = os.fstat(file.fileno())
            member = self._member(name, about.st_size, stat.S_IMODE(about.st_mode), int(about.st_mtime))
            try:
                self._tar.addfile(member, _Counting(file, self._tick))
            except OSError as error:
                if "unexpected end of data" not in str(error):
                    raise
                raise ExchangeError(path, "it became shorter while it was read", "Export again.") from None

    def close(self) -> None:
        """Write the end."""
        self._tar.close()

    def _member(self, name: str, size: int, mode: int, mtime: int) -> tarfile.TarInfo:
        member = tarfile.TarInfo(f"{self._top}/{name}")
        member.size, member.mode, member.mtime = size, (mode & 0o755) | 0o400, max(mtime, 0)
        return member


class _Counting(io.RawIOBase):
    """A file that says how much of it was read."""

    def __init__(self, file: IO[bytes], tick: Tick) -> None:
        self._file, self._tick = file, tick

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._tick(len(data))
        return data


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """A stream to a file that appears only once the block has ended well. `.gz` and `.tgz` are compressed.

    Raises:
        ExchangeError: A file of that name exists.
        WorkspaceError: It cannot be written, for example because the disk is full. Nothing is left behind.
    """
    if os.path.lexists(path):
        raise ExchangeError(str(path), "it exists already", "Name another file, or remove it.")
    temporary = path.with_name(f".{path.name[:100]}.{os.urandom(4).hex()}")
    try:
        with explained(path, "cannot be written"):
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            with _packed(_Checked(file, path), path) as stream:
                yield stream
            with explained(path, "cannot be written"):
                os.fsync(file.fileno())
        with explained(path, "cannot be written"):
            os.rename(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


@contextlib.contextmanager
def _packed(stream: _Checked, path: Path) -> Iterator[IO[bytes]]:
    if not is_packed(path):
        yield stream  # type: ignore[misc]  # it has all methods that are called
        return
    with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=stream, mtime=0) as packed:
        yield packed  # type: ignore[misc]  # it has all methods that are called


def is_packed(path: Path) -> bool:
    """Whether a file of that name is compressed."""
    return path.name.endswith((".gz", ".tgz"))


class _Checked(io.RawIOBase):
    """A file whose errors name it: what cannot be written is the export, not the file that is being read."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file, self._path = file, path

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        rest = memoryview(data)
        with explained(self._path, "cannot be written"):
            while rest:
                rest = rest[self._file.write(rest) :]
        return len(data)
