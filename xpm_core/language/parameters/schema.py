"""What a class declares: its parameters, and what follows from them once for all of its configurations.

Made by xpm_core.config when a class is defined; read wherever a configuration is walked, encoded or built.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import CodeType
from typing import TYPE_CHECKING, Any, Protocol

from xpm_core.errors import (
    ConfigurationError,
    MismatchError,
    MissingParameterError,
    ParameterTypeError,
    ParameterValueError,
)
from xpm_core.language.graph.state import STATE, is_configuration
from xpm_core.language.graph.walk import contained
from xpm_core.language.values.encoding import pack
from xpm_core.scalars import spelled
from xpm_core.tracebacks.edges import edge

if TYPE_CHECKING:
    from pathlib import Path

    from xpm_core.language.values.kinds import Kind

MISSING: Any = type("Missing", (), {"__repr__": lambda self: "MISSING", "__slots__": ()})()
"""Stands for a value that is not there, where None would be a value."""

rebuilding: list[Callable[[], list[Mapping[str, Any]]]] = []
"""For a class that is made again in another process, what gives the variables of the function that defines it."""


class ParameterGroup:
    """A named group of parameters, for partial identifiers. Groups of one name are equal."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ParameterGroup) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"param_group({self.name!r})"


class PathMaker(Protocol):
    """What makes the path of a parameter in the job's directory: a `PathGenerator`."""

    partial: Any

    def path_in(self, config: Any) -> str: ...

    def path_of(self, config: Any, name: str, where: str) -> Path: ...


class Parameter:
    """One parameter of one class. It is the class attribute of that name: `Learn.epochs` gives it.

    Attributes:
        name: Its name.
        owner: The class that declares it.
        kind: Its type, which checks what is assigned.
        role: "param", "meta", "constant" or "data".
        default: The value it has unless another is given; MISSING without one.
        factory: Makes the default, when one value must not be shared.
        generator: Makes its path in the job's directory.
        counted: Whether it is part of the identity.
        ignore_default: Whether it is no part of the identity while it has its default.
        omissible: Whether some values do not count, though the parameter does.
        groups: The groups that partial identifiers leave out or take in.
        explicit: Whether it says that it overrides an inherited one.
        rebind: For a type with type variables, what gives the kind with types in their place.
    """

    __slots__ = (
        "check",
        "counted",
        "default",
        "encoded_default",
        "exact",
        "explicit",
        "factory",
        "generator",
        "groups",
        "holds",
        "ignore_default",
        "key",
        "kind",
        "name",
        "omissible",
        "owner",
        "rebind",
        "role",
    )

    def __init__(self, owner: type, name: str, kind: Kind, role: str) -> None:
        self.owner, self.name, self.role = owner, name, role
        self.kind = kind
        self.exact, self.check, self.holds = kind.exact, kind.check, kind.holds
        self.default: Any = MISSING
        self.factory: Callable[[], Any] | None = None
        self.generator: PathMaker | None = None
        self.counted = role not in ("meta", "data") and not kind.path
        self.ignore_default = self.explicit = self.omissible = False
        self.groups: frozenset[ParameterGroup] = frozenset()
        self.rebind: Callable[[dict[Any, Any]], Kind] | None = None
        self.key = pack(name)
        self.encoded_default: bytes | None = None

    @property
    def required(self) -> bool:
        """Whether a value has to be given."""
        return self.default is MISSING and self.factory is None and self.generator is None

    def copy(self, owner: type, kind: Kind) -> Parameter:
        """The same parameter in another class, with another type."""
        twin = Parameter(owner, self.name, kind, self.role)
        for name in ("default", "factory", "generator", "ignore_default", "explicit", "groups", "rebind"):
            setattr(twin, name, getattr(self, name))
        twin.counted = self.counted and not kind.path
        return twin

    @edge
    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        # Values lie in the instance's `__dict__`, which comes first: this is asked only when there is none.
        if instance is None:
            return self
        own = instance.__dict__.get(STATE)
        if own is None:
            raise AttributeError(f"{type(instance).__name__!r} object has no attribute {self.name!r}")
        where = f"{type(instance).__name__}.{self.name}"
        if self.generator is not None:
            return self.generator.path_of(instance, self.name, where)
        raise MissingParameterError(
            where, f"it has no value yet, in the configuration made at {own.created}", "Assign one before you read it."
        )

    def __repr__(self) -> str:
        return f"<{self.role} {self.owner.__name__}.{self.name}: {self.kind.text}>"


class Schema:
    """What one class declares, with what its bases declare.

    Attributes:
        cls: The class.
        complete: Whether all annotations are resolved; else the rest below is empty.
        abstract: Methods that the class lacks.
        names: What its annotations can name, until they are resolved.
        own: The parameters that the class itself declares.
        parameters: All parameters by name, those of the bases first.
        holders: Those that may hold configurations.
        by_key: All of them, as identities order them: by encoded name.
        counted: Those of them that count.
        loose: Those that do not count, and may hold a configuration that says it does.
        containers: Those whose values may be changed in place: lists, dicts, sets.
        tied: Those whose types have variables of the class, if there are several.
        hold_together: Refuses values of these, at a path, that let one variable stand for two types.
        bind: Gives, for what the variables of the class stand for, what those of its generic bases do.
        uncounted: Those that do not count, or of whose values a part may not.
        generates: Whether one of them is a generated path.
        validates: Whether there is a `__validate__`.
        prefilled: Defaults that can be shared.
        factories: Makers of the other defaults, by name.
        header: The encoded name of the class, for identities; empty until first asked for.
        record: What another process needs to find the class (code/importing.py); None until first asked for.
        renamed: Deprecated parameters: name → what handles an assignment to it.
        successor: The class that replaces a deprecated one.
        converts: What makes, from a configuration of a deprecated class, the one that replaces it.
        replaced: Whether that is done as soon as one is made.
        task: Whether its configurations are tasks.
        instances: Whether each configuration stands for itself, so that two equal ones are not the same.
        value_class: The class of live objects.
        body: The code of the class's body, when a function defines it.
        scope: The variables of that function that the body uses.
        argv: What `sys.argv` was when it was defined.
        attributes: What the body has made of the class.
        arguments: Names of the arguments that the class statement has beside the bases.
        made: The digest of what a function has chosen for the class, empty for nothing; None until first asked for.
    """

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self.complete = False
        self.abstract: frozenset[str] = getattr(cls, "__abstractmethods__", frozenset())
        self.names: Any = None
        self.own: dict[str, Parameter] = {}
        self.parameters: dict[str, Parameter] = {}
        self.holders: tuple[Parameter, ...] = ()
        self.by_key: tuple[Parameter, ...] = ()
        self.counted: tuple[Parameter, ...] = ()
        self.loose: tuple[Parameter, ...] = ()
        self.containers: tuple[Parameter, ...] = ()
        self.tied: tuple[Parameter, ...] = ()
        self.hold_together: Callable[[Any, str], None]
        self.bind: Callable[[Any], dict[type, dict[Any, Kind]]] = lambda given: {}
        self.uncounted: tuple[Parameter, ...] = ()
        self.generates = False
        self.validates = hasattr(cls, "__validate__")
        self.prefilled: dict[str, Any] = {}
        self.factories: tuple[tuple[str, Callable[[], Any]], ...] = ()
        self.header = b""
        self.record: dict[str, Any] | None = None
        self.renamed: dict[str, Callable[..., Any]] = {}
        self.successor: type | None = None
        self.converts: Callable[[Any], Any] | None = None
        self.replaced = False
        self.task = bool(getattr(cls, "__xpm_task__", False))
        self.instances = bool(getattr(cls, "__xpm_instances__", False))
        self.value_class: type = cls
        self.body: CodeType | None = None
        self.scope: dict[str, Any] = {}
        self.argv = tuple(map(str, getattr(sys, "argv", ())))
        self.attributes: dict[str, Any] = {}
        self.arguments: tuple[str, ...] = ()
        self.made: bytes | None = None

    def fill(self, parameters: dict[str, Parameter]) -> None:
        """Take the parameters, and work out once what each configuration needs."""
        self.parameters = parameters
        for parameter in parameters.values():
            parameter.omissible = parameter.holds or parameter.ignore_default
        self.holders = tuple(p for p in parameters.values() if p.holds)
        self.by_key = tuple(sorted(parameters.values(), key=lambda p: p.key))
        self.counted = tuple(p for p in self.by_key if p.counted)
        self.loose = tuple(p for p in self.holders if not p.counted)
        self.containers = tuple(p for p in parameters.values() if p.kind.container)
        self.uncounted = tuple(p for p in parameters.values() if p.kind.leaves_out or not p.counted)
        generic = tuple(p for p in parameters.values() if p.rebind is not None)
        variables = getattr(self.cls, "__parameters__", ())
        self.tied = generic if variables and len(generic) > 1 else ()
        self.generates = any(p.generator is not None for p in parameters.values())
        self.prefilled = {p.name: p.default for p in parameters.values() if p.default is not MISSING}
        self.factories = tuple((p.name, p.factory) for p in parameters.values() if p.factory is not None)
        self.complete = True


def schema_of(config: Any) -> Schema:
    """What the class of a configuration declares."""
    return type(config).__xpm_schema__  # type: ignore[no-any-return]


ROOT = "{root}"
"""In the remedy of a mismatch: the class at the root of the path, where it is known."""


def refusal(where: str, mismatch: MismatchError, place: str | None) -> ConfigurationError:
    """The error about a value that a parameter does not take.

    Args:
        where: Path of the parameter.
        mismatch: What its type said of the value.
        place: Where the value was set, as `file.py:42`.
    """
    value, expected = mismatch.value, mismatch.expected
    wrong = f"expected {expected}, got {shortened(value)} ({type(value).__name__})"
    if type(value).__name__ == "Tagged":
        mismatch.remedy = "Tag the whole value of a parameter, or name the tag: learn.tag('layers', 3)."
    remedy = mismatch.remedy or f"Pass {'an' if expected[0] in 'aeiou' else 'a'} {expected}."
    remedy = remedy.replace(ROOT, where.partition(".")[0])
    error = ParameterTypeError if mismatch.allowed else ParameterValueError
    return error(where + mismatch.trail, wrong, remedy, place)


def shortened(value: Any) -> str:
    """A value as messages show it: its `repr`, of which the middle is left out when it is long."""
    text = shown(value) if is_configuration(value) else spelled(value)
    return text if len(text) <= 80 else f"{text[:50]}…{text[-25:]}"


def shown(config: Any) -> str:
    """A configuration as its `repr` has it: nested ones are only named, since they may be shared without end."""
    content = config.__dict__

    def brief(value: Any) -> str:
        if is_configuration(value):
            return f"{type(value).__name__}(...)"
        return "[...]" if any(contained(value)) else spelled(value)

    values = (f"{name}={brief(content[name])}" for name in type(config).__xpm_schema__.parameters if name in content)
    return f"{type(config).__name__}({', '.join(values)})"
