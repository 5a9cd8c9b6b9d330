"""What went wrong in a job: as a few fields for Redis and the record, and as text for its log.

Owns: which frames are the user's own. The summary holds type, message, file, line and function of the
innermost frame of the user's, and `frames`, outermost first. Imports nothing heavy: job processes use it.
"""

from __future__ import annotations

import json
import os
import sysconfig
import traceback
from collections.abc import Iterator
from itertools import islice
from types import TracebackType
from typing import Any

from xpm_core.errors import WorkspaceError
from xpm_core.tracebacks.callsite import PACKAGE

MOST_FRAMES = 60
LONGEST_MESSAGE = 2000
INNER = 5
"""Errors of a group that its message names."""

_OURS = (PACKAGE, os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep)
_LIBRARIES = tuple(os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib"))
INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def is_ours(file: str) -> bool:
    """Whether a file belongs to xpm."""
    return file.startswith(_OURS)


def is_own(file: str) -> bool:
    """Whether a file is the user's own: neither of xpm, nor installed, nor of Python itself."""
    if is_ours(file) or file.startswith("<") or any(part in file for part in INSTALLED):
        return False
    return not os.path.realpath(file).startswith(_LIBRARIES)


def summarize(error: BaseException) -> dict[str, Any]:
    """Say in a few fields what was raised, and where in the user's own code.

    Example:
        >>> summarize(error)
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
        frame["own"] = is_own(str(frame["file"]))
    where = _innermost(frames)
    return {
        "type": type_name(type(error)),
        "message": _cut(_message(error)),
        "file": where.get("file"),
        "line": where.get("line"),
        "function": where.get("function"),
        "frames": frames[-MOST_FRAMES:],
    }


def plain(kind: str, message: str) -> dict[str, Any]:
    """A summary of what no exception tells, such as a signal."""
    return {"type": kind, "message": _cut(message), "file": None, "line": None, "function": None, "frames": []}


def standing(kind: str, message: str, frames: list[dict[str, Any]]) -> dict[str, Any]:
    """A summary of a job that was killed because it did not end, with the frames in which it stood, if they are known.

    Example:
        >>> standing("Timeout", "ran longer than 20 s", frames)["message"]
        'ran longer than 20 s; it stood at study.py:79 in build'
    """
    where = _innermost(frames)
    if not where:
        return plain(kind, message)
    place = f"{os.path.basename(where['file'])}:{where['line']} in {where['function']}"
    named = {name: where[name] for name in ("file", "line", "function")}
    return {**plain(kind, f"{message}; it stood at {place}"), **named, "frames": frames[-MOST_FRAMES:]}


def unrecorded(error: WorkspaceError) -> dict[str, Any]:
    """A summary of a job that would be done, but for its record: what refused it."""
    return plain(type(error).__name__, f"its record {error.problem}. {error.remedy}")


def sound(told: dict[str, Any]) -> dict[str, Any]:
    """A summary that a job's process has told, whose code could have told anything: of the form that it must have."""
    frames = told.get("frames", [])
    if (
        isinstance(told.get("type"), str)
        and isinstance(told.get("message"), str)
        and _is_place(told)
        and isinstance(frames, list)
        and all(isinstance(frame, dict) and frame.get("file") and _is_place(frame) for frame in frames)
    ):
        return {**told, "message": _cut(told["message"]), "frames": frames[-MOST_FRAMES:]}
    return plain("Unknown", "what the job told of its failure cannot be understood")


def _is_place(told: dict[str, Any]) -> bool:
    file, line, function = (told.get(name) for name in ("file", "line", "function"))
    return isinstance(file, str | None) and isinstance(line, int | None) and isinstance(function, str | None)


def text(error: BaseException) -> str:
    """The traceback as Python prints it, without the frames of xpm around the user's code."""
    trace = error.__traceback__
    while trace is not None and is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace or error.__traceback__))


def type_name(cls: type) -> str:
    """A class of exceptions as messages name it: `ValueError`, `numpy.linalg.LinAlgError`."""
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def brief(summary: dict[str, Any], limit: int) -> dict[str, Any]:
    """The summary without its frames, its message cut so that the whole stays below `limit` bytes of JSON."""
    kept = {name: summary.get(name) for name in ("type", "message", "file", "line", "function")}
    for name in ("message", "file", "function", "type"):
        while len(json.dumps(kept)) > limit and len(str(kept[name])) > 20:
            kept[name] = str(kept[name])[: len(str(kept[name])) * 3 // 4] + "…"
    return kept


def _frames(trace: TracebackType | None) -> list[traceback.FrameSummary]:
    extracted = traceback.extract_tb(trace)
    while extracted and is_ours(extracted[0].filename):
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
        found = list(islice(_inner(error), INNER + 1))
        said = "; ".join(f"{type(each).__name__}: {str(each).partition(chr(10))[0]}" for each in found[:INNER])
        return f"{error}: {said}{'; …' if len(found) > INNER else ''}" if found else str(error)
    except Exception as problem:  # the user's own __str__ failed: its job has failed all the same
        return f"(its message cannot be shown: {type_name(type(problem))})"


def _inner(error: BaseException) -> Iterator[BaseException]:
    """The errors in a group (`ExceptionGroup`, of Python 3.11 and later), and in groups in it."""
    for each in getattr(error, "exceptions", ()) if hasattr(type(error), "derive") else ():
        yield from _inner(each) if hasattr(type(each), "derive") else [each]


def _cut(message: str) -> str:
    return _printable(message if len(message) <= LONGEST_MESSAGE else message[:LONGEST_MESSAGE] + "…")


def _printable(text: str) -> str:
    """The text without what UTF-8 cannot write, such as parts of odd file names."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
