"""The digest of what a function has chosen for a local class. It counts in the identity, beside the name of the class.

It is made from the records of local classes (local_recorder.py); in a job, from those in the payload. A class for which
nothing is chosen has no digest, and counts by its name alone.

Owns: which parts of a record are choices, and the digest of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Any

from xpm_core.errors import XpmError
from xpm_core.language.values.encoding import canonical, pack
from xpm_core.project.origin import LOCAL, class_id

Record = dict[str, Any]
"""The record of a class or of a function."""

NOT_SUBMITTABLE = b"cannot be submitted"
"""Stands for the digest of a class that cannot be recorded. The class is refused when its task is packed."""


class LocalDigests:
    """The digests of the choices in some records.

    Args:
        records: The records of all classes. They contain the records of functions.
        data: Writes the data of a record in canonical form.
    """

    def __init__(self, records: Sequence[Record], data: Callable[[Any], bytes]) -> None:
        self.records, self.data = records, data
        self.choosing = {id(record) for record in self.reached() if chooses(record)}
        self.numbers: dict[int, int] = {}

    def digest(self, number: int) -> bytes:
        """The digest for the class of a number, 32 bytes; empty when nothing is chosen."""
        record = self.records[number]
        if not self.has_choice(record):
            return b""
        self.numbers = {}
        return sha256(pack(self.definition(record))).digest()

    def reached(self) -> Iterator[Record]:
        """All records, with those of functions, each before those that it uses."""
        waiting = [*self.records]
        while waiting:
            record = waiting.pop()
            yield record
            waiting += [each[1] for each in uses(record) if each[0] == "function"]

    def has_choice(self, record: Record) -> bool:
        """Whether something is chosen for a class or function, or for something that it uses."""
        waiting, seen = [record], set[int]()
        while waiting:
            each = waiting.pop()
            if id(each) in self.choosing:
                return True
            if id(each) not in seen:
                seen.add(id(each))
                waiting += filter(None, map(self.record_of, uses(each)))
        return False

    def record_of(self, reference: Sequence[Any]) -> Record | None:
        """The record that a reference leads to; None when it leads to no class and no local function."""
        kind, found = reference[0], reference[-1]
        return self.records[found] if kind == "class" else found if kind == "function" else None

    def definition(self, record: Record) -> Any:
        """A local class or function as it is hashed: its name and choices; a number where it is met again."""
        if id(record) in self.numbers:
            return self.numbers[id(record)]
        self.numbers[id(record)] = len(self.numbers)
        body = body_of(record)
        names = {
            name: self.value(reference)
            for name, reference in sorted(body["names"].items())
            if name in body.get("varying", ()) or self.leads_to_choice(reference)
        }
        bases = body.get("bases", ())
        chosen = [*map(self.value, bases)] if body.get("bases_vary") or any(map(self.leads_to_choice, bases)) else []
        if body.get("defaults_vary") and "defaults" in body:  # the defaults of a class's methods are among its names
            chosen += map(self.data, [*body["defaults"], *dict(sorted(body["keywords"].items())).values()])
        value_class = self.value(["class", record["value"]]) if "value" in record else None
        return [name_of(record), body.get("number", 0), names, chosen, value_class]

    def leads_to_choice(self, reference: Sequence[Any]) -> bool:
        """Whether a reference leads to something that is chosen."""
        return any(self.has_choice(record) for record in map(self.record_of, elements(reference)) if record is not None)

    def value(self, reference: Sequence[Any]) -> Any:
        """A variable or a base as it is hashed."""
        kind, *content = reference
        if (record := self.record_of(reference)) is not None:
            return self.definition(record) if "local" in record or kind == "function" else record["id"]
        if kind in ("alias", "tuple"):
            return [kind, *map(self.value, content)]
        return [kind, *map(self.data, content)] if kind == "value" else reference


def chooses(record: Record) -> bool:
    """Whether something is chosen for a class or function itself.

    A class that is one of several of its name in its function has a choice. For a function this is no choice, because
    the class that uses it shows which one it is.
    """
    body = body_of(record)
    return any(body.get(name) for name in ("varying", "bases_vary", "defaults_vary")) or (
        "local" in record and bool(body.get("number"))
    )


def body_of(record: Record) -> Record:
    """The part of a record with the names that are used; empty for a class that is not local."""
    body: Record = record.get("local", record if "defaults" in record else {"names": {}})
    return body


def name_of(record: Record) -> str:
    """The name of a class in identities; of a function, its module and qualified name."""
    return record["id"] if "id" in record else f"{record['module']}:{record['name']}"


def uses(record: Record) -> Iterator[Sequence[Any]]:
    """The references of a class or function, composed ones by their elements."""
    body = body_of(record)
    for reference in (*body.get("bases", ()), *body["names"].values()):
        yield from elements(reference)
    if "value" in record:
        yield "class", record["value"]


def elements(reference: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The elements of a composed reference; of any other, the reference itself."""
    if reference[0] in ("alias", "tuple"):
        for each in reference[1:]:
            yield from elements(each)
    else:
        yield reference


class DigestRecords:
    """Records of classes for their digests only. They contain data as they are, not encoded."""

    def __init__(self) -> None:
        self.classes: dict[type, int] = {}
        self.records: list[Record] = []

    def class_index(self, cls: type) -> int:
        """The number of a class. It is recorded when it is first asked for."""
        from xpm_core.language.code.local_recorder import Recorder  # late, because few classes need it

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


def local_digest(cls: type) -> bytes:
    """The digest of what a function has chosen for a local class, 32 bytes; empty when nothing is chosen."""
    sketch = DigestRecords()
    try:
        number = sketch.class_index(cls)
        return LocalDigests(sketch.records, canonical).digest(number)
    except XpmError:  # it is raised again when the task is packed
        return NOT_SUBMITTABLE
