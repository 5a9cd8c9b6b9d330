"""Objects of dataclasses, attrs and pydantic as values of parameters."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import attrs
import msgpack
import pydantic
import pytest
from helpers.payloads import loaded

from xpm_core import Bounds, Config, Meta, Param, Task, field
from xpm_core.errors import (
    DeclarationError,
    ParameterTypeError,
    ParameterValueError,
    PayloadError,
    SealedError,
)
from xpm_core.identity import seal
from xpm_core.language.identity.description import describe
from xpm_core.wire.payload import load, pack


@dataclass
class Point:
    x: int
    y: float = 0.0
    tags: list[str] = dataclasses.field(default_factory=list)
    seen: int = dataclasses.field(default=0, compare=False)
    file: Path | None = None
    next: Point | None = None


@dataclass
class Point3(Point):
    z: Annotated[int, Bounds(ge=0)] = 0


@dataclass(frozen=True, slots=True)
class Frozen:
    x: int
    double: int = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "double", 2 * self.x)


@attrs.frozen
class Range:
    _low: int
    high: int = attrs.field(default=9, validator=attrs.validators.ge(0))


class Limits(pydantic.BaseModel):
    steps: pydantic.PositiveInt
    window: Range | None = None
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)


class Open(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    steps: int = 1


class Learn(Task):
    point: Param[Point]
    points: Param[list[Point]] = field(default_factory=list)
    frozen: Param[Frozen | None] = None
    range: Param[Range] = field(default=Range(1))
    limits: Param[dict[str, Limits]] = field(default_factory=dict)
    open: Param[Open] = field(default=Open())
    shown: Meta[Point | None] = None

    def execute(self) -> None: ...


def learn(**values: Any) -> Learn:
    return Learn.C(**{"point": Point(1), **values})


def identity(**values: Any) -> str:
    return seal(learn(**values))


def test_object_is_checked_field_by_field_and_kept_as_a_copy() -> None:
    point = Point(1, 2, ["a"], next=Point(3))
    task = learn(point=point)
    assert task.point == Point(1, 2.0, ["a"], next=Point(3))
    assert type(task.point.y) is float
    point.x = 9
    point.tags.append("b")
    assert (task.point.x, task.point.tags) == (1, ["a"])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"point": Point("1")}, "Learn.point.x: expected int, got '1' (str), set at "),
        ({"point": Point(1, next=Point(1, tags=["a", 2]))}, "Learn.point.next.tags[1]: expected str, got 2 (int), set"),
        ({"points": [Point(1), Point(None)]}, "Learn.points[1].x: expected int, got None (NoneType), set at "),
        ({"point": Point3(1, z=-1)}, "Learn.point.z: expected int >= 0, got -1 (int), set at "),
        ({"point": {"x": 1}}, "Learn.point: expected Point, got {'x': 1} (dict), set at "),
        ({"limits": {"a": Limits.model_construct(steps=0)}}, "Learn.limits['a'].steps: expected int > 0, got 0 (int)"),
        ({"open": Open(more=1)}, "Learn.open: expected Open, got Open(steps=1, more=1) (Open), set at "),
    ],
)
def test_wrong_field_is_named_with_its_path(values: dict[str, Any], said: str) -> None:
    with pytest.raises((ParameterTypeError, ParameterValueError)) as error:
        learn(**values)
    assert str(error.value).startswith(said)


def test_object_is_checked_again_when_it_is_sealed() -> None:
    task = learn()
    task.point.x = "changed"  # type: ignore[assignment]
    with pytest.raises(ParameterTypeError, match=r"Learn\.point\.x: expected int, got 'changed'"):
        seal(task)


def test_identity_counts_class_and_fields() -> None:
    same = identity(point=Point(1, tags=["a"]))
    assert same == identity(point=Point(1, 0.0, ["a"]))
    others = [
        *(identity(point=Point(2)), identity(point=Point(1, 0.5)), identity(point=Point(1, tags=["b"]))),
        *(identity(point=Point3(1)), identity(point=Point(1, next=Point(2))), identity(points=[Point(1)])),
        *(identity(range=Range(2)), identity(frozen=Frozen(1)), identity(limits={"a": Limits(steps=3)})),
    ]
    assert len({same, identity(), *others}) == len(others) + 2


def test_identity_leaves_out_paths_and_fields_that_are_not_compared() -> None:
    assert identity() == identity(point=Point(1, seen=5, file=Path("elsewhere"))) == identity(shown=Point(7))


def test_object_is_encoded_as_its_class_and_its_fields_in_order() -> None:
    class Holder(Config):
        range: Param[Range]

    from xpm_core.language.identity.digest import encode

    fields = msgpack.packb({"_low": 1, "high": 2})
    name = msgpack.packb(f"{Range.__module__}:Range")
    assert encode(Holder.C(range=Range(1, 2)).range) == msgpack.packb(msgpack.ExtType(13, b"\x92" + name + fields))


def test_job_gets_equal_objects(tmp_path: Path) -> None:
    task = learn(
        point=Point3(1, 2.0, ["a"], 4, Path("/data/x"), Point(2), z=3),
        points=[Point(5)],
        frozen=Frozen(4),
        range=Range(3, 4),
        limits={"a": Limits(steps=2, window=Range(1))},
        shown=Point(8),
    )
    live = loaded(task, tmp_path)
    for name in ("point", "points", "frozen", "range", "limits", "open", "shown"):
        assert getattr(live, name) == getattr(task, name), name
    assert type(live.point) is Point3
    assert (live.point.seen, live.frozen.double) == (4, 8)
    assert live.limits["a"].steps == 2


def test_live_object_and_copies_can_be_changed_alone() -> None:
    task = learn(points=[Point(1)])
    copy = task.copy()
    copy.point.x, copy.points[0].x = 5, 6
    live = task.instance()
    live.point.x = 7
    assert (task.point.x, task.points[0].x) == (1, 1)


def test_default_is_not_shared() -> None:
    class Other(Config):
        point: Param[Point] = Point(1)

    first, second = Other.C(), Other.C()
    first.point.x = 2
    assert second.point.x == 1


def test_object_changed_after_it_was_sealed_is_noticed(tmp_path: Path) -> None:
    task = learn()
    seal(task)
    task.point.x = 2
    with pytest.raises(SealedError, match="Learn: an object that it holds was changed after it was sealed, set at"):
        pack(task, tmp_path)


def test_description_tells_class_and_fields() -> None:
    described = describe(learn(range=Range(1, 2)))["parameters"]["range"]
    assert described == {"object": {"class": f"{Range.__module__}:Range", "fields": {"_low": 1, "high": 2}}}


def test_forged_class_is_refused(tmp_path: Path) -> None:
    data = pack(learn(), tmp_path)
    forged = data.replace(b"\xa5Point", b"\xa5Learn")
    assert forged != data
    with pytest.raises(PayloadError):
        load(forged, workspace=tmp_path, identity=identity(), jobpath=tmp_path)


@dataclass
class Holding:
    data: Any


@dataclass
class Wrong:
    what: complex


@dataclass
class WithTask:
    learn: Learn


@dataclass
class WithInit:
    x: int
    y: dataclasses.InitVar[int] = 0


def declared(cls: type) -> type:
    class Holder(Config):
        __annotations__ = {"value": Param[cls]}

    return Holder


def test_configurations_inside_of_objects_are_refused() -> None:
    with pytest.raises(DeclarationError, match=r"WithTask\.learn: Learn is a configuration, and WithTask is none"):
        declared(WithTask)
    with pytest.raises(ParameterTypeError, match=r"Holder\.value\.data: .*Make Holding a Config"):
        declared(Holding)(value=Holding([learn()]))
    assert declared(Holding)(value=Holding([{"a": 1}])).value == Holding([{"a": 1}])  # type: ignore[attr-defined]


def test_fields_that_cannot_be_kept_are_refused_when_the_class_is_declared() -> None:
    with pytest.raises(DeclarationError, match=r"Wrong\.what: no parameter can have the type complex"):
        declared(Wrong)
    with pytest.raises(DeclarationError, match=r"WithInit\.y: it is an InitVar, which an object does not keep"):
        declared(WithInit)


def test_dataclass_of_a_function_is_refused_where_a_job_would_need_it(tmp_path: Path) -> None:
    @dataclass
    class Local:
        x: int

    holder = declared(Local)(value=Local(1))
    assert len(seal(holder)) == 64
    with pytest.raises(
        DeclarationError, match="Local: a job cannot make this class again, because a function defines it"
    ):
        pack(holder, tmp_path)  # type: ignore[arg-type]
