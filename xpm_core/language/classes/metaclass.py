"""The metaclass of configurations. It reads the declarations of a class; a call of the class makes a configuration."""

from __future__ import annotations

import sys
from abc import ABCMeta
from collections.abc import Callable
from contextlib import suppress
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, TypeVar

from xpm_core.errors import XpmError
from xpm_core.language.classes.assignment import assign, make, refuse_delete
from xpm_core.language.classes.declaration import complete
from xpm_core.language.graph.state import STATE
from xpm_core.language.parameters.annotations import AnnotationScope, UnresolvedError
from xpm_core.language.parameters.calls import refuse_uncallable
from xpm_core.language.parameters.fields import field
from xpm_core.language.parameters.schema import Schema, rebuilding
from xpm_core.project.origin import LOCAL, refuse_cell
from xpm_core.tracebacks.callsite import PACKAGE
from xpm_core.tracebacks.edges import cut, edge

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform

    from xpm_core.language.classes.parameter_help import ParameterHelp
else:

    def dataclass_transform(**options: Any) -> Callable[[type], type]:
        """Does nothing. The real one is for type checkers."""
        return lambda cls: cls


C = TypeVar("C")
F = TypeVar("F", bound=Callable[..., Any])

FOR_CONFIGURATIONS: dict[str, Callable[..., None]] = {"__setattr__": assign, "__delattr__": refuse_delete}
"""The functions that the attribute methods of a configuration call."""


@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
class ConfigMeta(ABCMeta):
    """Metaclass of configurations. Calling a class makes a configuration of it, not a live object."""

    __xpm_schema__: Schema

    @edge
    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], /, **options: Any) -> ConfigMeta:
        cls = super().__new__(mcs, name, bases, namespace, **options)
        schema = cls.__xpm_schema__ = Schema(cls)
        guard_attributes(cls)
        refuse_uncallable(cls)
        frames = enclosing(cls)
        schema.names = AnnotationScope(
            cls, rebuilding[-1] if rebuilding else lambda: [frame.f_locals for frame in frames]
        )
        if frames and not rebuilding and (body := body_of(cls, frames[0].f_code)) is not None:
            schema.body, schema.attributes, schema.arguments = body, dict(vars(cls)), tuple(options)
            schema.scope = {n: value for n, value in frames[0].f_locals.items() if n in body.co_freevars}
        with suppress(UnresolvedError):  # tried again at the first use, because a name may be defined later
            complete(cls)
        return cls

    @property
    def C(cls: type[C]) -> type[C]:
        """The class itself. `Learn.C(epochs=3)` and `Learn(epochs=3)` mean the same."""
        return cls

    @property
    def XPMValue(cls) -> type:
        """The class of the live objects: the value class, if there is one."""
        return cls.__xpm_schema__.value_class

    @property
    def __doc_params__(cls) -> list[ParameterHelp]:
        """Name, type, default and help of each parameter; see xpm_core.language.classes.parameter_help."""
        from xpm_core.language.classes.parameter_help import help_of  # late, because few need it

        return help_of(cls)

    def __setattr__(cls, name: str, value: Any) -> None:
        refuse_patch(cls, name)
        super().__setattr__(name, value)

    def __delattr__(cls, name: str) -> None:
        refuse_patch(cls, name)
        super().__delattr__(name)

    if not TYPE_CHECKING:  # type checkers know the arguments from the parameters

        def __call__(cls, /, *args: Any, **values: Any) -> Any:
            try:
                schema = cls.__xpm_schema__
                if schema.cls is not cls:  # %autoreload has loaded its module again, and copied the attributes
                    cls, schema = schema.cls, schema.cls.__xpm_schema__
                if not schema.complete:
                    complete(cls, last=True)
                if schema.task and cls.__module__ == "__main__":
                    refuse_cell(cls)
                return make(cls, args, values)
            except XpmError as error:
                cut(error)
                raise


def refuse_patch(cls: type, name: str) -> None:
    """Refuse to change an attribute for `%autoreload`, which would leave the parameters as they were.

    It sets new defaults as attributes of the old class, if an edit of a file looks simple. When that fails, it loads
    the module again, and shows no error.

    Raises:
        RuntimeError: IPython changes the attribute.
    """
    if sys._getframe(2).f_globals.get("__name__", "").startswith("IPython.extensions.deduperreload"):
        raise RuntimeError(f"{cls.__name__}.{name}: the class has to be made again. Load its module again.")


def ours(method: F) -> F:
    """Mark an attribute method as one that treats configurations and live objects differently."""
    method.ours = True  # type: ignore[attr-defined]
    return method


def guard_attributes(cls: type) -> None:
    """Keep assignment to configurations ours if a class, or a base before ours, has attribute methods of its own.

    `torch.nn.Module` has such methods. They are for live objects.
    """
    for name in FOR_CONFIGURATIONS:
        theirs = getattr(cls, name)
        if not getattr(theirs, "ours", False) and hasattr(cls, "__xpm_base__"):
            setattr(cls, name, guarded(name, theirs))


def guarded(name: str, theirs: Callable[..., None]) -> Callable[..., None]:
    """An attribute method that calls ours for configurations, and theirs for live objects."""
    mine = FOR_CONFIGURATIONS[name]

    @ours
    def method(self: Any, *args: Any) -> None:
        if STATE not in self.__dict__:
            theirs(self, *args)
            return
        try:
            mine(self, *args)
        except XpmError as error:
            cut(error)
            raise

    return method


def enclosing(cls: type) -> list[FrameType]:
    """The frames of the functions around a class that is being defined, the innermost first."""
    if LOCAL not in cls.__qualname__:
        return []
    found: list[FrameType] = []
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    while frame is not None and frame.f_code.co_name != "<module>":
        found.append(frame)
        inner, frame = frame.f_code, frame.f_back
        if frame is None or inner not in frame.f_code.co_consts:
            break
    return found


def body_of(cls: type, function: CodeType) -> CodeType | None:
    """The code of the body of a class, found among the constants of the function that defines it."""
    bodies = [c for c in function.co_consts if isinstance(c, CodeType) and c.co_name == cls.__name__]
    methods = {getattr(value, "__code__", None) for value in vars(cls).values()} - {None}
    return next((body for body in bodies if methods <= set(body.co_consts)), bodies[0] if bodies else None)
