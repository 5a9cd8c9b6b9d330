"""Values of tags and parameters: their kinds, and how what somebody typed is compared with them.

A value is compared by its own kind. The same text is a number for a parameter that has numbers, and a text for one that
has texts. A value of `params.json` for which JSON has no type is an object with one entry, such as `{"path": "/data"}`.

Owns: the kinds. Does not know names of parameters or jobs.
"""

from __future__ import annotations

import fnmatch
import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from xpm_core.errors import MismatchError
from xpm_core.filters.moments import DATE, DURATION, read_date, read_duration, span_test, stored_moment
from xpm_core.filters.row import Absent, Unknown
from xpm_core.filters.syntax import Literal, in_quotes
from xpm_core.scalars import all_atoms, safe_repr

Test = Callable[[Any], bool | None]

LONGEST_SAMPLE = 40
"""Characters of a value that an error shows as an example."""

_FLIPPED: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.gt, "<=": operator.ge, ">": operator.lt, ">=": operator.le,
}  # fmt: skip
"""What must hold for the limit and the value, in this order. So a `partial` can hold the limit: that is fast."""

_NUMBER = re.compile(
    r"[+-]?(?:(\d+)|(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][+-]?\d+)?|inf|nan|(0[xX][0-9a-fA-F]+))", re.ASCII
)
_BOOLS = {"true": True, "yes": True, "false": False, "no": False}
_JSON_PIECE = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s,\[\]{}:\"']+|.", re.DOTALL)

_KIND_OF_TYPE = {bool: "bool", int: "number", float: "number", str: "text", type(None): "none", list: "list"}
_TYPED: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "tuple": ("list", lambda items: _items(items)),
    "set": ("set", lambda items: _items(items)),
    "frozenset": ("set", lambda items: _items(items)),
    "dict": ("map", lambda pairs: {str(plain(key)): plain(item) for key, item in pairs}),
    "object": ("map", lambda found: plain(found["fields"])),
    "path": ("path", str),
    "enum": ("enum", lambda name: str(name).rpartition(".")[2]),
    "int": ("number", lambda digits: int(digits, 16)),
    "float": ("number", float),
    "job": ("text", str),  # a task that is used, as xpm_core.index writes it: `Prepare/1d22f0a`
    "bytes": ("text", str),
    "text": ("text", str),
    "time": ("text", str),
    "timedelta": ("duration", float),
    "datetime": ("date", str),
    "date": ("date", str),
}
"""The types that JSON lacks: their kind, and the plain value of each."""

UNORDERED = "= or !="
"""What a mismatch expects if values have no order."""

KINDS = {
    "number": "numbers",
    "bool": "true or false",
    "text": "texts",
    "path": "paths",
    "enum": "names of an enumeration",
    "list": "lists",
    "set": "sets",
    "map": "maps",
    "date": "dates",
    "duration": "durations",
}
"""The kinds of values, as errors name them."""


def kind_and_value(value: Any) -> tuple[str, Any]:
    """The kind of a value, and the value as Python has it.

    Example:
        >>> kind_and_value({"enum": "sweep:Norm.BATCH"}), kind_and_value(0.1)
        (('enum', 'BATCH'), ('number', 0.1))
    """
    kind = _KIND_OF_TYPE.get(type(value))
    if kind is None and (type(value) is dict or isinstance(value, Mapping)):
        names = list(value)
        if names and names[0] in _TYPED and names[1:] in ([], ["in"]):
            kind, convert = _TYPED[names[0]]
            try:
                return kind, convert(value[names[0]])
            except (TypeError, ValueError, KeyError):  # a dict of the user's that only looks like one of ours
                pass
        return "map", {str(key): plain(item) for key, item in value.items()}
    if kind == "list":
        return kind, _items(value)
    if kind is None:
        plainer = next((each for each in (str, bool, int, float) if isinstance(value, each)), None)
        return (_KIND_OF_TYPE[plainer], plainer(value)) if plainer else ("text", str(value))
    return kind, value


def _items(items: list[Any]) -> list[Any]:
    return items if all_atoms(items) else [plain(item) for item in items]


def plain(value: Any) -> Any:
    """A value without the name of its type: a path as a text, a member of an Enum as its name."""
    return kind_and_value(value)[1]


def shown(value: Any) -> str:
    """A value as it is written in a filter, for examples in errors."""
    kind, found = kind_and_value(value)
    if kind in ("list", "set", "map"):
        text = json.dumps(found, ensure_ascii=False)
    elif kind == "duration":
        text = f"{found:g}s"
    elif isinstance(found, str):
        text = found if re.fullmatch(r"[\w./@%-]+", found) and found.lower() != "none" else in_quotes(found)
    else:
        text = (
            str(found).lower()
            if found is None or isinstance(found, bool)
            else f"{found:g}"
            if isinstance(found, float)
            else safe_repr(found)
        )
    return text if len(text) <= LONGEST_SAMPLE else text[:LONGEST_SAMPLE] + "…"


def comparer(kind: str, sign: str, literals: Iterable[Literal]) -> Callable[[Any], bool]:
    """A test of plain values of one kind: whether one is any of these values, or stands so to the one value.

    Raises:
        MismatchError: No value can be compared with that kind; says what was expected.
    """
    literals = list(literals)
    if kind == "text" and sign == "=":
        return text_test(literals)
    fitting: list[Callable[[Any], bool]] = []
    misfits: list[MismatchError] = []
    for literal in literals:
        try:
            fitting.append(_comparer(kind, sign, literal))
        except MismatchError as misfit:
            misfits.append(misfit)
    if misfits and not fitting:
        raise misfits[0]
    return fitting[0] if len(fitting) == 1 else lambda value: any(test(value) for test in fitting)


def _comparer(kind: str, sign: str, literal: Literal) -> Callable[[Any], bool]:
    if literal.is_none and kind != "text":
        _refuse_order(sign, literal)
        return lambda value: False  # TestByType matches what has no value
    return _COMPARERS[kind](sign, literal)


class TestByType(dict[type, Test]):
    """By the type of a value as `params.json` has it: the test for it. Also for ABSENT and UNKNOWN.

    Args:
        by_kind: The test for each kind of plain values. Values of other kinds do not match.
        none: Whether no value matches.
    """

    __test__ = False  # not for pytest

    def __init__(self, by_kind: Mapping[str, Callable[[Any], bool]], none: bool) -> None:
        def never(value: Any) -> bool:
            return False

        def nothing(value: Any) -> bool:
            return none

        def general(value: Any) -> bool | None:
            kind, found = kind_and_value(value)
            return nothing(value) if kind == "none" else by_kind.get(kind, never)(found)

        self.general = general
        super().__init__({Unknown: lambda value: None, Absent: nothing, type(None): nothing})
        for cls, kind in _KIND_OF_TYPE.items():
            if kind in ("number", "bool", "text"):
                self[cls] = by_kind.get(kind, never)

    def __missing__(self, cls: type) -> Test:
        return self.general


def text_test(literals: Iterable[Literal], fold: bool = False) -> Callable[[str], bool]:
    """A test of texts: whether one is any of these values, or fits its wildcards.

    Args:
        literals: The values.
        fold: Whether capital and small letters are alike.
    """
    folded = str.casefold if fold else str
    exact = frozenset(folded(each.text) for each in literals if not each.is_pattern)
    patterns = [_pattern(folded(each.text)) for each in literals if each.is_pattern]
    if fold:
        return lambda text: (low := text.casefold()) in exact or any(pattern(low) for pattern in patterns)
    if not patterns:
        return exact.__contains__
    return lambda text: text in exact or any(pattern(text) for pattern in patterns)


def _pattern(text: str) -> Callable[[str], Any]:
    """A test of texts by `*` and `?`. It takes no exponential time, because each `*` matches as little as it can."""
    return re.compile(fnmatch.translate(text.replace("[", "[[]"))).match


def read_number(text: str) -> int | float | None:
    """The number that a text is, whole if it has no point and no exponent; None if it is none."""
    found = _NUMBER.fullmatch(text.strip().lower())
    if found is None:
        return None
    try:
        return int(found[0], 16) if found[2] else int(found[0]) if found[1] else float(found[0])
    except ValueError:  # more digits than Python reads
        return float(found[0])


def _number(sign: str, literal: Literal) -> Callable[[Any], bool]:
    number = read_number(literal.text)
    if number is None:
        raise MismatchError("a number", literal.text)
    if sign != "=":
        return _ordered(sign, number)
    if number != number:
        return lambda value: bool(value != value)
    return lambda value: bool(value == number)


def _bool(sign: str, literal: Literal) -> Callable[[Any], bool]:
    _refuse_order(sign, literal)
    if (wanted := _BOOLS.get(literal.text.lower())) is None:
        raise MismatchError("true or false", literal.text)
    return lambda value: value is wanted


def _text(sign: str, literal: Literal) -> Callable[[Any], bool]:
    return text_test([literal]) if sign == "=" else _ordered(sign, literal.text)


def _name(sign: str, literal: Literal) -> Callable[[Any], bool]:
    _refuse_order(sign, literal)
    return text_test([literal])


def _member(sign: str, literal: Literal) -> Callable[[Any], bool]:
    return _name(sign, Literal(literal.text.rpartition(".")[2], literal.quoted))


def _date(sign: str, literal: Literal) -> Callable[[Any], bool]:
    span = read_date(literal.text)
    if span is None:
        raise MismatchError(DATE, literal.text)
    test = span_test(sign, span)
    return lambda value: (moment := stored_moment(value)) is not None and test(moment)


def _duration(sign: str, literal: Literal) -> Callable[[Any], bool]:
    seconds = read_duration(literal.text)
    if seconds is None:
        seconds = read_number(literal.text)
    if seconds is None:
        raise MismatchError(DURATION, literal.text)
    return _ordered(sign, seconds) if sign != "=" else lambda value: bool(value == seconds)


def _container(opening: str, expected: str) -> Callable[[str, Literal], Callable[[Any], bool]]:
    def compare(sign: str, literal: Literal) -> Callable[[Any], bool]:
        _refuse_order(sign, literal)
        found = _read_json(literal.text) if literal.text[:1] == opening else None
        if found is None:
            raise MismatchError(expected, literal.text)
        return lambda value: _alike(value, found)

    return compare


def _set(sign: str, literal: Literal) -> Callable[[Any], bool]:
    _refuse_order(sign, literal)
    found = _read_json(literal.text) if literal.text[:1] == "[" else None
    if found is None:
        raise MismatchError("a set, such as [1,2]", literal.text)
    return lambda value: len(value) == len(found) and all(any(_alike(a, b) for b in found) for a in value)


_COMPARERS: dict[str, Callable[[str, Literal], Callable[[Any], bool]]] = {
    "number": _number,
    "bool": _bool,
    "text": _text,
    "path": _name,
    "enum": _member,
    "list": _container("[", "a list, such as [64,64]"),
    "set": _set,
    "map": _container("{", 'a map, such as {"a": 1}'),
    "date": _date,
    "duration": _duration,
}


def _ordered(sign: str, limit: Any) -> Callable[[Any], bool]:
    return partial(_FLIPPED[sign], limit)


def _refuse_order(sign: str, literal: Literal) -> None:
    if sign != "=":
        raise MismatchError(UNORDERED, literal.text)


def _read_json(text: str) -> Any:
    """A list or a map, in which texts need no quotes; None if it is none."""
    pieces = (match[0] for match in _JSON_PIECE.finditer(text))
    try:
        return json.loads("".join(map(_json_piece, pieces)))
    except (ValueError, RecursionError):
        return None


def _json_piece(piece: str) -> str:
    if piece[0] == "'" and len(piece) > 1:
        return json.dumps(re.sub(r"\\([\\'])", r"\1", piece[1:-1]))
    if len(piece) == 1 and not piece.isalnum():
        return piece
    if piece[0] == '"':
        return piece
    if (number := read_number(piece)) is not None:
        return json.dumps(number)
    words = {"true": "true", "false": "false", "none": "null", "null": "null"}
    return words.get(piece.lower(), json.dumps(piece))


def _alike(a: Any, b: Any) -> bool:
    """Whether two plain values are equal; 1 equals 1.0, but not true."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_alike, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_alike(item, b[key]) for key, item in a.items())
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)
