"""Make kinds from annotations: find the names in an annotation, and the kind that checks values of its type."""

from __future__ import annotations

import builtins
import sys
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from enum import Enum
from pathlib import Path, PurePath
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    ForwardRef,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

from xpm_core.errors import DeclarationError, XpmError
from xpm_core.language.parameters.bounds import bounds_in
from xpm_core.language.parameters.fields import Role
from xpm_core.language.parameters.generics import ClassKind, ConfigKind
from xpm_core.language.values.kinds import (
    AnyKind,
    BoundedKind,
    DictKind,
    EnumKind,
    Kind,
    ListKind,
    LiteralKind,
    NoneKind,
    PathKind,
    ScalarKind,
    SetKind,
    TupleKind,
    UnionKind,
)

UNIONS = (Union, types.UnionType)
SCALARS = (int, float, str, bool, bytes, datetime, date, time, timedelta)
BARE: dict[Any, Callable[[], Kind]] = {
    Any: AnyKind,
    object: AnyKind,
    None: NoneKind,
    type(None): NoneKind,
    list: lambda: ListKind(AnyKind()),
    dict: lambda: DictKind(AnyKind(), AnyKind()),
    tuple: lambda: TupleKind((AnyKind(),), repeated=True),
    set: lambda: SetKind(set, AnyKind()),
    frozenset: lambda: SetKind(frozenset, AnyKind()),
}
CONVERTERS: list[Callable[[Any], Kind | None]] = []
"""Functions that find the kind of any other class. Modules add the functions for the classes that they know."""


class UnresolvedError(XpmError):
    """Raised when an annotation uses a name that is not defined, or not yet. It never leaves this package."""


class AnnotationScope:
    """The names that annotations of a class can use: its own, those of the functions around it, those of its module.

    Args:
        cls: The class.
        enclosing: Returns the local variables of the functions around the class, the innermost first. Each call may
            return more of them.

    Attributes:
        variables: The types, or their kinds, that type variables stand for.
        generic: Whether a type variable was met.
        used: The local variables that were used.
    """

    def __init__(self, cls: type, enclosing: Callable[[], Sequence[Mapping[str, Any]]]) -> None:
        self.cls, self.enclosing = cls, enclosing
        self.variables: dict[Any, Any] = {}
        self.generic = False
        self.used: dict[str, Any] = {}

    def evaluate(self, text: str) -> Any:
        """The object that the text of an annotation stands for.

        Raises:
            UnresolvedError: A name in it is not defined, or not yet.
        """
        try:
            return eval(text, {"__builtins__": builtins}, self)  # type: ignore[arg-type]  # eval uses no more than it has
        except (NameError, AttributeError) as error:  # a module that imports this one may not be complete
            raise UnresolvedError(str(error)) from None

    def __getitem__(self, name: str) -> Any:
        parameters = {p.__name__: p for p in getattr(self.cls, "__type_params__", ())}
        own: list[Mapping[str, Any]] = [vars(self.cls), {self.cls.__name__: self.cls}, parameters]
        for names in own:
            if name in names:
                return names[name]
        for names in self.enclosing():
            if name in names:
                self.used[name] = names[name]
                return names[name]
        module = getattr(sys.modules.get(self.cls.__module__), "__dict__", {})
        return module[name] if name in module else vars(builtins)[name]

    def settle(self) -> None:
        """Keep only the local variables that were used."""
        self.enclosing = lambda: [self.used]

    def bound(self, variables: dict[Any, Any]) -> AnnotationScope:
        """The same names, with types or kinds for type variables."""
        twin = AnnotationScope(self.cls, self.enclosing)
        twin.variables = variables
        return twin


def annotations_of(cls: type) -> dict[str, Any]:
    """The annotations in the body of a class, as they are written there.

    Python 3.14 evaluates them only when they are asked for. If one uses a name that is not defined yet, all of them are
    given as text, as `from __future__ import annotations` does.
    """
    own: Mapping[str, Any] | None = cls.__dict__.get("__annotations__")  # noqa: RUF063 -- inspect is slow to import
    if own is None and sys.version_info >= (3, 14):
        try:
            own = type.__dict__["__annotations__"].__get__(cls)  # noqa: RUF063 -- a metaclass may hide `cls.…`
        except (NameError, AttributeError):
            from annotationlib import Format, get_annotations

            own = get_annotations(cls, format=Format.STRING)
    return dict(own or {})


def role_of(annotation: Any, names: AnnotationScope, where: str) -> tuple[str, Any] | None:
    """The role and the type of the parameter that an annotation declares; None when it declares no parameter.

    Raises:
        DeclarationError: `Param[...]` stands inside of another type.
        UnresolvedError: A name in it is not defined, or not yet.
    """
    if isinstance(annotation, str):
        annotation = names.evaluate(annotation)
    if isinstance(annotation, ForwardRef):
        annotation = names.evaluate(annotation.__forward_arg__)
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        roles = [item for item in metadata if isinstance(item, Role)]
        if roles:
            parts = (inner, *(item for item in metadata if not isinstance(item, Role)))
            return roles[-1].name, Annotated[parts] if len(parts) > 1 else inner
    if get_origin(annotation) not in (ClassVar, Final) and any(map(has_role, get_args(annotation))):
        raise DeclarationError(where, f"Param stands inside of {annotation!r}", "Make it the outermost: Param[...].")
    return None


def has_role(annotation: Any) -> bool:
    return any(isinstance(part, Role) or has_role(part) for part in get_args(annotation))


def kind_of(annotation: Any, names: AnnotationScope, where: str) -> Kind:
    """The kind of a type.

    Raises:
        DeclarationError: Parameters cannot have that type.
        UnresolvedError: A name in it is not defined, or not yet.
    """

    def of(inner: Any) -> Kind:
        return kind_of(inner, names, where)

    if isinstance(annotation, (str, ForwardRef)):
        text = annotation if isinstance(annotation, str) else annotation.__forward_arg__
        return of(names.evaluate(text))
    if isinstance(annotation, TypeVar):
        return variable(annotation, names, of)
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return class_kind(annotation, where)
    if annotation in BARE:
        return BARE[annotation]()
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        bounds = tuple(bound for metadata in arguments[1:] for bound in bounds_in(metadata))
        return BoundedKind(of(arguments[0]), bounds) if bounds else of(arguments[0])
    if origin in UNIONS:
        return UnionKind(tuple(map(of, arguments)))
    if origin is Literal:
        return LiteralKind(arguments)
    if origin is list:
        return ListKind(of(arguments[0]))
    if origin is dict:
        return dict_kind(of(arguments[0]), of(arguments[1]), where)
    if origin in (set, frozenset):
        return SetKind(origin, of(arguments[0]))
    if origin is tuple:
        repeated = len(arguments) == 2 and arguments[1] is Ellipsis
        kinds = arguments[:1] if repeated else tuple(a for a in arguments if a != ())
        return TupleKind(tuple(map(of, kinds)), repeated)
    if isinstance(origin, type) and hasattr(origin, "__xpm_schema__"):
        return ConfigKind(origin, arguments_of(origin, arguments, names, where))
    if (kind := converted(annotation)) is not None:
        return kind
    raise unsupported(annotation, where)


def class_kind(cls: type, where: str) -> Kind:
    """The kind of a class."""
    if cls in SCALARS:
        return ScalarKind(cls)
    if cls in BARE:
        return BARE[cls]()
    if cls in (Path, PurePath):
        return PathKind()
    if issubclass(cls, Enum):
        return EnumKind(cls)
    if hasattr(cls, "__xpm_schema__"):
        return ConfigKind(cls)
    if (kind := converted(cls)) is not None:
        return kind
    raise unsupported(cls, where)


def converted(annotation: Any) -> Kind | None:
    return next((kind for convert in CONVERTERS if (kind := convert(annotation)) is not None), None)


def unsupported(annotation: Any, where: str) -> DeclarationError:
    name = annotation.__name__ if isinstance(annotation, type) else repr(annotation)
    return DeclarationError(
        where, f"no parameter can have the type {name}", "Use int, float, str, bool, Path, an Enum, a Config, list, ..."
    )


def dict_kind(key: Kind, item: Kind, where: str) -> DictKind:
    if key.holds and not isinstance(key, AnyKind):
        raise DeclarationError(where, f"keys of a dict cannot be {key.text}", "Use keys that are texts or numbers.")
    return DictKind(key, item)


def variable(annotation: TypeVar, names: AnnotationScope, of: Callable[[Any], Kind]) -> Kind:
    """The kind of a type variable: of the type that a subclass gave it, else of its bound or its constraints."""
    names.generic = True
    if annotation in names.variables:
        given = names.variables[annotation]
        return given if isinstance(given, Kind) else of(given)
    if annotation.__constraints__:
        return UnionKind(tuple(map(of, annotation.__constraints__)))
    return of(annotation.__bound__) if annotation.__bound__ is not None else AnyKind()


def arguments_of(cls: type, arguments: Iterable[Any], names: AnnotationScope, where: str) -> dict[Any, Kind]:
    """The kinds that the type variables of a generic class stand for in `Pair[int]`."""
    kinds = (argument_kind(argument, names, where) for argument in arguments)
    return dict(zip(getattr(cls, "__parameters__", ()), kinds, strict=False))


def argument_kind(annotation: Any, names: AnnotationScope, where: str) -> Kind:
    """The kind of an argument of a generic class, which may be any class."""
    if isinstance(annotation, (str, ForwardRef)):
        text = annotation if isinstance(annotation, str) else annotation.__forward_arg__
        return argument_kind(names.evaluate(text), names, where)
    try:
        return kind_of(annotation, names, where)
    except DeclarationError:
        if not isinstance(annotation, type):
            raise
        return ClassKind(annotation)
