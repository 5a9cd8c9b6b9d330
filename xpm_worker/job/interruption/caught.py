"""Whether the code of a job has caught an exception that a signal handler raised in it.

An exception does not record whether it was caught. But its traceback begins with the frame that caught it, or with the
last frame that it left before code in C swallowed it. And a frame shows which names its code uses.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from dis import opname
from types import FrameType
from typing import Any

from xpm_core.job.running import TaskCancelled

_SUSPENDING = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR | inspect.CO_ITERABLE_COROUTINE


def handled_by(thread: int) -> BaseException | None:
    """Return the exception that a thread handles now, in `except`, `finally` or `__exit__`."""
    found: Any = sys._current_exceptions().get(thread)
    return found[1] if isinstance(found, tuple) else found  # type: ignore[no-any-return]  # a tuple before Python 3.12


def is_cancellation(error: BaseException | None) -> bool:
    """Return whether an exception is a TaskCancelled, or was raised while a TaskCancelled was handled."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, TaskCancelled):
            return True
        seen.add(id(error))
        error = error.__context__
    return False


def is_known(error: TaskCancelled, frame: FrameType | None) -> bool:
    """Return whether the code that caught an exception still runs, and knows which exception it caught.

    The code knows it if its function uses the name of the exception. A coroutine that waits may be saving its results,
    so it counts as knowing, too.

    Args:
        error: The exception, which nothing handles any more.
        frame: What the thread executes now.
    """
    if error.__traceback__ is None:
        return False
    catcher = error.__traceback__.tb_frame
    if not any(each is catcher for each in _stack(frame)):
        before, last, after = _instructions(catcher)
        is_at_yield = last.startswith(("YIELD", "SEND")) or (before, last) == ("YIELD_VALUE", "RESUME")
        if may_still_raise(error) and (is_at_yield or after == "YIELD_FROM"):
            return True
        if not last.startswith("RETURN"):  # the exception ended the function, and its caller swallowed the exception
            return False
    return any(_is_name(catcher, name) for name in (*catcher.f_code.co_names, *catcher.f_code.co_freevars))


def may_still_raise(error: TaskCancelled) -> bool:
    """Return whether a coroutine or generator caught the exception, which may be suspended inside its handler."""
    trace = error.__traceback__
    return trace is not None and bool(trace.tb_frame.f_code.co_flags & _SUSPENDING)


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _instructions(frame: FrameType) -> tuple[str, str, str]:
    """The instruction before the last one of a frame, the last one, and the one after it.

    A coroutine that awaits stands before YIELD_FROM in Python 3.10, and after YIELD_VALUE since 3.13.
    """
    code, last = frame.f_code.co_code, max(frame.f_lasti, 0)
    before, this, after = (opname[code[at]] if 0 <= at < len(code) else "" for at in (last - 2, last, last + 2))
    return before, this, after


def _is_name(frame: FrameType, name: str) -> bool:
    """Whether a name in a frame means TaskCancelled, or a tuple of exceptions with it."""
    value = frame.f_locals.get(name, frame.f_globals.get(name))
    return name == TaskCancelled.__name__ or value is TaskCancelled or (type(value) is tuple and TaskCancelled in value)
