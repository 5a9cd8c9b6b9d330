"""How configurations get, keep and refuse values."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest

from xpm_core.config import LATER, Config, InstanceConfig, Meta, Param, PathGenerator, copyconfig, field, setmeta, state
from xpm_core.errors import (
    CycleError,
    DeclarationError,
    MissingParameterError,
    NestingError,
    ParameterTypeError,
    ParameterValueError,
    SealedError,
    UnknownParameterError,
    ValidationError,
)
from xpm_core.identity import seal
from xpm_core.language.graph.tags import tag


class Optimiser(Config):
    learning_rate: Param[float]


class Model(Config):
    layers: Param[int]
    widths: Param[list[int]] = field(default_factory=list)
    path: Meta[Path] = field(default_factory=PathGenerator("model.bin"))


class Train(Config):
    model: Param[Model]
    optim: Param[Optimiser]
    seed: Param[int] = 0
    notes: Param[Any] = None


def train() -> Train:
    return Train.C(model=Model.C(layers=3), optim=Optimiser.C(learning_rate=0.1))


def test_calling_the_class_and_its_c_mean_the_same() -> None:
    assert Model.C is Model
    assert seal(Model(layers=3)) == seal(Model.C(layers=3))


def test_parameters_are_given_by_name() -> None:
    with pytest.raises(
        UnknownParameterError, match=r"Model: 3 has no name, .* Give parameters by name: Model.C\(layers="
    ):
        Model.C(3)  # type: ignore[misc]


def test_unknown_name_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(UnknownParameterError) as caught:
        Optimiser.C(leaning_rate=0.1)  # type: ignore[call-arg]
    assert "Optimiser: unknown parameter 'leaning_rate', set at " in str(caught.value)
    assert str(caught.value).endswith("Did you mean 'learning_rate'?")
    config = Optimiser.C(learning_rate=0.1)
    with pytest.raises(UnknownParameterError, match=r"unknown parameter 'foo', .* Parameters are: learning_rate\."):
        config.foo = 3  # type: ignore[attr-defined]


def test_error_names_the_line_that_set_the_value() -> None:
    with pytest.raises(ParameterTypeError) as caught:
        Optimiser.C(
            learning_rate="x",  # type: ignore[arg-type]
        )
    line = caught.value.__traceback__.tb_lineno  # type: ignore[union-attr]
    assert caught.value.place == f"{state(Model.C()).created.rsplit(':', 1)[0]}:{line}"


def test_missing_parameters_are_all_named_with_their_paths() -> None:
    config = Train.C(model=Model.C(layers=LATER), optim=LATER)
    assert config.missing() == ["Train.model.layers", "Train.optim"]
    with pytest.raises(MissingParameterError, match=r"Train.model.layers: it has no value, .*; nor has Train.optim"):
        seal(config)
    config.model.layers, config.optim = 3, Optimiser.C(learning_rate=1)
    assert config.missing() == []
    assert seal(config)


def test_reading_a_missing_parameter_says_so() -> None:
    config = Model.C(layers=LATER)
    assert not hasattr(config, "layers")
    with pytest.raises(MissingParameterError, match=r"Model.layers: it has no value yet, in the configuration made"):
        _ = config.layers


def test_later_takes_a_value_away() -> None:
    config = Model.C(layers=3)
    config.layers = LATER
    assert config.missing() == ["Model.layers"]


def test_generated_path_cannot_be_read_before_submission() -> None:
    with pytest.raises(MissingParameterError, match="is not known yet"):
        _ = Model.C(layers=3).path


def test_sealed_configuration_refuses_assignment_and_says_how_to_copy() -> None:
    config = train()
    seal(config)
    with pytest.raises(SealedError, match=r"Train.seed: cannot assign 1, it is sealed. .*: train.copy\(seed=1\)\."):
        config.seed = 1
    with pytest.raises(SealedError, match=r"Model\.layers"):
        config.model.layers = 4
    assert config.copy(seed=1).seed == 1


def test_sealed_lists_dicts_and_sets_refuse_changes() -> None:
    config = train()
    config.notes = {"a": [1, {2}], "b": (3, [4])}
    seal(config)
    for change in (
        lambda: config.notes.update(c=1),
        lambda: config.notes.__setitem__("a", 1),
        lambda: config.notes["a"].append(1),
        lambda: config.notes["a"][1].add(1),
        lambda: config.notes["b"][1].sort(),
    ):
        with pytest.raises(SealedError, match="cannot be changed, its configuration is sealed"):
            change()
    assert config.notes == {"a": [1, {2}], "b": (3, [4])}
    assert type(copy.deepcopy(config.notes)) is dict
    assert type(pickle.loads(pickle.dumps(config.notes["a"]))) is list


def test_list_changed_in_place_is_checked_when_it_is_sealed() -> None:
    config = Model.C(layers=3)
    config.widths.append("x")  # type: ignore[arg-type]
    with pytest.raises(ParameterTypeError, match=r"Model.widths\[0\]: expected int, got 'x' \(str\), set at "):
        seal(config)
    config.widths[:] = [3]
    assert seal(config) == seal(Model.C(layers=3, widths=[3]))


def test_sealing_twice_gives_the_same() -> None:
    config = train()
    assert seal(config) == seal(config) == state(config).identity


def test_nothing_is_sealed_when_sealing_fails() -> None:
    class Wrong(Config):
        inner: Param[Model]

        def __validate__(self) -> None:
            raise ValueError("never")

    config = Wrong.C(inner=Model.C(layers=3))
    with pytest.raises(ValidationError, match=r"Wrong: its values are refused \(never\). Change the configuration"):
        seal(config)
    assert not state(config).sealed
    assert not state(config.inner).sealed
    config.inner.layers = 4


def test_configurations_are_validated_once_each_the_inner_ones_first() -> None:
    calls = []

    class Inner(Config):
        name: Param[str]

        def __validate__(self) -> None:
            calls.append(self.name)

    class Outer(Inner):
        one: Param[Inner]
        two: Param[Inner]

    shared = Inner.C(name="shared")
    outer = Outer.C(name="outer", one=shared, two=Outer.C(name="middle", one=shared, two=Inner.C(name="leaf")))
    seal(outer)
    seal(outer)
    assert calls == ["shared", "leaf", "middle", "outer"]


def test_validation_cannot_assign_and_may_assert() -> None:
    class Assigns(Config):
        size: Param[int]

        def __validate__(self) -> None:
            self.size = 4

    class Asserts(Config):
        size: Param[int]

        def __validate__(self) -> None:
            if self.size % 2:
                raise AssertionError

    with pytest.raises(SealedError, match=r"Assigns.size: cannot assign 4 in __validate__"):
        seal(Assigns.C(size=3))
    with pytest.raises(ValidationError, match=r"Asserts: its values are refused \(AssertionError in __validate__\)"):
        seal(Asserts.C(size=3))


def test_cycle_is_an_error_that_names_the_way() -> None:
    class Node(Config):
        other: Param[Node | None] = None
        items: Param[list[Node]] = field(default_factory=list)

    one, two = Node.C(), Node.C()
    one.other, two.items = two, [one]
    with pytest.raises(CycleError, match=r"Node.other.items\[0\]: this configuration contains itself, set at "):
        seal(one)


def test_configurations_are_sealed_however_deep_they_are_nested() -> None:
    class Node(Config):
        other: Param[Node | None] = None

    node = Node.C()
    for _ in range(10_000):
        node = Node.C(other=node)
    assert len(seal(node)) == 64
    assert Node.C(other=node).missing() == []


def test_values_nested_too_deep_are_an_error() -> None:
    value: Any = []
    for _ in range(10_000):
        value = [value]
    with pytest.raises(NestingError, match=r"Train.notes: its value is nested deeper than"):
        train().notes = value


def test_copy_can_be_assigned_and_shares_what_is_nested() -> None:
    config = train()
    config.notes = [1]
    config.seed = tag(3)
    seal(config)
    other = copyconfig(config, seed=4)
    other.notes.append(2)
    assert (other.seed, other.notes, config.notes) == (4, [1, 2], [1])
    assert other.model is config.model
    assert (config.tags(), other.tags()) == ({"seed": 3}, {})


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda config: pickle.loads(pickle.dumps(config))])
def test_python_copies_and_pickles_configurations(how: Any) -> None:
    config = train()
    seal(config)
    other = how(config)
    assert not state(other).sealed
    other.seed = 5
    assert config.seed == 0
    assert seal(config.copy(seed=5)) == seal(other)


def test_composition_finds_the_one_parameter_that_takes_it() -> None:
    config = Train.C(model=LATER, optim=LATER) @ Model.C(layers=3) @ Optimiser.C(learning_rate=1)
    assert config.missing() == []
    with pytest.raises(ParameterValueError, match=r"Train: no parameter takes a Train given by @, set at"):
        train() @ train()

    class Ambiguous(Config):
        a: Param[Model]
        b: Param[Model | None]

    with pytest.raises(ParameterValueError, match="a and b take a Model"):
        Ambiguous.C(a=LATER, b=LATER) @ Model.C(layers=3)


def test_configuration_is_shown_with_what_it_holds() -> None:
    assert repr(train()) == "Train(model=Model(...), optim=Optimiser(...), seed=0, notes=None)"
    config: Any = Model.C(layers=1)
    for _ in range(60):
        config = Pair.C(a=config, b=config)
    assert repr(config) == "Pair(a=Pair(...), b=Pair(...))"


class Pair(Config):
    a: Param[Any]
    b: Param[Any]


def test_parameter_cannot_be_deleted() -> None:
    config = train()
    with pytest.raises(DeclarationError, match=r"Train.seed: a parameter cannot be deleted. Assign LATER."):
        del config.seed


def test_setmeta_decides_whether_a_configuration_counts() -> None:
    class Ensemble(Config):
        one: Param[Model]
        two: Param[Model]
        aside: Meta[Model | None] = None
        more: Param[list[Model]] = field(default_factory=list)

    def model(flag: bool | None = None, layers: int = 1) -> Model:
        config = Model.C(layers=layers)
        return config if flag is None else setmeta(config, flag)

    one = model()
    assert seal(Ensemble.C(one=one, two=model(True, 2))) == seal(Ensemble.C(one=one, two=model(True, 3)))
    assert seal(Ensemble.C(one=one, two=one)) != seal(Ensemble.C(one=one, two=model(True, 1)))
    assert seal(Ensemble.C(one=one, two=one)) != seal(Ensemble.C(one=one, two=one, aside=model(False, 1)))
    assert seal(Ensemble.C(one=one, two=one)) == seal(Ensemble.C(one=one, two=one, aside=model(None, 1)))
    listed = [seal(Ensemble.C(one=one, two=one, more=[model(True, n), one])) for n in (1, 2)]
    assert listed[0] == listed[1]
    assert listed[0] != seal(Ensemble.C(one=one, two=one, more=[one, model(True, 1)]))
    with pytest.raises(SealedError, match=r"setmeta\(\) came too late"):
        setmeta(one, True)


class Part(InstanceConfig):
    size: Param[int] = 1


class Plain(Config):
    size: Param[int] = 1


class Ensemble(Config):
    one: Param[Config]
    two: Param[Config]
    table: Param[dict[str, Config]] = field(default_factory=dict)
    many: Param[set[Config]] = field(default_factory=set)


def test_equal_instances_are_two_things_unless_they_are_the_same() -> None:
    a, b = Part.C(), Part.C()
    same, two = seal(Ensemble.C(one=a, two=a)), seal(Ensemble.C(one=a, two=b))
    assert same != two
    assert two == seal(Ensemble.C(one=Part.C(), two=Part.C()))
    assert seal(Ensemble.C(one=Plain.C(), two=Plain.C())) == seal(Ensemble.C(one=(p := Plain.C()), two=p))
    assert seal(Ensemble.C(one=a, two=Part.C(size=2))) != same


def test_instances_are_told_apart_across_nested_configurations() -> None:
    a, b, c = Part.C(), Part.C(), Part.C()
    plain = Plain.C()

    def both(one: Config, two: Config, other: Config) -> str:
        return seal(Ensemble.C(one=Ensemble.C(one=one, two=two), two=Ensemble.C(one=other, two=plain)))

    assert len({both(a, b, a), both(a, b, b), both(a, b, c), both(a, a, a), both(a, a, b)}) == 5
    assert both(a, b, a) == both(c, a, c), "which is which does not matter, only what is the same"
    inner = Ensemble.C(one=a, two=b)
    shared = Ensemble.C(one=inner, two=inner)
    twice = Ensemble.C(one=Ensemble.C(one=a, two=b), two=Ensemble.C(one=a, two=b))
    assert seal(shared) == seal(twice), "a plain configuration may be shared or equal"


def test_order_of_entries_does_not_tell_instances_apart() -> None:
    a, b = Part.C(), Part.C()
    one = Ensemble.C(one=a, two=b, table={"x": a, "y": b})
    two = Ensemble.C(one=a, two=b, table={"y": b, "x": a})
    assert seal(one) == seal(two)


def test_instances_cannot_be_told_apart_in_a_set() -> None:
    with pytest.raises(ParameterTypeError, match="Keep instances in a list"):
        seal(Ensemble.C(one=Plain.C(), two=Plain.C(), many={Part.C(), Part.C()}))
