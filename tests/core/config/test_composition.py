"""Configurations from configurations: copies, composition, and whether one counts."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from helpers.training import Model, Optimiser, Train, train

from xpm_core.config import LATER, Config, Param, copyconfig, state_of
from xpm_core.errors import (
    ParameterValueError,
)
from xpm_core.identity import seal
from xpm_core.language.graph.tags import tag


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
    assert not state_of(other).sealed
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
