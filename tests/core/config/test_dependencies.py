"""Tasks: submission, what they make, what they depend on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from xpm_core import config as language
from xpm_core.config import (
    Config,
    LightweightTask,
    Meta,
    Param,
    PathGenerator,
    Task,
    field,
    outputs,
    state_of,
    upstream,
)
from xpm_core.errors import DeclarationError, ExperimentError, ParameterTypeError, SealedError, UnsubmittedTaskError
from xpm_core.identity import seal
from xpm_core.language.graph.tags import stop_tags, tag


class Scores(Config):
    path: Meta[Path]
    of: Param[str] = "all"


class Model(Config):
    size: Param[int] = 1
    weights: Meta[Path] = field(default_factory=PathGenerator("weights.bin"))


class Prepare(Task):
    seed: Param[int] = 0
    data: Meta[Path] = field(default_factory=PathGenerator("data.npz"))

    def execute(self) -> None: ...


class Learn(Task):
    prepared: Param[Prepare]
    model: Param[Model] = Model.C()

    def execute(self) -> None: ...

    def task_outputs(self, dep: Callable[[Any], Any]) -> Any:
        return dep(Scores.C(path=self.jobpath / "scores")), self.model.weights


class Evaluate(Task):
    scores: Param[list[Scores]] = field(default_factory=list)
    model: Param[Model | None] = None
    aside: Meta[Task | None] = None

    def execute(self) -> None: ...


class Load(LightweightTask):
    model: Param[Model]

    def execute(self) -> None: ...


class Experiment:
    """Submits as an experiment does, without any server."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.options: dict[str, Any] = {}
        self.called: list[Any] = []

    def submit(self, task: Task, options: dict[str, Any]) -> Any:
        upstream(task)
        directory = self.workspace / "jobs" / type(task).__name__.lower() / seal(task)
        state_of(task).submitted = SimpleNamespace(
            jobpath=directory, where="sweep.py:57", on_completed=lambda callback, task: callback(task)
        )
        self.options = options
        return outputs(task)


@pytest.fixture
def experiment(tmp_path: Path) -> Iterator[Experiment]:
    found = Experiment(tmp_path)
    language.experiments.append(found)
    yield found
    language.experiments.remove(found)


def test_submission_outside_of_an_experiment_is_an_error() -> None:
    with pytest.raises(ExperimentError, match=r"Prepare: submitted outside of any experiment, at .*\.py:\d+"):
        Prepare.C().submit()


def test_submission_goes_to_the_current_experiment_and_returns_the_task(experiment: Experiment) -> None:
    task = Prepare.C()
    assert task.submit(priority=3) is task
    assert experiment.options == {"priority": 3}
    assert task.jobpath == experiment.workspace / "jobs" / "prepare" / str(state_of(task).identity)
    assert task.data == task.jobpath / "data.npz"
    with pytest.raises(SealedError, match=r"cannot assign 1, the task was submitted at sweep.py:57"):
        task.seed = 1


def test_live_object_cannot_be_submitted(experiment: Experiment) -> None:
    with pytest.raises(DeclarationError, match=r"Prepare.submit: this is a live object"):
        Prepare.C().instance().submit()


def test_directory_is_not_known_before_submission() -> None:
    with pytest.raises(UnsubmittedTaskError, match=r"Prepare.jobpath: the task made at .*\.py:\d+ was not submitted"):
        _ = Prepare.C().jobpath


def test_outputs_are_made_by_the_task_and_count_with_its_identity(experiment: Experiment) -> None:
    results = [Learn.C(prepared=Prepare.C(seed=seed).submit()).submit() for seed in (1, 2)]
    (one, weights), (two, _) = results  # type: ignore[misc]
    assert weights == experiment.workspace / "jobs/learn" / weights.relative_to(experiment.workspace).parts[2] / (
        "out/model/weights.bin"
    )
    plain = Scores.C(path=Path("x"))
    identities = {seal(Evaluate.C(scores=[scores])) for scores in (one, two, plain)}
    assert len(identities) == 3
    assert [type(task) for task in upstream(Evaluate.C(scores=[one, two]))] == [Learn, Learn]


def test_sealed_configuration_is_copied_when_a_task_makes_it(experiment: Experiment) -> None:
    model = Model.C(size=2)
    seal(model)

    class Passes(Task):
        model: Param[Model]

        def execute(self) -> None: ...

        def task_outputs(self, dep: Callable[[Any], Any]) -> Any:
            return dep(self.model)

    made: Any = Passes.C(model=model).submit()
    assert made is not model
    assert state_of(model).source is None
    assert seal(made) != seal(model)


def test_task_as_value_counts_with_its_identity(experiment: Experiment) -> None:
    learns = [Learn.C(prepared=Prepare.C(seed=seed).submit()) for seed in (1, 1, 2)]
    one, same, other = map(seal, learns)
    assert one == same != other


def test_upstream_tasks_are_those_next_to_the_task(experiment: Experiment) -> None:
    first = Prepare.C().submit()
    learn = Learn.C(prepared=first)
    learn.submit()
    made: Any = outputs(learn)[0]
    more, by_hand = Prepare.C(seed=5).submit(), Prepare.C(seed=6).submit()
    task = Evaluate.C(scores=[made, made], aside=more).add_dependencies(by_hand, by_hand.dependency())
    assert upstream(task) == [learn, more, by_hand]
    assert upstream(learn) == [first]


@pytest.mark.parametrize("how", ["parameter", "meta", "dependency"])
def test_task_that_was_not_submitted_cannot_be_used(how: str, experiment: Experiment) -> None:
    prepared = Prepare.C()
    if how == "parameter":
        task: Task = Learn.C(prepared=prepared)
    else:
        task = Evaluate.C(aside=prepared) if how == "meta" else Evaluate.C().add_dependencies(prepared)
    with pytest.raises(UnsubmittedTaskError, match=r"the Prepare made at .*\.py:\d+ was not submitted"):
        task.submit()
    assert not state_of(task).sealed


def test_demands_of_one_token_add_up_until_submission(experiment: Experiment) -> None:
    class Demand:
        def __init__(self, name: str, units: int) -> None:
            self.name, self.units = name, units

    task = Prepare.C()
    assert task.add_dependencies(Demand("gpu", 1), Demand("cpu", 2)).add_dependencies(Demand("gpu", 2)) is task
    assert state_of(task).demand == {"gpu": 3, "cpu": 2}
    task.submit()
    with pytest.raises(SealedError, match=r"cannot add dependencies, the task was submitted at sweep.py:57"):
        task.add_dependencies(Demand("gpu", 1))


def test_callbacks_are_kept_until_submission_and_passed_on_after_it(experiment: Experiment) -> None:
    called: list[Task] = []
    task = Prepare.C()
    assert task.on_completed(called.append) is task
    assert state_of(task).callbacks == (called.append,)
    task.submit()
    task.on_completed(called.append)
    assert called == [task]


def test_initial_tasks_count_and_bring_what_they_depend_on(experiment: Experiment) -> None:
    model = Model.C()

    def evaluate(*init_tasks: LightweightTask) -> Evaluate:
        return Evaluate.C(model=model).submit(init_tasks=init_tasks)

    bare, loaded = evaluate(), evaluate(Load.C(model=model))
    twice = evaluate(Load.C(model=model), Load.C(model=Model.C(size=tag(2))))
    assert len({state_of(task).identity for task in (bare, loaded, twice)}) == 3
    assert twice.tags() == {"size": 2}
    assert Evaluate.C().submit(init_tasks=[stop_tags(Load.C(model=Model.C(size=tag(2))))]).tags() == {}
    with pytest.raises(ParameterTypeError, match=r"Evaluate.init_tasks\[0\]: expected LightweightTask, got Model"):
        evaluate(model)  # type: ignore[arg-type]
    with pytest.raises(SealedError, match=r"Evaluate.init_tasks: the task is sealed"):
        loaded.submit(init_tasks=[Load.C(model=model)])
    assert loaded.submit() is loaded
