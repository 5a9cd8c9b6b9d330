"""Write values as bytes: MessagePack in one canonical form, with explicit types (docs/reference/identity.md).

Different values have different encodings, and each value has one: integers, strings and lengths take their shortest
form, floats always eight bytes, and the entries of a dict or set are sorted by their bytes. A type that MessagePack
lacks is an extension with one of the codes below. Payloads have the same form, but the entries of dicts keep their
order. MessagePack: https://msgpack.org.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from enum import Enum, Flag
from pathlib import Path, PurePath
from typing import Any

import msgpack

from xpm_core.errors import MismatchError
from xpm_core.language.graph.state import is_configuration
from xpm_core.language.graph.tagged_values import TaggedFloat, TaggedInt, TaggedText
from xpm_core.language.values import data_objects
from xpm_core.project.origin import class_id
from xpm_core.scalars import all_atoms, all_finite

BIG_INTEGER, TUPLE, SET, FROZENSET, ENUM, DATETIME, DATE, TIME, TIMEDELTA, PATH, CONFIGURATION, LEFT_OUT = range(1, 13)
OBJECT = 13
"""Codes of the extensions. They are part of the identity: never change one."""

LONG = 64
"""Items from which on a list is written as a whole, if that is possible."""

NOT_A_NUMBER = struct.pack(">Bd", 0xCB, math.nan)
ZERO = struct.pack(">Bd", 0xCB, 0.0)
MINUS_ZERO = struct.pack(">Bd", 0xCB, -0.0)

pack: Callable[[Any], bytes] = msgpack.Packer(use_bin_type=True, unicode_errors="surrogatepass", autoreset=True).pack


def extension(code: int, content: bytes) -> bytes:
    """An extension of MessagePack: its code and its content."""
    return pack(msgpack.ExtType(code, content))


def array_head(count: int) -> bytes:
    """The first bytes of an array, which give the number of its items."""
    if count < 16:
        return bytes((0x90 | count,))
    return struct.pack(">BH", 0xDC, count) if count < 1 << 16 else struct.pack(">BI", 0xDD, count)


def map_head(count: int) -> bytes:
    """The first bytes of a map, which give the number of its entries."""
    if count < 16:
        return bytes((0x80 | count,))
    return struct.pack(">BH", 0xDE, count) if count < 1 << 16 else struct.pack(">BI", 0xDF, count)


def packable(value: Any) -> Any:
    """A number or text for `pack`. An integer of more than 64 bits becomes an extension."""
    if type(value) is int and not -(1 << 63) <= value < 1 << 64:
        return msgpack.ExtType(BIG_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))
    return value


def integer(value: int) -> bytes:
    """An integer of any size."""
    try:
        return pack(value)
    except OverflowError:  # MessagePack has 64 bits
        return pack(packable(value))


def number(value: float) -> bytes:
    """A float. All NaNs are written alike, and both zeros."""
    if value == value:
        return pack(value) if value else ZERO
    return NOT_A_NUMBER


PLAIN_WRITERS: dict[type, Callable[[Any], bytes]] = {
    type(None): pack, bool: pack, str: pack, bytes: pack, int: integer, float: number,
    TaggedInt: lambda value: integer(int(value)), TaggedFloat: lambda value: number(float(value)),
    TaggedText: lambda value: pack(str(value)),
}  # fmt: skip
"""The writers of the plainest types, the same for identities and payloads."""


def in_one_go(value: Any) -> bytes | None:
    """The bytes of a list that MessagePack itself writes in canonical form; None if it may not."""
    if not (all_atoms(value) and all_finite(value)):
        return None
    try:
        found = pack(list(value))
    except OverflowError:
        return None
    return None if MINUS_ZERO in found else found


class Encoder:
    """Writes values. The caller says how configurations and paths are written.

    Args:
        configuration: Writes a configuration.
        path: Writes a path.
        class_name: Returns the form of the class of an Enum or object.
        canonical: Whether the entries of dicts are sorted; else they keep their order.
    """

    def __init__(
        self,
        configuration: Callable[[Any], bytes],
        *,
        path: Callable[[Path], bytes],
        class_name: Callable[[type], Any] = class_id,
        canonical: bool = True,
    ) -> None:
        self.configuration, self.path, self.class_name, self.canonical = configuration, path, class_name, canonical
        self.writers: dict[type, Callable[[Any], bytes]] = {
            **PLAIN_WRITERS,
            list: self.list_,
            tuple: self.tuple_,
            dict: self.dict_,
            set: self.set_,
            frozenset: self.frozenset_,
            datetime: lambda value: extension(DATETIME, value.isoformat().encode()),
            date: lambda value: extension(DATE, value.isoformat().encode()),
            time: lambda value: extension(TIME, value.isoformat().encode()),
            timedelta: lambda value: extension(TIMEDELTA, pack([value.days, value.seconds, value.microseconds])),
        }

    def __call__(self, value: Any) -> bytes:
        """The bytes of a value.

        Raises:
            MismatchError: Values of that type cannot be written.
            RecursionError: The value is nested too deep.
        """
        writer = self.writers.get(type(value))
        if writer is None:
            writer = self.writers[type(value)] = self.writer_of(value)
        return writer(value)

    def writer_of(self, value: Any) -> Callable[[Any], bytes]:
        """The writer for values of the type of this one, which is none of the common types."""
        if isinstance(value, Enum):
            return self.enum
        if isinstance(value, PurePath):
            return self.path
        if hasattr(type(value), "__xpm_schema__"):
            return self.configuration_
        for base in (dict, list, tuple, frozenset, set):
            if isinstance(value, base):
                return self.writers[base]
        if type(value) in data_objects.object_classes:
            return self.object_of(type(value))
        raise MismatchError("a value that a configuration can hold", value)

    def configuration_(self, value: Any) -> bytes:
        if not is_configuration(value):
            raise MismatchError("a configuration", value, remedy="Pass the configuration, not the object made of it.")
        return self.configuration(value)

    def object_of(self, cls: type) -> Callable[[Any], bytes]:
        """The writer for objects of a class of dataclasses, attrs or pydantic: the class, and the fields that count."""
        if not self.canonical:
            data_objects.refuse_local(cls)
        names = data_objects.object_classes[cls].counted if self.canonical else data_objects.object_classes[cls].all
        return lambda value: extension(
            OBJECT, self.list_([self.class_name(cls), data_objects.field_values(value, names)])
        )

    def list_(self, value: Any) -> bytes:
        whole = in_one_go(value) if len(value) >= LONG else None
        return whole or array_head(len(value)) + b"".join([self(item) for item in value])

    def tuple_(self, value: Any) -> bytes:
        return extension(TUPLE, self.list_(value))

    def set_(self, value: Any) -> bytes:
        return extension(SET, self.sorted_list(value))

    def frozenset_(self, value: Any) -> bytes:
        return extension(FROZENSET, self.sorted_list(value))

    def sorted_list(self, value: Any) -> bytes:
        return array_head(len(value)) + b"".join(sorted([self(item) for item in value]))

    def dict_(self, value: Any) -> bytes:
        entries = [(self(key), self(item)) for key, item in value.items()]
        if self.canonical:
            entries.sort()
        return map_head(len(entries)) + b"".join([part for entry in entries for part in entry])

    def enum(self, value: Enum) -> bytes:
        member = value.value if isinstance(value, Flag) else value.name
        return extension(ENUM, self.list_([self.class_name(type(value)), member]))


def refused(value: Any) -> bytes:
    raise MismatchError("data that count", value)


canonical = Encoder(refused, path=refused)
"""Writes data that an enclosing function has chosen. Configurations and paths do not count, and are refused."""


Extension = Callable[[bytes], Any]
