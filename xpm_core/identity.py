"""Seal configurations and compute their identity.

Owns: which parameters count, the record of a configuration, and its digest; docs/identity.md tells it byte by byte.
The values in it are written by xpm_core.encoding. Touches no file and no server.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from xpm_core.encoding import (
    CONFIGURATION,
    LEFT_OUT,
    PATH,
    Encoder,
    array_head,
    extension,
    map_head,
    pack,
    too_deep,
)
from xpm_core.errors import (
    MismatchError,
    MissingParameterError,
    NestingError,
    ValidationError,
)
from xpm_core.frozen import frozen
from xpm_core.graph import ConfigState, contained, is_configuration, reachable, schema_of, state
from xpm_core.origin import class_id, project_file
from xpm_core.schema import Parameter, Schema, refusal

VERSION = 1
"""First byte of what is hashed. A new encoding gets a new number, so that it never meets an identity of an old one."""

NOTHING = extension(LEFT_OUT, b"")


def task_id(cls: type) -> str:
    """The name of a class in identities and job directories: its `__xpmid__`, else `module:QualName`.

    The module is named as `import` would from the script's folder, never `__main__`. A deprecated class goes by the
    name of the class that replaces it.

    Raises:
        ClassNameError: The class was defined in a notebook, at a prompt or by `python -c`.
    """
    schema: Schema | None = cls.__dict__.get("__xpm_schema__")
    if schema is not None and schema.successor is not None:
        return task_id(schema.successor)
    return class_id(cls)


def class_origins(config: Any) -> dict[str, str]:
    """For each class under a configuration, by its name in identities, the file that defines it, as projects know it.

    Two files that claim one name in a workspace are two different things: the second would get the first one's results.

    Example:
        >>> class_origins(learn)
        {'demo.train:Learn': 'demo:demo/train.py', 'demo.models:MLP': 'demo:demo/models.py'}
    """
    classes = {type(found) for _, found in reachable(config)}
    origins = {class_id(cls): project_file(cls) for cls in classes}
    return {name: origin for name, origin in sorted(origins.items()) if origin is not None}


def seal(config: Any) -> str:
    """Freeze a configuration and all that it refers to, and return its identity.

    Equal values give equal identities, in whatever order they were assigned. What is sealed stays so; sealing it
    again returns the same. When it fails, nothing is sealed.

    Returns:
        SHA-256 of the canonical encoding, as 64 hexadecimal characters.

    Raises:
        MissingParameterError: Parameters have no value; names all of them by path.
        ValidationError: A `__validate__` refuses the values.
        CycleError: A configuration contains itself.
        ClassNameError: A class has no name that another process could import.
    """
    root = state(config)
    if root.digest is None:
        unsealed = reachable(config, enter=undigested)
        refuse_missing(unsealed)
        for path, found in unsealed:
            validate(path, found)
        for path, found in unsealed:
            found.__dict__.update(checked(path, found))
        digest_all(unsealed)
        for _, found in unsealed:
            freeze(found)
    return root.digest.hex()  # type: ignore[union-attr]  # digest_all() sets it


def missing(config: Any) -> list[str]:
    """Paths of the parameters that have no value yet, of a configuration and of all below it."""
    return missing_among(reachable(config, enter=undigested))


def missing_among(configs: list[tuple[str, Any]]) -> list[str]:
    return [
        f"{path}.{name}"
        for path, config in configs
        for name, parameter in schema_of(config).parameters.items()
        if name not in config.__dict__ and parameter.generator is None
    ]


def refuse_missing(configs: list[tuple[str, Any]]) -> None:
    if found := missing_among(configs):
        where, place = found[0], next(state(c).created for p, c in configs if found[0].startswith(f"{p}."))
        others = f"; so have {', '.join(found[1:])}" if len(found) > 1 else ""
        raise MissingParameterError(
            where, f"it has no value, in the configuration made at {place}{others}", "Give one before you submit."
        )


def validate(path: str, config: Any) -> None:
    """Call `__validate__`, once in the life of a configuration that passes."""
    method = getattr(type(config), "__validate__", None)
    if method is None:
        return
    own = state(config)
    own.validating = True
    try:
        method(config)
    except (AssertionError, ValueError, TypeError) as error:
        said = str(error) or f"{type(error).__name__} in __validate__"
        raise ValidationError(
            path, f"its values are refused ({said})", f"Change the configuration made at {own.created}."
        ) from error
    finally:
        own.validating = False


def checked(path: str, config: Any) -> dict[str, Any]:
    """The values of a configuration that may have been changed in place since they were assigned, checked anew."""
    content = config.__dict__
    found = {}
    for name, parameter in schema_of(config).parameters.items():
        value = content.get(name)
        if isinstance(value, (list, dict, set)):
            try:
                found[name] = parameter.check(value)
            except MismatchError as error:
                raise refusal(f"{path}.{name}", error, state(config).place(name)) from None
    return found


def freeze(config: Any) -> None:
    """Let a configuration be assigned no more, and its lists, dicts and sets be changed no more."""
    content = config.__dict__
    for name in schema_of(config).parameters:
        value = content.get(name)
        if isinstance(value, (list, dict, set)):
            content[name] = frozen(value)
    state(config).sealed = True


def undigested(config: Any) -> bool:
    return state(config).digest is None


def digest_all(configs: list[tuple[str, Any]]) -> None:
    """Compute the digests of configurations, the inner ones first; none has one when that fails."""
    try:
        for path, config in configs:
            state(config).digest = digest(path, config)
    except BaseException:
        for _, config in configs:
            state(config).digest = None
        raise


def digest(path: str, config: Any) -> bytes:
    """The digest of one configuration, those below it having theirs."""
    schema, own = schema_of(config), state(config)
    if schema.converts is not None and own.counted is None and own.stand_in is None:
        own.stand_in = schema.converts(config)
    if own.stand_in is not None:
        return bytes.fromhex(seal(own.stand_in))
    try:
        return sha256(record(config, schema, own)).digest()
    except RecursionError:
        raise NestingError(path, f"values {too_deep()}", "Flatten them.", own.created) from None


def record(config: Any, schema: Schema, own: ConfigState) -> bytes:
    """What is hashed: version, name of the class, the parameters that count, and what else made the configuration."""
    if not schema.header:
        schema.header = pack(task_id(schema.cls))
    parts = [part for parameter, value in counted(config, schema, own) for part in (parameter.key, value)]
    extras = made_by(own)
    head = array_head(3 if extras else 2) + schema.header + map_head(len(parts) // 2)
    return b"".join((bytes((VERSION,)), head, *parts, extras))


def counted_names(config: Any) -> list[str]:
    """The names of the parameters that count in the identity of a sealed configuration."""
    return [parameter.name for parameter, _ in counted(config, schema_of(config), state(config))]


def counted(config: Any, schema: Schema, own: ConfigState) -> list[tuple[Parameter, bytes]]:
    """The parameters that count, in the order of their names, each with its encoded value."""
    content = config.__dict__
    parameters: Iterable[Parameter] = schema.counted
    if own.counted is not None:
        parameters = [p for p in schema.by_key if p.name in own.counted]
    elif any(told_to_count(content[p.name]) for p in schema.loose):
        parameters = [p for p in schema.by_key if p.counted or told_to_count(content.get(p.name))]
    found = []
    for parameter in parameters:
        value = encode(content[parameter.name])
        left_out = parameter.ignore_default and own.counted is None and value == default(parameter)
        if value != NOTHING and not left_out:
            found.append((parameter, value))
    return found


def told_to_count(value: Any) -> bool:
    """Whether a value is a configuration of which `setmeta` said that it counts."""
    return is_configuration(value) and state(value).meta is False


def default(parameter: Parameter) -> bytes:
    """The encoded default of a parameter."""
    if parameter.encoded_default is None:
        value = parameter.default if parameter.factory is None else parameter.factory()
        for _, config in contained(value):
            seal(config)
        parameter.encoded_default = encode(value)
    return parameter.encoded_default


def made_by(own: ConfigState) -> bytes:
    """What counts beside the parameters: the task that made the configuration, and the initial tasks of a task."""
    if own.source is None and not own.init_tasks:
        return b""
    init = array_head(len(own.init_tasks)) + b"".join(map(configuration, own.init_tasks))
    return array_head(2) + (pack(None) if own.source is None else configuration(own.source)) + init


def configuration(config: Any) -> bytes:
    """A configuration as a value of another one: its own digest, or that it does not count."""
    own = state(config)
    if own.meta:
        return NOTHING
    return extension(CONFIGURATION, own.digest or bytes.fromhex(seal(config)))


encode = Encoder(configuration, path=lambda path: extension(PATH, path.as_posix().encode("utf-8", "surrogateescape")))
"""Writes a value as it is hashed."""
