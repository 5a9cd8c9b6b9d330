"""Directories that jobs share by a partial identifier: one job at a time has one."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.playground import Stage
from helpers.waiting import wait_until
from sharing_tasks import Reader, Turns

pytestmark = pytest.mark.redis


def said(stage: Stage, task: Turns) -> str:
    """What a job has printed to its standard error."""
    err = stage.directory(task).err
    return err.read_text() if err.exists() else ""


def test_jobs_that_share_a_directory_have_it_in_turn_and_say_that_they_wait(stage: Stage, tmp_path: Path) -> None:
    note, gate = stage.note(), tmp_path / "gate"
    with stage.experiment():
        turns = [Turns.C(note=note, number=number, gate=gate).submit() for number in range(2)]
        waiting = [f"{turns[0].file.parents[1]}.lock", f"{turns[0].folder}.lock"]
        wait_until(
            lambda: any("another job has this directory" in said(stage, turn) for turn in turns),
            show=lambda: [said(stage, turn) for turn in turns],
        )
        assert turns[0].file.read_text().count("\n") == 1
        gate.touch()
    first, second = (line.split()[1] for line in turns[0].file.read_text().splitlines()[::2])
    assert turns[0].file.read_text() == f"begin {first}\nend {first}\nbegin {second}\nend {second}\n"
    assert turns[1].last.read_text() == second
    assert said(stage, turns[int(first)]) == ""
    assert any(lock in said(stage, turns[int(second)]) for lock in waiting)


def test_a_job_that_only_uses_a_task_does_not_wait_for_the_directory_of_that(stage: Stage, tmp_path: Path) -> None:
    note, gate = stage.note(), tmp_path / "gate"
    gate.touch()
    with stage.experiment() as xp:
        done = Turns.C(note=note, number=0, gate=gate).submit()
        xp.wait()
        closed = tmp_path / "closed"
        running = Turns.C(note=note, number=1, gate=closed).submit()
        wait_until(lambda: "begin 1" in done.file.read_text(), show=lambda: said(stage, running))
        reader = Reader.C(turns=done).submit()
        assert reader.wait(), said(stage, running)
        assert reader.stdout.read_text() == "0\n"
        closed.touch()
