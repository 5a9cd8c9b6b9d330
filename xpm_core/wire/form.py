"""The form of a payload: which fields it has, of which types, and how large it may be.

A payload comes from Redis, where others can write: nothing in it is used before all of it has this form. What the
fields mean is told in xpm_core.wire.payload, and by who writes them (packing.py, loading.py, local_classes.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from xpm_core.language.code.class_records import references
from xpm_core.project.import_path import PACKAGES, STANDARD

DIGEST = 32
"""Bytes that name what is kept elsewhere."""

Problem = str
"""What is wrong and where, such as `objects[2].class: expected an integer, got 'x'`."""
Check = Callable[[Any, str], Iterator[Problem]]


def problem_of(content: Any) -> Problem | None:
    """The first thing that is wrong with a payload's form; None when it has the right one."""
    found = next(_content(content, ""), None)
    if found is None:
        found = next(_numbers(content), None)
    return None if found is None else found.lstrip(".")


def _is(kind: type, words: str, optional: bool = False) -> Check:
    def check(value: Any, where: str) -> Iterator[Problem]:
        if type(value) is not kind and not (optional and value is None):
            yield f"{where}: expected {words}, got {_shown(value)}"

    return check


def _list(item: Check, least: int = 0) -> Check:
    def check(value: Any, where: str) -> Iterator[Problem]:
        if type(value) is not list or len(value) < least:
            yield f"{where}: expected a list, got {_shown(value)}" if value != [] else f"{where}: empty"
            return
        for index, each in enumerate(value):
            yield from item(each, f"{where}[{index}]")

    return check


def _parts(*items: Check) -> Check:
    """A list of so many items, each of its own form."""

    def check(value: Any, where: str) -> Iterator[Problem]:
        if type(value) is not list or len(value) != len(items):
            yield f"{where}: expected a list of {len(items)}, got {_shown(value)}"
            return
        for index, (item, each) in enumerate(zip(items, value, strict=True)):
            yield from item(each, f"{where}[{index}]")

    return check


def _map(item: Check) -> Check:
    def check(value: Any, where: str) -> Iterator[Problem]:
        if type(value) is not dict:
            yield f"{where}: expected a map, got {_shown(value)}"
            return
        for name, each in value.items():
            yield from _text(name, f"{where}, a name in it")
            yield from item(each, f"{where}.{name}")

    return check


def _fields(required: Mapping[str, Check], optional: Mapping[str, Check]) -> Check:
    known = {**required, **optional}

    def check(value: Any, where: str) -> Iterator[Problem]:
        if type(value) is not dict:
            yield f"{where}: expected a map, got {_shown(value)}"
            return
        for name in required:
            if name not in value:
                yield f"{where}.{name}: missing"
        for name, each in value.items():
            if name in known:
                yield from known[name](each, f"{where}.{name}")
            else:
                yield f"{where}: unknown field {_shown(name)}"

    return check


def _tag(value: Any, where: str) -> Iterator[Problem]:
    if type(value) not in (str, int, float, bool):
        yield f"{where}: expected a tag, got {_shown(value)}"


def _absolute(value: Any, where: str) -> Iterator[Problem]:
    if type(value) is not str or not os.path.isabs(value) or "\0" in value:
        yield f"{where}: expected an absolute path, got {_shown(value)}"


def _argv(value: Any, where: str) -> Iterator[Problem]:
    if type(value) is not bytes or len(value) != DIGEST:
        yield from _list(_bytes)(value, where)


def _folder(value: Any, where: str) -> Iterator[Problem]:
    if value not in (STANDARD, PACKAGES):
        yield from _absolute(value, where)


def _file(value: Any, where: str) -> Iterator[Problem]:
    if value is not None:
        yield from _absolute(value, where)


def _constant(value: Any, where: str) -> Iterator[Problem]:
    if value not in ("None", "Ellipsis"):
        yield f"{where}: expected None or Ellipsis, got {_shown(value)}"


def _reference(value: Any, where: str) -> Iterator[Problem]:
    """How a local class refers to what it uses: `[kind, ...]`, see local_classes.Recorder."""
    if type(value) is not list or not value or type(value[0]) is not str or value[0] not in _REFERENCES:
        yield f"{where}: expected a reference, got {_shown(value)}"
        return
    kind, *content = value
    form = _REFERENCES[kind]
    if callable(form):
        yield from _list(form, 1)(content, f"{where}.{kind}")
    elif len(content) != len(form):
        yield f"{where}.{kind}: expected {len(form)} parts, got {len(content)}"
    else:
        for check, each in zip(form, content, strict=True):
            yield from check(each, f"{where}.{kind}")


def _function(value: Any, where: str) -> Iterator[Problem]:
    yield from _FUNCTION(value, where)


def _shown(value: Any) -> str:
    """A value in a message, cut."""
    text = repr(value) if isinstance(value, (str, bytes, int, float, type(None))) else f"a {type(value).__name__}"
    return text if len(text) <= 60 else text[:60] + "…"


_text, _integer, _bytes = _is(str, "a text"), _is(int, "an integer"), _is(bytes, "bytes")
_place = _is(str, "a text or nothing", optional=True)

_REFERENCES: dict[str, tuple[Check, ...] | Check] = {
    "module": (_text,),
    "class": (_integer,),
    "attribute": (_text, _text),
    "group": (_text,),
    "typevar": (_text,),
    "constant": (_constant,),
    "value": (_bytes,),
    "function": (_function,),
    "alias": _reference,
    "tuple": _reference,
}
_ORIGIN = {"module": _text, "name": _text, "file": _file, "project": _place}
_bool = _is(bool, "true or false")
_CHOSEN = {"varying": _list(_text), "bases_vary": _bool, "defaults_vary": _bool, "number": _integer}
_FUNCTION = _fields(
    {**_ORIGIN, "line": _integer, "names": _map(_reference), "defaults": _list(_bytes), "keywords": _map(_bytes)},
    _CHOSEN,
)
_LOCAL = _fields({"line": _integer, "bases": _list(_reference), "names": _map(_reference)}, _CHOSEN)
_CLASS = _fields({**_ORIGIN, "id": _text}, {"local": _LOCAL, "value": _integer})
_SOURCE = _fields({"digest": _bytes, "task": _text}, {"job": _bytes})
_OBJECT = _fields(
    {"class": _integer, "values": _map(_bytes), "counted": _list(_text)},
    {
        "source": _SOURCE,
        "init": _list(_integer),
        "stand_in": _integer,
        "meta": _bool,
        "job": _bytes,
        "below": _list(_integer),
    },
)
_IMPORT = _parts(_bytes, _list(_integer))
_PLACED = _parts(_bytes, _integer, _map(_bytes))
_content = _fields(
    {
        "version": _integer,
        "task": _text,
        "classes": _list(_CLASS),
        "objects": _list(_OBJECT, 1),
        "tags": _map(_tag),
        "folders": _list(_folder),
    },
    {
        "standard": _map(_is(bool, "true or false")),
        "argv": _argv,
        "imports": _list(_IMPORT),
        "placed": _list(_PLACED),
    },
)


def _numbers(content: dict[str, Any]) -> Iterator[Problem]:
    """References by number that lead nowhere: to classes that are not there, or to later objects."""
    classes = len(content["classes"])
    imported = sum(len(numbers) for _, numbers in content.get("imports", ()))
    for number, each in enumerate(content["objects"]):
        if not 0 <= each["class"] < classes:
            yield f"objects[{number}].class: there is no class {each['class']}"
        stand_in = [each["stand_in"]] if "stand_in" in each else []
        for other in [*each.get("init", ()), *each.get("below", ()), *stand_in]:
            if not 0 <= other < number + imported:
                yield f"objects[{number}]: it refers to object {other}, which is not before it"
    for number, record in enumerate(content["classes"]):
        others = [record["value"]] if "value" in record else []
        for other in [*others, *_classes_in(record.get("local", {}))]:
            if not 0 <= other < classes:
                yield f"classes[{number}]: there is no class {other}"


def _classes_in(local: Any) -> Iterator[int]:
    """The numbers of classes that a local class or function refers to."""
    return (content[0] for kind, *content in references(local) if kind == "class")
