"""A script that runs for days: what it has written at its start may be gone when it submits its next task."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path

import pytest

from xpm_core.script.code import run_code
from xpm_core.script.code.run_code import RunCode
from xpm_core.snapshot.code_store import CodeStore, clock_s
from xpm_core.snapshot.provenance import Provenance

TASK = """
from xpm_core import Param, Task

class Days(Task):
    n: Param[int]
    def execute(self):
        pass
"""


@pytest.mark.parametrize("live", [False, True], ids=["snapshot", "live"])
def test_how_tasks_were_submitted_is_written_again(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, live: bool
) -> None:
    (written / "days.py").write_text(TASK)
    cls = importlib.import_module("days").Days
    store = CodeStore(tmp_path / "workspace")
    code = RunCode(tmp_path / "workspace", print)
    first = code.of({cls}, live=live)
    shutil.rmtree(store.folder / "provenance")
    assert code.of({cls}, live=live) == first
    monkeypatch.setattr(run_code, "clock_s", lambda: clock_s() + 86400)
    assert code.of({cls}, live=live) == first
    assert Provenance.read(store.get("provenance", first.provenance)).snapshot == first.snapshot
