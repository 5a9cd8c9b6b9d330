"""Values as bytes: MessagePack in one canonical form, with an explicit type for each value. See docs/identity.md.

No two different values share an encoding, and no value has two: integers, strings and lengths take their shortest form,
floats always eight bytes, the entries of a dict or set are sorted by their bytes. What MessagePack lacks is an
extension with one of the codes below. The same form, with entries of dicts in their own order, carries payloads.
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
from xpm_core.language.values import data_objects
from xpm_core.project.origin import class_id
from xpm_core.scalars import finite, flat

BIG_INTEGER, TUPLE, SET, FROZENSET, ENUM, DATETIME, DATE, TIME, TIMEDELTA, PATH, CONFIGURATION, LEFT_OUT = range(1, 13)
OBJECT = 13
"""Codes of the extensions. They are part of the identity: never change one."""

LONG = 64
"""How many items a list has that is written in one go, if that can be done."""

NOT_A_NUMBER = struct.pack(">Bd", 0xCB, math.nan)
ZERO = struct.pack(">Bd", 0xCB, 0.0)
MINUS_ZERO = struct.pack(">Bd", 0xCB, -0.0)

pack: Callable[[Any], bytes] = msgpack.Packer(use_bin_type=True, unicode_errors="surrogatepass", autoreset=True).pack


def extension(code: int, content: bytes) -> bytes:
    """An extension of MessagePack: its code and its content."""
    return pack(msgpack.ExtType(code, content))


def array_head(count: int) -> bytes:
    """The first bytes of an array of that many items."""
    if count < 16:
        return bytes((0x90 | count,))
    return struct.pack(">BH", 0xDC, count) if count < 1 << 16 else struct.pack(">BI", 0xDD, count)


def map_head(count: int) -> bytes:
    """The first bytes of a map of that many entries."""
    if count < 16:
        return bytes((0x80 | count,))
    return struct.pack(">BH", 0xDE, count) if count < 1 << 16 else struct.pack(">BI", 0xDF, count)


def packable(value: Any) -> Any:
    """A number or text that `pack` takes: an integer of more than 64 bits as an extension."""
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
    """A float: there is one NaN, and one zero."""
    if value == value:
        return pack(value) if value else ZERO
    return NOT_A_NUMBER


PLAIN: dict[type, Callable[[Any], bytes]] = {
    type(None): pack, bool: pack, str: pack, bytes: pack, int: integer, float: number,
}  # fmt: skip
"""What writes values of the plainest types, in whatever form."""


def in_one_go(value: Any) -> bytes | None:
    """A list of plain values, if MessagePack's own form is that of each of them; None if not, or perhaps not."""
    if not (flat(value) and finite(value)):
        return None
    try:
        found = pack(list(value))
    except OverflowError:
        return None
    return None if MINUS_ZERO in found else found


class Encoder:
    """Writes values. How configurations and paths are written is up to who makes one.

    Args:
        configuration: Writes a configuration.
        path: Writes a path.
        class_name: Names the class of an Enum.
        canonical: Whether entries of dicts are sorted; else they keep their order.
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
            **PLAIN,
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
            MismatchError: No value of that type can be written.
            RecursionError: It is nested too deep.
        """
        writer = self.writers.get(type(value))
        if writer is None:
            writer = self.writers[type(value)] = self.writer_of(value)
        return writer(value)

    def writer_of(self, value: Any) -> Callable[[Any], bytes]:
        """What writes values of the type of this one, which is none of the common types."""
        if isinstance(value, Enum):
            return self.enum
        if isinstance(value, PurePath):
            return self.path
        if hasattr(type(value), "__xpm_schema__"):
            return self.configuration_
        for base in (dict, list, tuple, frozenset, set):
            if isinstance(value, base):
                return self.writers[base]
        if type(value) in data_objects.known:
            return self.object_of(type(value))
        raise MismatchError("a value that a configuration can hold", value)

    def configuration_(self, value: Any) -> bytes:
        if not is_configuration(value):
            raise MismatchError("a configuration", value, remedy="Pass the configuration, not the object made of it.")
        return self.configuration(value)

    def object_of(self, cls: type) -> Callable[[Any], bytes]:
        """What writes objects of a class of dataclasses, attrs or pydantic: the class, and the fields that count."""
        if not self.canonical:
            data_objects.refuse_local(cls)
        names = data_objects.known[cls].counted if self.canonical else data_objects.known[cls].all
        return lambda value: extension(OBJECT, self.list_([self.class_name(cls), data_objects.values_of(value, names)]))

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
"""Writes data that a function has chosen. Configurations and paths, which do not count as such, are refused."""


Extension = Callable[[bytes], Any]
