"""Seal configurations, and so give them their identity.

Owns: what has to hold before a configuration is sealed, and what sealing does. The digest is made in digest.py.
Touches no file and no server.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from xpm_core.errors import MismatchError, MissingParameterError, ValidationError
from xpm_core.language.graph.state import STATE, state_of
from xpm_core.language.graph.walk import Trail, reachable
from xpm_core.language.identity.digest import digest_all
from xpm_core.language.parameters.schema import refusal, schema_of
from xpm_core.language.values.frozen import frozen
from xpm_core.project.origin import class_id, project_files


def class_origins(config: Any) -> dict[str, str]:
    """For each class under a configuration, by its name in identities, the file that defines it, as projects know it.

    A file may have several names, one a line. Two files that share none and claim one name in a workspace are two
    different things: the second would get the first one's results.

    Example:
        >>> class_origins(learn)
        {'demo.train:Learn': 'demo:demo/train.py', 'demo.models:MLP': 'demo:demo/models.py'}
    """
    classes = {type(found) for _, found in reachable(config)}
    origins = {class_id(cls): project_files(cls) for cls in classes}
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
    root = state_of(config)
    if root.digest is None:
        unsealed = with_stand_ins(config)
        refuse_missing(unsealed)
        for trail, each in unsealed:
            schema = schema_of(each)
            if schema.validates:
                validate(trail, each)
            if schema.containers or schema.tied:
                each.__dict__.update(checked(trail, each))
        digest_all(unsealed)
        for _, each in unsealed:
            freeze(each)
    return root.digest.hex()  # type: ignore[union-attr]  # digest_all() sets it


def foreseen(config: Any) -> str:
    """The identity that a configuration has, or would have if it were sealed now. Nothing is sealed or validated.

    Raises:
        MissingParameterError, CycleError, ClassNameError: As for `seal`.
    """
    if (known := state_of(config).identity) is not None:
        return known
    with unchanged(config):
        unsealed = with_stand_ins(config)
        refuse_missing(unsealed)
        for trail, each in unsealed:
            each.__dict__.update(checked(trail, each))
        digest_all(unsealed)
        return state_of(config).identity or ""


@contextmanager
def unchanged(config: Any) -> Iterator[None]:
    """Afterwards a configuration, and all below it that is not sealed, is as it was before."""
    below = [each for _, each in reachable(config, enter=undigested)]
    contents: list[dict[str, Any]] = [each.__dict__ for config in below for each in (config, state_of(config))]
    before = [dict(content) for content in contents]
    try:
        yield
    finally:
        for content, values in zip(contents, before, strict=True):
            content.clear()
            content.update(values)


def missing(config: Any) -> list[str]:
    """Paths of the parameters that have no value yet, of a configuration and of all below it."""
    return missing_among(reachable(config, enter=undigested))


def missing_among(configs: list[tuple[Trail, Any]]) -> list[str]:
    return [
        f"{trail}.{name}"
        for trail, config in configs
        if len(config.__dict__) <= len(schema_of(config).parameters)
        for name, parameter in schema_of(config).parameters.items()
        if name not in config.__dict__ and parameter.generator is None
    ]


def refuse_missing(configs: list[tuple[Trail, Any]]) -> None:
    """Refuse configurations with parameters that have no value."""
    if found := missing_among(configs):
        place = next(state_of(config).created for trail, config in configs if found[0].startswith(f"{trail}."))
        others = f"; nor has {' nor '.join(found[1:])}" if len(found) > 1 else ""
        wrong = f"it has no value, in the configuration made at {place}{others}"
        raise MissingParameterError(found[0], wrong, "Give one before you submit.")


def validate(trail: Trail, config: Any) -> None:
    """Call the `__validate__` of a configuration."""
    own = state_of(config)
    own.validating = True
    try:
        config.__validate__()
    except (AssertionError, ValueError, TypeError) as error:
        said = " ".join(str(error).split()) or f"{type(error).__name__} in __validate__"
        remedy = f"Change the configuration made at {own.created}."
        raise ValidationError(str(trail), f"its values are refused ({said})", remedy) from error
    finally:
        own.validating = False


def checked(trail: Trail, config: Any) -> dict[str, Any]:
    """The values of a configuration that may have been changed in place since they were assigned, checked anew."""
    content, schema = config.__dict__, schema_of(config)
    if schema.tied:
        schema.hold_together(config, str(trail))
    found = {}
    for parameter in schema.containers:
        name = parameter.name
        if name in content:
            try:
                found[name] = parameter.check(content[name])
            except MismatchError as error:
                raise refusal(f"{trail}.{name}", error, state_of(config).place(name)) from None
    return found


def freeze(config: Any) -> None:
    """Let a configuration be assigned no more, and its lists, dicts and sets be changed no more."""
    content = config.__dict__
    for parameter in schema_of(config).containers:
        if parameter.name in content:
            content[parameter.name] = frozen(content[parameter.name])
    content[STATE].sealed = True


def with_stand_ins(root: Any) -> list[tuple[Trail, Any]]:
    """The configurations to seal, the inner ones first, each deprecated one with the one that gives it its identity."""
    while True:
        found = reachable(root, enter=undigested, stand_ins=True)
        deprecated = [
            each for _, each in found if type(each).__xpm_schema__.converts and state_of(each).stand_in is None
        ]
        if not deprecated:
            return found
        for each in deprecated:
            state_of(each).stand_in = type(each).__xpm_schema__.converts(each)


def undigested(config: Any) -> bool:
    """Whether a configuration is to be sealed yet."""
    return config.__dict__[STATE].digest is None
