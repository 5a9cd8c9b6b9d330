"""The schema of a class: its parameters, and facts about them that all its configurations share.

A schema is made when a class is defined. It is read whenever a configuration is walked, encoded or built.
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
from xpm_core.language.graph.tags import Tagged
from xpm_core.language.graph.walk import contained
from xpm_core.language.values.encoding import pack
from xpm_core.scalars import safe_repr
from xpm_core.tracebacks.edges import edge

if TYPE_CHECKING:
    from pathlib import Path

    from xpm_core.language.values.kinds import Kind

MISSING: Any = type("Missing", (), {"__repr__": lambda self: "MISSING", "__slots__": ()})()
"""Stands for a missing value, where None would be a value."""

rebuilding: list[Callable[[], list[Mapping[str, Any]]]] = []
"""While a local class is made again in another process: functions that return the variables of its function."""


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
    """The type of a `PathGenerator`, which makes the path of a parameter in the job's directory."""

    partial: Any

    def path_in(self, config: Any) -> str: ...

    def path_of(self, config: Any, name: str, where: str) -> Path: ...


class Parameter:
    """One parameter of one class. It is the class attribute of its name: `Learn.epochs`.

    Attributes:
        name: Its name.
        owner: The class that declares it.
        kind: Its type, which checks the values that are assigned.
        role: "param", "meta", "constant" or "data".
        default: The value that it has if none is given; MISSING without one.
        factory: Makes the default, if configurations must not share one value.
        generator: Makes its path in the job's directory.
        counted: Whether it is part of the identity.
        ignore_default: Whether its default is left out of the identity.
        omissible: Whether some of its values are left out of the identity.
        groups: The groups by which partial identifiers leave it out or include it.
        explicit: Whether the class says that it overrides an inherited parameter.
        rebind: For a type with type variables: takes types for these, and returns the kind.
        key: Its name, encoded.
        encoded_default: Its default, encoded; None until first needed.
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
        """Whether a value must be given."""
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
        # The value lies in the instance's `__dict__`, where Python looks first. This runs only if there is none.
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
    """The declarations of one class and of its bases.

    Attributes:
        cls: The class.
        complete: Whether all annotations are resolved. Until then, the attributes about parameters are empty.
        abstract: The abstract methods that the class lacks.
        names: The names that its annotations can use; None once they are resolved.
        own: The parameters that the class itself declares.
        parameters: All parameters by name, those of the bases first.
        holders: The parameters that can hold configurations.
        by_key: All parameters in the order of identities: by encoded name.
        counted: The parameters of `by_key` that count in the identity.
        loose: The parameters that do not count, and can hold a configuration that does (see `setmeta`).
        containers: The parameters whose values can be changed in place: lists, dicts, sets.
        tied: The parameters whose types have type variables of the class, if there are several.
        hold_together: Refuses values of `tied` for which one type variable would stand for two types.
        bind: Takes the types of the class's type variables, and returns those of its generic bases.
        uncounted: The parameters that do not count, or of whose values a part may not count.
        generates: Whether a parameter is a generated path.
        validates: Whether the class has a `__validate__`.
        prefilled: The defaults that configurations can share, by name.
        factories: The functions that make the other defaults, by name.
        header: The encoded name of the class, for identities; empty until first needed.
        record: What another process needs to find the class (code/class_records.py); None until first needed.
        renamed: The deprecated parameters, each with the function that handles an assignment.
        successor: The class that replaces this one, if it is deprecated.
        converts: Makes a configuration of the successor from one of this class.
        replaced: Whether a configuration is converted as soon as it is made.
        task: Whether its configurations are tasks.
        instances: Whether each configuration stands for itself, so that two equal ones are not the same.
        value_class: The class of the live objects.
        body: The code of the body of a local class, else None.
        scope: The variables of the enclosing function that the body of a local class uses.
        argv: The `sys.argv` at the time of the definition.
        attributes: The attributes that the body gave to a local class.
        arguments: The names of the arguments in the class statement beside the bases.
        local_digest: The digest of the choices of the enclosing function (code/local_digest.py), empty without any;
            None until first needed.
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
        self.local_digest: bytes | None = None

    def fill(self, parameters: dict[str, Parameter]) -> None:
        """Set the parameters, and all attributes that follow from them."""
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
    """The schema of the class of a configuration."""
    return type(config).__xpm_schema__  # type: ignore[no-any-return]


ROOT = "{root}"
"""Stands in the remedy of a mismatch for the class at the root of the path."""


def refusal(where: str, mismatch: MismatchError, place: str | None) -> ConfigurationError:
    """The error about a value that a parameter does not take.

    Args:
        where: Path of the parameter.
        mismatch: The error of its kind.
        place: The line that set the value, as `file.py:42`; None when no line did.
    """
    value, expected = mismatch.value, mismatch.expected
    wrong = f"expected {expected}, got {short_repr(value)} ({type(value).__name__})"
    if isinstance(value, Tagged):
        whole = "Tag the whole value of a parameter, or name the tag: learn.tag('layers', 3)."
        mismatch.remedy = "Pass the whole value to it: stop_tags([...])." if value.stop else whole
    phrase = expected.startswith(("a ", "data "))  # else it is the text of a type
    article = "" if phrase else "an " if expected[0] in "aeiou" else "a "
    remedy = mismatch.remedy or f"Pass {article}{expected}."
    remedy = remedy.replace(ROOT, where.partition(".")[0])
    error = ParameterTypeError if mismatch.allowed else ParameterValueError
    return error(where + mismatch.trail, wrong, remedy, place)


def short_repr(value: Any) -> str:
    """The `repr` of a value for messages. The middle of a long one is left out."""
    text = config_repr(value) if is_configuration(value) else safe_repr(value)
    return text if len(text) <= 80 else f"{text[:50]}…{text[-25:]}"


def config_repr(config: Any) -> str:
    """The `repr` of a configuration. Nested ones are only named, because they can be many, and shared."""
    content = config.__dict__

    def brief(value: Any) -> str:
        if is_configuration(value):
            return f"{type(value).__name__}(...)"
        return "[...]" if any(contained(value)) else safe_repr(value)

    values = (f"{name}={brief(content[name])}" for name in type(config).__xpm_schema__.parameters if name in content)
    return f"{type(config).__name__}({', '.join(values)})"
