"""A file of tar as somebody has sent it: read from its beginning to its end, with nothing believed.

Python's own filters for tars exist in later versions only, and let more through than an export can hold. So all checks
are here: regular files and folders alone, below one folder, each name once, no larger in all than is allowed.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from xpm_core.errors import ExchangeError
from xpm_core.exchange.layout import NOT_OURS
from xpm_core.words.text import amount

LARGEST_READ = 4 << 20
"""Bytes that one read may ask for. A header that announces more is refused; else it would fill the memory."""
RATIO, SMALL = 20, 10**9
"""Without another limit, a file may hold this many times its own size, and always this many bytes."""
LONGEST_NAME, LONGEST_PART = 3000, 255
BLOCK = 512

_MALFORMED = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, LookupError, RecursionError)


class Archive:
    """A file of tar.

    Args:
        path: The file.
        most_bytes: How large what it holds may be; None for `RATIO` times its size.

    Raises:
        ExchangeError: It cannot be read, or is no regular file.
    """

    def __init__(self, path: Path, most_bytes: int | None = None) -> None:
        self.path = path
        try:
            self._file = open(path, "rb")  # noqa: SIM115  # `close` closes it
        except OSError as error:
            reason = os.strerror(error.errno or 0).lower()
            raise ExchangeError(str(path), f"it cannot be read: {reason}", "Name a file of xpm export.") from None
        about = os.fstat(self._file.fileno())
        if not stat.S_ISREG(about.st_mode):
            self._file.close()
            problem = "it is no regular file, and an import reads it twice"
            raise ExchangeError(str(path), problem, "Save it to a file first.")
        self.size = about.st_size
        self._most = most_bytes
        self.most_bytes = max(SMALL, RATIO * about.st_size) if most_bytes is None else most_bytes

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def members(self) -> Iterator[tuple[str, tarfile.TarInfo, IO[bytes]]]:
        """Its files from the first to the last: name, what the header says, and the content, to be read at once.

        Raises:
            ExchangeError: It is damaged or cut off, or holds something that no export holds.
        """
        self._file.seek(0)
        packed = self._file.read(2) == b"\x1f\x8b"
        self._file.seek(0)
        stream: Any = _Guard(gzip.GzipFile(fileobj=self._file) if packed else self._file, str(self.path))
        names = _Names(str(self.path))
        total = 0
        try:
            with tarfile.open(fileobj=stream, mode="r:", errorlevel=2) as tar:
                while (member := tar.next()) is not None:
                    name = names.checked(member)
                    total += BLOCK + max(member.size, 0)
                    if total > self.most_bytes:
                        self._refuse_size()
                    tar.members = []  # type: ignore[attr-defined]  # it would keep all of them
                    if not member.isdir():
                        content = tar.extractfile(member)
                        assert content is not None, "it is a regular file"
                        yield name, member, content
        except _MALFORMED as error:
            raise self._malformed(str(error) or type(error).__name__) from None
        except OSError as error:
            raise self._malformed(os.strerror(error.errno) if error.errno else str(error)) from None
        if stream.last != bytes(BLOCK):
            raise ExchangeError(str(self.path), "it is cut off, or damaged: its end is missing", "Copy it again.")

    def _malformed(self, why: str) -> ExchangeError:
        return ExchangeError(str(self.path), f"it is no whole file of tar ({why[:200]})", "Copy it again.")

    def _refuse_size(self) -> None:
        if self._most is None:
            problem = f"it has {amount(self.size)}, and holds more than {amount(self.most_bytes)}"
        else:
            problem = f"it holds more than {amount(self.most_bytes)}"
        raise ExchangeError(str(self.path), problem, "If you expect that, allow it: --max-size 500GB.")


class _Guard:
    """A stream whose reads are bounded; it remembers the last one."""

    def __init__(self, stream: Any, where: str) -> None:
        self._stream, self._where = stream, where
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= LARGEST_READ:
            raise ExchangeError(self._where, f"a header in it announces {size} bytes", NOT_OURS)
        self.last = self._stream.read(size)
        return self.last

    def tell(self) -> int:
        return int(self._stream.tell())

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        return int(self._stream.seek(place, whence))


class _Names:
    """The names that were met."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._files: set[str] = set()
        self._folders: set[str] = set()
        self._top = ""

    def checked(self, member: tarfile.TarInfo) -> str:
        """The name of a member below the one folder of the file; empty for that folder itself."""
        name = member.name
        parts = name.split("/")
        if wrong := _wrong_kind(member) or _wrong_name(name, parts):
            raise self._refusal(name, wrong)
        self._top = self._top or parts[0]
        if parts[0] != self._top:
            raise self._refusal(name, f"is not in the folder {self._top!r}, as all else is")
        self._add(name, parts, member.isdir())
        return "/".join(parts[1:])

    def _add(self, name: str, parts: list[str], is_folder: bool) -> None:
        above = ["/".join(parts[:count]) for count in range(1, len(parts))]
        if name in self._files or (name in self._folders and not is_folder):
            raise self._refusal(name, "is there twice")
        if stands := next((each for each in above if each in self._files), ""):
            raise self._refusal(name, f"lies in {stands!r}, which is a file")
        self._folders.update(above)
        (self._folders if is_folder else self._files).add(name)

    def _refusal(self, name: str, wrong: str) -> ExchangeError:
        return ExchangeError(self._where, f"{name[:200]!r} in it {wrong}", NOT_OURS)

    @property
    def top(self) -> str:
        """The one folder."""
        return self._top


def _wrong_kind(member: tarfile.TarInfo) -> str:
    if member.issym() or member.islnk():
        return "is a link"
    if member.isdev():
        return "is a device or a pipe"
    if member.issparse():
        return "has holes, whose size a file can announce without having it"
    if not (member.isreg() or member.isdir()) or member.type == tarfile.CONTTYPE:
        return "is neither a file nor a folder"
    return "announces a size below 0" if member.size < 0 else ""


def _wrong_name(name: str, parts: list[str]) -> str:
    if name.startswith("/"):
        return "is an absolute path"
    if ".." in parts:
        return "leaves its folder"
    if "" in parts or "." in parts or "\0" in name:
        return "is no plain path"
    long = len(os.fsencode(name)) > LONGEST_NAME or any(len(os.fsencode(part)) > LONGEST_PART for part in parts)
    return "has too long a name" if long else ""
