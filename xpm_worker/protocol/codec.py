"""Messages as bytes and back: four bytes of length, then msgpack (https://msgpack.org).

Owns: the check of every field. A message that does not fit its class is refused, because the code of a job can write
anything to its starter. Imports nothing heavy, because processes of jobs use it.
"""

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
"""Bytes that a message between slot and starter may have; a larger one is refused."""

LARGEST_REPORT = 1024 * 1024
"""Bytes that a message from the process of a job, or from a template, may have."""

LENGTH = struct.Struct("!I")
"""The length of a message, which stands in front of it."""

_CLASSES: dict[str, Any] = {cls.__name__: cls for cls in get_args(Message)}


def encode(message: Message, limit: int = LARGEST_MESSAGE) -> bytes:
    """Return a message as bytes, with their length in front.

    Args:
        message: The message.
        limit: Bytes that it may have.

    Returns:
        The length in four bytes, then the msgpack list of the class's name and the values of the fields.

    Raises:
        ProtocolError: The message is too large, or holds a value that msgpack has no form for.

    Example:
        >>> decode(encode(StandbyReady(4711))[LENGTH.size:])
        StandbyReady(pid=4711)
    """
    try:
        body = msgpack.packb([type(message).__name__, *message])
    except (TypeError, ValueError, OverflowError) as error:
        raise ProtocolError(f"{type(message).__name__} with something unfit ({error})") from error
    if len(body) > limit:
        raise ProtocolError(f"{type(message).__name__} of {len(body)} bytes, {limit} are allowed")
    return LENGTH.pack(len(body)) + bytes(body)


def decode(body: bytes | memoryview) -> Message:
    """Return the message that bytes hold.

    Args:
        body: The bytes, without the length in front.

    Raises:
        ProtocolError: They are no message, or their fields do not fit the message's class.
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
    """The fields of a message. Each has the types that a value may have, and a further check of lists and maps."""
    return [(name, *_demands(hint)) for name, hint in get_type_hints(cls).items()]


def _demands(hint: Any) -> tuple[Collection[type], Callable[[Any], bool] | None]:
    choices = get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    kinds = {get_origin(choice) or choice for choice in choices}
    items = {get_args(choice)[-1] for choice in choices if get_args(choice)}
    check = _has_json_form if Any in items else _holds_texts if items else None
    return kinds | {int} if float in kinds else kinds, check


def _holds_texts(value: Any) -> bool:
    """Whether a list holds nothing but texts, or a map nothing but texts with texts as keys."""
    return all(type(each) is str for each in (value if isinstance(value, list) else chain(value, value.values())))


def _has_json_form(value: object) -> bool:
    """Whether JSON can express a value, which goes on to Redis or into a record."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and _has_json_form(each) for key, each in value.items())
    if isinstance(value, list):
        return all(map(_has_json_form, value))
    return not isinstance(value, (bytes, msgpack.Timestamp))


def _no_extension(code: int, data: bytes) -> Any:
    raise ValueError(f"extension {code}")
