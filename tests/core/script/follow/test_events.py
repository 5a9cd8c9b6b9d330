"""`xp.events()`: the events of a workspace since a run began, in a loop, also where the stream was cut."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import jobapi_tasks as tasks
import pytest
from helpers.playground import Stage
from helpers.private_server import PrivateServer
from helpers.waiting import PATIENCE_S, wait_until
from script_tasks import Fail, Hold, Write

from xpm_core import Task
from xpm_core.errors import ExperimentError
from xpm_core.identity import seal
from xpm_core.reading.events import Record, position
from xpm_core.script.follow import events as listening
from xpm_core.states import Event
from xpm_core.store import keys

pytestmark = pytest.mark.redis

LIFE = [Event.SUBMITTED, Event.READY, Event.STARTED, Event.DONE]


def of(records: list[Record], task: Task) -> list[Event]:
    """What happened to one job."""
    return [record.event for record in records if record.job == seal(task)]


def test_events_end_when_no_job_has_anything_more_to_wait_for(stage: Stage) -> None:
    with stage.experiment() as xp:
        first, second = (Write.C(note=stage.note()).submit() for _ in range(2))
        records = list(xp.events())
        assert xp.wait().done == 2
    assert of(records, first) == of(records, second) == LIFE
    started = next(record for record in records if record.event is Event.STARTED)
    assert started.worker
    assert started.at_s > 0
    places = [position(record.cursor) for record in records]
    assert places == sorted(places)


def test_each_iteration_begins_with_the_run(stage: Stage) -> None:
    with stage.experiment():
        Write.C(note=stage.note()).submit()
    with stage.experiment() as xp:
        write = Write.C(note=stage.note()).submit()
        events = xp.events()
        for event in events:
            if event.event is Event.READY:
                break
        records = list(events)
    assert of(records, write) == LIFE
    assert {record.job for record in records if record.job} == {seal(write)}, "nothing of an earlier run"


def test_events_tell_errors_progress_and_outputs(stage: Stage) -> None:
    with stage.failing() as failing:
        fail = Fail.C(note="e").submit()
        busy = tasks.Busy.C(calls=10, until=Path("/")).submit()
        brief = tasks.Brief.C(note=stage.note(), saving=tasks.Saving.C()).submit()
        records = list(failing.xp.events())
    (error,) = [record.error["message"] for record in records if record.event is Event.FAILED]
    assert error == "no good: e"
    assert of(records, fail)[-1] is Event.FAILED
    assert Event.PROGRESS in of(records, busy)
    (output,) = [record.said for record in records if record.event is Event.OUTPUT]
    assert (output["of"], output["method"], output["args"]) == ("Brief.saving", "saved", [1])
    assert of(records, brief)[-2:] == [Event.OUTPUT, Event.DONE]


def test_events_can_be_awaited(stage: Stage, tmp_path: Path) -> None:
    async def follow() -> list[Record]:
        ticks, records = 0, []

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0)
                ticks += 1
                if ticks == 100:
                    (tmp_path / "gate").touch()

        ticking = asyncio.create_task(tick())
        async for event in xp.events():
            records.append(event)  # noqa: PERF401
        ticking.cancel()
        return records

    with stage.experiment() as xp:
        hold = Hold.C(note=stage.note(), until=tmp_path / "gate").submit()
        records = asyncio.run(follow())
    assert of(records, hold) == LIFE, "the loop went on meanwhile, else the gate had stayed shut"


def test_events_can_be_followed_until_the_experiment_is_left(stage: Stage) -> None:
    records: list[Record] = []
    with stage.experiment() as xp:
        events = xp.events(follow=True)
        thread = threading.Thread(target=lambda: records.extend(events))
        thread.start()
        first = Write.C(note=stage.note()).submit()
        xp.wait()
        second = Write.C(note=stage.note()).submit()
        xp.wait()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert of(records, first) == of(records, second) == LIFE


def test_only_an_open_experiment_has_events(stage: Stage) -> None:
    with stage.experiment() as xp:
        Write.C(note=stage.note()).submit()
    with pytest.raises(ExperimentError, match="is not open"):
        xp.events()


def cut(stage: Stage) -> None:
    """Drop all events so far but the last."""
    stage.client.xtrim(keys.events(stage.workspace.id), maxlen=1, approximate=False)


def test_where_the_stream_is_cut_the_jobs_are_told_as_they_stand(stage: Stage, tmp_path: Path) -> None:
    with stage.failing() as failing:
        done = Write.C(note=stage.note()).submit()
        fail = Fail.C(note=stage.note()).submit()
        failing.xp.wait()
        hold = Hold.C(note=stage.note(), until=tmp_path / "gate").submit()
        wait_until(lambda: (hold.jobpath / "started").exists())
        cut(stage)
        records = []
        for record in failing.xp.events():
            records.append(record)
            if record.job == seal(hold) and "rebuilt" in record.data:
                (tmp_path / "gate").touch()
    rebuilt = [record for record in records if "rebuilt" in record.data]
    assert [(record.job, record.event) for record in rebuilt] == [
        (seal(done), Event.DONE),
        (seal(fail), Event.FAILED),
        (seal(hold), Event.STARTED),
    ]
    assert rebuilt[1].error["type"] == "ValueError"
    assert rebuilt[2].worker
    assert of(records, hold)[-1] is Event.DONE, "and then it goes on as ever"


def test_one_who_reads_slowly_is_told_the_same(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "DOUBT_S", 0.0)
    with stage.experiment() as xp:
        first = Write.C(note=stage.note()).submit()
        xp.wait()
        events = iter(xp.events())
        assert next(events).job == seal(first)
        second = Write.C(note=stage.note()).submit()
        xp.wait()
        cut(stage)
        records = list(events)
    assert of(records, second)[-1] is Event.DONE


def test_after_an_outage_events_go_on_where_they_were(
    fresh_server: Callable[..., PrivateServer], tmp_path: Path
) -> None:
    server = fresh_server(aof=True)
    stage = Stage(tmp_path, server)
    try:
        stage.start_workers("--lease", "10")
        with stage.experiment(lease_s=10.0) as xp:
            hold = Hold.C(note="x", until=tmp_path / "gate").submit()
            records = []
            for record in xp.events():
                records.append(record)
                if record.event is Event.STARTED:
                    server.stop()
                    (tmp_path / "gate").touch()
                    server.start()
        assert of(records, hold) == LIFE
    finally:
        stage.close()
