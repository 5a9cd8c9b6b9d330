"""The state behind a configuration.

A configuration keeps its values in its `__dict__`, under the names of its parameters. One more entry beside them is its
`ConfigState`. A live object has no such entry. This is the whole difference between the two, so it also holds if a
configuration derives from other classes, such as `torch.nn.Module`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from xpm_core.tracebacks.callsite import CodeLine, format_line

STATE = "__xpm_state__"
"""The entry in the `__dict__` of a configuration that holds its state."""

EMPTY: Mapping[str, Any] = MappingProxyType({})
"""An empty map that all objects share which have no tags, units or other entries."""


class Home(NamedTuple):
    """Where the workspace holds a configuration already: in which part, and as which of its objects.

    Attributes:
        parts: The parts of the workspace.
        part: The digest of the part.
        number: The number of the object in the part.
    """

    parts: Any
    part: bytes
    number: int


class ConfigState:
    """The state of one configuration. Users see none of its attributes.

    The objects in the attributes are replaced and never changed in place, because copies of the configuration share
    them. Most configurations use the defaults of the class.

    Attributes:
        made_at: The line of the script that made the configuration.
        sealed: Whether values can no longer be assigned.
        validating: Whether its `__validate__` runs just now.
        digest: The identity as bytes, once sealed.
        submitted: The experiment's object for the job, once submitted. It has `jobpath` and `where`.
        demand: The units of each token that the task asks for, by name of the token.
        after: Tasks that must be done first, beside those that the parameters name.
        callbacks: Functions to call once the task is done.
        watches: Functions to call with the outputs that the task produces while it runs.
        init_tasks: Light-weight tasks that run in the job before `execute`.
        instances: The configurations here and below that each stand for themselves, by `id`; None without any.
        source: The task that made this configuration, if a task did.
        early: Whether it can be used before that task is done.
        owner: The first submitted task that uses this configuration. Its job's directory holds the generated paths.
        origin: The configuration that this output of a task is a copy of. Both have the same generated paths.
        stand_in: For a deprecated configuration, the configuration that gives it its identity, once sealed.
        tags: The tags set here: name → (value, line, whether it belongs to the parameter of that name).
        stopped: The parameters whose tags are not passed on.
        collected: The tags from here and below, once collected; and how many late tags there were then (tags.py).
        home: Where the workspace holds it already, if it does.
        ignored: Whether it does not count in identities, if `setmeta` said so; else None.
        places: The lines that assigned single parameters. All others were set where the configuration was made.
        unknown: Whether this only stands for a task, of which only the name and the identity are known.
        counted: The parameters that count in the identity, if a payload says so; else None, and the class says it.
    """

    sealed = validating = early = unknown = False
    digest: bytes | None = None
    submitted: Any = None
    init_tasks: tuple[Any, ...] = ()
    instances: dict[int, Any] | None = None
    source: Any = None
    owner: Any = None
    origin: Any = None
    stand_in: Any = None
    stopped: frozenset[str] = frozenset()
    collected: tuple[int, tuple[tuple[str, Any, CodeLine], ...]] | None = None
    home: Home | None = None
    ignored: bool | None = None
    counted: tuple[str, ...] | None = None

    demand: Mapping[str, int] = EMPTY
    after: tuple[Any, ...] = ()
    callbacks: tuple[Callable[..., Any], ...] = ()
    watches: tuple[Any, ...] = ()
    tags: Mapping[str, tuple[Any, CodeLine, bool]] = EMPTY
    places: Mapping[str, CodeLine] = EMPTY

    def __init__(self, made_at: CodeLine) -> None:
        self.made_at = made_at

    @property
    def created(self) -> str:
        """The line that made the configuration, as `file.py:42`."""
        return format_line(self.made_at)

    @property
    def identity(self) -> str | None:
        """The identity as 64 hexadecimal characters, once sealed."""
        return None if self.digest is None else self.digest.hex()

    def renewed(self, made: CodeLine | None = None) -> ConfigState:
        """The first state of a copy: with the tags, the initial tasks and the source, and without a job."""
        copy = ConfigState(made or self.made_at)
        copy.tags, copy.stopped = self.tags, self.stopped
        copy.ignored, copy.source, copy.init_tasks = self.ignored, self.source, self.init_tasks
        return copy

    def __deepcopy__(self, memo: Any) -> ConfigState:
        return self.renewed()

    def __reduce__(self) -> Any:
        return rebuilt, (self.made_at, dict(self.tags), self.stopped, self.ignored)

    def place(self, name: str) -> str:
        """The line that set a parameter, as `file.py:42`."""
        return format_line(self.places.get(name, self.made_at))


def rebuilt(
    made: CodeLine, tags: dict[str, tuple[Any, CodeLine, bool]], stopped: frozenset[str], meta: Any
) -> ConfigState:
    """The state of a configuration that is unpickled."""
    found = ConfigState(made)
    found.tags, found.stopped, found.ignored = tags, stopped, meta
    return found


def state_of(config: Any) -> ConfigState:
    """The state of a configuration.

    Args:
        config: The configuration.

    Raises:
        TypeError: It is no configuration, but a live object or something else.
    """
    try:
        return config.__dict__[STATE]  # type: ignore[no-any-return]
    except (AttributeError, KeyError):
        raise TypeError(f"expected a configuration, got {config!r} ({type(config).__name__})") from None


def is_configuration(value: Any) -> bool:
    """Whether a value is a configuration, and not a live object or anything else.

    Args:
        value: Any value.
    """
    return STATE in getattr(value, "__dict__", ())


def blank(cls: Any) -> Any:
    """An object of a class, not initialised."""
    return cls.__new__(cls)


def unsubmitted(config: Any) -> bool:
    """Whether a configuration is anything but a submitted task."""
    return config.__dict__[STATE].submitted is None
