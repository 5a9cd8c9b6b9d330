"""`on_completed`: each function once per task and run, in the order of events, in one thread."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
from helpers.playground import Stage
from helpers.waiting import PATIENCE_S, wait_until
from script_tasks import Copy, Fail, Hold, Needs, Write

pytestmark = pytest.mark.redis


def test_callback_registered_before_submit_is_called_once_with_the_task(stage: Stage) -> None:
    calls: list[Write] = []
    with stage.experiment():
        write = Write.C(note=stage.note())
        write.on_completed(calls.append)
        write.submit()
    assert calls == [write]
    assert calls[0] is write


def test_callback_that_takes_nothing_is_called_with_nothing(stage: Stage) -> None:
    calls: list[object] = []
    with stage.experiment():
        write = Write.C(note=stage.note()).on_completed(lambda: calls.append("before")).submit()
        write.on_completed(lambda task=None: calls.append(task))
    assert calls == ["before", write]


def test_callback_registered_after_submit_is_called_once(stage: Stage, tmp_path: Path) -> None:
    calls: list[Hold] = []
    with stage.experiment():
        hold = Hold.C(note=stage.note(), until=tmp_path / "gate").submit()
        hold.on_completed(calls.append)
        assert not calls
        (tmp_path / "gate").touch()
    assert len(calls) == 1


def test_callback_registered_after_the_job_is_done_is_called(stage: Stage) -> None:
    calls: list[Write] = []
    with stage.experiment() as xp:
        write = Write.C(note=stage.note()).submit()
        xp.wait()
        write.on_completed(calls.append)
        assert xp.wait().done == 1
        assert len(calls) == 1
    assert len(calls) == 1


def test_callback_registered_after_the_experiment_is_called_at_once(stage: Stage) -> None:
    calls: list[Write] = []
    with stage.experiment():
        write = Write.C(note=stage.note()).submit()
    write.on_completed(calls.append)
    assert len(calls) == 1


def test_callback_is_called_when_the_task_was_done_already(stage: Stage) -> None:
    note = stage.note()
    with stage.experiment():
        Write.C(note=note).submit()
    calls: list[Write] = []
    with stage.experiment() as xp:
        Write.C(note=note).on_completed(calls.append).submit()
        assert xp.wait().reused == 1
    assert len(calls) == 1


def test_callbacks_of_equal_tasks_are_each_called_once(stage: Stage) -> None:
    note = stage.note()
    calls: list[str] = []
    with stage.experiment():
        first = Write.C(note=note).on_completed(lambda: calls.append("first")).submit()
        first.submit()
        Write.C(note=note).on_completed(lambda: calls.append("second")).submit()
    assert sorted(calls) == ["first", "second"]


def test_one_callback_registered_twice_is_called_once(stage: Stage) -> None:
    note = stage.note()
    calls: list[Write] = []
    callback = calls.append
    with stage.experiment():
        Write.C(note=note).on_completed(callback).on_completed(callback).submit()
        Write.C(note=note).on_completed(callback).submit().on_completed(callback)
    assert len(calls) == 1


def test_callback_of_one_function_for_many_tasks_is_called_for_each(stage: Stage) -> None:
    note = stage.note()
    calls: list[int] = []
    with stage.experiment():
        for n in range(5):
            Write.C(note=note, n=n).on_completed(lambda task: calls.append(task.n)).submit()
    assert sorted(calls) == [0, 1, 2, 3, 4]


def test_callback_is_not_called_for_a_task_that_failed_or_is_blocked(stage: Stage) -> None:
    calls: list[object] = []
    with stage.failing():
        fail = Fail.C(note=stage.note()).on_completed(calls.append).submit()
        Needs.C(before=fail).on_completed(calls.append).submit()
    assert calls == []


def test_callback_that_raises_is_logged_with_its_name_and_stops_nothing(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[Write] = []

    def clumsy(task: Write) -> None:
        raise LookupError("clumsy me")

    with stage.experiment() as xp:
        write = Write.C(note=stage.note()).on_completed(clumsy).on_completed(calls.append).submit()
        assert xp.wait(), "a callback's error is no job's failure"
    assert len(calls) == 1
    [record] = [record for record in caplog.records if record.exc_info]
    assert "clumsy" in record.message
    assert record.message.startswith(f"Write/{stage.job(write).identity[:7]}")
    assert "clumsy me" in (xp.resultspath.parent / "run.log").read_text()


def test_callback_that_submits_more_tasks_is_waited_for(stage: Stage) -> None:
    note = stage.note()
    calls: list[int] = []

    def more(task: Write) -> None:
        calls.append(task.n)
        if task.n < 3:
            Write.C(note=note, n=task.n + 1).on_completed(more).submit()

    with stage.experiment() as xp:
        Write.C(note=note, n=1).on_completed(more).submit()
        assert xp.wait().done == 3
    assert calls == [1, 2, 3]


def test_callback_that_submits_what_depends_on_its_task_is_waited_for_on_leaving(stage: Stage) -> None:
    copies: list[Copy] = []
    with stage.experiment():
        Write.C(note=stage.note()).on_completed(lambda task: copies.append(Copy.C(source=task).submit())).submit()
    assert (copies[0].jobpath / "copy.txt").exists()


def test_callbacks_come_in_the_order_of_events_and_in_one_thread(stage: Stage, tmp_path: Path) -> None:
    note = stage.note()
    calls: list[tuple[int, threading.Thread]] = []
    order = [3, 0, 2, 1]
    with stage.experiment():
        for n in range(4):  # chained by hand: one gate after the other opens when a job has ended
            hold = Hold.C(note=note, n=n, until=tmp_path / f"gate{n}")
            hold.on_completed(lambda task: calls.append((task.n, threading.current_thread()))).submit()
        stage.start_workers()
        for position, n in enumerate(order):
            (tmp_path / f"gate{n}").touch()
            wait_until(lambda wanted=position + 1: len(calls) == wanted, show=lambda: calls)
    assert [n for n, _ in calls] == order
    assert len({thread for _, thread in calls}) == 1
    assert calls[0][1] is not threading.main_thread()


def test_each_of_a_tasks_callbacks_sees_its_result(stage: Stage) -> None:
    """The event comes after the job's last word: what it wrote is there."""
    note = stage.note()
    seen: list[str] = []
    with stage.experiment():
        Write.C(note=note).on_completed(lambda task: seen.append(task.written.read_text())).submit()
    assert seen == [note]


def test_callback_may_wait(stage: Stage) -> None:
    """It runs in a thread of its own, so waiting there blocks no events."""
    note = stage.note()
    counts: list[int] = []
    with stage.experiment() as xp:

        def more(task: Write) -> None:
            Write.C(note=note, n=1).submit()
            counts.append(xp.wait().done)

        Write.C(note=note).on_completed(more).submit()
    assert counts == [2]


def test_error_in_the_block_is_not_held_up_by_a_callback(stage: Stage) -> None:
    """What has begun may go on; what has not is dropped."""
    note = stage.note()
    begun, go_on = threading.Event(), threading.Event()
    calls: list[int] = []

    def slow(task: Write) -> None:
        calls.append(task.n)
        begun.set()
        go_on.wait(PATIENCE_S)

    with stage.broken() as xp:
        tasks = [Write.C(note=note, n=n).on_completed(slow).submit() for n in range(2)]
        assert begun.wait(PATIENCE_S)
        wait_until(lambda: all(job.state.settled for job in xp.tracker.jobs.values()))
    go_on.set()
    assert len(tasks) == 2
    assert len(calls) == 1


def test_callback_that_calls_sys_exit_stops_nothing(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    calls: list[Write] = []
    with stage.experiment() as xp:
        Write.C(note=stage.note()).on_completed(lambda: sys.exit(3)).on_completed(calls.append).submit()
        assert xp.wait()
    assert len(calls) == 1
    assert any("its callback" in record.message for record in caplog.records)
