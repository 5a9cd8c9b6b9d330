"""Where a copy is written: into a folder beside the one that is wanted, which takes its place when all is written.

Owns: that nothing is lost. Only a new or empty directory, or an earlier copy, is replaced.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xpm_core.errors import ExchangeError

MARK = "xpm-export.json"
"""The file that says of a directory that it is a copy. It is written last."""
OWN = frozenset({MARK, "index.html", "results.html", "jobs", "job", "results", "views", "assets"})
"""What a copy has at its top."""
_EXCHANGE, _HERE = 2, -100
"""RENAME_EXCHANGE and AT_FDCWD of Linux."""


@contextmanager
def new_copy(directory: Path) -> Iterator[Path]:
    """Hand out an empty folder to write to. At the end it becomes the directory; after an error it is removed.

    Args:
        directory: Where the copy is wanted.

    Raises:
        ExchangeError: Something else lies there, or nothing can be written there.
    """
    place = Path(os.path.realpath(directory))  # a link to a copy stays, and leads to the new one
    _check(directory, place)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{place.name[:40]}.new-", dir=place.parent))
    except OSError as error:
        raise _unwritable(directory, error) from error
    try:
        folder.chmod(0o777 & ~_umask())
        yield folder
        _put(folder, place)
    except OSError as error:
        raise _unwritable(directory, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # what is left there: an unfinished copy, or the one of before


def _check(directory: Path, place: Path) -> None:
    try:
        names = {each.name for each in place.iterdir()}
    except FileNotFoundError:
        return
    except NotADirectoryError:
        problem, remedy = "it is a file, and a copy is a directory", "Name a new or empty directory."
        raise ExchangeError(str(directory), problem, remedy) from None
    except OSError as error:
        raise _unwritable(directory, error) from error
    if names and MARK not in names:
        problem = "it has files, and is no earlier copy"
        raise ExchangeError(str(directory), problem, "Name a new or empty directory. Nothing was written.")
    if others := sorted(names - OWN):
        problem = f"it is an earlier copy, but {others[0]!r} was put there by somebody else, and would be removed"
        raise ExchangeError(str(directory), problem, "Move that elsewhere, or name another directory.")


def _put(folder: Path, place: Path) -> None:
    """Let the folder be the directory, in one step where the system can; what lay there is then in the folder."""
    if not place.exists() or not any(place.iterdir()):
        folder.rename(place)
        return
    if _exchanged(folder, place):
        return
    before = Path(tempfile.mkdtemp(prefix=f".{place.name[:40]}.before-", dir=place.parent))
    place.rename(before / "copy")
    try:
        folder.rename(place)
    except OSError:
        (before / "copy").rename(place)
        raise
    shutil.rmtree(before, ignore_errors=True)


def _exchanged(first: Path, second: Path) -> bool:
    """Exchange two directories in one step; False where that cannot be done."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):  # not Linux, or an old library
        return False
    return bool(rename(_HERE, os.fsencode(first), _HERE, os.fsencode(second), _EXCHANGE) == 0)


def _umask() -> int:
    found = os.umask(0o022)
    os.umask(found)
    return found


def _unwritable(directory: Path, error: OSError) -> ExchangeError:
    problem = f"the copy cannot be written: {error.strerror or error}"
    return ExchangeError(str(directory), problem, "Look who may write there, and whether the disk is full.")
