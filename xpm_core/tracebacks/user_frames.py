"""Whose code a file is: xpm's, the user's, or an installed package's; and tracebacks without xpm's own frames.

Imports nothing heavy, because processes of jobs use it.
"""

from __future__ import annotations

import os
import sysconfig
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

from xpm_core.tracebacks.callsite import PACKAGE

_OURS = tuple(os.path.join(os.path.dirname(os.path.dirname(PACKAGE)), name, "") for name in ("xpm_worker", "xpm_cli"))
_LIBRARIES = tuple(os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib"))
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def is_xpm_file(file: str) -> bool:
    """Return whether a file belongs to xpm."""
    return file.startswith((PACKAGE, *_OURS))


def is_installed_file(file: str) -> bool:
    """Return whether a file belongs to an installed package. xpm's own files do not, wherever they are installed."""
    return not is_xpm_file(file) and any(part in file for part in _INSTALLED)


def is_user_file(file: str) -> bool:
    """Return whether a file is the user's own: not xpm's, not an installed package's, and not Python's."""
    if is_xpm_file(file) or file.startswith("<") or is_installed_file(file):
        return False
    return not os.path.realpath(file).startswith(_LIBRARIES)


def user_trace(error: BaseException) -> TracebackType | None:
    """Return the traceback of an error without xpm's own frames around the user's code."""
    trace = error.__traceback__
    while trace is not None and is_xpm_file(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace or error.__traceback__


def traceback_text(error: BaseException, place: Callable[[str], str] | None = None) -> str:
    """Return the traceback as Python prints it, without xpm's own frames around the user's code.

    Args:
        error: The error.
        place: Returns the name to show for a file. The lines are those of the file itself.
    """
    shown = traceback.TracebackException(type(error), error, user_trace(error))
    if place is not None:
        _rename(shown, place)
    return "".join(shown.format())


def _rename(shown: Any, place: Callable[[str], str]) -> None:
    """Name the files in a traceback otherwise, and in those of the errors that it came from."""
    waiting, seen = [shown], set()
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        for frame in each.stack:
            _ = frame.line  # it is read now, from the file itself
            frame.filename = place(frame.filename)
        if isinstance(getattr(each, "filename", None), str):  # of a SyntaxError
            each.filename = place(each.filename)
        waiting += [each.__cause__, each.__context__, *(getattr(each, "exceptions", None) or ())]
