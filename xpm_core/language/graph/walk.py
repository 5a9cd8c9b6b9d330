"""Walks through configurations: those that a value contains, and all that can be reached from one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from xpm_core.errors import CycleError
from xpm_core.language.graph.state import STATE, is_configuration, state_of
from xpm_core.scalars import all_atoms, safe_repr


def contained(value: Any, trail: str = "") -> Iterator[tuple[str, Any]]:
    """The configurations in a value, each with its place in the value: `[3]`, `['a']`. It does not look into them."""
    if value is None or isinstance(value, (str, int, float)):
        return
    if isinstance(value, (list, tuple)):
        if all_atoms(value):
            return
        for index, item in enumerate(value):
            yield from contained(item, f"{trail}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from contained(item, f"{trail}[{safe_repr(key)}]")
    elif isinstance(value, (set, frozenset)):
        for item in value:
            yield from contained(item, f"{trail}{{}}")
    elif is_configuration(value):
        yield trail, value


def children(config: Any) -> Sequence[tuple[str, Any]]:
    """The configurations that one refers to, each with its step from there: `optim`, `layers[3]`, `init_tasks[0]`."""
    content = config.__dict__
    holders = type(config).__xpm_schema__.holders
    if not holders and not content[STATE].init_tasks:
        return ()
    found: list[tuple[str, Any]] = []
    for parameter in holders:
        value = content.get(parameter.name)
        if value is None:
            continue
        if STATE in getattr(value, "__dict__", ()):
            found.append((parameter.name, value))
        else:
            found += [(parameter.name + trail, child) for trail, child in contained(value)]
    if content[STATE].init_tasks:
        found += [(f"init_tasks[{i}]", child) for i, child in enumerate(content[STATE].init_tasks)]
    return found


def path_root(config: Any) -> str:
    """The beginning of paths to the parameters of a configuration: the name of its class."""
    return type(config).__name__


class Trail(tuple[Any, str]):
    """The path to a configuration, as the path to its parent and the last step. Its text is made only when needed."""

    __slots__ = ()

    def __str__(self) -> str:
        steps = []
        trail: Trail | None = self
        while trail is not None:
            trail, step = trail
            steps.append(step)
        return ".".join(reversed(steps))


def reachable(
    root: Any, enter: Callable[[Any], bool] | None = None, *, stand_ins: bool = False
) -> list[tuple[Trail, Any]]:
    """All configurations that can be reached from one, each once, with the first path that leads to it.

    Args:
        root: The configuration to begin with.
        enter: Says for a configuration whether it is taken, and others are looked for below it; None takes all.
        stand_ins: Whether to take the stand-ins of deprecated configurations, too.

    Returns:
        Paths and configurations, children before parents. The root is the last.

    Raises:
        CycleError: A configuration contains itself.
    """
    # This does not recurse, because a long chain of tasks is nested deeper than the stack goes.
    steps_of: Callable[[Any], Sequence[tuple[str | None, Any]]] = _with_stand_in if stand_ins else children
    way = Trail((None, path_root(root)))
    if not (below := steps_of(root)):
        return [(way, root)]
    found: list[tuple[Trail, Any]] = []
    seen = {id(root): False}  # the value says whether all below it was found
    open_ = [(way, root, iter(below))]
    while open_:
        trail, config, steps = open_[-1]
        for step, child in steps:
            known = seen.get(id(child))
            if known is False and step is not None:
                where = str(Trail((trail, step)))
                raise CycleError(
                    where, "this configuration contains itself", "Break the circle.", state_of(child).created
                )
            if known is None and (enter is None or enter(child)):
                there, below = trail if step is None else Trail((trail, step)), steps_of(child)
                seen[id(child)] = not below
                if below:
                    open_.append((there, child, iter(below)))
                    break
                found.append((there, child))
        else:
            seen[id(config)] = True
            found.append((trail, config))
            open_.pop()
    return found


def _with_stand_in(config: Any) -> Sequence[tuple[str | None, Any]]:
    """The steps from a configuration. The step to its stand-in has no name, because both have the same path."""
    if (stand_in := config.__dict__[STATE].stand_in) is None:
        return children(config)
    return [(None, stand_in), *children(config)]
