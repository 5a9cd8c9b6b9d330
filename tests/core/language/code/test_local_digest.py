"""Classes of one function that are made from different things: each has an identity of its own, or is refused."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pytest
from helpers.fresh_process import printed
from helpers.import_folders import import_file

from xpm_core.config import Config, Constant, Meta, Param, PathGenerator, Task, field
from xpm_core.errors import DeclarationError, PayloadError
from xpm_core.identity import seal
from xpm_core.language.identity.description import describe
from xpm_core.language.identity.differences import differences
from xpm_core.wire import payload


class Lstm(Config):
    size: Param[int] = 1

    def shown(self) -> str:
        return "lstm"


class Gru(Lstm):
    def shown(self) -> str:
        return "gru"


def body_data(value: Any) -> type[Task]:
    class Made(Task):
        name = value

        def execute(self) -> None:
            print(self.name)

    return Made


def data_by_way_of_the_body(value: Any) -> type[Task]:
    class Made(Task):
        prefix = f"{value}"
        name = prefix

        def execute(self) -> None:
            print(self.name)

    return Made


def two_levels(value: Any) -> type[Task]:
    def inner() -> type[Task]:
        class Made(Task):
            name = value

            def execute(self) -> None:
                print(self.name)

        return Made

    return inner()


def default_of_a_method(value: Any) -> type[Task]:
    class Made(Task):
        def execute(self, name: Any = value) -> None:
            print(name)

    return Made


def default_of_a_helper(value: Any) -> type[Task]:
    def helper(name: Any = value) -> None:
        print(name)

    class Made(Task):
        def execute(self) -> None:
            helper()

    return Made


def through_a_descriptor(value: Any) -> type[Task]:
    class Made(Task):
        @cached_property
        def name(self) -> Any:
            return value

        def execute(self) -> None:
            print(self.name)

    return Made


def data_of_a_base(value: Any) -> type[Task]:
    class Base(Task):
        name = value

        def execute(self) -> None:
            print(self.name)

    class Made(Base):
        pass

    return Made


def data_of_a_value_class(value: Any) -> type[Task]:
    class Made(Task):
        def execute(self) -> None: ...

    @Made.value_class()
    class Heavy(Made):
        name = value

        def execute(self) -> None:
            print(self.name)

    return Made


def in_a_loop(value: Any) -> type[Task]:
    for name in ("a", value):

        class Made(Task):
            found = name

            def execute(self) -> None:
                print(self.found)

    return Made


def in_a_loop_of_the_body(value: Any) -> type[Task]:
    class Made(Task):
        names: list[str] = []  # noqa: RUF012
        for each in (value,):
            names.insert(0, each)

        def execute(self) -> None:
            print(*self.names)

    return Made


def in_a_list(value: Any) -> type[Task]:
    names = []
    names.append(value)

    class Made(Task):
        found = names

        def execute(self) -> None:
            print(*self.found)

    return Made


@pytest.mark.parametrize(
    "make",
    [
        body_data,
        data_by_way_of_the_body,
        two_levels,
        default_of_a_method,
        default_of_a_helper,
        through_a_descriptor,
        data_of_a_base,
        data_of_a_value_class,
        in_a_loop,
        in_a_loop_of_the_body,
        in_a_list,
    ],
)
def test_data_that_a_class_is_made_from_count(make: Callable[[Any], type[Task]], tmp_path: Path) -> None:
    lstm, gru, again = (make(value).C() for value in ("lstm", "gru", "lstm"))
    assert seal(lstm) == seal(again) != seal(gru)
    assert printed(lstm, tmp_path) == "lstm"
    assert printed(gru, tmp_path) == "gru"


def chosen_base(base: Any) -> type[Config]:
    class Model(base):  # type: ignore[misc]
        pass

    return Model


def base_of_a_table(name: str) -> type[Config]:
    base = {"lstm": Lstm, "gru": Gru}[name]

    class Model(base):  # type: ignore[misc, valid-type]
        pass

    return Model


class Run(Task):
    model: Param[Lstm]

    def execute(self) -> None:
        print(self.model.shown())


@pytest.mark.parametrize(
    ("make", "first", "second"),
    [(chosen_base, Lstm, Gru), (base_of_a_table, "lstm", "gru")],
)
def test_base_that_the_function_chooses_counts(make: Any, first: Any, second: Any, tmp_path: Path) -> None:
    lstm, gru, again = (Run.C(model=make(value).C()) for value in (first, second, first))
    assert seal(lstm) == seal(again) != seal(gru)
    assert printed(lstm, tmp_path) == "lstm"
    assert printed(gru, tmp_path) == "gru"


def test_what_is_chosen_is_said_where_identities_are_compared() -> None:
    first, second = (describe(body_data(value).C()) for value in ("lstm", "gru"))
    assert [each.path for each in differences(first, second)] == ["made from"]
    assert "made from" not in describe(unchanged(3).C())


def test_choice_that_was_changed_on_the_way_is_refused(tmp_path: Path) -> None:
    task = body_data("lstm").C()
    data = payload.pack(task).replace(b"\xa4lstm", b"\xa4grus")
    with pytest.raises(PayloadError, match="its identity is"):
        payload.load(data, workspace=tmp_path, identity=seal(task), jobpath=tmp_path)


def not_in_its_file(value: Any) -> type[Task]:
    names: dict[str, Any] = {}
    text = "class Made(Task):\n  name = {}\n  def execute(self): ..."
    exec(f"def inner(value, Task):\n {text}\n return Made".replace("{}", "value"), globals(), names)
    made: type[Task] = names["inner"](value, Task)
    return made


def test_all_that_a_class_uses_counts_when_its_source_is_not_there() -> None:
    first, second = not_in_its_file("a").C(), not_in_its_file("b").C()
    assert seal(first) != seal(second)


def in_circles(first: Any) -> type[Config]:
    second = first
    first = second
    third = fourth = 2

    class Made(Config):
        a, b, c, d = first, second, third, fourth

    return Made


def test_names_that_are_assigned_in_circles_count() -> None:
    assert seal(in_circles(1).C()) == seal(in_circles(1).C()) != seal(in_circles(2).C())


def nested(value: Any) -> type[Task]:
    class Outer:
        base = value

        class Made(base):  # type: ignore[misc, valid-type]
            def execute(self) -> None:
                print(self.name)

    return Outer.Made


def test_base_that_stands_in_a_class_counts() -> None:
    assert seal(nested(body_data("a")).C()) != seal(nested(body_data("b")).C())


def chosen_code(function: Any) -> type[Task]:
    class Made(Task):
        def execute(self) -> None:
            print(function(2.5))

    return Made


def test_code_that_the_function_chooses_counts(tmp_path: Path) -> None:
    floor, ceil = chosen_code(math.floor).C(), chosen_code(math.ceil).C()
    assert seal(floor) == seal(chosen_code(math.floor).C()) != seal(ceil)
    assert (printed(floor, tmp_path), printed(ceil, tmp_path)) == ("2", "3")


def two_of_one_name(flag: bool) -> type[Task]:
    if flag:

        class Two(Task):
            def execute(self) -> None:
                print("first")
    else:

        class Two(Task):  # type: ignore[no-redef]
            def execute(self) -> None:
                print("second")

    return Two


def test_two_classes_of_one_name_in_a_function_are_two(tmp_path: Path) -> None:
    first, second = two_of_one_name(True).C(), two_of_one_name(False).C()
    assert seal(first) != seal(second)
    assert (printed(first, tmp_path), printed(second, tmp_path)) == ("first", "second")


def module_of_two(flag: bool) -> type[Task]:
    if flag:
        import math as numbers
    else:
        import cmath as numbers  # type: ignore[no-redef]

    class Made(Task):
        def execute(self) -> None:
            print(numbers.__name__)

    return Made


def test_module_that_the_function_chooses_counts(tmp_path: Path) -> None:
    first, second = module_of_two(True).C(), module_of_two(False).C()
    assert seal(first) != seal(second)
    assert (printed(first, tmp_path), printed(second, tmp_path)) == ("math", "cmath")


def helper_of_two(flag: bool) -> type[Task]:
    if flag:

        def helper() -> str:
            return "first"
    else:

        def helper() -> str:
            return "second"

    class Made(Task):
        def execute(self) -> None:
            print(helper())

    return Made


def test_helper_that_the_function_chooses_counts(tmp_path: Path) -> None:
    first, second = helper_of_two(True).C(), helper_of_two(False).C()
    assert seal(first) != seal(second)
    assert (printed(first, tmp_path), printed(second, tmp_path)) == ("first", "second")


def combine(left: Any, right: Any) -> type[Task]:
    class Both(Task):
        def execute(self) -> None:
            print(left.name, right.name)

    return Both


def test_which_class_stands_where_counts(tmp_path: Path) -> None:
    a, b = body_data("a"), body_data("b")
    assert seal(combine(a, b).C()) != seal(combine(b, a).C())
    assert printed(combine(b, a).C(), tmp_path) == "b a"


def defaults(size: int, rate: float) -> type[Config]:
    class Made(Config):
        count: Param[int] = size
        rates: Param[list[float]] = field(default_factory=lambda: [rate])
        kind: Constant[str] = "made"

    return Made


def test_defaults_of_parameters_go_on_counting_as_values() -> None:
    assert seal(defaults(3, 0.5).C()) != seal(defaults(4, 0.5).C())
    assert seal(defaults(3, 0.5).C()) != seal(defaults(3, 0.25).C())
    assert seal(defaults(3, 0.5).C(count=4)) == seal(defaults(4, 0.5).C())


def ignored_default(size: int) -> type[Config]:
    class Made(Config):
        count: Param[int] = field(default=size, ignore_default=True)

    return Made


def changed_default(size: int) -> type[Config]:
    class Base(Config):
        count: Param[int] = field(default=0, ignore_default=True)

    class Made(Base):
        count = size

    return Made


def generated(name: str) -> type[Config]:
    class Made(Config):
        file: Meta[Path] = field(default_factory=PathGenerator(f"{name}.txt"))

    return Made


@pytest.mark.parametrize(
    ("make", "one", "other"), [(ignored_default, 3, 4), (changed_default, 3, 4), (generated, "a", "b")]
)
def test_default_that_does_not_count_by_its_value_counts_when_it_is_chosen(make: Any, one: Any, other: Any) -> None:
    assert seal(make(one).C()) == seal(make(one).C()) != seal(make(other).C())


def unchanged(start: int) -> type[Task]:
    """The identity of what it makes holds the name of its module, which is that of the day when it was pinned."""
    file = Path(__file__).parent / "golden" / "made_in_one_way.py"
    found: type[Task] = import_file("tests.unit.test_config_made_classes", file).unchanged(start)
    return found


def test_identity_of_a_class_that_can_be_made_in_one_way_only_is_as_before() -> None:
    assert seal(unchanged(3).C()) == "8444f37a3626e227e080508092c1e907980c8126e9e0b1dbf3bce0377a60dc66"


def named(value: str) -> type[Task]:
    class Made(Task):
        __xpmid__ = f"tests.{value.lower()}"
        name = value

        def execute(self) -> None: ...

    return Made


def test_class_whose_author_names_each_counts_by_that_name() -> None:
    assert seal(named("a").C()) == seal(named("A").C()) != seal(named("b").C())


def test_what_cannot_count_is_refused() -> None:
    with pytest.raises(DeclarationError, match=r"Made: it uses 'value' of the function body_data \(PosixPath\), which"):
        payload.pack(body_data(Path("a")).C())
    with pytest.raises(DeclarationError, match=r"Made: it uses 'value' of the function body_data \(partial\)"):
        payload.pack(body_data(partial(print)).C())
    with pytest.raises(DeclarationError, match=r"helper: it uses 'a default' .* default_of_a_helper \(PosixPath\)"):
        payload.pack(default_of_a_helper(Path("a")).C())
    with pytest.raises(DeclarationError, match=r"Made: it uses 'value' of the function body_data \(Lstm\)"):
        payload.pack(body_data(Lstm.C()).C())


def set_later(value: Any) -> type[Task]:
    class Made(Task):
        name = "none"

        def execute(self) -> None: ...

    Made.name = value
    return Made


def keyword(value: Any) -> type[Task]:
    class Base(Task):
        def __init_subclass__(cls, label: str = "none") -> None:
            cls.label = label

    class Made(Base, label=value):
        def execute(self) -> None: ...

    return Made


def members(value: Any) -> type[Task]:
    class Colour(enum.Enum):
        RED = value

    class Made(Task):
        colour: Param[Colour] = Colour.RED

        def execute(self) -> None: ...

    return Made


def recursive(value: Any) -> type[Task]:
    def fall(depth: int) -> int:
        return fall(depth - 1) if depth else 0

    class Made(Task):
        def execute(self) -> None:
            fall(3)

    return Made


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (set_later, r"Made: its attribute 'name' was set after the class was made.* Set it in the body"),
        (keyword, r"Made: a job cannot make it again, .* class statement .* 'label'.* Set an attribute in the body"),
        (members, r"Colour: it uses 'value' of the function members.* Make it a parameter, or define"),
        (recursive, r"fall: it uses itself.* Define it in the module"),
    ],
)
def test_what_a_job_would_not_know_is_refused(make: Any, wrong: str) -> None:
    with pytest.raises(DeclarationError, match=wrong):
        payload.pack(make("x").C())
