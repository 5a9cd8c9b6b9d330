"""The edges of xpm: the functions that a script calls. An error that leaves them shows the script's lines only.

The message of an error says what the script did wrong. Our frames would only hide the line of the script that did it.
They are kept if XPM_DEBUG is set, and if the error is no `XpmError`, because then the fault is ours.

Owns: which frames of an error are ours, and cutting them.
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
"""Whether a bare `raise` uses the traceback of the error. Before Python 3.11, the frame that caught it stays."""


def debugging() -> bool:
    """Whether XPM_DEBUG asks for all frames."""
    return bool(os.environ.get("XPM_DEBUG"))


def edge(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a public function: our errors leave it without our frames. Nothing else changes.

    Functions that are called very often have the same three lines in their body instead.

    Example:
        >>> @edge
        ... def copyconfig(config, **values): ...
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
    """Take our frames out of the traceback of an error, and of the errors that it is chained to.

    Call it where the error was caught, and then raise the error by a bare `raise`. All other frames stay. A fault of
    ours keeps its frames.
    """
    if debugging() or is_fault(error):
        return
    error.__traceback__ = without_ours(error.__traceback__)
    for other in chained(error):
        other.__traceback__ = linked(theirs(other.__traceback__))


def is_fault(error: BaseException) -> bool:
    """Whether an error must show our frames, because it is no error of xpm's, and our own code raised it.

    A Ctrl-C shows them, too, because they say where we hang. It does not if it carries a message, because then the
    message says it.
    """
    if isinstance(error, KeyboardInterrupt):
        return not error.args
    entries = theirs(error.__traceback__)
    return not isinstance(error, XpmError) and not (entries and entries[-1].tb_next is None)


def without_ours(trace: TracebackType | None) -> TracebackType | None:
    """The traceback of an error that is being handled, without our frames. Its first frame is the handler's."""
    found = linked(theirs(trace))
    if REMOVES_ALL or trace is None:
        return found
    trace.tb_next = found
    return trace


def theirs(trace: TracebackType | None) -> list[TracebackType]:
    """The entries of a traceback whose frames are not ours."""
    found = []
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(PACKAGE):
            found.append(trace)
        trace = trace.tb_next
    return found


def linked(entries: list[TracebackType]) -> TracebackType | None:
    """A traceback that has only some entries."""
    following: TracebackType | None = None
    for entry in reversed(entries):
        entry.tb_next = following
        following = entry
    return following


def chained(error: BaseException) -> Iterator[BaseException]:
    """The errors that Python shows before an error: its causes and contexts."""
    seen = {id(error)}
    while (before := error.__cause__ or (None if error.__suppress_context__ else error.__context__)) is not None:
        if id(before) in seen:
            return
        seen.add(id(before))
        yield before
        error = before
