"""How configurations get, keep and refuse values."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.training import Model, Optimiser, Train, train

from xpm_core.config import LATER, Config, InstanceConfig, Meta, Param, field, setmeta, state_of
from xpm_core.errors import (
    DeclarationError,
    MissingParameterError,
    ParameterTypeError,
    SealedError,
    UnknownParameterError,
)
from xpm_core.identity import seal


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
    assert caught.value.place == f"{state_of(Model.C()).created.rsplit(':', 1)[0]}:{line}"


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
