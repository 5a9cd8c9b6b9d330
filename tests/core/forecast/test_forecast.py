"""A forecast, against runs that a plain simulator runs with other durations than those that the forecast knows."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.forecast import forecast as module
from xpm_core.forecast.durations import Durations
from xpm_core.forecast.forecast import forecast
from xpm_core.forecast.records import Capacity, Forecast, Work

SLOTS, GPUS = 8, 6


class Job(NamedTuple):
    """A job of a simulated run; `needs` are numbers of earlier jobs."""

    name: str
    seconds: float
    gpu: int = 0
    needs: tuple[int, ...] = ()


class Ran(NamedTuple):
    began_s: float
    ended_s: float


def simulated(jobs: list[Job], gpus: int, slots: int = SLOTS) -> list[Ran]:
    """When each job of a run begins and ends: whenever one ends, the first ones start that can."""
    ran: dict[int, Ran] = {}
    now_s = 0.0
    while len(ran) < len(jobs):
        going = [number for number, each in ran.items() if each.ended_s > now_s]
        used = sum(jobs[number].gpu for number in going)
        for number, job in enumerate(jobs):
            able = number not in ran and all(each in ran and ran[each].ended_s <= now_s for each in job.needs)
            if able and len(going) < slots and used + job.gpu <= gpus:
                ran[number] = Ran(now_s, now_s + job.seconds)
                going.append(number)
                used += job.gpu
        now_s = min(ran[number].ended_s for number in going)
    return [ran[number] for number in range(len(jobs))]


CLASSES = {"Prepare": (2.3, 0), "Eval": (3.4, 0), "Train": (5.0, 1)}
"""The logarithm of the median length of each class, in seconds, and how many GPUs a job of it asks for."""


def drawn(name: str, draw: random.Random, needs: tuple[int, ...] = ()) -> Job:
    median, gpu = CLASSES[name]
    return Job(name, 1 + draw.lognormvariate(median, 0.5), gpu, needs)


def mixed(seed: int) -> list[Job]:
    """300 to 400 jobs of three classes, which differ much in length, in any order."""
    draw = random.Random(seed)
    return [drawn(draw.choice(list(CLASSES)), draw) for _ in range(draw.randint(300, 400))]


def pipelines(seed: int) -> list[Job]:
    """40 to 60 pipelines. After a third of the jobs, few Trains have ended, and the quickest ones."""
    draw = random.Random(seed)
    jobs: list[Job] = []
    for _ in range(draw.randint(40, 60)):
        jobs.append(drawn("Prepare", draw))
        jobs.append(drawn("Train", draw, (len(jobs) - 1,)))
        jobs.append(drawn("Eval", draw, (len(jobs) - 1,)))
    return jobs


def after_a_third(jobs: list[Job], past: dict[str, list[float]]) -> tuple[Forecast, float]:
    """What is foreseen of a run when a third of its jobs have ended, and the truth."""
    ran = simulated(jobs, GPUS)
    now_s = sorted(each.ended_s for each in ran)[len(jobs) // 3]
    durations, work = Durations(past), []
    for number, (job, each) in enumerate(zip(jobs, ran, strict=True)):
        if each.ended_s <= now_s:
            durations.add(job.name, each.ended_s - each.began_s)
            continue
        for_s = now_s - each.began_s if each.began_s <= now_s else None
        needs, demand = tuple(map(str, job.needs)), {"gpu": 1} if job.gpu else {}
        work.append(Work(job.name, job.name, "default", demand, str(number), needs, for_s))
    capacity = Capacity((frozenset({"default"}),) * SLOTS, {"gpu": GPUS})
    return forecast(work, capacity, durations), max(each.ended_s for each in ran) - now_s


@pytest.mark.parametrize("seed", range(12))
def test_a_run_of_mixed_classes_is_foreseen_within_a_quarter_after_a_third(seed: int) -> None:
    found, truth_s = after_a_third(mixed(seed), {})
    assert found.whole
    assert found.left_s == pytest.approx(truth_s, rel=0.25)


@pytest.mark.parametrize("seed", range(12))
def test_pipelines_are_foreseen_within_a_quarter_by_an_earlier_run(seed: int) -> None:
    past: dict[str, list[float]] = {}
    for each in pipelines(1000 + seed):
        past.setdefault(each.name, []).append(each.seconds)
    found, truth_s = after_a_third(pipelines(seed), past)
    assert found.left_s == pytest.approx(truth_s, rel=0.25)


def known(**seconds: float) -> Durations:
    return Durations({name: [each] for name, each in seconds.items()})


def job(name: str = "a", queue: str = "q", **more: object) -> Work:
    return Work(name, name.upper(), queue, **more)  # type: ignore[arg-type]


def slots(*queues: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(each.split(",")) for each in queues)


def test_nothing_is_said_where_nothing_is_known() -> None:
    found = forecast([job(), job("b")], Capacity(slots("q")), Durations())
    assert (found.left_s, dict(found.unknown), found.whole, str(found)) == (None, {"A": 1, "B": 1}, False, "not known")
    assert forecast([], Capacity(), Durations()).left_s is None


def test_what_is_not_known_is_named_beside_the_least_time() -> None:
    found = forecast([job(), job(), job("b"), job(queue="none")], Capacity(slots("q")), known(a=60))
    assert (found.left_s, str(found), found.basis) == (120, "at least 2 min", "from 1 job of A")
    assert found.without == "without 1 job of B, of which none is done yet and 1 job that no worker can run now"


def test_jobs_that_need_a_job_that_nobody_serves_are_stuck_too() -> None:
    work = [job(queue="none", identity="1"), job(identity="2", needs=("1",)), job(identity="3")]
    found = forecast(work, Capacity(slots("q")), known(a=60))
    assert (found.stuck, found.left_s) == (2, 60)
    large = forecast([job(demand={"gpu": 3})], Capacity(slots("q"), {"gpu": 2}), known(a=60))
    assert (large.stuck, large.left_s) == (1, None)


@pytest.mark.parametrize(
    ("work", "capacity", "left_s"),
    [
        ([job()] * 4, Capacity(slots("q", "q")), 20),
        ([job()] * 4, Capacity(slots("q", "q", "other")), 20),
        ([job()] * 2 + [job(queue="other")], Capacity(slots("q", "q,other")), 20),
        ([job(demand={"gpu": 1})] * 4, Capacity(slots("q", "q", "q"), {"gpu": 1}), 40),
        ([job(for_s=4.0), job()], Capacity(slots("q")), 16),
        ([job(for_s=4.0), job()], Capacity(slots("q", "q")), 10),
        ([job(identity="1"), job(identity="2", needs=("1",))], Capacity(slots("q", "q")), 20),
        ([job(needs=("done before",))], Capacity(slots("q")), 10),
        ([job(for_s=30.0)], Capacity(slots("q")), 15),  # it has outlived its like
        ([job(count=10)], Capacity(slots("q", "q")), 50),
    ],
)
def test_workers_tokens_and_needs_count(work: list[Work], capacity: Capacity, left_s: float) -> None:
    assert forecast(work, capacity, known(a=10)).left_s == left_s


@given(st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=60), st.integers(1, 8), st.integers(1, 4), st.data())
def test_the_rough_way_is_never_longer_than_the_exact_one(
    names: list[str], workers: int, gpus: int, data: st.DataObject
) -> None:
    work = [job(name, demand={"gpu": 1} if data.draw(st.booleans()) else {}) for name in names]
    capacity = Capacity(slots(*["q"] * workers), {"gpu": gpus})
    took = [{"a": 10.0, "b": 35.0}[name] for name in names]
    ways: list[Callable[..., float]] = [module._fullest, module._run]
    rough, exact = (way(work, took, capacity) for way in ways)
    assert rough <= exact + 1e-6
    assert exact <= sum(took) + 1e-6
