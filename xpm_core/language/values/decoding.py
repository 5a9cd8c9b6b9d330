"""Values from their canonical bytes; xpm_core.language.values.encoding writes them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import msgpack

from xpm_core.errors import PayloadError
from xpm_core.language.values import data_objects
from xpm_core.language.values.encoding import (
    BIG_INTEGER,
    CONFIGURATION,
    DATE,
    DATETIME,
    ENUM,
    FROZENSET,
    OBJECT,
    PATH,
    SET,
    TIME,
    TIMEDELTA,
    TUPLE,
    Extension,
)
from xpm_core.limits import DEEPEST, refuse_incomplete


class Decoder:
    """Reads what an Encoder wrote.

    Args:
        configuration: Reads a configuration from the content of its extension.
        path: Reads a path.
        enum: Finds a member of an Enum by how its class was named, and its name or value.
        made: Makes an object by how its class was named, and the values of its fields.
    """

    def __init__(
        self,
        configuration: Extension,
        *,
        path: Extension,
        enum: Callable[[Any, Any], Any],
        made: Callable[[Any, Any], Any] = data_objects.made,
    ) -> None:
        self.enum, self.made = enum, made
        self.extensions: dict[int, Extension] = {
            BIG_INTEGER: lambda content: int.from_bytes(content, "big", signed=True),
            TUPLE: lambda content: tuple(self.items(content)),
            SET: lambda content: set(self.items(content)),
            FROZENSET: lambda content: frozenset(self.items(content)),
            ENUM: lambda content: self.enum(*self.items(content)),
            DATETIME: lambda content: datetime.fromisoformat(content.decode()),
            DATE: lambda content: date.fromisoformat(content.decode()),
            TIME: lambda content: time.fromisoformat(content.decode()),
            TIMEDELTA: lambda content: timedelta(*self.items(content)),
            PATH: path,
            CONFIGURATION: configuration,
            OBJECT: lambda content: self.made(*self.items(content)),
        }
        self.depth = 0

    def __call__(self, data: bytes) -> Any:
        """The value that some bytes stand for.

        Raises:
            PayloadError: They are no encoding of a value.
        """
        try:
            return self.read(data)
        except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError, msgpack.UnpackException) as error:
            if isinstance(error, PayloadError):
                raise
            raise PayloadError("payload", f"it cannot be read ({error})", "Submit the task again.") from error

    def read(self, data: bytes) -> Any:
        refuse_incomplete(data)
        return msgpack.unpackb(
            data, ext_hook=self.extended, strict_map_key=False, unicode_errors="surrogatepass", max_ext_len=len(data)
        )

    def extended(self, code: int, content: bytes) -> Any:
        if code not in self.extensions:
            raise ValueError(f"unknown extension {code}")
        if self.depth > DEEPEST:  # each level takes 35 kB of the stack
            raise ValueError(f"nested deeper than {DEEPEST} tuples, sets, enums and objects")
        self.depth += 1
        try:
            return self.extensions[code](content)
        finally:
            self.depth -= 1

    def items(self, content: bytes) -> list[Any]:
        found = self.read(content)
        if not isinstance(found, list):
            raise TypeError(f"expected a list, got {found!r}")
        return found


def too_deep() -> str:
    """What to say of values nested deeper than can be written."""
    return f"nested deeper than Python's recursion limit of {sys.getrecursionlimit()} allows"
