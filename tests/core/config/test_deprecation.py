"""Deprecated classes and parameters keep what was computed with them."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from xpm_core.config import Config, Param, Task, deprecate, field
from xpm_core.errors import DeclarationError, ValidationError
from xpm_core.identity import seal, task_id


class New(Task):
    values: Param[list[int]]
    kind: Param[str] = "plain"

    def execute(self) -> None: ...


@deprecate
class Old(New):
    pass


@deprecate(New)
class Single(Task):
    value: Param[int]

    def execute(self) -> None: ...

    def __convert__(self) -> New:
        return New.C(values=[self.value])


@deprecate(Single)
class Oldest(Task):
    val: Param[int]

    def execute(self) -> None: ...

    def __convert__(self) -> Single:
        return Single.C(value=self.val)


@deprecate(New, replace=True)
class Replaced(Config):
    value: Param[int]

    def __convert__(self) -> New:
        return New.C(values=[self.value])


class Learning(Config):
    losses: Param[list[str]] = field(default_factory=list)

    @deprecate
    def loss(self, value: str) -> None:
        self.losses.append(value)


class SubLearning(Learning):
    pass


@pytest.mark.parametrize(("cls", "values"), [(Old, {"values": [3]}), (Single, {"value": 3}), (Oldest, {"val": 3})])
def test_deprecated_class_has_the_identity_of_what_replaces_it(cls: type[Config], values: dict[str, Any]) -> None:
    with pytest.warns(DeprecationWarning, match=rf"{cls.__name__} is deprecated: use (New|Single)"):
        config = cls.C(**values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert seal(config) == seal(New.C(values=[3]))
    assert task_id(cls) == task_id(New)


def test_deprecated_class_counts_so_when_it_is_nested_too() -> None:
    class Uses(Config):
        inner: Param[Config]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = Uses.C(inner=Single.C(value=3))
        assert seal(config) == seal(Uses.C(inner=New.C(values=[3])))


def test_replaced_at_once_is_the_new_class() -> None:
    with pytest.warns(DeprecationWarning, match="Replaced is deprecated"):
        config: Any = Replaced.C(value=3)
    assert type(config) is New
    assert config.values == [3]


@pytest.mark.parametrize("cls", [Learning, SubLearning])
def test_deprecated_parameter_calls_its_function(cls: type[Learning]) -> None:
    with pytest.warns(DeprecationWarning, match=rf"{cls.__name__}.loss is deprecated"):
        config = cls.C(loss="l1")  # type: ignore[call-arg]
    with pytest.warns(DeprecationWarning, match="is deprecated") as caught:
        config.loss = "l2"  # type: ignore[method-assign, assignment]
    assert config.losses == ["l1", "l2"]
    assert caught[0].filename == __file__


def test_successor_has_to_be_known() -> None:
    with pytest.raises(DeclarationError, match="@deprecate does not know what replaces it"):

        @deprecate
        class Alone(Config):
            pass

    with pytest.raises(DeclarationError, match="it has no __convert__ to make a New of it"):

        @deprecate(New)
        class Lacking(Config):
            pass

    with pytest.raises(DeclarationError, match="it is no class of configurations"):
        deprecate(int)


def test_conversion_has_to_give_the_successor() -> None:
    @deprecate(New)
    class Wrong(Config):
        def __convert__(self) -> Any:
            return 3

    with pytest.warns(DeprecationWarning, match="Wrong is deprecated"):
        config = Wrong.C()
    with pytest.raises(ValidationError, match="its __convert__ returned int, not New"):
        seal(config)
