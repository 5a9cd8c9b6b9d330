"""The line of the user's script that called xpm, found on the stack."""

from __future__ import annotations

import os
import sys
from types import FrameType

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
"""The folder of xpm_core: a frame whose file lies there is ours."""

Place = tuple[str, int]
"""A file and a line of it."""


def caller(depth: int = 1) -> Place:
    """The line outside of this package that led here.

    Args:
        depth: How many callers are known to be in this package.
    """
    frame = caller_frame(depth + 1)
    return frame.f_code.co_filename, frame.f_lineno


def caller_frame(depth: int = 1) -> FrameType:
    """The frame of that line."""
    frame = sys._getframe(depth)
    while frame.f_code.co_filename.startswith(PACKAGE) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def written(place: Place) -> str:
    """A place as messages write it: `sweep.py:42`, relative to the working directory when it lies below."""
    file, line = place
    here = os.getcwd() + os.sep
    return f"{file.removeprefix(here)}:{line}"
