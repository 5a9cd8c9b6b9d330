"""What stands behind a configuration, and how configurations are reached from one another.

A configuration keeps its values in its `__dict__`, under the names of its parameters, and one more entry beside them:
its `ConfigState`. A live object has no such entry; that is the whole difference between the two, so it holds for
whatever classes (a `torch.nn.Module`, say) a configuration also derives from.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from xpm_core.errors import CycleError, NestingError

if TYPE_CHECKING:
    from xpm_core.schema import Schema

STATE = "__xpm_state__"
"""Where a configuration keeps its state, in its `__dict__`."""

PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep

Place = tuple[str, int]
"""A file and a line of it."""


def caller() -> Place:
    """The line outside of this package that led here."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(PACKAGE) and frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno


def written(place: Place) -> str:
    """A place as messages write it: `sweep.py:42`, relative to the working directory when it lies below."""
    file, line = place
    here = os.getcwd() + os.sep
    return f"{file.removeprefix(here)}:{line}"


class ConfigState:
    """The book-keeping behind one configuration. Nothing of it is an attribute that users see.

    Attributes:
        sealed: Whether values can no longer be assigned.
        digest: The identity, as bytes, once sealed.
        submitted: What the experiment knows of the job, once submitted: an object with `jobpath` and `where`.
        demand: Units of each token that the task asks for, by name of the token.
        after: Tasks that have to be done first, besides those that the parameters name.
        callbacks: What to call once the task is done.
        init_tasks: Light-weight tasks that run in the job before `execute`.
        instances: The configurations here and below that each stand for themselves, by `id`; None without any.
        source: The task that made this configuration, if one did.
        owner: The first submitted task that uses this configuration: generated paths lie in the directory of its job.
        stand_in: For a deprecated configuration, the one that gives it its identity, once sealed.
        tags: Tags set here: name → (value, place, whether it belongs to the parameter of that name).
        stopped: Parameters whose tags are not passed on.
        meta: True or False when `setmeta` said whether this configuration counts; else None.
        places: Where single parameters were assigned; those not named here were set where it was made.
        counted: Names of the parameters that count for the identity, when a payload says so; else the class does.
    """

    __slots__ = (
        "after",
        "callbacks",
        "counted",
        "demand",
        "digest",
        "init_tasks",
        "instances",
        "made",
        "meta",
        "owner",
        "places",
        "sealed",
        "source",
        "stand_in",
        "stopped",
        "submitted",
        "tags",
        "validating",
    )

    def __init__(self, made: Place) -> None:
        self.made = made
        self.sealed = self.validating = False
        self.digest: bytes | None = None
        self.submitted: Any = None
        self.demand: dict[str, int] = {}
        self.after: list[Any] = []
        self.callbacks: list[Callable[[Any], Any]] = []
        self.init_tasks: tuple[Any, ...] = ()
        self.instances: dict[int, Any] | None = None
        self.source: Any = None
        self.owner: Any = None
        self.stand_in: Any = None
        self.tags: dict[str, tuple[Any, Place, bool]] = {}
        self.stopped: frozenset[str] = frozenset()
        self.meta: bool | None = None
        self.places: dict[str, Place] = {}
        self.counted: tuple[str, ...] | None = None

    @property
    def created(self) -> str:
        """Where the configuration was made, as `file.py:42`."""
        return written(self.made)

    @property
    def identity(self) -> str | None:
        """The identity as 64 hexadecimal characters, once sealed."""
        return None if self.digest is None else self.digest.hex()

    def renewed(self, made: Place | None = None) -> ConfigState:
        """The state that a copy of the configuration begins with: tags and the task that made it, nothing of a job."""
        copy = ConfigState(made or self.made)
        copy.tags, copy.stopped = dict(self.tags), self.stopped
        copy.meta, copy.source, copy.init_tasks = self.meta, self.source, self.init_tasks
        return copy

    def __deepcopy__(self, memo: Any) -> ConfigState:
        return self.renewed()

    def __reduce__(self) -> Any:
        return rebuilt, (self.made, self.tags, self.stopped, self.meta)

    def place(self, name: str) -> str:
        """Where the parameter of that name was set, as `file.py:42`."""
        return written(self.places.get(name, self.made))


def rebuilt(made: Place, tags: dict[str, tuple[Any, Place, bool]], stopped: frozenset[str], meta: Any) -> ConfigState:
    """The state of a configuration that was pickled."""
    found = ConfigState(made)
    found.tags, found.stopped, found.meta = tags, stopped, meta
    return found


def state(config: Any) -> ConfigState:
    """The book-keeping behind a configuration.

    Raises:
        TypeError: It is no configuration (a live object, say).
    """
    found = getattr(config, "__dict__", {}).get(STATE)
    if found is None:
        raise TypeError(f"expected a configuration, got {config!r} ({type(config).__name__})")
    return found  # type: ignore[no-any-return]


def is_configuration(value: Any) -> bool:
    """Whether a value is a configuration, and not a live object or anything else."""
    return STATE in getattr(value, "__dict__", ())


def blank(cls: Any) -> Any:
    """An object of a class, nothing of it initialised."""
    return cls.__new__(cls)


def schema_of(config: Any) -> Schema:
    """What the class of a configuration declares."""
    return type(config).__xpm_schema__  # type: ignore[no-any-return]


def contained(value: Any, trail: str = "") -> Iterator[tuple[str, Any]]:
    """The configurations in a value, each with where in the value it is (`[3]`, `['a']`), not looking into them."""
    if value is None or isinstance(value, (str, int, float)):
        return
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from contained(item, f"{trail}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from contained(item, f"{trail}[{key!r}]")
    elif isinstance(value, (set, frozenset)):
        for item in value:
            yield from contained(item, f"{trail}{{}}")
    elif is_configuration(value):
        yield trail, value


def children(config: Any) -> Iterator[tuple[str, Any]]:
    """The configurations that the parameters of one hold, each with its path from there: `optim`, `layers[3]`."""
    content = config.__dict__
    for parameter in schema_of(config).holders:
        name = parameter.name
        if name in content:
            value = content[name]
            if is_configuration(value):
                yield name, value
            else:
                for trail, child in contained(value):
                    yield name + trail, child


def title(config: Any) -> str:
    """What paths to the parameters of a configuration begin with: the name of its class."""
    return type(config).__name__


def reachable(
    root: Any, enter: Callable[[Any], bool] = lambda config: True, *, stand_ins: bool = False
) -> list[tuple[str, Any]]:
    """All configurations reachable from one, each once, with the first path that leads there; children come first.

    Args:
        root: Where to begin; it comes last.
        enter: Whether to take a configuration at all, and to look for others below it.
        stand_ins: Whether to take those, too, that stand in for deprecated ones.

    Raises:
        CycleError: A configuration contains itself.
        NestingError: There is no end to it that could be reached.
    """
    found: list[tuple[str, Any]] = []
    seen: dict[int, bool] = {}

    def visit(path: str, config: Any) -> None:
        done = seen.get(id(config))
        if done:
            return
        if done is False:
            raise CycleError(
                path, "this configuration contains itself", "Break the circle, or pass a copy.", state(config).created
            )
        seen[id(config)] = False
        inside = [(f"{path}.{trail}", child) for trail, child in children(config)]
        if stand_ins and state(config).stand_in is not None:
            inside.append((path, state(config).stand_in))
        inside += [(f"{path}.init_tasks[{i}]", child) for i, child in enumerate(state(config).init_tasks)]
        for trail, child in inside:
            if enter(child):
                visit(trail, child)
        seen[id(config)] = True
        found.append((path, config))

    try:
        visit(title(root), root)
    except RecursionError:
        raise NestingError(
            title(root), "its configurations are nested too deep", "Keep a long chain in a list.", state(root).created
        ) from None
    return found
