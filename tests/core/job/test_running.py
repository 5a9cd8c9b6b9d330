"""A job knows the tokens that it holds."""

from __future__ import annotations

import json
from typing import Any

import jobapi_tasks as tasks
import pytest
from helpers.daemons import Crew

from xpm_core.states import State
from xpm_core.store.tokens import create_token

pytestmark = pytest.mark.redis


def found(crew: Crew, task: tasks.Holding) -> dict[str, Any]:
    """What the task has written down."""
    return json.loads((crew.directory(task).path / "found.json").read_text())  # type: ignore[no-any-return]


def test_a_job_knows_the_numbers_of_its_units_and_how_many_of_the_others(crew: Crew) -> None:
    create_token(crew.client, "gpu", 4, units=True)
    create_token(crew.client, "my.cpu", 4)
    crew.run(task := tasks.Holding.C(names=["gpu", "my.cpu"]), demand={"gpu": 2, "my.cpu": 3})
    assert found(crew, task)["units"] == [[0, 1], 3]
    assert found(crew, task)["child"] == "[(0, 1), 3]", "a process that the job starts knows, too"


def test_the_variable_of_a_token_names_its_units_whatever_was_there(crew: Crew) -> None:
    create_token(crew.client, "gpu", 4, env="CUDA_VISIBLE_DEVICES")
    options = {"env": {"CUDA_VISIBLE_DEVICES": "3", "OTHER": "kept"}}
    crew.run(task := tasks.Holding.C(names=["gpu"]), demand={"gpu": 2}, options=options)
    environ = found(crew, task)["environ"]
    assert (environ["CUDA_VISIBLE_DEVICES"], environ["XPM_TOKEN_GPU"], environ["OTHER"]) == ("0,1", "0,1", "kept")
    assert found(crew, task)["units"] == [[0, 1]]


@pytest.mark.parametrize("own", ["4,5", "GPU-8932f937,GPU-46b47d2a", "4,5,-1,6"])
def test_units_are_those_of_the_workers_own_list_in_its_order(crew: Crew, own: str) -> None:
    create_token(crew.client, "gpu", 4, scope="host", env="CUDA_VISIBLE_DEVICES")
    crew.submit(one := tasks.Holding.C(names=["gpu"]), demand={"gpu": 2})
    crew.submit(two := tasks.Holding.C(names=["gpu", "gpu"]), demand={"gpu": 1})
    crew.submit(wide := tasks.Holding.C(names=[]), demand={"gpu": 3})
    worker = crew.start("--burst", env={"CUDA_VISIBLE_DEVICES": own})
    crew.wait(one)
    crew.wait(two)
    assert worker.left() == 0
    assert found(crew, one)["environ"]["CUDA_VISIBLE_DEVICES"] == ",".join(own.split(",")[:2])
    assert found(crew, one)["units"] == [[0, 1]]
    assert found(crew, two)["environ"]["CUDA_VISIBLE_DEVICES"] == own.split(",")[0]
    assert crew.state(wide) is State.READY, "this worker has two"


def test_units_that_a_job_does_not_hold_are_an_error_with_what_to_do(crew: Crew) -> None:
    create_token(crew.client, "cpu", 1)
    crew.run(task := tasks.Greedy.C(note="x"), State.FAILED, demand={"cpu": 1})
    error = crew.job(task).error
    assert error["type"] == "xpm_core.errors.TokenHoldingError"
    assert error["message"] == (
        "Greedy.token_units: the job holds no units of 'gpu' (it holds cpu). "
        "Ask for them before submit(): task.add_dependencies(token.dependency(1))."
    )
