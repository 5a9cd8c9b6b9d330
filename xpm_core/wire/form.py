"""The form of a payload: which fields it has, of which types, and how it writes a path.

Others can write to Redis, where a payload comes from. Therefore the whole form is checked before any part of a payload
is used. xpm_core.wire.payload says what the fields mean; packer.py, and class_records.py and local_recorder.py of
xpm_core.language.code, write them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from xpm_core.language.code.class_records import references_in
from xpm_core.project.import_path import PACKAGES, STANDARD
from xpm_core.shapes import (
    BOOL,
    BYTES,
    INTEGER,
    OPTIONAL_TEXT,
    TEXT,
    Check,
    Problem,
    brief,
    list_of,
    map_of,
    record,
    sequence,
)

VERSION, WITH_PARTS = 1, 2
"""Versions of the form: a payload that holds all, and one that names parts. A small graph still has the first form."""

ABSOLUTE, WORKSPACE, JOB = b"\x00", b"\x01", b"\x02"
"""The first byte of a path says what the path is relative to: nothing, the workspace, or the job's directory."""

DIGEST = 32
"""Bytes of a digest, which names something that is kept in a file."""


def form_problem(content: Any) -> Problem | None:
    """The first thing that is wrong with the form of a payload; None when nothing is."""
    found = next(_content(content, ""), None)
    if found is None:
        found = next(_wrong_numbers(content), None)
    return None if found is None else found.lstrip(".")


def _tag(value: Any, where: str) -> Iterator[Problem]:
    if type(value) not in (str, int, float, bool):
        yield f"{where}: expected a tag, got {brief(value)}"


def _absolute_path(value: Any, where: str) -> Iterator[Problem]:
    if type(value) is not str or not os.path.isabs(value) or "\0" in value:
        yield f"{where}: expected an absolute path, got {brief(value)}"


def _argv(value: Any, where: str) -> Iterator[Problem]:
    if type(value) is not bytes or len(value) != DIGEST:
        yield from list_of(BYTES)(value, where)


def _folder(value: Any, where: str) -> Iterator[Problem]:
    if value not in (STANDARD, PACKAGES):
        yield from _absolute_path(value, where)


def _file(value: Any, where: str) -> Iterator[Problem]:
    if value is not None:
        yield from _absolute_path(value, where)


def _constant(value: Any, where: str) -> Iterator[Problem]:
    if value not in ("None", "Ellipsis"):
        yield f"{where}: expected None or Ellipsis, got {brief(value)}"


def _reference(value: Any, where: str) -> Iterator[Problem]:
    """How the record of a local class refers to a value: `[kind, ...]`; see `Recorder` in code/local_recorder.py."""
    if type(value) is not list or not value or type(value[0]) is not str or value[0] not in _REFERENCES:
        yield f"{where}: expected a reference, got {brief(value)}"
        return
    kind, *content = value
    form = _REFERENCES[kind]
    if callable(form):
        yield from list_of(form, 1)(content, f"{where}.{kind}")
    elif len(content) != len(form):
        yield f"{where}.{kind}: expected {len(form)} parts, got {len(content)}"
    else:
        for check, each in zip(form, content, strict=True):
            yield from check(each, f"{where}.{kind}")


def _function(value: Any, where: str) -> Iterator[Problem]:
    yield from _FUNCTION(value, where)


_REFERENCES: dict[str, tuple[Check, ...] | Check] = {
    "module": (TEXT,),
    "class": (INTEGER,),
    "attribute": (TEXT, TEXT),
    "group": (TEXT,),
    "typevar": (TEXT,),
    "constant": (_constant,),
    "value": (BYTES,),
    "function": (_function,),
    "alias": _reference,
    "tuple": _reference,
}
_ORIGIN = {"module": TEXT, "name": TEXT, "file": _file, "project": OPTIONAL_TEXT}
_CHOSEN = {"varying": list_of(TEXT), "bases_vary": BOOL, "defaults_vary": BOOL, "number": INTEGER}
_FUNCTION = record(
    {**_ORIGIN, "line": INTEGER, "names": map_of(_reference), "defaults": list_of(BYTES), "keywords": map_of(BYTES)},
    _CHOSEN,
)
_LOCAL = record({"line": INTEGER, "bases": list_of(_reference), "names": map_of(_reference)}, _CHOSEN)
_CLASS = record({**_ORIGIN, "id": TEXT}, {"local": _LOCAL, "value": INTEGER})
_SOURCE = record({"digest": BYTES, "task": TEXT}, {"job": BYTES})
_OBJECT = record(
    {"class": INTEGER, "values": map_of(BYTES), "counted": list_of(TEXT)},
    {
        "source": _SOURCE,
        "init": list_of(INTEGER),
        "stand_in": INTEGER,
        "meta": BOOL,
        "job": BYTES,
        "below": list_of(INTEGER),
    },
)
_IMPORT = sequence(BYTES, list_of(INTEGER))
_PLACED = sequence(BYTES, INTEGER, map_of(BYTES))
_content = record(
    {
        "version": INTEGER,
        "task": TEXT,
        "classes": list_of(_CLASS),
        "objects": list_of(_OBJECT, 1),
        "tags": map_of(_tag),
        "folders": list_of(_folder),
    },
    {
        "standard": map_of(BOOL),
        "argv": _argv,
        "imports": list_of(_IMPORT),
        "placed": list_of(_PLACED),
    },
)


def _wrong_numbers(content: dict[str, Any]) -> Iterator[Problem]:
    """Numbers that name nothing: a class that is not there, or an object that does not stand before."""
    classes = len(content["classes"])
    imported = sum(len(numbers) for _, numbers in content.get("imports", ()))
    for number, each in enumerate(content["objects"]):
        if not 0 <= each["class"] < classes:
            yield f"objects[{number}].class: there is no class {each['class']}"
        stand_in = [each["stand_in"]] if "stand_in" in each else []
        for other in [*each.get("init", ()), *each.get("below", ()), *stand_in]:
            if not 0 <= other < number + imported:
                yield f"objects[{number}]: it refers to object {other}, which is not before it"
    for number, written in enumerate(content["classes"]):
        others = [written["value"]] if "value" in written else []
        for other in [*others, *_classes_in(written.get("local", {}))]:
            if not 0 <= other < classes:
                yield f"classes[{number}]: there is no class {other}"


def _classes_in(local: Any) -> Iterator[int]:
    """The numbers of the classes that a local class or function refers to."""
    return (content[0] for kind, *content in references_in(local) if kind == "class")
