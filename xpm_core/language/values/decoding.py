"""Read values from their canonical bytes, which xpm_core.language.values.encoding writes."""

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
from xpm_core.limits import DEEPEST_VALUE, refuse_incomplete


class Decoder:
    """Reads the bytes that an Encoder wrote.

    Args:
        configuration: Reads a configuration from the content of its extension.
        path: Reads a path.
        enum: Returns a member of an Enum, given its class as it was written, and its name or value.
        make_object: Makes an object, given its class as it was written, and the values of its fields.
    """

    def __init__(
        self,
        configuration: Extension,
        *,
        path: Extension,
        enum: Callable[[Any, Any], Any],
        make_object: Callable[[Any, Any], Any] = data_objects.rebuilt_object,
    ) -> None:
        self.enum, self.make_object = enum, make_object
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
            OBJECT: lambda content: self.make_object(*self.items(content)),
        }
        self.depth = 0

    def __call__(self, data: bytes) -> Any:
        """The value that some bytes encode.

        Raises:
            PayloadError: The bytes encode no value.
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
        if self.depth > DEEPEST_VALUE:
            raise ValueError(f"nested deeper than {DEEPEST_VALUE} tuples, sets, enums and objects")
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
    """The words for values that are nested too deep to be written."""
    return f"nested deeper than Python's recursion limit of {sys.getrecursionlimit()} allows"
