"""What stands behind a configuration.

A configuration keeps its values in its `__dict__`, under the names of its parameters, and one more entry beside them:
its `ConfigState`. A live object has no such entry; that is the whole difference between the two, so it holds for
whatever classes (a `torch.nn.Module`, say) a configuration also derives from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from xpm_core.tracebacks.callsite import Place, written

STATE = "__xpm_state__"
"""Where a configuration keeps its state, in its `__dict__`."""


NOTHING: Mapping[str, Any] = MappingProxyType({})
"""Of many things, most objects have none."""


class Home(NamedTuple):
    """Where a configuration is written down: in which workspace, in which part, and as which of its objects."""

    parts: Any
    part: bytes
    number: int


class ConfigState:
    """The book-keeping behind one configuration. Nothing of it is an attribute that users see.

    Nothing that an attribute holds is changed in place: copies share it, and most have what the class has.

    Attributes:
        sealed: Whether values can no longer be assigned.
        digest: The identity, as bytes, once sealed.
        submitted: What the experiment knows of the job, once submitted: an object with `jobpath` and `where`.
        demand: Units of each token that the task asks for, by name of the token.
        after: Tasks that have to be done first, besides those that the parameters name.
        callbacks: What to call once the task is done.
        watches: Who is to hear of outputs that the task produces while it runs.
        init_tasks: Light-weight tasks that run in the job before `execute`.
        instances: The configurations here and below that each stand for themselves, by `id`; None without any.
        source: The task that made this configuration, if one did.
        early: Whether it can be used before that task is done.
        owner: The first submitted task that uses a configuration with generated paths: they lie in its job's directory.
        origin: The configuration that a task's output is a copy of: the generated paths of that are this one's, too.
        stand_in: For a deprecated configuration, the one that gives it its identity, once sealed.
        tags: Tags set here: name → (value, place, whether it belongs to the parameter of that name).
        stopped: Parameters whose tags are not passed on.
        collected: The tags from here and below, once collected, and how many had been set late by then (tags.py).
        home: Where in the workspace it is written down, if it is.
        meta: True or False when `setmeta` said whether this configuration counts; else None.
        places: Where single parameters were assigned; those not named here were set where it was made.
        absent: Whether this only stands for a task, of which no more is known than its name and its identity.
        counted: Names of the parameters that count for the identity, when a payload says so; else the class does.
    """

    sealed = validating = early = absent = False
    digest: bytes | None = None
    submitted: Any = None
    init_tasks: tuple[Any, ...] = ()
    instances: dict[int, Any] | None = None
    source: Any = None
    owner: Any = None
    origin: Any = None
    stand_in: Any = None
    stopped: frozenset[str] = frozenset()
    collected: tuple[int, tuple[tuple[str, Any, Place], ...]] | None = None
    home: Home | None = None
    meta: bool | None = None
    counted: tuple[str, ...] | None = None

    demand: Mapping[str, int] = NOTHING
    after: tuple[Any, ...] = ()
    callbacks: tuple[Callable[..., Any], ...] = ()
    watches: tuple[Any, ...] = ()
    tags: Mapping[str, tuple[Any, Place, bool]] = NOTHING
    places: Mapping[str, Place] = NOTHING

    def __init__(self, made: Place) -> None:
        self.made = made

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
        copy.tags, copy.stopped = self.tags, self.stopped
        copy.meta, copy.source, copy.init_tasks = self.meta, self.source, self.init_tasks
        return copy

    def __deepcopy__(self, memo: Any) -> ConfigState:
        return self.renewed()

    def __reduce__(self) -> Any:
        return rebuilt, (self.made, dict(self.tags), self.stopped, self.meta)

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
    try:
        return config.__dict__[STATE]  # type: ignore[no-any-return]
    except (AttributeError, KeyError):
        raise TypeError(f"expected a configuration, got {config!r} ({type(config).__name__})") from None


def is_configuration(value: Any) -> bool:
    """Whether a value is a configuration, and not a live object or anything else."""
    return STATE in getattr(value, "__dict__", ())


def blank(cls: Any) -> Any:
    """An object of a class, nothing of it initialised."""
    return cls.__new__(cls)


def unsubmitted(config: Any) -> bool:
    """Whether a configuration is no task that was submitted."""
    return config.__dict__[STATE].submitted is None
