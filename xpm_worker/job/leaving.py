"""The end of a job's process: what Python does at the end of a program, as far as something could be lost without it.

A plain end of the interpreter would touch all that was inherited, and so copy the memory of the template: 5 ms for an
empty one, 80 ms after scikit-learn. So only what is the job's own is ended: its threads, exit handlers, the objects of
its task and of the project's modules, and its files. The exit handlers of C libraries are not called: in a forked
process some of them wait for threads that only the template has. Owns: what is written at the end, in which order, and
that an error is no longer ignored there if it means that something is missing on the disk. Imports nothing heavy: job
processes use it.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import gc
import io
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from typing import Any

from xpm_core.errors import WorkspaceError
from xpm_core.job import running
from xpm_core.workspace.files import explanation
from xpm_worker.job import failure
from xpm_worker.system import kernel

DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG, errno.EROFS, errno.ESTALE}
"""What a disk says that does not take what a job has written."""

_FILE: Any = io.IOBase.__base__
"""The base of all files, written in C: to ask the abstract class above it is slow."""

_inherited: list[Any] = []
"""Files that a template has opened, as packages do while they are imported."""

_packages: list[str] = []
"""Modules of installed packages that a template has imported."""


def bequeath(packages: Sequence[str]) -> None:
    """In a template: write what is in the buffers of its files, so that no job writes it once more.

    Args:
        packages: The modules of installed packages that it has imported.
    """
    _packages[:] = packages
    objects = gc.get_objects()
    _inherited[:] = _open_files(objects, set(map(type, objects)))
    for flush in (*(file.flush for file in _inherited), kernel.flush_c_files):
        with contextlib.suppress(Exception):
            flush()


def leave(last: str, tell: Callable[[], None]) -> BaseException | None:
    """Do what Python does at the end of a program. The caller holds nothing of the job any more.

    Args:
        last: The last module that was imported before the job's own.
        tell: Called when threads and exit handlers have ended, so that all that is left is to write.

    Returns:
        Why the job cannot be done, if not everything could be written.
    """
    steps: tuple[Callable[[], object], ...] = (
        threading._shutdown,  # type: ignore[attr-defined]
        atexit._run_exitfuncs,
        tell,
        lambda: _flush(sys.stdout),
        lambda: _flush(sys.stderr),
        lambda: _write_files(last),
        lambda: _on_disk(kernel.flush_c_files),
    )
    found: list[BaseException] = []
    _note_disk_errors(found)
    for step in steps:
        try:
            step()
        except BaseException as raised:  # whatever it is, it is told, and the others come all the same
            found.append(raised)
    return found[0] if found else None


def _note_disk_errors(found: list[BaseException]) -> None:
    """Note the errors of the disk that Python prints and ignores, as in exit handlers and `__del__`."""
    hook = sys.unraisablehook

    def note(unraisable: Any) -> None:
        if getattr(unraisable.exc_value, "errno", None) in DISK_ERRORS:
            found.append(unraisable.exc_value)
        hook(unraisable)

    sys.unraisablehook = note


def _flush(file: Any) -> None:
    with contextlib.suppress(ValueError, AttributeError):  # closed, or None
        file.flush()


def _write_files(last: str) -> None:
    """Write what the job's files hold, the last words of objects included.

    Raises:
        OSError: The disk does not take what a file has to write that the template had opened.
        WorkspaceError: The same of one that the job has opened.
    """
    objects = gc.get_objects()  # without what was there before the job: that is frozen
    kinds = set(map(type, objects))
    files = _open_files(objects, kinds)
    speak = _have_last_words(kinds, last)
    del objects, kinds  # with them, nothing could be deleted
    if speak:
        _release(last)
    _close(files)
    for file in _inherited:
        _on_disk(file.flush)


def _on_disk(write: Callable[[], object]) -> None:
    """Write. As at Python's own end, only an error of the disk counts."""
    try:
        write()
    except Exception as error:
        if getattr(error, "errno", None) in DISK_ERRORS:
            raise


def _have_last_words(kinds: set[type], last: str) -> bool:
    """Whether an object may write when it is deleted. Classes of extension modules do not tell whether theirs do."""
    if _packages or any(hasattr(kind, "__del__") for kind in kinds):
        return True
    files = (getattr(sys.modules[name], "__file__", None) or "" for name in _imported(last))
    return any(part in file for file in files for part in failure.INSTALLED)


def _imported(last: str) -> list[str]:
    """The modules that were imported since that one, the newest first."""
    return list(takewhile(lambda name: name != last, reversed(sys.modules)))


def _open_files(objects: list[Any], kinds: set[type]) -> list[Any]:
    """Of objects, and their classes, the files that can be written to."""
    files = {kind for kind in kinds if issubclass(kind, _FILE)}
    return [each for each in objects if type(each) in files and _is_writable(each)] if files else []


def _is_writable(file: Any) -> bool:
    try:
        return not file.closed and bool(file.writable())
    except Exception:  # not initialized, or a class of the job's own
        return False


def _release(last: str) -> None:
    """Let go of the task and of the project's modules, so that `__del__` is called.

    As in Python, a module that something still refers to is emptied; but not beside a thread that may use it.
    """
    running.current = None
    own = [name for name in _imported(last) if failure.is_own(getattr(sys.modules[name], "__file__", None) or "<")]
    modules = [weakref.ref(sys.modules.pop(name)) for name in own]
    for _ in range(3):  # a live object that goes lets go of its configuration, and so of its class
        if not gc.collect():
            break
    if threading.active_count() == 1:
        for module in filter(None, (found() for found in modules)):
            _empty(vars(module))


def _empty(content: dict[str, Any]) -> None:
    """Take its values from a module, in the order in which Python does."""
    for private in (True, False):
        for name in list(content):
            if name != "__builtins__" and (name.startswith("_") and not name.startswith("__")) is private:
                content[name] = None


def _close(files: list[Any]) -> None:
    """Close files, each before the one that it writes to: text before bytes, `gzip` before its file.

    Raises:
        WorkspaceError: The disk does not take what one of them has to write. The others are closed.
    """
    refused: list[WorkspaceError] = []
    while files:
        inner = {id(each) for file in files for each in _referents(file)}
        outer = {id(file) for file in files} - inner or inner
        for file in sorted(files, key=lambda each: type(each).__module__ == "_io"):  # of a circle, `gzip` comes first
            if id(file) in outer:
                refused += _closed(file)
        files = [file for file in files if id(file) not in outer]
    if refused:
        raise refused[0]


def _referents(file: Any) -> list[Any]:
    """What a file refers to, directly or as an attribute; some have itself among them."""
    return [each for each in (*gc.get_referents(file), *getattr(file, "__dict__", {}).values()) if each is not file]


def _closed(file: Any) -> Iterator[WorkspaceError]:
    """Close a file; yield why it cannot be written. As at Python's own end, other errors do not count."""
    try:
        if not file.closed:
            file.close()
    except Exception as error:
        if isinstance(error, OSError) and error.errno in DISK_ERRORS:
            yield explanation(str(getattr(file, "name", file)), "was left open, and cannot be written", error)
