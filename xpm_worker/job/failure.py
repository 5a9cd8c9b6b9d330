"""What went wrong in a job: a summary for Redis and the record, and the text for its log.

A summary has the fields type, message, file, line and function, which name the innermost line of the user's own code,
and `frames`, the outermost first. Imports nothing heavy, because processes of jobs use it.
"""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Iterator
from itertools import islice
from types import TracebackType
from typing import Any

from xpm_core.errors import WorkspaceError
from xpm_core.tracebacks.user_frames import is_user_file, is_xpm_file

MOST_FRAMES = 60
LONGEST_MESSAGE = 2000
MOST_INNER = 5
"""How many errors of a group its message names."""


def from_error(error: BaseException) -> dict[str, Any]:
    """Summarize an exception.

    Example:
        >>> from_error(error)
        {"type": "ValueError", "message": "no such file", "file": "/home/me/train.py", "line": 88, "function": ...}
    """
    frames = [
        {
            "file": _printable(frame.filename),
            "line": frame.lineno or 0,
            "function": _printable(frame.name),
            "code": _printable(frame.line or ""),
        }
        for frame in _frames(error.__traceback__) or _frames(_cause(error).__traceback__)
    ]
    for frame in frames:
        frame["own"] = is_user_file(str(frame["file"]))
    where = _innermost(frames)
    return {
        "type": type_name(type(error)),
        "message": _cut(_message(error)),
        "file": where.get("file"),
        "line": where.get("line"),
        "function": where.get("function"),
        "frames": frames[-MOST_FRAMES:],
    }


def from_text(kind: str, message: str) -> dict[str, Any]:
    """Summarize an end without an exception, such as a signal.

    Args:
        kind: The summary's type.
        message: What happened.
    """
    return {"type": kind, "message": _cut(message), "file": None, "line": None, "function": None, "frames": []}


def from_stack(kind: str, message: str, frames: list[dict[str, Any]]) -> dict[str, Any]:
    """Summarize a job that was killed because it did not end.

    Args:
        kind: The summary's type.
        message: Why the job was killed.
        frames: The frames of its main thread before it was killed; empty if they are not known.

    Example:
        >>> from_stack("Timeout", "ran longer than 20 s", frames)["message"]
        'ran longer than 20 s; it stood at study.py:79 in build'
    """
    where = _innermost(frames)
    if not where:
        return from_text(kind, message)
    place = f"{os.path.basename(where['file'])}:{where['line']} in {where['function']}"
    named = {name: where[name] for name in ("file", "line", "function")}
    return {**from_text(kind, f"{message}; it stood at {place}"), **named, "frames": frames[-MOST_FRAMES:]}


def from_write_error(error: WorkspaceError) -> dict[str, Any]:
    """Summarize a job that returned, but whose record cannot be written."""
    return from_text(type(error).__name__, f"its record {error.problem}. {error.remedy}")


def checked(summary: dict[str, Any]) -> dict[str, Any]:
    """Check a summary that the process of a job sent, because the job's code can send anything.

    Args:
        summary: What was sent.

    Returns:
        The summary, cut to its limits; another summary if its form is wrong.
    """
    frames = summary.get("frames", [])
    if (
        isinstance(summary.get("type"), str)
        and isinstance(summary.get("message"), str)
        and _is_place(summary)
        and isinstance(frames, list)
        and all(isinstance(frame, dict) and frame.get("file") and _is_place(frame) for frame in frames)
    ):
        return {**summary, "message": _cut(summary["message"]), "frames": frames[-MOST_FRAMES:]}
    return from_text("Unknown", "the job's report of its failure cannot be understood")


def _is_place(fields: dict[str, Any]) -> bool:
    file, line, function = (fields.get(name) for name in ("file", "line", "function"))
    return isinstance(file, str | None) and isinstance(line, int | None) and isinstance(function, str | None)


def type_name(cls: type) -> str:
    """Return how messages name an exception class: `ValueError`, `numpy.linalg.LinAlgError`."""
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def brief(summary: dict[str, Any], limit: int) -> dict[str, Any]:
    """Return the summary without its frames, cut so that it fits into a number of bytes.

    Args:
        summary: The summary.
        limit: Bytes that the summary may have as JSON.
    """
    kept = {name: summary.get(name) for name in ("type", "message", "file", "line", "function")}
    for name in ("message", "file", "function", "type"):
        while len(json.dumps(kept)) > limit and len(str(kept[name])) > 20:
            kept[name] = str(kept[name])[: len(str(kept[name])) * 3 // 4] + "…"
    return kept


def _frames(trace: TracebackType | None) -> list[traceback.FrameSummary]:
    extracted = traceback.extract_tb(trace)
    while extracted and is_xpm_file(extracted[0].filename):
        del extracted[0]
    return list(extracted)


def _cause(error: BaseException) -> BaseException:
    return error.__cause__ or error


def _innermost(frames: list[dict[str, Any]]) -> dict[str, Any]:
    own = [frame for frame in frames if frame["own"]]
    readable = [frame for frame in frames if not frame["file"].startswith("<")]  # such as <frozen importlib._bootstrap>
    return (own or readable or [{}])[-1]


def _message(error: BaseException) -> str:
    try:
        found = list(islice(_inner(error), MOST_INNER + 1))
        said = "; ".join(f"{type(each).__name__}: {str(each).partition(chr(10))[0]}" for each in found[:MOST_INNER])
        return f"{error}: {said}{'; …' if len(found) > MOST_INNER else ''}" if found else str(error)
    except Exception as problem:  # the user's own __str__ failed, which must not hide the error of the job
        return f"(its message cannot be shown: {type_name(type(problem))})"


def _inner(error: BaseException) -> Iterator[BaseException]:
    """The errors in a group (`ExceptionGroup`, since Python 3.11), and in the groups inside it."""
    for each in getattr(error, "exceptions", ()) if hasattr(type(error), "derive") else ():
        yield from _inner(each) if hasattr(type(each), "derive") else [each]


def _cut(message: str) -> str:
    return _printable(message if len(message) <= LONGEST_MESSAGE else message[:LONGEST_MESSAGE] + "…")


def _printable(text: str) -> str:
    """The text with those characters escaped that UTF-8 cannot write, as odd file names have them."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
