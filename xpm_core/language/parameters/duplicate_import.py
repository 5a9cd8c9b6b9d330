"""Duplicate imports: a file was loaded twice, so a configuration is not of the class that it seems to have."""

from __future__ import annotations

import os
import re
import sys
from typing import Any

from xpm_core.tracebacks.callsite import format_line


def loaded_twice(cls: type, value: Any) -> str:
    """The remedy if the class of a value has the file and the name of another class; empty if it has not."""
    for base in type(value).__mro__:
        if base is not cls and base.__qualname__ == cls.__qualname__ and file_of(base) == file_of(cls) != "":
            modules = {base.__module__, cls.__module__}
            if len(modules) == 1:
                name = base.__module__
                return (
                    f"Module '{name}' was loaded again. Load the modules again that import it, or restart the kernel."
                )
            other = next(iter(sorted(modules - {"__main__"})))
            as_what = "as the script" if "__main__" in modules else f"as '{(modules - {other}).pop()}'"
            file = os.path.basename(file_of(cls))
            how = f"{as_what} and as '{other}'{importer(other)}"
            return f"{file} was loaded twice, {how}. Put {cls.__name__} into a module of its own."
    return ""


def file_of(cls: type) -> str:
    """The real file of the module of a class, with links resolved; empty without one."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return os.path.realpath(file) if file else ""


def importer(module: str) -> str:
    """The line that imports a module, found in the modules that were loaded from its folder; empty without one."""
    folder = os.path.dirname(getattr(sys.modules.get(module), "__file__", None) or "")
    pattern = re.compile(rf"\s*(import|from)\s+{re.escape(module)}\b")
    for known in list(sys.modules.values()):
        file = getattr(known, "__file__", None) or ""
        if os.path.dirname(os.path.abspath(file)) == folder and file.endswith(".py") and os.path.isfile(file):
            with open(file, encoding="utf-8", errors="replace") as source:
                for number, line in enumerate(source, 1):
                    if pattern.match(line):
                        return f" ({format_line((os.path.abspath(file), number))})"
    return ""
