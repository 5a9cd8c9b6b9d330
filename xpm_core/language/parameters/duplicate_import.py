"""Why a configuration may not be of the class that it seems to be of: its file was loaded twice, as two modules."""

from __future__ import annotations

import os
import re
import sys
from typing import Any

from xpm_core.tracebacks.callsite import written


def loaded_twice(cls: type, value: Any) -> str:
    """What to do if a value is of a class of the same file and name as another one; empty if it is not."""
    for base in type(value).__mro__:
        if base is not cls and base.__qualname__ == cls.__qualname__ and file_of(base) == file_of(cls) != "":
            modules = {base.__module__, cls.__module__}
            other = next(iter(sorted(modules - {"__main__"})))
            as_what = "as the script" if "__main__" in modules else f"as '{(modules - {other}).pop()}'"
            file = os.path.basename(file_of(cls))
            how = f"{as_what} and as '{other}'{importer(other)}"
            return f"{file} was loaded twice, {how}. Put {cls.__name__} into a module of its own."
    return ""


def file_of(cls: type) -> str:
    """The file of a class's module, wherever a link to it lies."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return os.path.realpath(file) if file else ""


def importer(module: str) -> str:
    """The line that imports a module, of the modules that are loaded from its folder."""
    folder = os.path.dirname(getattr(sys.modules.get(module), "__file__", None) or "")
    pattern = re.compile(rf"\s*(import|from)\s+{re.escape(module)}\b")
    for known in list(sys.modules.values()):
        file = getattr(known, "__file__", None) or ""
        if os.path.dirname(os.path.abspath(file)) == folder and file.endswith(".py") and os.path.isfile(file):
            with open(file, encoding="utf-8", errors="replace") as source:
                for number, line in enumerate(source, 1):
                    if pattern.match(line):
                        return f" ({written((os.path.abspath(file), number))})"
    return ""
