"""Write files and links so that a reader sees the old or the new one, never a part.

Owns: temporary names, renaming, and messages for errors of the operating system. Knows nothing of workspaces. Imports
nothing heavy, because job processes use it.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

from xpm_core.errors import WorkspaceError

LISTING_LAG_S = 120.0
"""How long a network file system may hide a new file, seconds. Only after that it counts as missing."""
_REMEDIES = {
    errno.ENOSPC: "Free some space there.",
    errno.EDQUOT: "Free some space there, or ask for a larger quota.",
    errno.EACCES: "Make it writable for you, or use another workspace.",
    errno.EPERM: "Make it writable for you, or use another workspace.",
    errno.EROFS: "Mount it writable, or use another workspace.",
    errno.ENOTDIR: "Move the file that stands in the way.",
    errno.EEXIST: "Move the file or folder of that name.",
    errno.EISDIR: "Move the folder of that name.",
    errno.ENAMETOOLONG: "Use a shorter path.",
    errno.ENOENT: "A folder on its path was removed: run the job or script again.",
}


@contextlib.contextmanager
def explained(path: str | os.PathLike[str], attempt: str) -> Iterator[None]:
    """Turn an OSError of the block into a WorkspaceError, which says what could not be done, why, and what to do.

    Args:
        path: The file or folder.
        attempt: What could not be done, such as "cannot be made".

    Raises:
        WorkspaceError: The block has raised an OSError.

    Example:
        >>> with explained(folder, "cannot be made"):
        ...     os.mkdir(folder)
    """
    try:
        yield
    except OSError as error:
        raise explanation(path, attempt, error) from error


def explanation(path: str | os.PathLike[str], attempt: str, error: OSError) -> WorkspaceError:
    """The WorkspaceError that `explained` raises for an OSError."""
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    if error.filename is not None and os.path.dirname(error.filename) != os.path.dirname(path):
        reason += f" ({error.filename})"
    remedy = _REMEDIES.get(error.errno or 0, "Check the file system, then try again.")
    return WorkspaceError(os.fspath(path), f"{attempt}: {reason}", remedy)


def write_atomic(
    path: str | os.PathLike[str], data: bytes, *, durable: bool, mode: int = 0o666, group: int | None = None
) -> None:
    """Write a whole file, replacing an earlier one in a single step.

    Args:
        path: The file; its folder must exist.
        data: The whole content.
        durable: Whether to wait until the content is on the disk (fsync), so that a power cut leaves no empty file.
        mode: The file's permissions, less those that the process's umask takes away.
        group: The id of the file's group; -1 for that of the process. If it is given, the umask takes nothing away.

    Raises:
        WorkspaceError: It cannot be written, for example because the disk is full; nothing is left behind.

    Example:
        >>> write_atomic("workspace/.xpm/notes.json", b"{}", durable=True)
    """
    with _temporary(path, "cannot be written") as temporary:
        _write(temporary, data, durable, mode, group)
        os.rename(temporary, path)


def append_line(path: str | os.PathLike[str], line: str) -> None:
    """Add a line to a file, and wait until it is on the disk. The file is made if it does not exist.

    Raises:
        WorkspaceError: It cannot be written.
    """
    with explained(path, "cannot be written"), open(path, "ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
        cut = file.read(1) not in (b"", b"\n")  # a power cut has left the last line without its end
        file.write(b"\n" * cut + line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def write_once(path: str | os.PathLike[str], data: bytes) -> bool:
    """Write a whole file, unless it exists. If several processes write it at once, the first one wins.

    Returns:
        Whether this call has written it.

    Raises:
        WorkspaceError: It cannot be written; nothing is left behind.
    """
    with _temporary(path, "cannot be written") as temporary:
        _write(temporary, data, durable=True)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError:  # a file system without hard links: rename is the best that it has
            os.rename(temporary, path)
        finally:
            _remove(temporary)
        return True


def link_atomic(path: str | os.PathLike[str], target: str) -> None:
    """Make a symbolic link, replacing an earlier one in a single step.

    Raises:
        WorkspaceError: It cannot be made, for example because a folder has that name; nothing is left behind.
    """
    with _temporary(path, "cannot be linked") as temporary:
        try:
            os.symlink(target, path)  # whoever lists the folder sees no other name
        except FileExistsError:
            os.symlink(target, temporary)
            os.rename(temporary, path)


@contextlib.contextmanager
def _temporary(path: str | os.PathLike[str], attempt: str) -> Iterator[str]:
    """A hidden name next to `path` that nobody else uses. After an error, it is removed, and the error explained."""
    folder, slash, name = os.fspath(path).rpartition("/")
    temporary = f"{folder}{slash}.{name[:100]}.{os.urandom(4).hex()}"
    try:
        yield temporary
    except BaseException as error:
        _remove(temporary)
        if isinstance(error, OSError):
            raise explanation(path, attempt, error) from error
        raise


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


def _write(path: str, data: bytes, durable: bool, mode: int = 0o666, group: int | None = None) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode if group is None else 0o600)
    try:
        if group is not None:  # by the descriptor, because others may put a link at the path meanwhile
            os.fchown(descriptor, -1, group)
            os.fchmod(descriptor, mode)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
