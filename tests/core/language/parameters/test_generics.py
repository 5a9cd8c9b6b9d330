"""Generic classes of configurations: a type variable stands for one type, and type arguments are compared."""

from __future__ import annotations

import re
import warnings
from typing import Any, Generic, Optional, TypeVar

import pytest

from xpm_core.config import Config, Param, field
from xpm_core.errors import DeclarationError, ParameterTypeError
from xpm_core.identity import seal

T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V", bound="Shape")


class Shape(Config):
    sides: Param[int] = 0


class Square(Shape):
    side: Param[float] = 1.0


class Circle(Shape):
    radius: Param[float] = 1.0


class Colour(Config):
    name: Param[str] = "red"


class Pair(Config, Generic[T]):
    x: Param[T]
    y: Param[T]
    more: Param[list[T]] = field(default_factory=list)


class Swapped(Pair[U], Generic[U]):
    z: Param[Optional[U]]  # noqa: UP045


class Box(Config, Generic[T]):
    held: Param[T]


class Boxes(Config, Generic[T, U]):
    left: Param[Box[T]]
    right: Param[Box[T] | None] = None
    other: Param[U | None] = None


class Tree(Config, Generic[T]):
    value: Param[T]
    left: Param["Tree[T] | None"] = None  # noqa: UP037
    leaves: Param[list["Tree[T]"]] = field(default_factory=list)  # noqa: UP037


class Forest(Config):
    tree: Param[Tree[int]]


class Words:
    """No configuration, and no type that a parameter could have."""


class ShortWords(Words):
    pass


class Numbers:
    pass


class Sampler(Config, Generic[T]):
    """No parameter holds its variable."""


class WordSampler(Sampler[Words]):
    pass


class ShortSampler(Sampler[ShortWords]):
    pass


class NumberSampler(Sampler[Numbers]):
    pass


class Again(Sampler[T], Generic[T]):
    pass


class NumbersAgain(Again[Numbers]):
    pass


class Reads(Config):
    sampler: Param[Sampler[Words]]


def refused(words: str) -> Any:
    return pytest.raises(ParameterTypeError, match=re.escape(words))


def test_parameters_of_one_type_variable_hold_one_type() -> None:
    assert Pair.C(x=1, y=2, more=[3]).y == 2
    with refused("Pair.y: expected int, which T is by x=1, got 'a' (str), set at "):
        Pair.C(x=1, y="a")
    with refused("Pair.more: expected int, which T is by x=1, got 'a' (str)"):
        Pair.C(y=1, x=1, more=[2, "a"])
    with refused("Pair.y: expected int, which T is by x=1, got True (bool)"):
        Pair.C(x=1, y=True)


def test_the_message_says_where_and_what_to_do() -> None:
    with pytest.raises(ParameterTypeError, match=r"set at .*_generics\.py:\d+\. Give all that is declared as T"):
        Pair.C(x=1, y="a")


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (1, 2.5),
        (None, 3),
        ([1], ["a"]),
        (Square.C(), Shape.C()),
        (Shape.C(), Square.C()),
        (Square.C(), Circle.C()),
    ],
    ids=str,
)
def test_types_that_have_one_in_common_agree(x: Any, y: Any) -> None:
    assert seal(Pair.C(x=x, y=y))


def test_configurations_that_share_only_our_classes_do_not_agree() -> None:
    with refused("Pair.y: expected Shape, which T is by x=Shape(sides=0), got Colour(name='red') (Colour)"):
        Pair.C(x=Shape.C(), y=Colour.C())


def test_an_assignment_that_does_not_agree_is_refused_and_nothing_changes() -> None:
    pair = Pair.C(x=1, y=2)
    with refused("Pair.x: expected int, which T is by y=2, got 'a' (str)"):
        pair.x = "a"
    assert pair.x == 1
    pair.x = 5
    empty: Any = Pair.C()
    empty.y = "b"
    with refused("Pair.x: expected str, which T is by y='b', got 1 (int)"):
        empty.x = 1
    assert empty.missing() == ["Pair.x"]


def test_copies_change_all_at_once() -> None:
    pair = Pair.C(x=1, y=2)
    assert pair.copy(x="a", y="b").x == "a"  # type: ignore[arg-type]
    with refused("Pair.y: expected str, which T is by x='a', got 2 (int)"):
        pair.copy(x="a")  # type: ignore[arg-type]


def test_variables_of_subclasses_are_held_together_too() -> None:
    assert Swapped.C(x=1, y=2, z=3).z == 3
    with refused("Swapped.z: expected int, which U is by x=1, got 'a' (str)"):
        Swapped.C(x=1, y=2, z="a")


def test_a_variable_is_one_type_also_inside_of_what_is_held() -> None:
    assert Boxes.C(left=Box.C(held=1), right=Box.C(held=2), other="a").other == "a"
    with refused("Boxes.right: expected int, which T is by left=Box(held=1), got 'a' (str)"):
        Boxes.C(left=Box.C(held=1), right=Box.C(held="a"))


def test_what_changes_inside_is_found_when_it_is_sealed() -> None:
    boxes = Boxes.C(left=Box.C(held=1), right=Box.C(held=2))
    boxes.left.held = "a"
    pair = Pair.C(x=1, y=2)
    pair.more.append("a")  # type: ignore[arg-type]
    with refused("Boxes.right: expected str, which T is by left=Box(held='a'), got 2 (int)"):
        seal(boxes)
    with refused("Pair.more: expected int, which T is by x=1, got 'a' (str)"):
        _ = pair.identity


def test_a_recursive_generic_class_is_checked_at_any_depth() -> None:
    tree = Tree.C(value=1, left=Tree.C(value=2), leaves=[Tree.C(value=3)])
    assert Forest.C(tree=tree).tree is tree
    with refused("Tree.left: expected int, which T is by value=1, got 'a' (str)"):
        Tree.C(value=1, left=Tree.C(value="a"))
    with refused("Forest.tree.left.value: expected int, got 'a' (str)"):
        Forest.C(tree=odd_tree())


def odd_tree() -> Any:
    tree = Tree.C(value=1, left=Tree.C(value=2))
    tree.left.value = "a"  # type: ignore[union-attr, assignment]
    return tree


def test_any_class_can_be_a_type_argument_and_is_compared() -> None:
    for fits in (WordSampler.C(), ShortSampler.C(), Sampler.C(), Again.C()):
        assert Reads.C(sampler=fits).sampler is fits
    with refused("Reads.sampler: expected Sampler[Words], got NumberSampler() (NumberSampler)"):
        Reads.C(sampler=NumberSampler.C())
    with refused("Reads.sampler: expected Sampler[Words], got NumbersAgain() (NumbersAgain)"):
        Reads.C(sampler=NumbersAgain.C())


def test_variables_that_a_subclass_leaves_open_fit() -> None:
    class Bounded(Config, Generic[V]):
        shape: Param[V]

    class Below(Bounded[V], Generic[V]):
        pass

    class Lists(Box[list[T]], Generic[T]):
        pass

    class Takes(Config):
        square: Param[Bounded[Square]]
        lists: Param[Box[list[int]]]

    assert Takes.C(square=Below.C(shape=Square.C()), lists=Lists.C(held=[1])).lists.held == [1]
    with refused("Takes.square.shape: expected Square, got Circle"):
        Takes.C(square=Below.C(shape=Circle.C()))  # type: ignore[arg-type]
    with refused("Takes.lists.held[0]: expected int, got 'a' (str)"):
        Takes.C(lists=Lists.C(held=["a"]))  # type: ignore[arg-type]


def test_long_lists_are_compared_by_their_classes() -> None:
    class Lists(Config, Generic[T]):
        first: Param[list[T]]
        second: Param[list[T]]

    many = list(range(100_000))
    assert Lists.C(first=many, second=many)
    with refused("Lists.second: expected int, which T is by first=[0, 1"):
        Lists.C(first=many, second=[*many, "a"])


def test_a_type_argument_that_no_parameter_can_have_is_refused_where_one_holds_it() -> None:
    with pytest.raises(DeclarationError, match=r"Wrong.held: no parameter can have the type Words"):

        class Wrong(Box[Words]):
            pass


def test_arguments_may_be_several_types() -> None:
    class Converter(Config, Generic[T, U]):
        pass

    class ToText(Converter[str, str]):
        pass

    class ToNumber(Converter[str, int]):
        pass

    class Takes(Config):
        converter: Param[Converter[str, str | list[str] | list[tuple[str, str]]]]

    assert Takes.C(converter=ToText.C()).converter
    with refused("Takes.converter: expected Converter[str, str | list[str] | list[tuple[str, str]]], got ToNumber()"):
        Takes.C(converter=ToNumber.C())  # type: ignore[arg-type]


def test_a_subclass_may_narrow_the_argument_of_a_generic_type() -> None:
    class Parent(Config):
        box: Param[Box[Shape]]
        sampler: Param[Sampler[Words]]
        deep: Param[list[Tree[Shape]]] = field(default_factory=list)

    with warnings.catch_warnings():
        warnings.simplefilter("error")

        class Child(Parent):
            box: Param[Box[Square]] = field(overrides=True)  # type: ignore[assignment]
            sampler: Param[ShortSampler] = field(overrides=True)  # type: ignore[assignment]
            deep: Param[list[Tree[Square]]] = field(overrides=True)  # type: ignore[assignment]

    assert Child.C(box=Box.C(held=Square.C()), sampler=ShortSampler.C()).box.held.side == 1
    with refused("Child.box.held: expected Square, got Shape(sides=0)"):
        Child.C(box=Box.C(held=Shape.C()), sampler=ShortSampler.C())  # type: ignore[arg-type]
    for other in (Box[Colour], Sampler[Numbers], Box[int]):
        with pytest.raises(DeclarationError, match=r"Wrong.box: its type .* does not fit that of Parent, Box\[Shape\]"):
            type(Config)(
                "Wrong",
                (Parent,),
                {"__annotations__": {"box": Param[other]}, "__module__": __name__, "box": field(overrides=True)},
            )


def test_values_of_plain_files_are_held_together() -> None:
    with refused("Pair.y: expected int, which T is by x=1, got 'a' (str)"):
        Pair.from_dict({"x": 1, "y": "a"})
    assert Pair.from_dict({"x": 1, "y": 2}).to_dict() == {"x": 1, "y": 2, "more": []}


def test_types_given_to_a_generic_class_are_those_of_what_it_makes() -> None:
    made = Pair[int].C(x=1, y=2, more=[3])
    assert type(made) is Pair
    assert seal(made) == seal(Pair.C(x=1, y=2, more=[3]))
    assert Box[Shape].C(held=Square.C()).held.side == 1.0
    assert Swapped[str].C(x="a", y="b", z=None).y == "b"
    assert Box[float].C(held=1).held == 1
    assert Sampler[Words].C() is not None
    for make, said in (
        (lambda: Pair[int].C(x="a"), r"Pair\.x: expected int, got 'a' \(str\), set at .*generics\.py:\d+\."),
        (lambda: Pair[int].C(more=[1, "b"]), r"Pair\.more\[1\]: expected int, got 'b' \(str\)"),
        (lambda: Swapped[int].C(z="c"), r"Swapped\.z: expected int \| None, got 'c'"),
        (lambda: Box[Square].C(held=Circle.C()), r"Box\.held: expected Square, got Circle"),
        (lambda: Boxes[int, str].C(left=Box.C(held="a")), r"Boxes\.left\.held: expected int, got 'a'"),
        (lambda: Pair[int].C(z=1), r"Pair: unknown parameter 'z'"),
        (lambda: Pair[int].C(1), r"Pair: 1 has no name"),
    ):
        with pytest.raises((TypeError, AttributeError), match=said):
            make()


def test_maker_of_a_generic_class_with_types_is_the_class_otherwise() -> None:
    maker = Pair[int].C
    assert maker is Pair[int].C
    assert maker.from_dict({"x": 1, "y": 2}).x == 1
    assert Pair[T].C(x=1, y=2).x == 1
    assert Pair["Unknown"].C(x=1, y=2).x == 1

    class Use(Config):
        pair: Param[Pair[int].C]

    assert Use.C(pair=Pair.C(x=1, y=2)).pair.x == 1
    with pytest.raises(ParameterTypeError, match=r"Use\.pair\.x: expected int, got 'a'"):
        Use.C(pair=Pair.C(x="a", y="b"))


def test_class_that_is_not_generic_takes_no_types() -> None:
    with pytest.raises(TypeError, match=r"Shape\[int\]: it is not generic\. Derive it from Generic\[T\], or "):
        Shape[int]
