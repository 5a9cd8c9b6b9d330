"""`config_of`: from a live object back to its configuration."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import pytest

from xpm_core import config_of, save
from xpm_core.config import Config, Param, Task
from xpm_core.errors import ParameterTypeError
from xpm_core.identity import seal


class Part(Config):
    size: Param[int] = 3


class Whole(Config):
    part: Param[Part]
    config_of: Param[int] = 1

    def __post_init__(self) -> None:
        self.made_of = config_of(self.part)

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class Work(Task):
    whole: Param[Whole]

    def execute(self) -> None: ...


def test_each_live_object_has_its_configuration() -> None:
    config = Work.C(whole=Whole.C(part=Part.C()))
    live = config.instance()
    assert config_of(live) is config
    assert config_of(live.whole) is config.whole
    assert config_of(live.whole.part) is config.whole.part
    assert live.whole.made_of is config.whole.part, "also in __post_init__"


def test_a_configuration_is_its_own() -> None:
    part = Part.C()
    assert config_of(part) is part


def test_the_object_itself_shows_nothing_of_it() -> None:
    config = Part.C()
    live = config.instance()
    assert vars(live) == {"size": 3}
    assert vars(pickle.loads(pickle.dumps(live))) == {"size": 3}


def test_a_copy_of_an_object_has_none(tmp_path: Any) -> None:
    live = Part.C().instance()
    with pytest.raises(ParameterTypeError, match=r"config_of\(\): no configuration is known of .*Part.*, set at"):
        config_of(copy.copy(live))
    with pytest.raises(ParameterTypeError, match=r"config_of\(\): no configuration is known of 3"):
        config_of(3)  # type: ignore[type-var]
    save(config_of(live), tmp_path / "saved")


def test_neither_is_kept_when_the_object_goes() -> None:
    config = Part.C()
    live, known = config.instance(), weakref.ref(config)
    assert config_of(live) is config
    del config
    gc.collect()
    assert known() is not None
    del live
    gc.collect()
    assert known() is None


def test_its_copy_can_be_changed() -> None:
    live = Whole.C(part=Part.C()).instance()
    other = config_of(live).copy(part=Part.C(size=4))
    assert seal(other) != seal(config_of(live))
