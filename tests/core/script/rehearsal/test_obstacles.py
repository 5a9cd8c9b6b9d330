"""What is in the way of planned jobs, by the same conditions as those of `xpm why`."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.playground import Stage
from script_tasks import Write

from xpm_core.forecast.records import Capacity
from xpm_core.reading.workers import WorkerState
from xpm_core.script.rehearsal.facts import Facts
from xpm_core.script.rehearsal.obstacles import Obstacle, limits_of, obstacles_of
from xpm_core.script.rehearsal.planned_job import PlannedJob
from xpm_core.store import keys
from xpm_core.words.commands import Commands
from xpm_core.words.reasons import Code
from xpm_core.workspace.job_directory import JobDirectory

NOW_S = 1e9
QUEUE = frozenset({"default"})


def job(**more: object) -> PlannedJob:
    identity = "1" * 64
    directory = JobDirectory(Path("/nowhere"), f"jobs/sweep.train/{identity}")
    found = PlannedJob(None, identity, "Train", directory, ("sweep.py", 3), "default")  # type: ignore[arg-type]
    for attribute, value in more.items():
        setattr(found, attribute, value)
    return found


def worker(name: str = "m1", *, silent_s: float = 1.0, leaving_s: float = 0.0, ends_s: float = 0.0) -> WorkerState:
    about = (f"{name}.0", name, 1, ["default"], "/w", "1", 0.0, True, "", silent_s, 9.0)
    return WorkerState(*about, leaving_s=leaving_s, ends_s=ends_s)


def found(jobs: list[PlannedJob], *, own: int = 0, **facts: object) -> list[Obstacle]:
    known = Facts(True, now_s=NOW_S, **facts)  # type: ignore[arg-type]
    able = [each for each in known.workers if not each.leaving_s]
    capacity = Capacity((QUEUE,) * (len(able) + own), {"gpu": 8})
    return list(obstacles_of(jobs, known, capacity, (QUEUE,) * own, Commands()))


@pytest.mark.parametrize(
    ("min_time_s", "facts", "code", "words"),
    [
        (3600, {"workers": [worker(ends_s=NOW_S + 600)]}, Code.SHORT_LIVED,
         "it needs 1 h, and the worker of queue default has at most 10 min left"),
        (60, {"workers": [worker(ends_s=NOW_S + 600)]}, None, ""),
        (3600, {"workers": [worker(ends_s=NOW_S + 600), worker("m2")]}, None, ""),
        (0, {"workers": [worker(leaving_s=NOW_S)]}, Code.DRAINING, "finishes its job and leaves"),
        (0, {"workers": [worker(silent_s=1000.0)]}, Code.SILENT, "is silent"),
        (0, {"workers": []}, Code.UNSERVED, "no living worker serves queue default"),
        (0, {"workers": [worker()], "suspended": True}, Code.SUSPENDED, "all workers of the server are suspended"),
    ],
)  # fmt: skip
def test_workers_that_may_not_take_a_job_are_told_with_the_reason(
    min_time_s: int, facts: dict[str, object], code: Code | None, words: str
) -> None:
    obstacles = found([job(min_time_s=min_time_s)], **facts)
    assert [each.reason.code for each in obstacles] == ([] if code is None else [code])
    assert words in "".join(map(str, obstacles))
    own = found([job(min_time_s=min_time_s)], own=1, **facts)
    assert [each.reason.code for each in own] == ([code] if code is Code.SUSPENDED else []), "the script has workers"


def test_units_of_one_machine_are_told_if_a_job_asks_for_more() -> None:
    (told,) = found([job(demand={"gpu": 6})], workers=[worker(), worker("m2")], per_machine={"gpu": 4})
    assert str(told.reason) == "it asks for 6 of token gpu, the largest worker of its queue has 4"
    assert "ask for at most 4" in told.remedies
    assert found([job(demand={"gpu": 4})], workers=[worker()], per_machine={"gpu": 4}) == []


def test_a_token_limits_jobs_only_if_workers_could_run_more() -> None:
    jobs = [job(demand={"gpu": 4})] * 5
    assert [(each.units, each.at_once) for each in limits_of(jobs, Capacity((QUEUE,) * 3, {"gpu": 8}))] == [(8, 2)]
    assert list(limits_of(jobs, Capacity((QUEUE,) * 2, {"gpu": 8}))) == []


@pytest.mark.redis
def test_suspended_workers_are_no_missing_workers(stage: Stage) -> None:
    stage.client.set(keys.suspended, 1)
    try:
        with stage.experiment(dry_run=True) as xp:
            Write.C(note=stage.note(), n=1).submit()
            plan = xp.plan()
    finally:
        stage.client.delete(keys.suspended)
    assert [each.reason.code for each in plan.obstacles] == [Code.SUSPENDED]
    assert plan.forecast is not None
    assert plan.forecast.left_s is None
