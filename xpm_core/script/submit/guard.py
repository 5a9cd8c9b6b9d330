"""Refuse tasks that a worker would submit again, because it imports the script.

A worker imports the file that defines a task's class. If that file is the script itself, and the experiment does not
stand below `if __name__ == "__main__":`, the import would run the experiment once more.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable
from functools import lru_cache
from types import FrameType

from xpm_core.errors import ExperimentError, UnguardedScriptError
from xpm_core.tracebacks.callsite import CodeLine, format_line


def refuse_unguarded(classes: Iterable[type], place: CodeLine) -> None:
    """Refuse a task that needs a class of the main script, and is submitted from its module level without a guard.

    Args:
        classes: The classes of the task, and of all configurations that it refers to.
        place: The line that submits it.

    Raises:
        UnguardedScriptError: It names the line and the guard to add.
        ExperimentError: The script's name does not end in `.py`.
    """
    found = next((cls for cls in classes if cls.__module__ == "__main__"), None)
    if found is None:
        return
    refuse_without_suffix(found, place)
    if (frame := _main_frame()) is None:
        return
    if (line := _unguarded(frame.f_code.co_filename, frame.f_lineno)) is not None:
        file = os.path.basename(frame.f_code.co_filename)
        raise UnguardedScriptError(format_line(place), found.__qualname__, f"{file}:{line}")


def refuse_without_suffix(cls: type, place: CodeLine) -> None:
    """Refuse a class of a main script whose name does not end in `.py`, because workers cannot import that script."""
    main = sys.modules["__main__"]
    file = getattr(main, "__file__", None) or ""
    if getattr(main, "__spec__", None) is None and not file.endswith(".py") and _is_file(file):
        name = os.path.basename(file)
        wrong = f"class {cls.__qualname__} is defined in {name}, and workers cannot import a script without .py"
        raise ExperimentError(format_line(place), wrong, f"Rename it to {name}.py, or put the class into a module.")


def _main_frame() -> FrameType | None:
    """The frame of the main script's module level, if this call comes from there."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") == "__main__":
            return frame if _is_file(frame.f_code.co_filename) else None
        frame = frame.f_back
    return None


@lru_cache(maxsize=16)
def _is_file(name: str) -> bool:
    return os.path.isfile(name)


@lru_cache(maxsize=1024)
def _unguarded(file: str, line: int) -> int | None:
    """Where the whole statement begins, such as `with`, to which a line of a file belongs; None if it is guarded."""
    with open(file, "rb") as source:
        tree = ast.parse(source.read(), file)
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and _asks_for_main(node.test):
            last = node.body[-1]
            if node.body[0].lineno <= line <= (last.end_lineno or last.lineno):
                return None
    return next((each.lineno for each in tree.body if each.lineno <= line <= (each.end_lineno or line)), line)


def _asks_for_main(test: ast.expr) -> bool:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(map(_asks_for_main, test.values))
    if not (isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq)):
        return False
    sides = [test.left, test.comparators[0]]
    names = [side.id for side in sides if isinstance(side, ast.Name)]
    values = [side.value for side in sides if isinstance(side, ast.Constant)]
    return names == ["__name__"] and values == ["__main__"]
