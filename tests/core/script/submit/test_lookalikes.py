"""Looking for jobs that new ones repeat costs nothing when all is reused, and reads a bounded number of files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.playground import Stage
from script_tasks import Write

from xpm_core.script.submit.lookalikes import RECORDS, Lookalikes, declared
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis


def test_nothing_is_looked_at_when_all_is_reused(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    note, name = stage.note(), stage.name()
    with stage.experiment(name):
        Write.C(note=note).submit()
    looks: list[str] = []
    monkeypatch.setattr(Lookalikes, "_changes", lambda self, *_: looks.append("changes") or iter(()))
    with stage.experiment(name) as xp:
        Write.C(note=note).submit()
        assert xp.wait().reused == 1
    assert not looks
    with stage.experiment(name):
        for n in range(1, 4):
            Write.C(note=note, n=n).submit()
    assert looks == ["changes"], "at the first new job of a class alone"


@pytest.mark.parametrize("count", [1, RECORDS, RECORDS + 1, 20 * RECORDS])
def test_a_bounded_number_of_records_is_read(tmp_path: Path, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace.open(tmp_path)
    for number in range(count):
        job = JobDirectory(workspace.path, f"jobs/m.train/{number:064x}")
        job.prepare(1)
        job.write_marker("done", "0" * 32)
        job.write_params({"task": "m:Train", "parameters": {"a": number}})
    reads: list[str] = []
    loads = json.loads
    monkeypatch.setattr(json, "loads", lambda text: reads.append("read") or loads(text))
    looks = Lookalikes(workspace, workspace.experiment("e"))
    assert declared(looks._records("jobs/m.train")) == {"m:Train": {frozenset({"a"})}}
    assert 0 < len([each for each in reads if each]) <= 2 * RECORDS
