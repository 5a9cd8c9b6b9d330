"""A script asks a task that it has submitted: for its state and its logs, and it waits for it."""

from __future__ import annotations

import pytest
from helpers.playground import Stage
from script_tasks import Copy, Fail, Hold, Keep, Write

from xpm_core import load
from xpm_core.errors import ExperimentError
from xpm_core.states import State

pytestmark = pytest.mark.redis


def test_a_task_tells_its_state_and_can_be_waited_for_alone(stage: Stage) -> None:
    gate, note = stage.folder / stage.note(), stage.note()
    with stage.experiment():
        held = Hold.C(note=note, until=gate).submit()
        write = Write.C(note=note).submit()
        assert write.wait() is True
        assert write.state == "done"
        assert held.state in (State.READY, State.RUNNING)
        gate.touch()
    assert held.state is State.DONE
    assert held.wait()


def test_logs_of_a_task_are_named(stage: Stage) -> None:
    with stage.experiment():
        write = Write.C(note=stage.note()).submit()
        assert (write.stdout, write.stderr) == (write.jobpath / "write.out", write.jobpath / "write.err")
        write.wait()
        assert write.stdout.is_file()
        assert write.stderr.is_file()


def test_a_job_saves_the_configuration_of_what_it_uses(stage: Stage) -> None:
    with stage.experiment():
        write = Write.C(note=stage.note(), n=3).submit()
        keep = Keep.C(source=write).submit()
        assert keep.wait()
    kept = load(keep.jobpath / "kept")
    assert (kept.note, kept.n, kept.identity) == (write.note, 3, write.identity)


def test_waiting_for_a_task_that_fails_or_is_blocked_is_false(stage: Stage) -> None:
    with stage.failing():
        fail = Fail.C(note=stage.note()).submit()
        assert fail.wait() is False
        assert fail.state == "failed"


def test_a_task_of_an_experiment_that_was_left_early_cannot_be_waited_for(stage: Stage) -> None:
    gate, note = stage.folder / stage.note(), stage.note()
    with stage.broken():
        held = Hold.C(note=note, until=gate).submit()
    with pytest.raises(ExperimentError, match=r"Hold\.wait: no open experiment .*, whose last known state is \w+\."):
        held.wait()
    gate.touch()
    with stage.experiment():
        with pytest.raises(ExperimentError, match="no open experiment follows its job"):
            held.wait()
        assert Hold.C(note=note, until=gate).submit().wait()
        assert Copy.C(source=Write.C(note=note).submit()).submit().wait()
