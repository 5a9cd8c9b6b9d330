"""Run code in a process of its own: to see a task as a worker sees it, or as another interpreter does.

`from helpers.fresh_process import run, run_payload`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from xpm_core.config import Task
from xpm_core.identity import seal
from xpm_core.wire import payload


def run(*arguments: str | Path, cwd: Path, **environment: str) -> str:
    """What Python prints for some arguments; an error shows what it said."""
    command = [sys.executable, *map(str, arguments)]
    result = subprocess.run(command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout.strip()


WORKER = """
import sys
from pathlib import Path
from xpm_core.wire import live_task, payload
data, identity, workspace = Path(sys.argv[1]).read_bytes(), sys.argv[2], Path(sys.argv[3])
task = payload.load(data, workspace=workspace, identity=identity, jobpath=workspace / "jobs" / "task" / identity)
live_task.execute(task)
"""


def run_payload(data: bytes, identity: str, workspace: Path) -> str:
    """What a task prints when a fresh process, elsewhere, loads and runs it."""
    place = workspace / "payload.msgpack"
    place.write_bytes(data)
    elsewhere = workspace / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    return run("-c", WORKER, place, identity, workspace, cwd=elsewhere)


def printed(task: Task, workspace: Path) -> str:
    """What a task prints when a fresh process, elsewhere, runs it."""
    return run_payload(payload.pack(task, workspace), seal(task), workspace)


def script(folder: Path, name: str, text: str) -> Path:
    """A file with some Python in it."""
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(textwrap.dedent(text))
    return place
