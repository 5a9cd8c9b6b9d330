"""The debugger at the place where a job failed."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from types import TracebackType
from typing import Any


def post_mortem(trace: TracebackType | None) -> None:
    """Open a debugger where an error was raised, and return when the user leaves it.

    Args:
        trace: The traceback of the error.
    """
    if trace is not None:
        _debugger()(trace)


def _debugger() -> Callable[[TracebackType], Any]:
    """The function of the debugger that PYTHONBREAKPOINT names, if it has one for errors; else that of `pdb`."""
    module = os.environ.get("PYTHONBREAKPOINT", "").rpartition(".")[0]
    if module:
        try:
            found = getattr(importlib.import_module(module), "post_mortem", None)
        except ImportError:
            found = None
        if callable(found):
            return found  # type: ignore[no-any-return]
    import pdb  # late, because most runs need none

    return pdb.post_mortem
