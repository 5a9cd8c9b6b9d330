"""From configurations to live objects: what a job works with, and what `instance()` returns."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from xpm_core.frozen import thawed
from xpm_core.graph import blank, is_configuration, reachable, schema_of, state
from xpm_core.identity import seal

T = TypeVar("T")
OWN = Path("job")
"""Stands for the directory of a job whose path is not known yet. It is relative, as no other path is."""

Made = Callable[[Any, Any], None]


def instance(config: T) -> T:
    """A live object of a configuration, outside of any job; generated paths are those of the working directory."""
    seal(config)
    return live(config, Path(os.getcwd()))


def live(config: T, directory: Path, made: Made = lambda config, found: None) -> T:
    """A live object of a sealed configuration, with one for each configuration below it, the inner ones first.

    Args:
        config: The configuration.
        directory: Where its generated paths lie.
        made: Called with each configuration and its object, before `__post_init__`.
    """
    objects: dict[int, Any] = {}
    paths = generated(config, directory)
    for _, each in reachable(config):
        cls = schema_of(each).value_class
        found = blank(cls)
        found.__init__()  # what the user's class does before it has its parameters
        for name in schema_of(each).parameters:
            path = paths.get((id(each), name))
            setattr(found, name, replaced(each.__dict__[name], objects) if path is None else path)
        objects[id(each)] = found
        made(each, found)
        if hasattr(found, "__post_init__"):
            found.__post_init__()
    return objects[id(config)]  # type: ignore[no-any-return]


def replaced(value: Any, objects: dict[int, Any]) -> Any:
    """A value with live objects in the place of configurations."""
    if is_configuration(value):
        return objects[id(value)]
    if isinstance(value, dict):
        return {key: replaced(item, objects) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return type(thawed(value))([replaced(item, objects) for item in value])
    return value


def generated(root: Any, directory: Path) -> dict[tuple[int, str], Path]:
    """The generated paths below a configuration, by configuration (its `id`) and parameter.

    Those of a submitted task, and of the configurations below it, lie in the directory of its job; all others, which
    belong to the root, in the directory given.
    """
    found: dict[tuple[int, str], Path] = {}
    lay_out(root, directory, found)
    for _, config in reversed(reachable(root)):
        if config is not root and state(config).submitted is not None:
            lay_out(config, Path(state(config).submitted.jobpath), found)
    return found


def lay_out(root: Any, directory: Path, found: dict[tuple[int, str], Path]) -> None:
    """Find the generated paths of one owner: its own in its directory, the others below `out/`.

    Folders there are named as the parameters that lead to the configuration, the first way that does.
    """
    taken: set[Path] = set()
    for path, config in reachable(root, enter=lambda child: state(child).submitted is None):
        folders = [] if config is root else ["out", *steps(path)]
        for name, parameter in schema_of(config).parameters.items():
            if parameter.generator is None or name in config.__dict__ or (id(config), name) in found:
                continue
            place = directory.joinpath(*folders, parameter.generator.path_in(config))
            while place in taken:
                place = place.with_name(f"{place.name}-")
            taken.add(place)
            found[id(config), name] = place


def steps(path: str) -> list[str]:
    """The names of folders for the path of a configuration: `Learn.models[3].head` gives `models`, `3`, `head`."""
    return [quote(step, safe=" ") for step in re.split(r"[.\[\]{}'\"]+", path)[1:] if step]
