"""The identity that a configuration had before its class was changed: without a new parameter, or by its former name.

Owns: what a change of a declaration does to a digest. xpm_core.language.identity.digest says what a digest is. Nothing
is changed by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from xpm_core.language.graph.state import STATE
from xpm_core.language.identity.digest import (
    NESTED,
    NOT_COUNTED,
    VERSION,
    any_path,
    class_name,
    default_bytes,
    encode,
    entries,
)
from xpm_core.language.parameters.schema import Parameter, schema_of
from xpm_core.language.values.encoding import Encoder, array_head, map_head, pack


class Change(NamedTuple):
    """A change of one class: a new parameter, or a new name.

    Attributes:
        cls: The class.
        parameter: The parameter that it did not have before; only its default is left out.
        name: Its former name, as identities have it.
    """

    cls: type
    parameter: Parameter | None = None
    name: str = ""


def former_identity(config: Any, change: Change, known: dict[bytes, bytes]) -> str:
    """The identity of a sealed configuration before a change of one class, which it uses anywhere below.

    Args:
        config: The configuration.
        change: The change.
        known: Results for this change, by digest. New ones are added.

    Returns:
        64 hexadecimal characters.

    Raises:
        RecursionError: The configuration is nested very deep.
    """

    def nested(each: Any) -> bytes:
        own = each.__dict__[STATE]
        return NOT_COUNTED if own.ignored else NESTED + digest(each)

    def digest(each: Any) -> bytes:
        own = each.__dict__[STATE]
        if own.stand_in is not None:
            return digest(own.stand_in)
        if own.digest not in known:
            known[own.digest] = sha256(former_hash_input(each, change, inner)).digest()
        return known[own.digest]

    inner = Encoder(nested, path=any_path)
    return digest(config).hex()


def former_hash_input(config: Any, change: Change, inner: Encoder) -> bytes:
    """The bytes that would have been hashed for one configuration."""
    schema, own = schema_of(config), config.__dict__[STATE]
    changed = type(config) is change.cls
    found = entries(config, schema, own, inner)
    if changed and change.parameter is not None:
        found = without(config, change.parameter, found)
    header = pack(change.name) if changed and change.name else class_name(type(config))
    extras = b""
    if own.source is not None or own.init_tasks:
        source = pack(None) if own.source is None else inner(own.source)
        extras = array_head(2) + source + array_head(len(own.init_tasks)) + b"".join(map(inner, own.init_tasks))
    head = bytes((VERSION,)) + array_head(3 if extras else 2) + header
    return head + map_head(len(found) // 2) + b"".join(found) + extras


def without(config: Any, parameter: Parameter, found: list[bytes]) -> list[bytes]:
    """Encoded names and values without those of one parameter, if it has its default."""
    if encode(config.__dict__[parameter.name]) != default_bytes(parameter):
        return found
    pairs: Mapping[bytes, bytes] = dict(zip(found[::2], found[1::2], strict=True))
    return [part for key, value in pairs.items() if key != parameter.key for part in (key, value)]
