"""The end of a job's process: what Python does at the end of a program, as far as something could be lost without it.

If the interpreter ended as usual, it would touch all objects that the process inherited, and so copy the memory of the
template: that takes 5 ms for an empty template, and 80 ms after scikit-learn was imported. So only the job's own things
are ended: its threads, its exit handlers, the objects of its task and of the project's modules, and its files. Exit
handlers of C libraries are not called. In a forked process some of them would wait for threads that only the template
has.

Owns: what is written at the end, and in which order. Python ignores some errors at the end of a program; here an error
counts if it means that something is missing on the disk. Imports nothing heavy, because processes of jobs use it.
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
from typing import Any

from xpm_core.errors import WorkspaceError
from xpm_core.job import running
from xpm_core.tracebacks.user_frames import is_installed_file, is_user_file
from xpm_core.workspace.files import explanation
from xpm_worker.job import user_code
from xpm_worker.system import files as system_files

DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG, errno.EROFS, errno.ESTALE}
"""Errors of a disk that does not take what a job writes."""

_FILE: Any = io.IOBase.__base__
"""The base class of all files, written in C. The abstract class above it is slow to ask."""

_inherited: list[Any] = []
"""Files that the template has opened, as some packages do when they are imported."""

_packages: list[str] = []
"""Modules of installed packages that the template has imported."""


def bequeath(packages: Sequence[str]) -> None:
    """In a template, write the buffers of its files, so that no job writes them once more.

    Args:
        packages: The modules of installed packages that the template has imported.
    """
    _packages[:] = packages
    objects = gc.get_objects()
    _inherited[:] = _open_files(objects, set(map(type, objects)))
    for flush in (*(file.flush for file in _inherited), system_files.flush_c_files):
        with contextlib.suppress(Exception):
            flush()


def leave(last: str, on_code_ended: Callable[[], None]) -> BaseException | None:
    """Do what Python does at the end of a program. The caller must not hold any object of the job.

    Args:
        last: Name of the last module that was imported before the job's own.
        on_code_ended: Called when threads and exit handlers have ended, before files are written.

    Returns:
        Why the job cannot count as done: the error, if not everything could be written.
    """
    steps: tuple[Callable[[], object], ...] = (
        threading._shutdown,  # type: ignore[attr-defined]
        atexit._run_exitfuncs,
        on_code_ended,
        lambda: _flush(sys.stdout),
        lambda: _flush(sys.stderr),
        lambda: _write_files(last),
        lambda: _on_disk(system_files.flush_c_files),
    )
    found: list[BaseException] = []
    _note_disk_errors(found)
    for step in steps:
        try:
            step()
        except BaseException as raised:  # whatever it is, it is returned, and the other steps follow all the same
            found.append(raised)
    return found[0] if found else None


def _note_disk_errors(found: list[BaseException]) -> None:
    """Note the errors of the disk that Python only prints, as in exit handlers and in `__del__`."""
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
    """Delete the job's objects if one of them may write when it is deleted, and close the job's files.

    Raises:
        OSError: The disk does not take the contents of a file that the template had opened.
        WorkspaceError: The disk does not take the contents of a file that the job has opened.
    """
    objects = gc.get_objects()  # only the job's: objects from before the job are frozen, and not in this list
    kinds = set(map(type, objects))
    files = _open_files(objects, kinds)
    may_write = _may_write_when_deleted(kinds, last)
    del objects, kinds  # they hold references, with which nothing could be deleted
    if may_write:
        _release(last)
    _close(files)
    for file in _inherited:
        _on_disk(file.flush)


def _on_disk(write: Callable[[], object]) -> None:
    """Call a function that writes. As at Python's own end, only an error of the disk counts."""
    try:
        write()
    except Exception as error:
        if getattr(error, "errno", None) in DISK_ERRORS:
            raise


def _may_write_when_deleted(kinds: set[type], last: str) -> bool:
    """Whether an object may write when it is deleted. A class of an extension module does not show whether it does."""
    if _packages or any(hasattr(kind, "__del__") for kind in kinds):
        return True
    names = user_code.names_since(last)
    return any(is_installed_file(getattr(sys.modules[name], "__file__", None) or "") for name in names)


def _open_files(objects: list[Any], kinds: set[type]) -> list[Any]:
    """Those objects that are files which can be written to.

    Args:
        objects: The objects.
        kinds: Their classes.
    """
    files = {kind for kind in kinds if issubclass(kind, _FILE)}
    return [each for each in objects if type(each) in files and _is_writable(each)] if files else []


def _is_writable(file: Any) -> bool:
    try:
        return not file.closed and bool(file.writable())
    except Exception:  # not initialized, or a class of the job's own
        return False


def _release(last: str) -> None:
    """Drop the task and the project's modules, so that `__del__` of their objects is called.

    A module that something still refers to is emptied, as Python does it. This is not done while another thread runs,
    because the thread may use the module.
    """
    running.current = None
    names = reversed(user_code.names_since(last))
    own = [name for name in names if is_user_file(getattr(sys.modules[name], "__file__", None) or "<")]
    modules = [weakref.ref(sys.modules.pop(name)) for name in own]
    for _ in range(3):  # a live object that is deleted drops its configuration, which then drops its class
        if not gc.collect():
            break
    if threading.active_count() == 1:
        for module in filter(None, (found() for found in modules)):
            _empty(vars(module))


def _empty(content: dict[str, Any]) -> None:
    """Set the values of a module to None, in the order in which Python does it."""
    for private in (True, False):
        for name in list(content):
            if name != "__builtins__" and (name.startswith("_") and not name.startswith("__")) is private:
                content[name] = None


def _close(files: list[Any]) -> None:
    """Close files, each before the file that it writes to: text before bytes, `gzip` before its own file.

    Raises:
        WorkspaceError: The disk does not take the contents of one of them. The others are closed all the same.
    """
    refused: list[WorkspaceError] = []
    while files:
        inner = {id(each) for file in files for each in _referents(file)}
        outer = {id(file) for file in files} - inner or inner
        for file in sorted(files, key=lambda each: type(each).__module__ == "_io"):  # in a circle, `gzip` comes first
            if id(file) in outer:
                refused += _closed(file)
        files = [file for file in files if id(file) not in outer]
    if refused:
        raise refused[0]


def _referents(file: Any) -> list[Any]:
    """The objects that a file refers to, also by attributes. Some files refer to themselves; these are left out."""
    return [each for each in (*gc.get_referents(file), *getattr(file, "__dict__", {}).values()) if each is not file]


def _closed(file: Any) -> Iterator[WorkspaceError]:
    """Close a file; yield an error of the disk. As at Python's own end, other errors do not count."""
    try:
        if not file.closed:
            file.close()
    except Exception as error:
        if isinstance(error, OSError) and error.errno in DISK_ERRORS:
            yield explanation(str(getattr(file, "name", file)), "was left open, and cannot be written", error)
