"""Configurations that a script makes, by name: `sweep.py:learn`, `package.module:learn`.

The script is imported, not run: the lines under `if __name__ == "__main__":` are left out.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

from xpm_core.errors import ScriptError, XpmError
from xpm_core.language.graph.state import is_configuration


def names_object(name: str) -> bool:
    """Whether a name means an object in a script, not a job or a directory."""
    source, _, wanted = name.rpartition(":")
    return bool(source) and wanted.replace(".", "_").isidentifier() and not Path(name).exists()


def configuration(name: str) -> Any:
    """The configuration that a name means: an object of the script, or the result of one of its functions.

    The script's own output goes to standard error.

    Raises:
        ScriptError: There is no such script or object, it is no configuration, or the script fails.
    """
    source, _, wanted = name.rpartition(":")
    with redirect_stdout(sys.stderr):
        found: Any = _run(name, lambda: _module(name, source))
        for part in wanted.split("."):
            if not hasattr(found, part):
                raise ScriptError(name, f"there is no {wanted!r} in {source}", "Name an object of the script.")
            found = getattr(found, part)
        if not is_configuration(found) and callable(found):
            found = _run(name, found)
    if not is_configuration(found):
        raise ScriptError(name, f"it is no configuration, but {found!r}", "Name one, or a function that returns one.")
    return found


def _run(name: str, function: Any) -> Any:
    try:
        return function()
    except (Exception, SystemExit) as error:  # the user's script may raise anything
        if isinstance(error, XpmError):
            raise
        raise ScriptError(name, f"it fails with {type(error).__name__}: {error}", "Correct the script.") from error


def _module(name: str, source: str) -> ModuleType:
    """The module of a script, named as when it is run."""
    if not source.endswith(".py"):
        sys.path.insert(0, str(Path.cwd()))
        return importlib.import_module(source)
    file = Path(source).expanduser().absolute()
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if not file.is_file() or spec is None or spec.loader is None:
        raise ScriptError(name, f"there is no file {source}", "Name one: xpm diff sweep.py:learn …")
    sys.path.insert(0, str(file.parent))
    module = sys.modules[file.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
