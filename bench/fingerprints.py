"""What it costs to know what 100 classes of tasks can reach, and whether that has changed.

Cold: no file was parsed before. Remembered: the workspace knows the content of each file. Both read the list of the
snapshot's files, as a script does that starts.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from harness import SHM, Limit, Row, Size, turns

from xpm_core.fingerprints.comparison import Comparison
from xpm_core.fingerprints.project import Folders, Project
from xpm_core.fingerprints.reached import reach
from xpm_core.fingerprints.walk import Walk
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import KeptFile, Manifest

TITLE = "Fingerprints"
CLASSES, FILES = 100, 5000
COLD_MS, REMEMBERED_MS = 1000, 100
FOLDERS = Folders([("project", "")])

HELPERS = (
    "def scaled(value, rate):\n    return value * rate\n\n\ndef clamped(value):\n    return max(0.0, min(1.0, value))\n"
)
MODULE = '''"""Model {number}."""

import numpy as np

from helpers import clamped, scaled
from xpm_core import Param, Task

RATE = 0.{number}


class Model{number}(Task):
    """A model with some layers."""

    width: Param[int] = {number}
    depth: Param[int] = 3

    def build(self):
        """Build the layers."""
        layers = []
        for index in range(self.depth):
            size: int = self.width * 2 if index % 2 else self.width
            layers.append((f"layer-{{index}}-{{self.width!r}}", np.ones(size) * scaled(RATE, index)))
        return layers

    def execute(self):
        values = dict(self.build())
        for epoch in range(10):
            total = sum(clamped(value.mean()) for value in values.values())
            if epoch > 5 and total > {number}:  # it does not get better
                break
        with open("result.txt", "w") as file:
            file.write(f"{{total}}\\n")
'''


def rows(size: Size) -> list[Row]:
    """Reaching and comparing, in projects of 101 and of 5,000 files."""
    found = []
    for files in (CLASSES + 1, size.of(FILES, FILES)):
        with TemporaryDirectory(prefix="xpm-bench-", dir=SHM if SHM.is_dir() else None) as folder:
            times = measured(Path(folder), files)
        what = f"{CLASSES} classes in {files:,} files: what they reach"
        found += [
            Row(f"{what}, cold", unit="ms", ours=times["cold"], limit=Limit("<=", COLD_MS)),
            Row(f"{what}, remembered", unit="ms", ours=times["remembered"], limit=Limit("<=", REMEMBERED_MS)),
            Row(f"{CLASSES} classes in {files:,} files: compared with an edit", unit="ms", ours=times["compared"]),
        ]
    return found


def measured(workspace: Path, files: int) -> dict[str, list[float]]:
    """Milliseconds of each."""
    before = kept(workspace, files, HELPERS)
    after = kept(workspace, files, HELPERS.replace("0.0", "0.1"))
    reached(workspace, after)
    return turns(
        {
            "cold": partial(cold, workspace, before),
            "remembered": partial(reached, workspace, before),
            "compared": partial(compared, workspace, before, after),
        }
    )


def kept(workspace: Path, files: int, helpers: str) -> Manifest:
    """A snapshot of a project."""
    texts = {"helpers.py": helpers}
    texts.update((path_of(number), MODULE.format(number=number)) for number in range(files - 1))
    data = {path: text.encode() for path, text in texts.items()}
    store = CodeStore(workspace)
    return Manifest(
        ["project"], [KeptFile(0, path, 0o644, store.put_object(each), len(each)) for path, each in data.items()]
    )


def path_of(number: int) -> str:
    """The path of a module. Those of the first classes lie at the top."""
    return f"model{number}.py" if number < CLASSES else f"part{number % 50}/model{number}.py"


def walked(workspace: Path, manifest: Manifest) -> Walk:
    return Walk(Project.of_snapshot(workspace, manifest, FOLDERS))


def cold(workspace: Path, manifest: Manifest) -> float:
    """Milliseconds without a memory."""
    shutil.rmtree(workspace / "code" / "definitions", ignore_errors=True)
    return reached(workspace, manifest)


def reached(workspace: Path, manifest: Manifest) -> float:
    """Milliseconds until all is known that the classes reach."""

    def action() -> None:
        walk = walked(workspace, manifest)
        for number in range(CLASSES):
            found = reach(walk, [("project", path_of(number), f"Model{number}")])
            assert len(found.keys) == 8, found

    return timed(action)


def compared(workspace: Path, before: Manifest, after: Manifest) -> float:
    """Milliseconds until it is known that each of the classes has changed."""
    old = walked(workspace, before)
    known = [reach(old, [("project", path_of(number), f"Model{number}")]) for number in range(CLASSES)]

    def action() -> None:
        comparison = Comparison(old, walked(workspace, after))
        assert {comparison.verdict(each).answer for each in known} == {"ran"}

    return timed(action)


def timed(action: Callable[[], None]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1000
