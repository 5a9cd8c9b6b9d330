"""Values of a payload as they are hashed: read without the classes that they belong to, and written in canonical form.

A payload writes a configuration as the number of an object, a class as the number of a record, and dicts in their own
order. An identity has the digest of the configuration, the name of the class, and sorted dicts. Both write all else
alike (language/values/encoding.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath
from typing import Any

import msgpack

from xpm_core.errors import PayloadError
from xpm_core.language.identity.digest import any_path
from xpm_core.language.values.decoding import Decoder
from xpm_core.language.values.encoding import ENUM, OBJECT, Encoder, extension
from xpm_core.wire.form import ABSOLUTE, JOB, WORKSPACE

Key = tuple[bytes, int]
"""A configuration: the digest of the part that holds it, empty for the payload itself, and its number there."""


@dataclass(frozen=True)
class Reference:
    """A configuration as a value."""

    key: Key


@dataclass(frozen=True)
class Member:
    """A member of an Enum, by the name of its class, and its own name or value."""

    cls: str
    member: Any


@dataclass(frozen=True, eq=False)
class DataObject:
    """An object of dataclasses, attrs or pydantic, by the name of its class, and all its fields."""

    cls: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class WrittenPath:
    """A path of a payload: what it is relative to (see `xpm_core.wire.form`), and the path."""

    base: bytes
    path: PurePath


class ValueReader:
    """Reads the values of one payload or part.

    Args:
        classes: The names of its classes, by number.
        key_of: Returns the key of the configuration of a number, which stands before the value.

    Raises:
        PayloadError: Each call, for bytes that are malformed.
    """

    def __init__(self, classes: Sequence[str], key_of: Callable[[int], Key]) -> None:
        self._classes, self._key_of = classes, key_of
        self.read = Decoder(self._reference, path=path_of, enum=self._member, make_object=self._object)

    def _reference(self, content: bytes) -> Reference:
        number = msgpack.unpackb(content)
        if type(number) is not int:
            raise ValueError("a configuration without a number")
        return Reference(self._key_of(number))

    def _member(self, number: Any, member: Any) -> Member:
        hash(member)
        return Member(self._name(number), member)

    def _object(self, number: Any, fields: Any) -> DataObject:
        if type(fields) is not dict or not all(type(name) is str for name in fields):
            raise ValueError("an object whose fields have no names")
        return DataObject(self._name(number), fields)

    def _name(self, number: Any) -> str:
        if type(number) is not int or not 0 <= number < len(self._classes):
            raise ValueError(f"there is no class {number!r}")
        return self._classes[number]


def path_of(content: bytes) -> WrittenPath:
    """A path, as `Packer.path` has written it.

    Raises:
        ValueError: It leads out of what it is relative to.
    """
    base, path = content[:1], os.fsdecode(content[1:])
    below = base in (WORKSPACE, JOB) and not os.path.isabs(path) and ".." not in path.split("/")
    if not below and not (base == ABSOLUTE and os.path.isabs(path)):
        raise ValueError(f"it has a path that leads elsewhere, {path!r}")
    return WrittenPath(base, PurePosixPath(path))


class CanonicalWriter(Encoder):
    """Writes values that a `ValueReader` has read as they are hashed.

    Args:
        reference: Returns the bytes of a configuration.
        left_out: The fields of objects that do not count, by the name of the class.
    """

    def __init__(self, reference: Callable[[Key], bytes], left_out: Callable[[str], frozenset[str]]) -> None:
        super().__init__(refuse, path=any_path)
        self._left_out = left_out
        self.writers |= {
            Reference: lambda value: reference(value.key),
            Member: lambda value: extension(ENUM, self.list_([value.cls, value.member])),
            DataObject: self._data_object,
            WrittenPath: any_path,
        }

    def _data_object(self, value: DataObject) -> bytes:
        left_out = self._left_out(value.cls)
        counted = {name: field for name, field in value.fields.items() if name not in left_out}
        return extension(OBJECT, self.list_([value.cls, counted]))


def refuse(value: Any) -> bytes:
    """Refuse a configuration where none can be."""
    raise PayloadError("payload", f"it has {value!r} where only data can be", "Ask for the file again.")


def within(value: Any) -> Iterator[Any]:
    """A value, and all that it contains."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        yield each
        if isinstance(each, dict):
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, (list, tuple, set, frozenset)):
            waiting += each
        elif type(each) is DataObject:
            waiting += each.fields.values()
