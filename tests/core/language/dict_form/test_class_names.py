"""Which class a dict stands for."""

from __future__ import annotations

import gc

import pytest
from dict_samples import Adam, Learn, Optimizer

from xpm_core.errors import (
    ParameterValueError,
)


def test_class_can_be_named_in_full() -> None:
    learn = Learn.from_dict({"optimizer": {"class": f"{Adam.__module__}:Adam"}})
    assert type(learn.optimizer) is Adam
    assert type(Optimizer.from_dict({"class": "Adam"})) is Adam


def test_name_of_several_classes_has_to_be_given_in_full() -> None:
    def inner() -> type:
        class Adam(Optimizer): ...

        return Adam

    other = inner()
    with pytest.raises(ParameterValueError, match=r"class: 'Adam' is the name of several classes, .*Name one in full"):
        Optimizer.from_dict({"class": "Adam"})
    assert Learn.C(optimizer=Adam.C()).to_dict()["optimizer"]["class"] == f"{Adam.__module__}:Adam"
    del other
    gc.collect()  # the class lives on in circles, and other tests name an Adam
    assert type(Optimizer.from_dict({"class": "Adam"})) is Adam
