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

    def start(self) -> str:
        """Begin. Returns why that is not possible; empty if it is."""
        monitoring = self._monitoring
        if monitoring is None:
            return f"Python {platform.python_version()} has no sys.monitoring"
        for number in TOOL_IDS:
            if monitoring.get_tool(number) is None:
                monitoring.use_tool_id(number, TOOL)
                monitoring.register_callback(number, monitoring.events.PY_START, self._callback())
                monitoring.set_events(number, monitoring.events.PY_START)
                self._id = number
                return ""
        return "other tools use sys.monitoring"

    def is_on(self) -> bool:
        """Whether it still runs. The job's code may have ended it."""
        monitoring = self._monitoring
        if monitoring is None or monitoring.get_tool(self._id) != TOOL:
            return False
        return bool(monitoring.get_events(self._id) & monitoring.events.PY_START)

    def stop(self) -> None:
        """End it, and give the tool id back."""
        if self._id >= 0 and self._monitoring.get_tool(self._id) == TOOL:
            self._monitoring.set_events(self._id, 0)
            self._monitoring.register_callback(self._id, self._monitoring.events.PY_START, None)
            self._monitoring.free_tool_id(self._id)

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
