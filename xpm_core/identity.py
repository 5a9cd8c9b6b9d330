"""Seal configurations, and so give them their identity.

Owns: what has to hold before a configuration is sealed, and what sealing does. The digest is made in xpm_core.digest.
Touches no file and no server.
"""

from __future__ import annotations

from typing import Any

from xpm_core.digest import counted_names, digest_all, partial_identity, task_id
from xpm_core.errors import MismatchError, MissingParameterError, ValidationError
from xpm_core.frozen import frozen
from xpm_core.graph import reachable, schema_of, state
from xpm_core.origin import class_id, project_file
from xpm_core.schema import refusal

__all__ = ["class_origins", "counted_names", "freeze", "missing", "partial_identity", "seal", "task_id"]


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
        unsealed = with_stand_ins(config)
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


def with_stand_ins(root: Any) -> list[tuple[str, Any]]:
    """The configurations to seal, the inner ones first, each deprecated one with the one that gives it its identity."""
    while True:
        found = reachable(root, enter=undigested, stand_ins=True)
        deprecated = [
            (state(each), convert, each)
            for _, each in found
            if (convert := schema_of(each).converts) is not None and state(each).stand_in is None
        ]
        if not deprecated:
            return found
        for own, convert, each in deprecated:
            own.stand_in = convert(each)


def undigested(config: Any) -> bool:
    return state(config).digest is None
