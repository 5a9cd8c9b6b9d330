"""Values that a job reports, as strict JSON.

Numbers, texts, truth values, None, and lists and dicts of them are taken; so are scalars and small arrays of NumPy,
torch and the like, by their `item` and `tolist`. JSON has no NaN and no infinity, so these become null, and their paths
are noted.

Owns: this form, the way back, and the flat form for tables.
"""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from xpm_core.errors import ResultValueError

MOST_ITEMS = 10_000
"""How many numbers an array may have that is taken as a list."""
DEEPEST = 30
"""How many levels of lists and dicts a value may have."""
LARGEST_DIGITS = 1000
"""How many decimal digits an integer may have, about."""

MOST_FLAT, LONGEST_FLAT, LARGEST_FLAT = 200, 200, 16_000
"""Of the flat form: how many values it has, how many characters each name and each text, and how many in all."""

Scalar = float | int | str | bool | None
NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
"""The words for what JSON has no number for."""


def plain(value: Any, path: str, not_finite: dict[str, str], depth: int = 0) -> Any:
    """A value as strict JSON.

    Args:
        value: The value.
        path: What it is called: `accuracy`.
        not_finite: Gets the word for each number below that is not finite, by its path.
        depth: How many levels it is deep.

    Raises:
        ResultValueError: It is no JSON.

    Example:
        >>> plain({"loss": float("nan"), "sizes": (1, 2)}, "test", marks := {}), marks
        ({'loss': None, 'sizes': [1, 2]}, {'test.loss': 'nan'})
    """
    if value is None or value is True or value is False or type(value) is str:
        return value
    if isinstance(value, numbers.Integral):
        return _integer(int(value), path)
    if isinstance(value, numbers.Real):
        return _real(float(value), path, not_finite)
    if depth >= DEEPEST:
        raise ResultValueError(path, f"it is more than {DEEPEST} levels deep")
    if isinstance(value, Mapping):
        return {name: plain(each, f"{path}.{name}", not_finite, depth + 1) for name, each in _items(value, path)}
    if isinstance(value, (list, tuple)):
        return [plain(each, f"{path}.{at}", not_finite, depth + 1) for at, each in enumerate(value)]
    if isinstance(value, (str, os.PathLike)):
        return str(os.fspath(value)) if isinstance(value, os.PathLike) else str.__str__(value)
    if (found := _of_array(value, path)) is not value:
        return plain(found, path, not_finite, depth + 1)
    raise ResultValueError(path, f"expected a JSON value, got {type(value).__name__}")


def _integer(value: int, path: str) -> int:
    if value.bit_length() > LARGEST_DIGITS * 3.3:
        raise ResultValueError(path, f"an integer of more than {LARGEST_DIGITS} digits")
    return value


def _real(value: float, path: str, not_finite: dict[str, str]) -> float | None:
    if math.isfinite(value):
        return value
    not_finite[path] = "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return None


def _items(value: Mapping[Any, Any], path: str) -> Iterator[tuple[str, Any]]:
    """The items of a mapping. A number is a name, too, as for the accuracy of each class."""
    seen: set[str] = set()
    for key, each in value.items():
        if not isinstance(key, (str, int, float)):
            raise ResultValueError(path, f"a name in it is a {type(key).__name__}: expected a text or a number")
        if (name := str(key)) in seen:
            raise ResultValueError(path, f"two of its names are {name!r}")
        seen.add(name)
        yield name, each


def _of_array(value: Any, path: str) -> Any:
    """The number in a scalar of NumPy, torch or the like; the lists in a small array; else the value itself."""
    shape = getattr(value, "shape", None)
    if not isinstance(shape, tuple) or not callable(getattr(value, "item", None)):
        return value
    if not shape:
        found = value.item()
        return value if type(found) is type(value) else found
    if not callable(getattr(value, "tolist", None)):
        return value
    if (count := math.prod(map(int, shape))) > MOST_ITEMS:
        raise ResultValueError(path, f"an array of {count} values: expected at most {MOST_ITEMS}; keep it in a file")
    return value.tolist()


def restored(value: Any, path: str, not_finite: Mapping[str, str]) -> Any:
    """A value as it was reported, with NaN and infinity.

    Example:
        >>> restored({"loss": None}, "test", {"test.loss": "nan"})
        {'loss': nan}
    """
    if not not_finite:
        return value
    if value is None:
        return NOT_FINITE.get(not_finite.get(path, ""))
    if isinstance(value, dict):
        return {name: restored(each, f"{path}.{name}", not_finite) for name, each in value.items()}
    if isinstance(value, list):
        return [restored(each, f"{path}.{at}", not_finite) for at, each in enumerate(value)]
    return value


def finite(value: Scalar) -> Scalar:
    """A value for strict JSON, with a text in place of NaN and infinity.

    Example:
        >>> finite(float("-inf")), finite(0.9)
        ('-inf', 0.9)
    """
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value


def flat(values: Mapping[str, Any]) -> tuple[dict[str, Scalar], bool]:
    """The numbers, texts and truth values among results, by their paths, for tables. Lists have no place in a cell.

    An integer of more than 64 bits, such as a count of operations, becomes a float: only the file has all its digits.
    If there are too many, those that lie least deep are taken: `accuracy` before the counts of a confusion matrix.

    Returns:
        The values, and whether there are more than a table takes.

    Example:
        >>> flat({"accuracy": 0.9, "loss": {"train": 0.1, "test": 0.2}, "curve": [1, 2]})
        ({'accuracy': 0.9, 'loss.train': 0.1, 'loss.test': 0.2}, False)
    """
    leaves = list(_leaves(values, "", 0))
    fit = {path: cell for _, path, value in leaves if is_flat(path, cell := _narrow(value))}
    depths = {path: depth for depth, path, _ in leaves}
    size, kept = 0, set[str]()
    for path in sorted(fit, key=depths.__getitem__):
        size += len(path) + (len(text) if isinstance(text := fit[path], str) else 24)
        if len(kept) == MOST_FLAT or size > LARGEST_FLAT:
            break
        kept.add(path)
    return {path: value for path, value in fit.items() if path in kept}, len(kept) < len(leaves)


def lacking(values: Mapping[str, Any]) -> int:
    """How many of the results that could stand in a cell are too many for the flat form."""
    fit = {path for _, path, value in _leaves(values, "", 0) if is_flat(path, _narrow(value))}
    return len(fit) - len(flat(values)[0])


def is_flat(path: Any, value: Any) -> bool:
    """Whether a value, and its path, can stand in a cell of a table: the index and msgpack take both.

    Example:
        >>> is_flat("accuracy", 0.9), is_flat("curve", [1, 2]), is_flat("big", 2**70)
        (True, False, False)
    """
    if not isinstance(path, str) or not _is_short(path):
        return False
    if isinstance(value, str):
        return _is_short(value)
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return value is None or isinstance(value, float)


def _narrow(value: Any) -> Any:
    """An integer of more than 64 bits as a float, if it is not too large for one; any other value as it is."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        with suppress(OverflowError):
            return float(value)
    return value


def _is_short(text: str) -> bool:
    return len(text) <= LONGEST_FLAT and (text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text))


def _leaves(values: Mapping[str, Any], start: str, depth: int) -> Iterator[tuple[int, str, Any]]:
    """The values that are no lists, each with its depth and its path."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{start}{name}.", depth + 1)
        elif not isinstance(value, list):
            yield depth, start + name, value
