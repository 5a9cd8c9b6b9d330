"""Outputs that tasks produce while they run: from the job, by events or its directory, to functions of the script."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Any

import jobapi_tasks as tasks
import pytest
from helpers.playground import Stage
from helpers.waiting import wait_until

from xpm_core import Task
from xpm_core.errors import NoJobError, OutputError
from xpm_core.identity import seal
from xpm_core.job.output_watch import watch as make_watch
from xpm_core.reading.reader import Reader
from xpm_core.script.follow.callbacks import Callbacks
from xpm_core.script.follow.watching import Watches
from xpm_core.states import State

pytestmark = pytest.mark.redis


class Heard:
    """Outputs that a script has heard of."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.threads: set[str] = set()

    def __call__(self, saved: tasks.Saved) -> None:
        self.steps.append(saved.step)
        self.threads.add(threading.current_thread().name)

    def wait(self, *steps: int) -> None:
        """Wait until these were heard of, in this order, and nothing else."""
        wait_until(lambda: len(self.steps) >= len(steps), show=lambda: self.steps)
        assert self.steps == list(steps)


def learning(stage: Stage, **more: Any) -> tasks.Learn:
    """A task of this test's own."""
    return tasks.Learn.C(**{"note": stage.note(), "saving": tasks.Saving.C(), **more})


def state(stage: Stage, task: Task) -> State | None:
    """The state of a task's job; None while it is on its way to the server."""
    return Reader(stage.client, stage.workspace.id).jobs.states([seal(task)]).get(seal(task), (None, ""))[0]


def submitted(task: tasks.Learn | tasks.Brief, heard: Heard) -> Any:
    """Submit a task, and listen to what it saves."""
    return task.watch_output(task.saving.saved, heard).submit()


# -- while it runs -----------------------------------------------------------------------------------------------------


def test_what_uses_an_output_runs_while_the_task_still_does(stage: Stage, tmp_path: Path) -> None:
    evaluations: list[Task] = []
    learn = learning(stage, gate=tmp_path / "gate")
    learn.watch_output(learn.saving.saved, lambda saved: evaluations.append(tasks.Evaluate.C(saved=saved).submit()))
    with stage.experiment():
        learn.submit()
        wait_until(lambda: len(evaluations) == 2, show=lambda: stage.job(learn))
        wait_until(lambda: {state(stage, each) for each in evaluations} == {State.DONE}, show=lambda: evaluations)
        assert stage.job(learn).state is State.RUNNING
        (tmp_path / "gate").touch()
    scores = [(stage.directory(each).path / "score").read_text() for each in evaluations]
    assert scores == ["after 10", "after 20", "after 30"], "leaving waits for what callbacks submit"


def test_outputs_come_in_order_in_the_thread_of_callbacks(stage: Stage) -> None:
    heard = Heard()
    with stage.experiment():
        submitted(learning(stage), heard)
    heard.wait(10, 20, 30)
    assert heard.threads == {"xpm-callbacks"}


def test_the_identity_of_an_output_counts_the_task_that_made_it(stage: Stage) -> None:
    found: list[str] = []
    with stage.experiment():
        for number in range(2):
            learn = learning(stage, note=f"{stage.note()} {number}")
            learn.watch_output(learn.saving.saved, lambda saved: found.append(seal(tasks.Evaluate.C(saved=saved))))
            learn.submit()
    assert len(set(found)) == 6


def test_many_outputs_at_once_all_come(stage: Stage) -> None:
    found: list[int] = []
    with stage.experiment():
        flood = tasks.Flood.C(count=500)
        flood.watch_output(flood.made, found.append)
        flood.submit()
    assert found == list(range(500))


def test_arguments_come_as_they_were_given(stage: Stage) -> None:
    found: list[Any] = []
    with stage.experiment():
        own = tasks.Own.C(note=stage.note())
        own.watch_output(own.made, found.append)
        own.submit()
    here = stage.directory(own).path / "made.txt"
    parts = (1, 2.5, "text", None, True, [1, [2]], {"a": {"b": here}})
    assert found == [(parts, {"file": Path("/elsewhere/file")}), ((7,), {})]


def test_of_a_task_that_starts_afresh_when_it_is_run_again_outputs_are_used_when_it_is_done(
    stage: Stage, tmp_path: Path
) -> None:
    evaluations: list[Task] = []
    brief = tasks.Brief.C(note=stage.note(), saving=tasks.Saving.C(), gate=tmp_path / "gate")
    brief.watch_output(brief.saving.saved, lambda saved: evaluations.append(tasks.Evaluate.C(saved=saved).submit()))
    with stage.experiment():
        brief.submit()
        wait_until(lambda: evaluations, show=lambda: stage.job(brief))
        wait_until(lambda: state(stage, evaluations[0]) is State.WAITING)
        assert stage.job(brief).state is State.RUNNING
        (tmp_path / "gate").touch()
    assert (stage.directory(evaluations[0]).path / "score").read_text() == "after 1"


# -- before and after it runs ------------------------------------------------------------------------------------------


def test_a_later_run_hears_of_what_a_done_task_had_produced(stage: Stage) -> None:
    note = stage.note()
    with stage.experiment():
        learning(stage, note=note).submit()
    for _ in range(2):
        heard = Heard()
        with stage.experiment() as xp:
            submitted(learning(stage, note=note), heard)
            assert xp.wait().reused == 1
        heard.wait(10, 20, 30)


def test_outputs_outlast_the_server(stage: Stage) -> None:
    note, heard = stage.note(), Heard()
    with stage.experiment():
        learning(stage, note=note).submit()
    stage.wipe()
    with stage.experiment():
        learn = learning(stage, note=note)
        submitted(learn, heard)
    heard.wait(10, 20, 30)
    assert stage.runs(learn) == 1


def test_a_script_that_comes_while_the_task_runs_hears_of_all(stage: Stage, tmp_path: Path) -> None:
    note, gate, heard = stage.note(), tmp_path / "gate", Heard()
    with stage.broken():
        learn = learning(stage, note=note, gate=gate).submit()
        wait_until(lambda: any(learn.jobpath.rglob("20.txt")), show=lambda: stage.job(learn))
    with stage.experiment():
        submitted(learning(stage, note=note, gate=gate), heard)
        heard.wait(10, 20)
        gate.touch()
    heard.wait(10, 20, 30)


def test_a_resumed_attempt_tells_nothing_twice(stage: Stage, tmp_path: Path) -> None:
    note, heard, again = stage.note(), Heard(), Heard()
    with stage.failing():
        submitted(learning(stage, note=note, gate=tmp_path / "gate", fail=True), heard)
    heard.wait(10, 20)
    (tmp_path / "gate").touch()
    with stage.experiment():
        learn = learning(stage, note=note, gate=tmp_path / "gate", fail=True)
        submitted(learn, again)
    again.wait(10, 20, 30)
    assert stage.runs(learn) == 2
    assert len(stage.directory(learn).outputs()) == 3


def test_a_retry_in_one_run_tells_nothing_twice(stage: Stage, tmp_path: Path) -> None:
    heard, gate = Heard(), tmp_path / "gate"
    with stage.experiment():
        learn = learning(stage, gate=gate, fail=True)
        learn.watch_output(learn.saving.saved, heard)
        learn.submit(max_retries=100, backoff=0.01)
        heard.wait(10, 20)
        gate.touch()
    heard.wait(10, 20, 30)


def test_one_can_begin_to_watch_at_any_time(stage: Stage, tmp_path: Path) -> None:
    early, late, last = Heard(), Heard(), Heard()
    with stage.experiment() as xp:
        learn = learning(stage, gate=tmp_path / "gate").submit()
        learn.watch_output(learn.saving.saved, early)
        early.wait(10, 20)
        learn.watch_output(learn.saving.saved, late)
        late.wait(10, 20)
        (tmp_path / "gate").touch()
        xp.wait()
        learn.watch_output(learn.saving.saved, last)
    for heard in (early, late, last):
        heard.wait(10, 20, 30)


def test_who_begins_to_watch_between_two_outputs_gets_the_earlier_one_first(stage: Stage) -> None:
    """The event of the second output may arrive before the directory was read for the function."""
    heard: list[int] = []
    flood = tasks.Flood.C(count=3)
    seal(flood)
    directory = stage.directory(flood)
    directory.prepare(1)
    watch = make_watch(flood, flood.made, heard.append)
    source, identity = watch.source()
    outputs = [
        {"of": source, "identity": identity, "method": "made", "args": [step], "kwargs": {"items": {}}}
        for step in (10, 20, 30)
    ]
    for output in outputs[:2]:
        directory.add_output(json.dumps(output))
    callbacks = Callbacks()
    watches = Watches("Flood", directory, callbacks)
    watches.add(watch)
    watches.produced(outputs[1])
    watches.catch_up()
    watches.produced(outputs[2])
    callbacks.close()
    assert heard == [10, 20, 30]


def test_each_function_is_called_once_for_each_output(stage: Stage) -> None:
    note, first, second, other = stage.note(), Heard(), Heard(), Heard()
    with stage.experiment():
        learn = learning(stage, note=note)
        learn.watch_output(learn.saving.saved, first).watch_output(learn.saving.saved, first)
        learn.watch_output(learn.saving.saved, second)
        learn.submit()
        learn.submit()
        submitted(learning(stage, note=note), other)
    for heard in (first, second, other):
        heard.wait(10, 20, 30)


def test_a_function_that_raises_is_logged_and_stops_nothing(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    heard = Heard()

    def broken(saved: tasks.Saved) -> None:
        raise RuntimeError(f"no {saved.step}")

    with caplog.at_level(logging.ERROR, "xpm"), stage.experiment():
        learn = learning(stage)
        learn.watch_output(learn.saving.saved, broken)
        submitted(learn, heard)
    heard.wait(10, 20, 30)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 3
    assert told[0].startswith(f"Learn/{seal(learn)[:7]}: its callback ")


# -- mistakes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "where", "said"),
    [
        (
            "object",
            "Wrong.made",
            "an argument that is a Wrong cannot be sent to the script. Pass numbers,",
        ),
        ("function", "wait_for", "this is no method of the task, or of one of its configurations. Pass one,"),
        (
            "stranger",
            "Saving.saved",
            "this is no method of the task, or of one of its configurations. Pass one,",
        ),
        ("arguments", "Wrong.made", "it does not take these arguments after `dep` (too many positional arguments)."),
        ("large", "Wrong.made", "its arguments take 70"),
    ],
)
def test_what_cannot_be_told_is_an_error_in_the_job(stage: Stage, how: str, where: str, said: str) -> None:
    with stage.failing():
        wrong = tasks.Wrong.C(how=how).submit()
    error = stage.job(wrong).error
    assert error["type"] == "xpm_core.errors.OutputError"
    assert error["message"].startswith(f"register_task_output({where}): {said}")


def test_what_is_no_part_of_the_task_cannot_be_watched(stage: Stage) -> None:
    learn, other = learning(stage), tasks.Saving.C()
    learn.watch_output(other.saved, print)
    with stage.experiment():
        with pytest.raises(OutputError, match=r"the Saving made at .*py:\d+ is no part of the task\. Watch"):
            learn.submit()
        with pytest.raises(OutputError, match="is no part of the task"):
            learning(stage).submit().watch_output(other.saved, print)


@pytest.mark.parametrize("method", [print, len, tasks.Saving.saved, "saved"])
def test_what_is_no_method_cannot_be_watched(stage: Stage, method: Any) -> None:
    with pytest.raises(
        OutputError, match=r"Learn\.watch_output: expected a method of one of the task's configurations"
    ):
        learning(stage).watch_output(method, print)


def test_what_is_no_function_cannot_watch(stage: Stage) -> None:
    learn = learning(stage)
    with pytest.raises(OutputError, match="expected a function, got 3"):
        learn.watch_output(learn.saving.saved, 3)  # type: ignore[arg-type]


def test_outside_of_a_job_nothing_can_be_registered() -> None:
    live = tasks.Own.C(note="x").instance()
    with pytest.raises(NoJobError, match="no job runs in this process"):
        live.register_task_output(live.made, 1)
