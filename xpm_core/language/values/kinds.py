"""Kinds: the types of parameters, as objects that check values.

`check` returns the value as the configuration keeps it. It converts a value if nothing is lost: an `int` where a
`float` is declared, a NumPy scalar, a text where a `Path` is declared. It copies lists, dicts, sets and tuples, so that
no two configurations share one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from xpm_core.errors import MismatchError
from xpm_core.language.graph.state import is_configuration
from xpm_core.scalars import has_unit, plain_scalar, safe_repr


class Kind:
    """A type of parameters. Kinds of equal types are equal.

    Attributes:
        text: The type as messages write it.
        exact: A class whose direct instances all fit without a conversion; None when there is no such class.
        holds: Whether values can be, or contain, configurations.
        container: Whether values can be, or contain, lists, dicts or sets, which can be changed in place.
        path: Whether all values are paths or None. Such a parameter is no part of the identity.
        leaves_out: Whether a part of a value may not count: a path, or a field of an object that is not compared.
    """

    text = ""
    exact: type | None = None
    holds = False
    container = False
    path = False
    leaves_out = False

    def check(self, value: Any) -> Any:
        """The value as a configuration keeps it.

        Raises:
            MismatchError: The value does not fit.
        """
        raise self.mismatch(value)

    def mismatch(self, value: Any, remedy: str = "", allowed: bool = True) -> MismatchError:
        if has_unit(value):
            remedy = "Pass a number, and name its unit in the parameter's name; or a datetime or timedelta."
        return MismatchError(self.text, value, allowed, "", remedy)

    def within(self, other: Kind) -> bool:
        """Whether each value of this type also fits another type."""
        if isinstance(other, AnyKind):
            return True
        if isinstance(other, UnionKind):
            return any(self.within(option) for option in other.options)
        return self == other

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(self.text)


def close_matches(value: str, known: list[str], least: float = 0.6) -> list[str]:
    """The known text that is most like a value, in a list; empty if none is like it."""
    from difflib import get_close_matches  # late, because only errors need it

    return get_close_matches(value, known, 1, least)


class ScalarKind(Kind):
    """`int`, `float`, `str`, `bool`, `bytes` or a class of datetime."""

    def __init__(self, cls: type) -> None:
        self.exact = cls
        self.text = cls.__name__

    def check(self, value: Any) -> Any:
        if type(value) is self.exact:
            return value
        value = plain_scalar(value)
        if type(value) is self.exact:
            return value
        if self.exact is float and type(value) is int:
            return self.widened(value)
        raise self.mismatch(value)

    def widened(self, value: int) -> float:
        try:
            if float(value) == value:
                return float(value)
        except OverflowError:
            pass
        raise self.mismatch(value, "It has more digits than a float keeps; pass a float.", allowed=False)

    def within(self, other: Kind) -> bool:
        return super().within(other) or (self.exact is int and isinstance(other, ScalarKind) and other.exact is float)


class NoneKind(Kind):
    """`None`."""

    text = "None"
    exact = type(None)
    path = True  # None alone says nothing, so `Path | None` does not count

    def check(self, value: Any) -> Any:
        if value is not None:
            raise self.mismatch(value, "Pass None.")
        return value


class PathKind(Kind):
    """`pathlib.Path`. Texts are converted."""

    text = "Path"
    exact = type(Path())
    path = leaves_out = True

    def check(self, value: Any) -> Any:
        if isinstance(value, (str, os.PathLike)):
            found = os.fspath(value)
            if isinstance(found, str):
                return Path(found)
        raise self.mismatch(value)


class EnumKind(Kind):
    """A class of `enum`."""

    def __init__(self, cls: type[Enum]) -> None:
        self.cls = cls
        self.text = cls.__name__

    def check(self, value: Any) -> Any:
        if isinstance(value, self.cls):
            return value
        if isinstance(value, str) and not isinstance(value, Enum):
            near = close_matches(value.upper(), [name.upper() for name in self.cls.__members__], 0.5)
            names = [name for name in self.cls.__members__ if name.upper() in near]
            raise self.mismatch(value, f"Pass {self.text}.{names[0]}." if names else f"Pass {self.members()}.")
        raise self.mismatch(value, f"Pass {self.members()}.")

    def members(self) -> str:
        return " or ".join(f"{self.text}.{name}" for name in list(self.cls.__members__)[:5])


class LiteralKind(Kind):
    """`Literal[...]`: one of some values."""

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values = values
        self.text = f"one of {', '.join(map(repr, values))}" if len(values) > 1 else repr(values[0])

    def check(self, value: Any) -> Any:
        value = value if isinstance(value, Enum) else plain_scalar(value)
        for known in self.values:
            if type(known) is type(value) and known == value:
                return known
        near = close_matches(value, [v for v in self.values if isinstance(v, str)]) if type(value) is str else []
        raise self.mismatch(value, f"Did you mean {near[0]!r}?" if near else f"Pass {self.text}.", allowed=False)

    def within(self, other: Kind) -> bool:
        if isinstance(other, LiteralKind):
            return all((type(v), v) in [(type(w), w) for w in other.values] for v in self.values)
        return super().within(other) or all(type(v) is other.exact for v in self.values)


class ListKind(Kind):
    """`list[T]`."""

    container = True

    def __init__(self, item: Kind) -> None:
        self.item = item
        self.text = f"list[{item.text}]"
        self.holds, self.path, self.leaves_out = item.holds, item.path, item.leaves_out

    def check(self, value: Any) -> Any:
        if not isinstance(value, list):
            raise self.mismatch(value, f"Pass a list: {safe_repr(list(value))}." if type(value) is tuple else "")
        if type(self.item) is ScalarKind and {self.item.exact}.issuperset(map(type, value)):
            return list(value)
        return items(self.item.check, value)

    def within(self, other: Kind) -> bool:
        return self.item.within(other.item) if isinstance(other, ListKind) else super().within(other)


def items(check: Callable[[Any], Any], values: Any) -> list[Any]:
    """The items of a list or tuple, each checked. An error names the index of the item."""
    found: list[Any] = []
    try:
        found.extend(map(check, values))
    except MismatchError as error:
        error.trail = f"[{len(found)}]{error.trail}"
        raise
    return found


class TupleKind(Kind):
    """`tuple[A, B]`; or `tuple[T, ...]`, with one kind for all items."""

    def __init__(self, kinds: tuple[Kind, ...], repeated: bool) -> None:
        self.kinds, self.repeated = kinds, repeated
        self.text = f"tuple[{', '.join(kind.text for kind in kinds) or '()'}{', ...' if repeated else ''}]"
        self.holds = any(kind.holds for kind in kinds)
        self.container = any(kind.container for kind in kinds)
        self.path = bool(kinds) and all(kind.path for kind in kinds)
        self.leaves_out = any(kind.leaves_out for kind in kinds)

    def check(self, value: Any) -> Any:
        if not isinstance(value, tuple):
            raise self.mismatch(value, f"Pass a tuple: {safe_repr(tuple(value))}." if type(value) is list else "")
        if self.repeated:
            return tuple(items(self.kinds[0].check, value))
        if len(value) != len(self.kinds):
            raise self.mismatch(value, f"Pass {len(self.kinds)} items, not {len(value)}.", allowed=False)
        checks = iter(self.kinds)
        return tuple(items(lambda item: next(checks).check(item), value))

    def within(self, other: Kind) -> bool:
        if isinstance(other, TupleKind) and other.repeated:
            return all(kind.within(other.kinds[0]) for kind in self.kinds)
        if isinstance(other, TupleKind) and not self.repeated and len(self.kinds) == len(other.kinds):
            return all(mine.within(its) for mine, its in zip(self.kinds, other.kinds, strict=True))
        return super().within(other)


class SetKind(Kind):
    """`set[T]` or `frozenset[T]`."""

    container = True

    def __init__(self, cls: Any, item: Kind) -> None:
        self.cls, self.item = cls, item
        self.text = f"{cls.__name__}[{item.text}]"
        self.holds, self.path, self.leaves_out = item.holds, item.path, item.leaves_out

    def check(self, value: Any) -> Any:
        if not isinstance(value, self.cls):
            raise self.mismatch(value)
        try:
            return self.cls([self.item.check(item) for item in value])
        except MismatchError as error:
            error.trail = f"{{}}{error.trail}"
            raise

    def within(self, other: Kind) -> bool:
        if isinstance(other, SetKind):
            return self.cls is other.cls and self.item.within(other.item)
        return super().within(other)


class DictKind(Kind):
    """`dict[K, V]`."""

    container = True

    def __init__(self, key: Kind, item: Kind) -> None:
        self.key, self.item = key, item
        self.text = f"dict[{key.text}, {item.text}]"
        self.holds, self.path, self.leaves_out = item.holds, item.path, item.leaves_out or key.leaves_out

    def check(self, value: Any) -> Any:
        if not isinstance(value, dict):
            raise self.mismatch(value)
        found = {}
        for key, item in value.items():
            try:
                name = self.key.check(key)
            except MismatchError as error:
                error.trail = f"{{key {safe_repr(key)}}}{error.trail}"
                raise
            try:
                found[name] = self.item.check(item)
            except MismatchError as error:
                error.trail = f"[{safe_repr(key)}]{error.trail}"
                raise
        return found

    def within(self, other: Kind) -> bool:
        if isinstance(other, DictKind):
            return self.key.within(other.key) and self.item.within(other.item)
        return super().within(other)


class UnionKind(Kind):
    """`A | B`. A value fits the option that is exactly its class, else the first option that can convert it."""

    def __init__(self, options: tuple[Kind, ...]) -> None:
        self.options = options
        self.text = " | ".join(option.text for option in options)
        self.holds = any(option.holds for option in options)
        self.container = any(option.container for option in options)
        self.path = any(isinstance(option, PathKind) or option.path for option in options) and all(
            option.path for option in options
        )
        self.leaves_out = any(option.leaves_out for option in options)

    def check(self, value: Any) -> Any:
        cls = type(value)
        for option in self.options:
            if option.exact is cls:
                return value
        errors = []
        for option in self.options:
            try:
                return option.check(value)
            except MismatchError as error:
                errors.append(error)
        inner = [error for error in errors if error.trail or not error.allowed]
        raise inner[0] if len(inner) == 1 else self.mismatch(value)

    def within(self, other: Kind) -> bool:
        return all(option.within(other) for option in self.options)


class AnyKind(Kind):
    """`Any`: every value that a configuration can hold."""

    text = "a value that a configuration can hold"
    holds = container = leaves_out = True
    scalars = (str, bytes, bool, int, float, type(None), datetime, date, time, timedelta)

    def check(self, value: Any) -> Any:
        if type(value) in self.scalars or isinstance(value, (Enum, Path)) or is_configuration(value):
            return value
        if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
            found = items(self.check, value)
            return tuple(found) if isinstance(value, tuple) else found
        if isinstance(value, dict):
            return DictKind(self, self).check(value)
        if isinstance(value, (set, frozenset)):
            return SetKind(set if isinstance(value, set) else frozenset, self).check(value)
        value = plain_scalar(value)
        if type(value) in self.scalars:
            return value
        raise self.mismatch(value, "Pass numbers, texts, paths, lists, dicts, or configurations.")


class BoundedKind(Kind):
    """`Annotated[T, Bounds(...)]`: a type with bounds on its values, or on their lengths."""

    def __init__(self, inner: Kind, bounds: tuple[tuple[str, Callable[[Any], bool]], ...]) -> None:
        self.inner, self.bounds = inner, bounds
        self.text = f"{inner.text} {' and '.join(text for text, _ in bounds)}"
        self.holds, self.path, self.container = inner.holds, inner.path, inner.container
        self.leaves_out = inner.leaves_out

    def check(self, value: Any) -> Any:
        value = self.inner.check(value)
        if not all(holds(value) for _, holds in self.bounds):
            raise self.mismatch(value, allowed=False)
        return value

    def within(self, other: Kind) -> bool:
        if isinstance(other, BoundedKind):
            return self.inner.within(other.inner) and {t for t, _ in other.bounds} <= {t for t, _ in self.bounds}
        return self.inner.within(other)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BoundedKind) and self.inner == other.inner and self.text == other.text

    __hash__ = Kind.__hash__
