"""Classes that functions define: they reach a fresh process, which never ran those functions."""

from __future__ import annotations

import enum
import json
import sys
from fractions import Fraction
from functools import wraps
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest
from helpers.fresh_process import printed, run, run_payload, script

from xpm_core.config import Config, Param, Task, field, initializer, param_group
from xpm_core.errors import DeclarationError, TaskImportError
from xpm_core.identity import task_id
from xpm_core.language.code.local_code import code_of
from xpm_core.wire import payload

T = TypeVar("T")


def test_local_task_runs_in_a_fresh_process(tmp_path: Path) -> None:
    import math

    class Model(Config):
        size: Param[int]

    class Learn(Task):
        model: Param[Model]

        def execute(self) -> None:
            print(math.floor(2.5), self.model.size, Learn is type(self), json.dumps([1]), type(self).__qualname__)

    learn = Learn.C(model=Model.C(size=3))
    assert task_id(Learn) == f"{__name__}:test_local_task_runs_in_a_fresh_process.<locals>.Learn"
    name = "test_local_task_runs_in_a_fresh_process.<locals>.Learn"
    assert printed(learn, tmp_path) == f"2 3 True [1] {name}"


def test_what_a_local_class_uses_of_its_function_comes_along(tmp_path: Path) -> None:
    K = TypeVar("K")
    group = param_group("some")
    default = 5

    class Colour(enum.Enum):
        RED = 1

    def helper(value: int, times: int = 2) -> str:
        return other(value) * times

    def other(value: int) -> str:
        return f"<{value}>"

    class Base(Config):
        size: Param[int] = field(default=default, groups=[group])

        @property
        def shown(self) -> str:
            return helper(self.size)

        @staticmethod
        def later() -> type:
            return Later

        @initializer
        def initialize(self) -> str:
            return other(9)

    class Box(Config, Generic[K, T]):
        item: Param[K]
        table: Param[dict[str, T]]

    class IntBox(Box[int, str]):
        pass

    class Learn(Task):
        base: Param[Base]
        box: Param[Box[int, str]]
        colour: Param[Colour] = Colour.RED

        def execute(self) -> None:
            print(self.base.shown, self.base.later().__name__, self.base.initialize(), self.box.item, self.colour.name)

    class Later(Base):
        pass

    learn = Learn.C(base=Later.C(), box=IntBox.C(item=3, table={"a": "b"}))
    assert printed(learn, tmp_path) == "<5><5> Later <9> 3 RED"


def factory(value: Any) -> type[Task]:
    class Made(Task):
        def execute(self) -> None:
            print(value)

    return Made


def decorated(function: Any) -> Any:
    @wraps(function)
    def inner(*args: Any) -> Any:
        return function(*args)

    return inner


class Outer:
    @decorated
    def method(self) -> type[Task]:
        def nested() -> type[Task]:
            class Deep(Task):
                def execute(self) -> None:
                    print("deep")

            return Deep

        return nested()


def test_class_in_nested_and_decorated_functions_is_found(tmp_path: Path) -> None:
    assert printed(Outer().method().C(), tmp_path) == "deep"


@pytest.mark.parametrize("value", [3, "text", [1], object()])
def test_data_of_the_function_that_a_method_uses_are_refused(value: Any) -> None:
    task = factory(value).C()
    with pytest.raises(DeclarationError) as caught:
        payload.pack(task)
    assert "Made: it uses 'value' of the function factory" in str(caught.value)
    assert "no part of its identity. Make it a parameter" in str(caught.value)


def test_code_that_a_method_uses_may_be_anything_importable(tmp_path: Path) -> None:
    assert printed(factory(json).C(), tmp_path).startswith("<module 'json'")
    assert printed(factory(json.dumps).C(), tmp_path).startswith("<function dumps")
    assert printed(factory(Fraction).C(), tmp_path) == "<class 'fractions.Fraction'>"


def test_class_that_is_gone_from_its_function_is_said_to_be() -> None:

    with pytest.raises(TaskImportError, match="its function no longer defines it"):
        code_of(sys.modules[__name__], "factory.<locals>.Gone", None)
    with pytest.raises(TaskImportError, match="its function defines 2 of that name"):
        code_of(sys.modules[__name__], "twice.<locals>.Two", 1)


def twice(flag: bool) -> type[Task]:
    if flag:

        class Two(Task):
            def execute(self) -> None:
                print("first")
    else:

        class Two(Task):  # type: ignore[no-redef]
            def execute(self) -> None:
                print("second")

    return Two


@pytest.mark.parametrize(("flag", "expected"), [(True, "first"), (False, "second")])
def test_two_classes_of_one_name_are_told_apart_by_their_lines(flag: bool, expected: str, tmp_path: Path) -> None:
    assert printed(twice(flag).C(), tmp_path) == expected


def test_local_value_class_comes_along(tmp_path: Path) -> None:
    class Shape(Config):
        size: Param[int] = 2

    @Shape.value_class()
    class HeavyShape(Shape):
        def area(self) -> int:
            return self.size**2

    class Measure(Task):
        shape: Param[Shape]

        def execute(self) -> None:
            print(self.shape.area())  # type: ignore[attr-defined]

    assert printed(Measure.C(shape=Shape.C()), tmp_path) == "4"


AS_OBJECTS = """
    import sys
    from pathlib import Path
    from typing import Annotated
    from xpm_core import Bounds, Config, Param, Task
    from xpm_core.identity import seal
    from xpm_core.wire import payload

    def made(kind, limit):
        class Model(Config):
            size: Param[Annotated[kind, Bounds(le=limit)]]

        class Learn(Task):
            model: Param[Model]

            def execute(self):
                print(self.model.size)

        return Learn.C(model=Model.C(size=3))

    if __name__ == "__main__":
        task = made(int, 5)
        Path(sys.argv[1]).write_bytes(payload.pack(task))
        print(seal(task))
"""


def test_annotations_that_are_no_text_use_variables_as_the_body_does(tmp_path: Path) -> None:
    place = tmp_path / "data"
    identity = run(script(tmp_path / "project", "sweep.py", AS_OBJECTS), place, cwd=tmp_path)
    golden = "c9296518a198d13f0b96986d63c1e74395dd158c47b0270816ddfe0656c04424"
    assert identity == golden, "of one value in all versions of Python"
    assert run_payload(place.read_bytes(), identity, tmp_path) == "3"


BRACKETS = """
    import sys
    from pathlib import Path
    from xpm_core.wire import payload
    from xpm_core.config import Config, Param, Task, field
    from xpm_core.errors import ParameterTypeError
    from xpm_core.identity import seal

    class Loader[T](Config):
        item: Param[T]
        items: Param[list[T]] = field(default_factory=list)

    class IntLoader(Loader[int]): ...

    def made():
        class Box[K](Config):
            item: Param[K]

        class Run(Task):
            box: Param[Box[int]]
            loader: Param[Loader[int]]
            def execute(self):
                print(self.box.item, self.loader.item)

        return Run.C(box=Box.C(item=3), loader=IntLoader.C(item=2))

    if __name__ == "__main__":
        try:
            IntLoader.C(item="x")
        except ParameterTypeError:
            task = made()
            Path(sys.argv[1]).write_bytes(payload.pack(task))
            print(seal(task))
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="class Box[T] is a syntax of Python 3.12")
def test_classes_with_type_parameters_in_brackets(tmp_path: Path) -> None:
    place = tmp_path / "data"
    identity = run(script(tmp_path / "project", "sweep.py", BRACKETS), place, cwd=tmp_path)
    assert run_payload(place.read_bytes(), identity, tmp_path) == "3 2"
