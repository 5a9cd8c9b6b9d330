"""Walking through configurations: what one contains, and all that can be reached from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from xpm_core.errors import CycleError
from xpm_core.language.graph.state import STATE, is_configuration, state
from xpm_core.scalars import flat, spelled


def contained(value: Any, trail: str = "") -> Iterator[tuple[str, Any]]:
    """The configurations in a value, each with where in the value it is (`[3]`, `['a']`), not looking into them."""
    if value is None or isinstance(value, (str, int, float)):
        return
    if isinstance(value, (list, tuple)):
        if flat(value):
            return
        for index, item in enumerate(value):
            yield from contained(item, f"{trail}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from contained(item, f"{trail}[{spelled(key)}]")
    elif isinstance(value, (set, frozenset)):
        for item in value:
            yield from contained(item, f"{trail}{{}}")
    elif is_configuration(value):
        yield trail, value


def children(config: Any) -> Sequence[tuple[str, Any]]:
    """The configurations that one refers to, each with its path from there: `optim`, `layers[3]`, `init_tasks[0]`."""
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


def title(config: Any) -> str:
    """What paths to the parameters of a configuration begin with: the name of its class."""
    return type(config).__name__


class Trail(tuple[Any, str]):
    """The way to a configuration: the way to where its last step begins, and that step. Written only when asked for."""

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
    """All configurations reachable from one, each once, with the first way that leads there; children come first.

    Args:
        root: Where to begin; it comes last.
        enter: Whether to take a configuration at all, and to look for others below it.
        stand_ins: Whether to take those, too, that stand in for deprecated ones.

    Raises:
        CycleError: A configuration contains itself.
    """
    # No recursion: a long chain of tasks is nested deeper than the stack goes.
    way = Trail((None, title(root)))
    if not (below := _steps(root, stand_ins)):
        return [(way, root)]
    found: list[tuple[Trail, Any]] = []
    seen = {id(root): False}  # whether all below it was found
    open_ = [(way, root, iter(below))]
    while open_:
        trail, config, steps = open_[-1]
        for step, child in steps:
            known = seen.get(id(child))
            if known is False and step is not None:
                where = str(Trail((trail, step)))
                raise CycleError(where, "this configuration contains itself", "Break the circle.", state(child).created)
            if known is None and (enter is None or enter(child)):
                there, below = trail if step is None else Trail((trail, step)), _steps(child, stand_ins)
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


def _steps(config: Any, stand_ins: bool) -> Sequence[tuple[str | None, Any]]:
    """The steps from a configuration; that to the one that stands in for it has no name, because it is the same way."""
    if not stand_ins or (stand_in := config.__dict__[STATE].stand_in) is None:
        return children(config)
    return [(None, stand_in), *children(config)]
