"""Where a script's code enters ours: what it did wrong is shown with its own lines, and none of ours.

Owns: which frames of an error are ours, and cutting them. A mistake's last line says all; frames of ours before it only
hide where it was made. They are kept while XPM_DEBUG is set, and where the error is no `XpmError`, so a fault of ours.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from xpm_core.errors import XpmError
from xpm_core.tracebacks.callsite import PACKAGE

P = ParamSpec("P")
R = TypeVar("R")

REMOVES_ALL = sys.version_info >= (3, 11)
"""Whether a bare `raise` takes the traceback from the error; before, the frame that has caught it stays."""


def debugging() -> bool:
    """Whether all frames are to be shown."""
    return bool(os.environ.get("XPM_DEBUG"))


def edge(function: Callable[P, R]) -> Callable[P, R]:
    """Let errors of ours leave a public function without our frames. Nothing else changes.

    Functions that are called very often have the same three lines in their body.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (XpmError, KeyboardInterrupt) as error:
            cut(error)
            raise  # bare: it adds no frame

    call.edge = True  # type: ignore[attr-defined]
    return call


def is_edge(function: Any) -> bool:
    """Whether a function was decorated by `edge`."""
    return hasattr(function, "edge")


def cut(error: BaseException) -> None:
    """Take our frames from the traceback of an error, and of those that it is chained to; all others stay.

    Call it where the error was caught, and raise it by a bare `raise`. A fault of ours keeps its frames.
    """
    if debugging() or is_fault(error):
        return
    error.__traceback__ = without_ours(error.__traceback__)
    for other in chained(error):
        other.__traceback__ = linked(theirs(other.__traceback__))


def is_fault(error: BaseException) -> bool:
    """Whether the frames of an error have to be seen: it is none of xpm's, and our own code raised it.

    Likewise an interrupt, which shows where we hang; but not one that says something, for that is what it shows.
    """
    if isinstance(error, KeyboardInterrupt):
        return not error.args
    entries = theirs(error.__traceback__)
    return not isinstance(error, XpmError) and not (entries and entries[-1].tb_next is None)


def without_ours(trace: TracebackType | None) -> TracebackType | None:
    """The traceback of an error that is being handled, of which the first frame is the handler's own."""
    found = linked(theirs(trace))
    if REMOVES_ALL or trace is None:
        return found
    trace.tb_next = found
    return trace


def theirs(trace: TracebackType | None) -> list[TracebackType]:
    """The entries of a traceback that are not ours."""
    found = []
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(PACKAGE):
            found.append(trace)
        trace = trace.tb_next
    return found


def linked(entries: list[TracebackType]) -> TracebackType | None:
    """A traceback of those entries alone."""
    following: TracebackType | None = None
    for entry in reversed(entries):
        entry.tb_next = following
        following = entry
    return following


def chained(error: BaseException) -> Iterator[BaseException]:
    """The errors that are shown before an error."""
    seen = {id(error)}
    while (before := error.__cause__ or (None if error.__suppress_context__ else error.__context__)) is not None:
        if id(before) in seen:
            return
        seen.add(id(before))
        yield before
        error = before
