"""Methods that a job or the script calls: if a method could never run, its class is refused."""

from __future__ import annotations

import asyncio
import functools
from abc import abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from xpm_core.config import Config, LightweightTask, Task, state_of
from xpm_core.errors import DeclarationError, ExperimentError, OutputError
from xpm_core.identity import seal
from xpm_core.script.follow.callbacks import call
from xpm_core.wire import live_task, payload


async def wait(self: Any) -> None: ...


def steps(self: Any) -> Iterator[int]:
    yield 1


async def waits(self: Any) -> Any:
    yield 1


def on_device(self: Any, device: str) -> None: ...


def by_name(self: Any, *, device: str) -> None: ...


def bare() -> None: ...


class Waiting:
    async def __call__(self) -> None: ...


WRONG: list[tuple[Any, str]] = [
    (wait, "it is async, so calling it runs nothing of it"),
    (waits, "it is async, so calling it runs nothing of it"),
    (steps, "it has a yield, so calling it runs nothing of it"),
    (on_device, "it needs 'device', which is not passed"),
    (by_name, "it needs 'device', which is not passed"),
    (bare, "it takes 0 arguments, and is given 1"),
    (None, r"it is None \(NoneType\), which cannot be called"),
    (3, r"it is 3 \(int\), which cannot be called"),
    (staticmethod(wait), "it is async"),
    (staticmethod(on_device), "it needs 'self' and 'device', which is not passed"),
    (classmethod(on_device), "it needs 'device'"),
    (staticmethod(functools.partial(wait, None)), "it is async"),
    (staticmethod(functools.partial(on_device, None)), "it needs 'device'"),
    (staticmethod(functools.partial(on_device)), "it needs 'self' and 'device'"),
    (functools.partialmethod(wait), "it is async"),
    (functools.partialmethod(by_name), "it needs 'device'"),
    (functools.partialmethod(functools.partial(wait)), "it is async"),
    (Waiting(), "it is async"),
]


@pytest.mark.parametrize("base", [Task, LightweightTask])
@pytest.mark.parametrize(("execute", "wrong"), WRONG, ids=[wrong for _, wrong in WRONG])
def test_execute_that_cannot_run_is_refused(base: Any, execute: Any, wrong: str) -> None:
    with pytest.raises(DeclarationError, match=rf"^Learn\.execute: {wrong}.*\. [A-Z]"):
        type(base)("Learn", (base,), {"execute": execute})


def test_inherited_execute_that_cannot_run_is_refused() -> None:
    class Mixin:
        async def execute(self) -> None: ...

    with pytest.raises(DeclarationError, match=r"Learn\.execute: it is async"):

        class Learn(Mixin, Task):  # type: ignore[misc]
            pass


def sync(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(function)
    def run(*args: Any) -> Any:
        return asyncio.run(function(*args))

    return run


@functools.lru_cache
def cached(self: Any) -> None: ...


class Callback:
    def __call__(self, device: str = "cpu") -> None: ...


RIGHT: list[Any] = [
    lambda self, device="cpu", *, rate=0.1: None,
    lambda *args, **kwargs: None,
    sync(wait),
    staticmethod(bare),
    classmethod(lambda cls: None),
    staticmethod(functools.partial(on_device, None, "cpu")),
    staticmethod(functools.partial(on_device, None, device="cpu")),
    staticmethod(functools.partial(by_name, None, device="cpu")),
    functools.partialmethod(on_device, "cpu"),
    functools.partialmethod(by_name, device="cpu"),
    property(lambda self: bare),
    cached,
    Callback(),
    dict,
    print,
]


@pytest.mark.parametrize("execute", RIGHT)
def test_execute_that_can_run_is_taken(execute: Any, tmp_path: Path) -> None:
    made = type(Task)("Learn", (Task,), {"execute": execute})
    made.C().instance().execute()


def test_other_methods_that_are_called_are_checked_likewise() -> None:
    for name in ("__validate__", "__post_init__"):
        with pytest.raises(DeclarationError, match=rf"Model\.{name}: it is async"):
            type(Task)("Model", (Config,), {name: wait})
    with pytest.raises(DeclarationError, match=r"Learn\.task_outputs: it takes 1 argument, and is given 2"):
        type(Task)("Learn", (Task,), {"task_outputs": lambda self: self, "execute": lambda self: None})


def test_method_named_execute_of_a_plain_configuration_is_its_own_affair() -> None:
    class Engine(Config):
        async def execute(self, query: str) -> None: ...


def test_abstract_task_may_have_what_its_tasks_replace() -> None:
    class Base(Task):
        async def execute(self) -> None: ...

        @abstractmethod
        async def step(self) -> None: ...

    class Learn(Base):
        def execute(self) -> None:
            asyncio.run(self.step())

        async def step(self) -> None: ...

    with pytest.raises(DeclarationError, match=r"Forgets\.execute: it is async"):

        class Forgets(Base):
            async def step(self) -> None: ...


def unrun(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda self: function(self)


class Hidden(Task):
    execute = unrun(wait)


class HiddenSteps(LightweightTask):
    execute = unrun(steps)


class Plain(Task):
    def execute(self) -> Any:
        return [1]


@pytest.mark.filterwarnings("ignore:coroutine 'wait' was never awaited")
def test_work_that_execute_only_returns_fails_the_job(tmp_path: Path) -> None:
    def run(task: Task) -> Any:
        data = payload.pack(task)
        return live_task.execute(payload.load(data, workspace=tmp_path, identity=seal(task), jobpath=tmp_path))

    assert run(Plain.C()) == [1]
    with pytest.raises(DeclarationError, match=r"Hidden\.execute: it returned a coroutine, so nothing of it ran"):
        run(Hidden.C())
    task = Plain.C()
    state_of(task).init_tasks = (HiddenSteps.C(),)
    with pytest.raises(DeclarationError, match=r"HiddenSteps\.execute: it returned a generator, so nothing of it ran"):
        run(task)


async def tell(task: Any) -> None: ...


async def tell_all(task: Any) -> Any:
    yield task


def steps(task: Any) -> Any:
    yield task


class Teller:
    async def __call__(self, task: Any) -> None: ...

    async def tell(self, task: Any) -> None: ...


class Done(Task):
    def execute(self) -> None: ...

    def made(self) -> None: ...


UNRUN = [tell, tell_all, functools.partial(tell), Teller(), Teller().tell]


@pytest.mark.parametrize(
    "callback", [*UNRUN, steps], ids=["async", "async generator", "partial", "object", "method", "generator"]
)
def test_a_callback_of_which_a_call_runs_nothing_is_refused_when_it_is_given(callback: Any) -> None:
    said = "it has a yield" if callback is steps else "it is async"
    with pytest.raises(ExperimentError, match=rf"^Done\.on_completed: {said}, so calling it runs nothing of it"):
        Done.C().on_completed(callback)
    task = Done.C()
    with pytest.raises(OutputError, match=rf"^Done\.watch_output: {said}, so calling it runs nothing of it"):
        task.watch_output(task.made, callback)


def test_a_callback_that_cannot_be_called_is_refused_when_it_is_given() -> None:
    with pytest.raises(ExperimentError, match=r"^Done\.on_completed: it is 3 \(int\), which cannot be called"):
        Done.C().on_completed(3)  # type: ignore[arg-type]


def test_a_callback_that_returns_its_work_undone_is_an_error_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.warns(RuntimeWarning, match="was never awaited"):
        call("Done/1234567", lambda task: tell(task), lambda: None)
    assert "it returned a coroutine, so nothing of it ran" in caplog.text
