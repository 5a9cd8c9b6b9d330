"""Which functions of the project a process enters, in all threads, by `sys.monitoring` (Python 3.12).

Each function is reported once: then Python leaves it alone, so calls cost nothing. Only names are kept, and no code.

Owns: the tool id. Imports nothing heavy, because processes of jobs use it.
"""

from __future__ import annotations

import platform
import sys
from types import CodeType
from typing import Any

from xpm_core.fingerprints.ran import MOST_FUNCTIONS

TOOL = "xpm"
TOOL_IDS = (4, 3)
"""Python names 0, 1, 2 and 5 for debuggers, coverage, profilers and optimizers. These are nobody's."""


_OF_FUNCTION = 0x1
"""A flag of the code of functions, which the bodies of modules and classes do not have (`inspect.CO_OPTIMIZED`)."""


class Entries:
    """The functions that were entered.

    Args:
        copies: How the paths of the project's files begin.

    Attributes:
        seen: File and qualified name of each.
        is_full: Whether there were more than a document can have.

    Example:
        >>> entries = Entries(places.copies)
        >>> entries.start()
        ''
    """

    def __init__(self, copies: tuple[str, ...]) -> None:
        self.seen: dict[tuple[str, str], None] = {}
        self.is_full = False
        self._copies = copies
        self._monitoring: Any = getattr(sys, "monitoring", None)
        self._id = -1
        self._entered: Any = None

    def start(self) -> str:
        """Begin. Returns why that is not possible; empty if it is."""
        monitoring = self._monitoring
        if monitoring is None:
            return f"Python {platform.python_version()} has no sys.monitoring"
        for number in TOOL_IDS:
            if monitoring.get_tool(number) is None:
                self._entered = self._callback()
                monitoring.use_tool_id(number, TOOL)
                monitoring.register_callback(number, monitoring.events.PY_START, self._entered)
                monitoring.set_events(number, monitoring.events.PY_START)
                self._id = number
                return ""
        return "other tools use sys.monitoring"

    def stop(self) -> bool:
        """End it, and give the tool id back. Returns whether it has run until now: the job's code may have ended it."""
        monitoring, number = self._monitoring, self._id
        if number < 0 or monitoring.get_tool(number) != TOOL:
            return False
        event = monitoring.events.PY_START
        was_on = bool(monitoring.get_events(number) & event)
        monitoring.set_events(number, 0)
        is_ours = monitoring.register_callback(number, event, None) is self._entered
        monitoring.free_tool_id(number)
        return was_on and is_ours

    def _callback(self) -> Any:
        """What Python calls at the first entry. An error in it would be one of the job's code, so nothing in it fails.

        It catches nothing either: a signal's handler of the job may raise just here, and that belongs to the job.
        """
        seen, copies = self.seen, self._copies
        disable = self._monitoring.DISABLE

        def entered(code: CodeType, _: int) -> object:
            if code.co_filename.startswith(copies) and code.co_flags & _OF_FUNCTION:
                if len(seen) < MOST_FUNCTIONS:
                    seen[code.co_filename, code.co_qualname] = None  # type: ignore[attr-defined, unused-ignore]
                else:
                    self.is_full = True
            return disable

        return entered
