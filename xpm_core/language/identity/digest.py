"""The digest of a configuration: what counts in it, and the bytes that are hashed, as in docs/reference/identity.md.

values/encoding.py writes values. A nested configuration counts by its own digest, which it keeps. So the digest of a
graph of shared configurations costs no more than its nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Any

from xpm_core.errors import MismatchError, NestingError
from xpm_core.language.code.local_digest import local_digest
from xpm_core.language.graph.state import STATE, ConfigState, is_configuration, state_of
from xpm_core.language.graph.walk import children, contained, reachable
from xpm_core.language.parameters.schema import Parameter, ParameterGroup, Schema, refusal, schema_of
from xpm_core.language.values.decoding import too_deep
from xpm_core.language.values.encoding import (
    CONFIGURATION,
    LEFT_OUT,
    PATH,
    Encoder,
    array_head,
    extension,
    map_head,
    pack,
)
from xpm_core.project.origin import LOCAL, class_id

VERSION = 1
"""The first byte that is hashed. A new encoding gets a new number, so that its identities never equal old ones."""

NOT_COUNTED = extension(LEFT_OUT, b"")
"""Stands for a configuration that does not count by `setmeta`, where it cannot be left out."""

NESTED = extension(CONFIGURATION, bytes(32))[:-32]
"""The bytes before the digest of a nested configuration."""

A_PATH = extension(PATH, b"")
"""Stands for every path."""

PARTIAL = b"partial"
"""Replaces the version in the bytes of a partial identity, so that it never equals a full one."""


def task_id(cls: type) -> str:
    """The name of a class in identities and job directories: its `__xpmid__`, else `module:QualName`.

    The module is named as another process imports it, never `__main__`. A deprecated class has the name of the class
    that replaces it.

    Raises:
        ClassNameError: The class was defined in a notebook, at a prompt or by `python -c`.
    """
    schema: Schema | None = cls.__dict__.get("__xpm_schema__")
    if schema is not None and schema.successor is not None:
        return task_id(schema.successor)
    return class_id(cls)


def digest_all(configs: Sequence[tuple[Any, Any]]) -> None:
    """Compute the digests of configurations, given with their paths, the inner ones first. Sets all or none."""
    try:
        for trail, config in configs:
            config.__dict__[STATE].digest = digest(trail, config)
    except BaseException:
        for _, config in configs:
            state_of(config).digest = None
        raise


def digest(trail: Any, config: Any) -> bytes:
    """The digest of one configuration. Those below it have theirs."""
    own: ConfigState = config.__dict__[STATE]
    if own.stand_in is not None:
        return state_of(own.stand_in).digest or b""
    try:
        found = sha256(hash_input(config, encode)).digest()
        if (instances := instances_below(config)) is not None:
            own.instances = instances
            if len(instances) > 1:
                found = sha256(hash_input(config, Labeller())).digest()
    except RecursionError:
        raise NestingError(str(trail), f"its values are {too_deep()}", "Flatten them.", own.created) from None
    except MismatchError as error:
        raise refusal(str(trail), error, own.created) from None
    return found


def hash_input(config: Any, encode: Encoder, head: bytes = bytes((VERSION,))) -> bytes:
    """The bytes that are hashed: version, name of the class, the parameters that count, and what else does."""
    schema: Schema = type(config).__xpm_schema__
    own: ConfigState = config.__dict__[STATE]
    if not schema.header:
        schema.header = class_name(schema.cls)
    parts = entries(config, schema, own, encode)
    extras = extra_bytes(own, encode)
    return b"".join((head, array_head(3 if extras else 2), schema.header, map_head(len(parts) // 2), *parts, extras))


def class_name(cls: type) -> bytes:
    """The encoded name of a class; for a local class with the digest of the choices of its function, if any."""
    schema: Schema = cls.__dict__["__xpm_schema__"]
    if schema.successor is not None:
        return class_name(schema.successor)
    if schema.local_digest is None:
        schema.local_digest = local_digest(cls) if LOCAL in cls.__qualname__ else b""
    return pack([class_id(cls), schema.local_digest] if schema.local_digest else class_id(cls))


def counted_names(config: Any) -> list[str]:
    """The names of the parameters that count in the identity of a sealed configuration."""
    content, own = config.__dict__, state_of(config)
    return [
        parameter.name
        for parameter in counted(content, schema_of(config), own)
        if not (parameter.omissible and left_out(parameter, encode(content[parameter.name]), own))
    ]


def entries(config: Any, schema: Schema, own: ConfigState, encode: Encoder) -> list[bytes]:
    """The encoded name and value of each parameter that counts, in the order of the names."""
    content = config.__dict__
    writers = encode.writers
    found: list[bytes] = []
    for parameter in counted(content, schema, own):
        value = content[parameter.name]
        writer = writers.get(type(value))
        written = encode(value) if writer is None else writer(value)
        if parameter.omissible and left_out(parameter, written, own):
            continue
        found += (parameter.key, written)
    return found


def left_out(parameter: Parameter, written: bytes, own: ConfigState) -> bool:
    """Whether a value is left out: an ignored default, or a configuration that does not count by `setmeta`."""
    return written == NOT_COUNTED or (
        parameter.ignore_default and own.counted is None and written == default_bytes(parameter)
    )


def counted(content: dict[str, Any], schema: Schema, own: ConfigState) -> Iterable[Parameter]:
    """The parameters that may count, in the order of their names."""
    if own.counted is not None:
        return [p for p in schema.by_key if p.name in own.counted]
    if not schema.loose:
        return schema.counted
    if any(counts_by_setmeta(content.get(p.name)) for p in schema.loose):
        return [p for p in schema.by_key if p.counted or counts_by_setmeta(content.get(p.name))]
    return schema.counted


def counts_by_setmeta(value: Any) -> bool:
    """Whether a value is a configuration that counts by `setmeta`."""
    return is_configuration(value) and state_of(value).ignored is False


def default_bytes(parameter: Parameter) -> bytes:
    """The encoded default of a parameter."""
    if parameter.encoded_default is None:
        value = parameter.default if parameter.factory is None else parameter.factory()
        for _, config in contained(value):
            digest_all(reachable(config))
        parameter.encoded_default = encode(value)
    return parameter.encoded_default


def extra_bytes(own: ConfigState, encode: Callable[[Any], bytes]) -> bytes:
    """What counts beside the parameters, encoded: the task that made the configuration, and its initial tasks."""
    if own.source is None and not own.init_tasks:
        return b""
    source = pack(None) if own.source is None else configuration(own.source)
    return array_head(2) + source + array_head(len(own.init_tasks)) + b"".join(map(encode, own.init_tasks))


def configuration(config: Any) -> bytes:
    """A configuration as a value of another one: by its digest, or as one that does not count."""
    own: ConfigState = config.__dict__[STATE]
    return NOT_COUNTED if own.ignored or own.digest is None else NESTED + own.digest


def any_path(path: Any) -> bytes:
    """Any path. All are written alike, because files lie in different places on different machines."""
    return A_PATH


encode = Encoder(configuration, path=any_path)
"""Writes a value as it is hashed."""


def partial_identity(config: Any, takes: Callable[[frozenset[ParameterGroup]], bool]) -> str:
    """The identity of a sealed configuration by only some of its parameters.

    The same choice is made for the parameters of nested configurations. Tasks count by their full identity.

    Args:
        config: The configuration.
        takes: Says for the groups of a parameter whether it counts; see `Partial.takes`.

    Returns:
        64 hexadecimal characters.
    """
    known: dict[int, bytes] = {}

    def nested(each: Any) -> bytes:
        if each is not config and schema_of(each).task:
            return configuration(each)
        if id(each) not in known:
            known[id(each)] = extension(CONFIGURATION, sha256(part(each)).digest())
        return NOT_COUNTED if state_of(each).ignored else known[id(each)]

    def part(each: Any) -> bytes:
        schema, own = schema_of(each), state_of(each)
        found = entries(each, schema, own, inner)
        taken = {p.key for p in schema.by_key if takes(p.groups)}
        kept = [key + value for key, value in zip(found[::2], found[1::2], strict=True) if key in taken]
        head = PARTIAL + array_head(2) + class_name(type(each)) + map_head(len(kept))
        return head + b"".join(kept) + extra_bytes(own, inner)

    inner = Encoder(nested, path=any_path)
    return sha256(part(config)).hexdigest()


def instances_below(config: Any) -> dict[int, Any] | None:
    """The configurations at or below one that each stand for themselves, by `id`; None when there are none."""
    found: dict[int, Any] = {}
    schema = type(config).__xpm_schema__
    if schema.holders or config.__dict__[STATE].init_tasks:
        for _, child in children(config):
            if (below := child.__dict__[STATE].instances) is not None and not schema_of(child).task:
                found |= below
    if schema.instances:
        found[id(config)] = config
    return found or None


class Labeller(Encoder):
    """Writes the values below one configuration so that the same instance and an equal one differ.

    Of several equal instances, the second and all after it are written with a number, in the order of the encoding. All
    configurations are written anew, because their own digests lack these numbers. Tasks are written by their digests.
    """

    def __init__(self) -> None:
        super().__init__(self.labelled, path=any_path)
        self.known: dict[int, bytes] = {}
        self.equal: dict[bytes, list[int]] = {}

    def labelled(self, config: Any) -> bytes:
        own = state_of(config)
        if own.ignored or schema_of(config).task or own.instances is None:
            return configuration(config)
        if id(config) not in self.known:
            label = self.label(config) if schema_of(config).instances else 0
            content = sha256(hash_input(config, self)).digest() + (pack(label) if label else b"")
            self.known[id(config)] = extension(CONFIGURATION, content)
        return self.known[id(config)]

    def label(self, config: Any) -> int:
        equal = self.equal.setdefault(state_of(config).digest or b"", [])
        equal.append(id(config))
        return len(equal) - 1

    def dict_(self, value: Any) -> bytes:
        entries = sorted([(self(key), key) for key in value], key=lambda entry: entry[0])
        return map_head(len(entries)) + b"".join([part for name, key in entries for part in (name, self(value[key]))])

    def sorted_list(self, value: Any) -> bytes:
        if len(value) > 1 and any(state_of(config).instances is not None for _, config in contained(value)):
            raise MismatchError(
                "a list", value, remedy="Keep instances in a list: a set has no order that distinguishes them."
            )
        return super().sorted_list(value)
