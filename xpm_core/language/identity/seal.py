"""Seal configurations, which gives them their identity.

Owns: the checks before a configuration is sealed, and what sealing does. digest.py computes the digest. Touches no file
and no server.
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
    """The files of all classes at and below a configuration, by the name of the class in identities.

    Two files with no common name are different files. If they claim one class name in a workspace, the second class
    would get the results of the first.

    Returns:
        For each class the names of its file, one a line; see `project_files` in xpm_core.project.origin.

    Example:
        >>> class_origins(learn)
        {'demo.train:Learn': 'demo:demo/train.py', 'demo.models:MLP': 'demo:demo/models.py'}
    """
    classes = {type(found) for _, found in reachable(config)}
    origins = {class_id(cls): project_files(cls) for cls in classes}
    return {name: origin for name, origin in sorted(origins.items()) if origin is not None}


def seal(config: Any) -> str:
    """Freeze a configuration and all that it refers to, and return its identity.

    Equal values give equal identities, in whatever order they were assigned. A sealed configuration stays sealed, and
    sealing it again returns the same identity. If sealing fails, nothing is sealed.

    Args:
        config: The configuration.

    Returns:
        The SHA-256 (FIPS 180-4) of the canonical encoding, as 64 hexadecimal characters.

    Raises:
        MissingParameterError: Parameters have no value; names all of them by path.
        ValidationError: A `__validate__` refuses the values.
        CycleError: A configuration contains itself.
        ClassNameError: No other process could import a class.

    Example:
        >>> seal(Learn.C(epochs=3))[:7]
        '3f9ac2e'
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
    """The identity that a configuration has, or would get if it were sealed now. Nothing is sealed or validated.

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
    """Undo, at the end, all changes of a configuration and of those below it that are not sealed."""
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
    """The paths of all parameters that have no value yet, at and below a configuration."""
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
    """The values of a configuration that can have been changed in place since their assignment, checked again."""
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
    """Forbid assignments to a configuration, and changes of its lists, dicts and sets."""
    content = config.__dict__
    for parameter in schema_of(config).containers:
        if parameter.name in content:
            content[parameter.name] = frozen(content[parameter.name])
    content[STATE].sealed = True


def with_stand_ins(root: Any) -> list[tuple[Trail, Any]]:
    """The configurations to seal, the inner ones first, with the stand-ins of deprecated ones."""
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
    """Whether a configuration has no digest yet."""
    return config.__dict__[STATE].digest is None
