"""What a function has chosen for a class that it defines: it counts in the identity, beside the name of the class.

Owns: the digest of it, made of records of local classes (local_classes.py): in a job of those in its payload. A class
for which nothing is chosen has none, and counts by its name alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Any

from xpm_core.errors import XpmError
from xpm_core.language.values.encoding import canonical, pack
from xpm_core.project.origin import LOCAL, class_id

Record = dict[str, Any]
"""The record of a class, or of a function."""

UNKNOWN = b"cannot be submitted"
"""Stands for what cannot be told. Such a class is refused when it is packed."""


class Chosen:
    """What is chosen in some records.

    Args:
        records: Those of all classes; those of functions stand inside of them.
        data: Writes data as they stand in the records, in the canonical form.
    """

    def __init__(self, records: Sequence[Record], data: Callable[[Any], bytes]) -> None:
        self.records, self.data = records, data
        self.telling = {id(record) for record in self.reached() if chooses(record)}
        self.numbers: dict[int, int] = {}

    def digest(self, number: int) -> bytes:
        """The digest for the class of a number; empty when nothing is chosen."""
        record = self.records[number]
        if not self.tells(record):
            return b""
        self.numbers = {}
        return sha256(pack(self.definition(record))).digest()

    def reached(self) -> Iterator[Record]:
        """All records, those of functions included, each before what it uses."""
        waiting = [*self.records]
        while waiting:
            record = waiting.pop()
            yield record
            waiting += [each[1] for each in uses(record) if each[0] == "function"]

    def tells(self, record: Record) -> bool:
        """Whether something is chosen for a class or function, or for what it uses."""
        waiting, seen = [record], set[int]()
        while waiting:
            each = waiting.pop()
            if id(each) in self.telling:
                return True
            if id(each) not in seen:
                seen.add(id(each))
                waiting += filter(None, map(self.record_of, uses(each)))
        return False

    def record_of(self, reference: Sequence[Any]) -> Record | None:
        """The record of what a reference stands for, if it is a class or a local function."""
        kind, found = reference[0], reference[-1]
        return self.records[found] if kind == "class" else found if kind == "function" else None

    def definition(self, record: Record) -> Any:
        """A local class or function, by its name and what is chosen; by a number where it is met again."""
        if id(record) in self.numbers:
            return self.numbers[id(record)]
        self.numbers[id(record)] = len(self.numbers)
        body = body_of(record)
        names = {
            name: self.value(reference)
            for name, reference in sorted(body["names"].items())
            if name in body.get("varying", ()) or self.leads(reference)
        }
        bases = body.get("bases", ())
        told = [*map(self.value, bases)] if body.get("bases_vary") or any(map(self.leads, bases)) else []
        if body.get("defaults_vary") and "defaults" in body:  # those of a class's methods are among its names
            told += map(self.data, [*body["defaults"], *dict(sorted(body["keywords"].items())).values()])
        made = self.value(["class", record["value"]]) if "value" in record else None
        return [name_of(record), body.get("number", 0), names, told, made]

    def leads(self, reference: Sequence[Any]) -> bool:
        """Whether a reference leads to something that is chosen."""
        return any(self.tells(record) for record in map(self.record_of, parts(reference)) if record is not None)

    def value(self, reference: Sequence[Any]) -> Any:
        """What a variable is, or a base."""
        kind, *content = reference
        if (record := self.record_of(reference)) is not None:
            return self.definition(record) if "local" in record or kind == "function" else record["id"]
        if kind in ("alias", "tuple"):
            return [kind, *map(self.value, content)]
        return [kind, *map(self.data, content)] if kind == "value" else reference


def chooses(record: Record) -> bool:
    """Whether something is chosen for a class or function itself. One of several functions is told by who uses it."""
    body = body_of(record)
    return any(body.get(name) for name in ("varying", "bases_vary", "defaults_vary")) or (
        "local" in record and bool(body.get("number"))
    )


def body_of(record: Record) -> Record:
    """The part of a record that tells of names: of a class that no function defines, nothing."""
    body: Record = record.get("local", record if "defaults" in record else {"names": {}})
    return body


def name_of(record: Record) -> str:
    return record["id"] if "id" in record else f"{record['module']}:{record['name']}"


def uses(record: Record) -> Iterator[Sequence[Any]]:
    """The references of a class or function, and the parts of them."""
    body = body_of(record)
    for reference in (*body.get("bases", ()), *body["names"].values()):
        yield from parts(reference)
    if "value" in record:
        yield "class", record["value"]


def parts(reference: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """A reference, or those that it is composed of."""
    if reference[0] in ("alias", "tuple"):
        for each in reference[1:]:
            yield from parts(each)
    else:
        yield reference


class Sketch:
    """Records of classes, as far as identities need them: data stand in them as they are."""

    def __init__(self) -> None:
        self.classes: dict[type, int] = {}
        self.records: list[Record] = []

    def class_index(self, cls: type) -> int:
        from xpm_core.language.code.local_recorder import Recorder  # which few classes need

        number = self.classes.get(cls)
        if number is None:
            number = self.classes[cls] = len(self.records)
            record: Record = {"id": class_id(cls)}
            self.records.append(record)
            if LOCAL in cls.__qualname__:
                record["local"] = Recorder(self.class_index, lambda value: value).record(cls)
                schema = getattr(cls, "__xpm_schema__", None)
                if schema is not None and schema.value_class is not cls:
                    record["value"] = self.class_index(schema.value_class)
        return number


def made(cls: type) -> bytes:
    """The digest of what a function has chosen for a class that it defines; empty when nothing is chosen."""
    sketch = Sketch()
    try:
        number = sketch.class_index(cls)
        return Chosen(sketch.records, canonical).digest(number)
    except XpmError:  # packing it says what is wrong
        return UNKNOWN
