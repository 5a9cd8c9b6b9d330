"""Folders of modules that a test writes: in front of this process's path, and forgotten afterwards.

`from helpers.import_folders import on_path`; the fixtures around it are in conftest.py.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path


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
