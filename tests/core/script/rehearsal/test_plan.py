"""The plan of a dry run with a real server and real workers, and its parts alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.playground import Stage
from script_tasks import Copy, Fail, Hold, Write

from xpm_core.forecast.records import Capacity
from xpm_core.reading.why.avoided import Avoided
from xpm_core.reading.workers import WorkerState
from xpm_core.script.rehearsal.facts import Facts
from xpm_core.script.rehearsal.plan import Plan, plan_of
from xpm_core.script.rehearsal.planned_job import Fate, PlannedJob
from xpm_core.states import State
from xpm_core.store.refusals import Refusal
from xpm_core.store.steering.pauses import pause_queue
from xpm_core.store.tokens import create_token
from xpm_core.words.commands import Commands
from xpm_core.words.reasons import Code
from xpm_core.words.reasons_of_workers import Paused
from xpm_core.workspace.job_directory import JobDirectory


def files(folder: Path) -> list[Path]:
    """The files of a workspace that a dry run could make. Its server and workers write others."""
    places = ("jobs", "experiments", "code", "old", ".xpm/parts", ".xpm/index")
    return sorted(path for place in places for path in (folder / place).rglob("*"))


@pytest.mark.redis
def test_each_job_has_its_fate_and_nothing_is_submitted(stage: Stage) -> None:
    note, name = stage.note(), stage.name()
    with stage.failing(name) as failing:
        Write.C(note=note).submit()
        Fail.C(note=note).submit(max_retries=0)
    with stage.broken(name) as xp:
        held = Hold.C(note=note, until=Path("x")).submit(queue="nobody")
        xp.events()
    before, events = files(stage.workspace.path), stage.client.xlen(f"xpm:{stage.workspace.id}:events")
    with stage.experiment(name, dry_run=True) as xp:
        write = Write.C(note=note).submit()
        Fail.C(note=note).submit(max_retries=0)
        assert Hold.C(note=note, until=Path("x")).submit(queue="nobody").identity == held.identity
        copy = Copy.C(source=write).submit()
        assert (write.jobpath / "written.txt").read_text() == note
        plan = xp.plan()
    assert failing.report
    assert [job.fate for job in plan.jobs] == [Fate.REUSED, Fate.RETRIED, Fate.UNDER_WAY, Fate.NEW]
    assert plan.jobs[3].identity == copy.identity
    assert next(plan.lines()) == f"{name}: 4 jobs: 1 reused, 1 retried, 1 under way, 1 new"
    assert plan.asked
    (obstacle,) = plan.obstacles
    assert (obstacle.reason.code, obstacle.jobs) == (Code.UNSERVED, (held.identity,))
    assert "1 job cannot run now: no living worker serves queue nobody. Do: " in str(plan)
    assert plan.forecast is not None
    assert (plan.forecast.unknown, plan.forecast.stuck) == ({"Fail": 1, "Copy": 1}, 1)
    assert files(stage.workspace.path) == before
    assert stage.client.xlen(f"xpm:{stage.workspace.id}:events") == events
    assert stage.store.cancel(held.identity)


@pytest.mark.redis
def test_time_follows_from_jobs_that_are_done_and_workers_that_serve(stage: Stage) -> None:
    note = stage.note()
    with stage.experiment() as xp:
        for n in range(3):
            Write.C(note=note, n=n).submit()
        assert xp.wait()
    with stage.experiment(dry_run=True) as xp:
        for n in range(1000, 1040):
            Write.C(note=note, n=n).submit()
        plan = xp.plan()
    assert plan.forecast is not None
    assert plan.forecast.whole
    assert plan.workers == len([each for each in stage.workers() if "default" in each.queues])
    each_s = plan.tasks[0].each_s
    assert each_s is not None
    assert plan.forecast.left_s == pytest.approx(each_s * 40 / plan.workers, rel=0.01)
    assert f"on {plan.workers} workers, from " in str(plan)


@pytest.mark.redis
def test_tokens_and_pauses_are_named(stage: Stage) -> None:
    note = stage.note()
    create_token(stage.client, "planned", 1)
    pause_queue(stage.client, stage.workspace.id, "night", "ann@node1")
    with stage.experiment(dry_run=True) as xp:
        own = xp.connector.createtoken("fresh", 1)
        for n in range(4):
            own(1, Write.C(note=note, n=n)).submit()
        Write.C(note=note, n=9).submit(queue="night")
        plan = xp.plan()
    assert [str(limit) for limit in plan.limits] == ["fresh: 1 unit, so 1 of these 4 jobs run at a time"]
    assert [each.reason.code for each in plan.obstacles] == [Code.PAUSED]
    assert stage.client.exists("xpm:token:fresh") == 0, "a dry run creates no token"


# -- without a server --------------------------------------------------------------------------------------------------


def job(name: str = "Train", number: int = 1, **more: object) -> PlannedJob:
    identity = f"{number:064x}"
    directory = JobDirectory(Path("/nowhere"), f"jobs/sweep.{name.lower()}/{identity}")
    found = PlannedJob(None, identity, name, directory, ("sweep.py", 3), "default")  # type: ignore[arg-type]
    for attribute, value in more.items():
        setattr(found, attribute, value)
    return found


def worker(name: str, queues: list[str]) -> WorkerState:
    return WorkerState(f"{name}.0", name, 1, queues, "/w", "1", 0.0, True, "", 1.0, 9.0)


def planned(jobs: list[PlannedJob], facts: Facts, slots: int = 0, tokens: dict[str, int] | None = None) -> Plan:
    own = (frozenset({"default"}),) * slots
    return plan_of("digits", jobs, facts, own=own, tokens=tokens or {}, notes=["note    x"], commands=Commands())


def test_a_project_that_all_workers_refuse_is_told() -> None:
    refusal = Refusal.of_module("m1", "node1", "sweep", "/data")
    capacity = Capacity((frozenset({"default"}), frozenset({"default"})))
    workers = [worker("m1", ["default"]), worker("m2", ["default"])]
    jobs = [job(project="p1"), job("Eval", 2, project="other")]
    facts = Facts(True, capacity=capacity, workers=workers, refusals=[Avoided("m1", refusal, 1, "p1")])
    assert planned(jobs, facts).obstacles == (), "m2 can run it"
    alone = Facts(True, capacity=capacity, workers=workers[:1], refusals=[Avoided("m1", refusal, 1, "p1")])
    (found,) = planned(jobs, alone).obstacles
    assert (found.reason.code, found.jobs) == (Code.REFUSED, (jobs[0].identity,))
    assert planned(jobs, alone, slots=1).obstacles == (), "the script starts a worker of its own"


def test_a_token_that_is_too_small_and_a_paused_queue_are_told() -> None:
    capacity, paused = Capacity((frozenset({"default"}),), {"gpu": 2}), {"night": Paused("night", 5.0, "ann")}
    facts = Facts(True, capacity=capacity, workers=[worker("m1", ["default"])], paused=paused)
    jobs = [job(demand={"gpu": 4}), job(number=2, queue="night"), job(number=3, demand={"none": 1})]
    plan = planned(jobs, facts)
    assert [(each.reason.code, len(each.jobs)) for each in plan.obstacles] == [
        (Code.TOO_LARGE, 1), (Code.PAUSED, 1), (Code.TOO_LARGE, 1)
    ]  # fmt: skip
    assert plan.forecast is not None
    assert (plan.forecast.stuck, plan.forecast.left_s) == (3, None)
    assert [each.jobs for each in planned(jobs, facts, tokens={"gpu": 4, "none": 1}).obstacles] == [jobs_of(jobs[1])]


def jobs_of(*jobs: PlannedJob) -> tuple[str, ...]:
    return tuple(each.identity for each in jobs)


def test_a_server_that_is_away_says_nothing_of_workers() -> None:
    plan = planned([job(demand={"gpu": 1})], Facts(away="Redis at redis://head: refused"))
    assert (plan.obstacles, plan.forecast) == ((), None)
    assert "because the server does not: Redis at redis://head: refused" in str(plan)


def test_tasks_are_counted_with_their_time() -> None:
    past = {"sweep.train": [60.0] * 3, "sweep.eval": [5.0]}
    jobs = [*(job(number=number) for number in range(4)), job("Eval", 9, state=State.DONE, reused=True, code="ran")]
    plan = planned(jobs, Facts(past=past), slots=2)
    assert list(plan.lines()) == [
        "digits: 5 jobs: 1 reused (of these, 1 with other code), 4 new",
        "  Train  4 jobs: 4 new   about 1 min each",
        "  Eval   1 job: 1 reused (of these, 1 with other code)   about 5 s each",
        "time    about 2 min on 2 workers, from 3 jobs of Train",
        "note    x",
    ]
    data = plan.as_data()
    assert (data["counts"], data["notes"]) == ({"reused": 1, "retried": 0, "under_way": 0, "new": 4}, ["x"])
    assert (data["with_other_code"], data["jobs"][4]["code"]) == (1, "ran")
    assert planned([jobs[-1]], Facts(past=past)).forecast is None, "nothing would run"
    jobs[-1].runs_again = True
    assert planned([jobs[-1]], Facts(past=past)).fates[Fate.RETRIED] == 1


def test_each_machine_has_its_own_units_of_a_token_of_machines() -> None:
    jobs = [job(number=number, demand={"gpu": 1}) for number in range(8)]
    workers = [worker(name, ["default"]) for name in ("m1", "m2", "m3")]
    capacity = Capacity((frozenset({"default"}),) * 6)
    facts = Facts(True, capacity=capacity, workers=workers, per_machine={"gpu": 2})
    assert planned(jobs, facts, tokens={"gpu": 2}).limits == (), "6 units on 3 machines, and 6 workers"
    alone = Facts(True, capacity=capacity, workers=workers[:1], per_machine={"gpu": 2})
    assert [limit.at_once for limit in planned(jobs, alone, tokens={"gpu": 2}).limits] == [2]
    assert [limit.at_once for limit in planned(jobs, alone, 1, {"gpu": 2}).limits] == [4], "the script's machine, too"


def test_two_classes_of_one_name_are_two_tasks() -> None:
    other = job(number=2)
    other.directory = JobDirectory(Path("/nowhere"), f"jobs/old.train/{other.identity}")
    plan = planned([job(), other], Facts(past={"sweep.train": [60.0]}), slots=1)
    assert [(task.name, task.jobs, task.each_s) for task in plan.tasks] == [
        ("sweep.train", 1, 60.0), ("old.train", 1, None)
    ]  # fmt: skip
