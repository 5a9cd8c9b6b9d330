"""The line of the user's script that called xpm, found on the stack."""

from __future__ import annotations

import os
import sys
from types import FrameType

from xpm_core.tracebacks.prompt import cell_of

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
"""The folder of xpm_core. A frame whose file lies in it is one of ours."""

CodeLine = tuple[str, int]
"""A file, and the number of a line in it."""


def caller(depth: int = 1) -> CodeLine:
    """The line outside of this package that led to this call.

    Args:
        depth: How many of the callers are known to be in this package.
    """
    frame = caller_frame(depth + 1)
    return frame.f_code.co_filename, frame.f_lineno


def caller_frame(depth: int = 1) -> FrameType:
    """The frame of the line that `caller` returns."""
    frame = sys._getframe(depth)
    while frame.f_code.co_filename.startswith(PACKAGE) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def format_line(line: CodeLine) -> str:
    """A line as messages write it: `sweep.py:42`, or `In[3]:2` for a line of a cell.

    A file below the working directory is written relative to it. What has no lines has the line 0, and is only named:
    an argument of a command.
    """
    file, number = line
    name = cell_of(file) or file.removeprefix(os.getcwd() + os.sep)
    return f"{name}:{number}" if number else name
