"""Processes: descendants at any depth."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil

from xpm_worker.system import processes


def test_descendants_are_found_at_any_depth() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    found = set(processes.descendants(os.getpid()))
    (grandchild,) = psutil.Process(process.pid).children()
    assert {process.pid, grandchild.pid} <= found
    process.communicate()
