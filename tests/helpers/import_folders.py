"""Modules that a test writes or names by their file: imported, and those of a folder forgotten afterwards.

`from helpers.import_folders import on_path`; the fixtures around it are in conftest.py.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def on_path(folder: Path) -> Iterator[Path]:
    """Make a folder, in front of this process's path for so long; what was imported from it is forgotten afterwards."""
    folder.mkdir()
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    forget_modules(folder)


def forget_modules(folder: Path) -> None:
    """Forget what this process imported from a folder, so that a later test can import another module of that name."""
    for name in [name for name, module in sys.modules.items() if str(folder) in str(getattr(module, "__file__", ""))]:
        del sys.modules[name]


TELLING = """
from pathlib import Path
from xpm_core import Task

Path(__file__).with_name("imported").touch()

class Telling(Task):
    def execute(self): pass
"""


def telling_task(folder: Path, name: str) -> Any:
    """A task whose module, in a folder of this process's path, leaves a file `imported` beside it when it is imported.

    That this process has imported it, the file does not say.
    """
    (folder / f"{name}.py").write_text(TELLING)
    task = importlib.import_module(name).Telling.C()
    (folder / "imported").unlink()
    return task


def import_file(name: str, file: Path) -> Any:
    """Import a file as a module of that name, wherever it lies; it stays imported."""
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
