"""Processes: descendants at any depth, and directories that were removed under them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

from xpm_worker.system import kernel, processes


def test_descendants_are_found_at_any_depth() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    found = set(processes.descendants(os.getpid()))
    (grandchild,) = psutil.Process(process.pid).children()
    assert {process.pid, grandchild.pid} <= found
    process.communicate()


def test_a_directory_that_is_held_open_is_known_to_be_removed(tmp_path: Path) -> None:
    place = tmp_path / "workspace"
    place.mkdir()
    held = kernel.hold_directory(place)
    try:
        place.rename(tmp_path / "moved")
        place.mkdir()
        assert not kernel.is_removed(held), "another of its name is there; it lives on"
        (tmp_path / "moved").rmdir()
        assert kernel.is_removed(held)
    finally:
        os.close(held)


def test_that_a_directory_cannot_be_looked_at_proves_nothing() -> None:
    assert not kernel.is_removed(-1)
