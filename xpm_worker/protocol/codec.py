"""Messages as bytes and back, with every field checked."""

from __future__ import annotations

import struct
import types
from collections.abc import Callable, Collection
from functools import cache
from itertools import chain
from typing import Any, get_args, get_origin, get_type_hints

import msgpack

from xpm_core.errors import ProtocolError
from xpm_core.limits import refuse_incomplete
from xpm_worker.protocol.messages import Message

LARGEST_MESSAGE = 256 * 1024 * 1024
"""Bytes that a message between worker and starter may have; a larger one is refused."""

LARGEST_REPORT = 1024 * 1024
"""The same for what a job's process says."""

LENGTH = struct.Struct("!I")
"""In front of each message."""

_CLASSES: dict[str, Any] = {cls.__name__: cls for cls in get_args(Message)}


def encode(message: Message, limit: int = LARGEST_MESSAGE) -> bytes:
    """The bytes of a message, with their length in front.

    Raises:
        ProtocolError: It is too large, or holds what msgpack has no form for.
    """
    try:
        body = msgpack.packb([type(message).__name__, *message])
    except (TypeError, ValueError, OverflowError) as error:
        raise ProtocolError(f"{type(message).__name__} with something unfit ({error})") from error
    if len(body) > limit:
        raise ProtocolError(f"{type(message).__name__} of {len(body)} bytes, {limit} are allowed")
    return LENGTH.pack(len(body)) + bytes(body)


def decode(body: bytes | memoryview) -> Message:
    """A message from its bytes.

    Raises:
        ProtocolError: They are not a message, or have other fields than it has.
    """
    try:
        refuse_incomplete(body)
        name, *values = msgpack.unpackb(body, strict_map_key=True, ext_hook=_no_extension)
        cls = _CLASSES[name]
        wrong = [
            field
            for (field, kinds, fits), value in zip(_form(cls), values, strict=True)
            if type(value) not in kinds or (fits is not None and value and not fits(value))
        ]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ProtocolError(f"not a message ({type(error).__name__}: {error})") from error
    if wrong:
        raise ProtocolError(f"{name} with wrong fields: {', '.join(wrong)}")
    message: Message = cls._make(values)
    return message


@cache
def _form(cls: type) -> list[tuple[str, Collection[type], Callable[[Any], bool] | None]]:
    """The fields of a message: of each the types that a value may have, and what a list or a map must be besides."""
    return [(name, *_demands(hint)) for name, hint in get_type_hints(cls).items()]


def _demands(hint: Any) -> tuple[Collection[type], Callable[[Any], bool] | None]:
    choices = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    kinds = {get_origin(choice) or choice for choice in choices}
    items = {get_args(choice)[-1] for choice in choices if get_args(choice)}
    check = _plain if Any in items else _texts if items else None
    return kinds | {int} if float in kinds else kinds, check


def _texts(value: Any) -> bool:
    """Whether a list holds texts only, or a map texts by names."""
    return all(type(each) is str for each in (value if isinstance(value, list) else chain(value, value.values())))


def _plain(value: object) -> bool:
    """Whether JSON has a form for a value: it goes on to Redis, or into a record."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and _plain(each) for key, each in value.items())
    return all(map(_plain, value)) if isinstance(value, list) else not isinstance(value, (bytes, msgpack.Timestamp))


def _no_extension(code: int, data: bytes) -> Any:
    raise ValueError(f"extension {code}")
