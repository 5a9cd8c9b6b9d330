"""The lists, dicts and sets of sealed configurations. They equal plain ones, and cannot be changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from xpm_core.errors import SealedError
from xpm_core.language.values.data_objects import copied_object
from xpm_core.scalars import all_atoms


def refusing(*names: str) -> Callable[[type], type]:
    """A class decorator. It makes the methods of those names raise SealedError."""

    def decorate(cls: type) -> type:
        for name in names:
            setattr(cls, name, refuse)
        return cls

    return decorate


def refuse(self: Any, *args: Any, **kwargs: Any) -> NoReturn:
    raise SealedError(
        type(self).__mro__[1].__name__,
        f"cannot be changed, its configuration is sealed: {self!r}",
        "Change a copy of the configuration: train.copy(layers=[...]).",
    )


def reduce_to_plain(self: Any, protocol: Any = None) -> Any:
    """The `__reduce_ex__` of frozen values: their copies and pickles are plain values."""
    base = type(self).__mro__[1]
    return base, (base(self),) if base is dict else (list(self),)


IN_PLACE = ("__delitem__", "__iadd__", "__imul__", "__setitem__", "clear", "pop")


@refusing(*IN_PLACE, "append", "extend", "insert", "remove", "reverse", "sort")
class FrozenList(list):  # type: ignore[type-arg]
    """A list that refuses to be changed."""

    __slots__ = ()
    __reduce_ex__ = reduce_to_plain


@refusing("__delitem__", "__ior__", "__setitem__", "clear", "pop", "popitem", "setdefault", "update")
class FrozenDict(dict):  # type: ignore[type-arg]
    """A dict that refuses to be changed."""

    __slots__ = ()
    __reduce_ex__ = reduce_to_plain


@refusing("__iand__", "__ior__", "__isub__", "__ixor__", "add", "clear", "discard", "pop", "remove", "update")
@refusing("difference_update", "intersection_update", "symmetric_difference_update")
class FrozenSet(set):  # type: ignore[type-arg]
    """A set that refuses to be changed."""

    __slots__ = ()
    __reduce_ex__ = reduce_to_plain


def frozen(value: Any) -> Any:
    """A copy of a value in which no list, dict or set can be changed, at any depth."""
    if isinstance(value, list):
        return FrozenList(value if all_atoms(value) else map(frozen, value))
    if isinstance(value, dict):
        return FrozenDict((key, frozen(item)) for key, item in value.items())
    if isinstance(value, set):
        return FrozenSet(value)
    return tuple(map(frozen, value)) if type(value) is tuple else value


def thawed(value: Any) -> Any:
    """A copy of a value in plain lists, dicts and sets. Objects are copied, too."""
    if isinstance(value, list):
        return list(value if all_atoms(value) else map(thawed, value))
    if isinstance(value, dict):
        return {key: thawed(item) for key, item in value.items()}
    if isinstance(value, set):
        return set(value)
    return tuple(map(thawed, value)) if type(value) is tuple else copied_object(value)
