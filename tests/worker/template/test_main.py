"""Jobs that a template forks: imports are paid once, and nothing else is different."""

from __future__ import annotations

import pytest
from helpers.daemons import Crew
from helpers.templates import read, templates, warmed
from helpers.waiting import wait_until
from learning_tasks import Multiply
from template_tasks import Cold, Draw, Mutate

pytestmark = [pytest.mark.redis, pytest.mark.slow]


def test_unseeded_generators_differ_in_every_job_forked_from_a_template(crew: Crew) -> None:
    worker = warmed(crew, Draw.C(number=0))
    tasks = [Draw.C(number=number) for number in range(1, 21)]
    crew.submit(*tasks)
    drawn = [read(crew, task, "drawn.json") for task in tasks if crew.wait(task)]
    for generator in ("numpy", "generator", "random", "uuid", "tempfile"):
        assert len({each[generator] for each in drawn}) == len(tasks), generator
    assert len(templates(worker)) == 1


def test_variables_of_a_job_hold_while_its_packages_are_imported(crew: Crew) -> None:
    worker = warmed(crew, Draw.C(number=0))
    alone = [Draw.C(number=number) for number in (1, 2, 3)]
    crew.submit(*alone, options={"env": {"OMP_NUM_THREADS": "1"}})
    assert [read(crew, task, "drawn.json")["threads"] for task in alone if crew.wait(task)] == ["1", "1", "1"]
    wait_until(lambda: len(templates(worker)) == 2, show=lambda: worker.log)
    assert any("OMP_NUM_THREADS=1" not in str(each.environ()) for each in templates(worker))


def test_openblas_and_openmp_work_in_twenty_jobs_of_a_template(crew: Crew) -> None:
    warmed(crew, Multiply.C(number=0))
    tasks = [Multiply.C(number=number) for number in range(1, 21)]
    crew.submit(*tasks)
    assert all(read(crew, task, "result.json")[1] > 0.4 for task in tasks if crew.wait(task))


def test_nothing_leaks_from_one_job_to_the_next(crew: Crew) -> None:
    warmed(crew, Draw.C(number=0))
    change, look = Mutate.C(), Mutate.C(look=True)
    crew.submit(change, look)
    crew.wait(change)
    crew.wait(look)
    state, leak, in_place, _, default, seeded = read(crew, look, "found.json")
    assert (state, leak, in_place, default) == ({}, None, True, True)
    assert seeded != 7.0


def test_a_class_can_do_without(crew: Crew) -> None:
    worker = crew.started()
    first, second = Cold.C(number=0), Cold.C(number=1)
    for task in (first, second):
        crew.submit(task, options={"template": False})
        crew.wait(task)
    assert templates(worker) == []
