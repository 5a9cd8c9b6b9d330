"""Errors about configurations, their classes, and their form as bytes."""

from __future__ import annotations

from xpm_core.errors.base import ShapedError, XpmError


class ConfigurationError(XpmError):
    """Base of the errors about configurations. Raised when a subclass is.

    Attributes:
        where: Path of the parameter, such as `Train.optim.lr`, or name of the class.
        wrong: What is wrong, with the value.
        place: The line that set the value, as `file:line`; None when there is no such line.
        remedy: What to do.
    """

    def __init__(self, where: str, wrong: str, remedy: str, place: str | None = None) -> None:
        super().__init__(where, wrong, remedy, place)
        self.where, self.wrong, self.remedy, self.place = where, wrong, remedy, place

    def __str__(self) -> str:
        place = f", set at {self.place}" if self.place else ""
        return f"{self.where}: {self.wrong}{place}. {self.remedy}"


class ParameterTypeError(ConfigurationError, TypeError, ValueError):
    """Raised when a parameter gets a value that does not fit its declared type."""


class ParameterValueError(ConfigurationError, ValueError):
    """Raised when a parameter gets a value of the right type that it does not allow."""


class UnknownParameterError(ConfigurationError, AttributeError):
    """Raised when a value is given for a name that is no parameter of the class."""


class MissingParameterError(ConfigurationError, AttributeError):
    """Raised when a parameter is read, or its task submitted, before it has a value."""


class SealedError(ConfigurationError, AttributeError):
    """Raised when a value is assigned that can no longer change, as in a submitted task, or a constant."""


class DeclarationError(ConfigurationError, TypeError):
    """Raised when a class declares a parameter, or itself, in a way that cannot work."""


class ValidationError(ConfigurationError, ValueError):
    """Raised when the `__validate__` of a configuration refuses its values."""


class CycleError(ConfigurationError, ValueError):
    """Raised when a configuration contains itself."""


class NestingError(ConfigurationError, ValueError):
    """Raised when values or configurations are nested too deep to be read."""


class UnsubmittedTaskError(ConfigurationError, ValueError, AttributeError):
    """Raised when a task depends on a task that was not submitted, or has no job and is asked for it."""


class ClassNameError(ConfigurationError, ValueError):
    """Raised when a class has no name under which another process could import it."""


class YamlError(ConfigurationError, ValueError):
    """Raised when a YAML file cannot be read, or has a key twice."""


class MissingPackageError(XpmError, ImportError):
    """Raised when a function needs an optional package that is not installed."""

    def __init__(self, where: str, package: str, place: str, install: str) -> None:
        super().__init__(where, package, place, install)
        self.where, self.package, self.place, self.install = where, package, place, install

    def __str__(self) -> str:
        return f"{self.where}: needs {self.package}, called at {self.place}. Install it: pip install '{self.install}'."


class MismatchError(XpmError):
    """Raised when a value does not have a type. It is caught where the parameter and the line are known.

    Attributes:
        expected: The type, as messages write it.
        value: The value that was given.
        allowed: False when the type is right, and the value is not allowed.
        trail: The place of the value in a larger one, such as `[3]`.
        remedy: What to do, if there is a better remedy than to pass a value of that type.
    """

    def __init__(self, expected: str, value: object, allowed: bool = True, trail: str = "", remedy: str = "") -> None:
        super().__init__(expected, value, allowed, trail, remedy)
        self.expected, self.value, self.allowed, self.trail, self.remedy = expected, value, allowed, trail, remedy

    def __str__(self) -> str:
        return f"{self.trail or 'value'}: expected {self.expected}, got {self.value!r}"


class TaskImportError(XpmError, ImportError):
    """Raised when a class that a task needs cannot be imported.

    Attributes:
        module: The module that was to be imported.
        needed: The class, as `module.QualName`.
        reason: Why it failed.
    """

    def __init__(self, module: str, needed: str, reason: str) -> None:
        super().__init__(module, needed, reason)
        self.module, self.needed, self.reason = module, needed, reason

    @property
    def remedy(self) -> str:
        """What to do."""
        return "Install it there, or start the worker with --pythonpath."

    def __str__(self) -> str:
        return f"cannot import {self.needed!r} ({self.reason}). {self.remedy}"


class ModuleNotAllowedError(TaskImportError):
    """Raised when a payload names a module that the worker does not allow. Nothing of the module was imported."""

    @property
    def remedy(self) -> str:
        """What to do."""
        return f"Start the worker with --allow {self.module}, or submit to a queue whose workers allow it."


class PayloadError(ShapedError, ValueError):
    """Raised when a payload cannot be made, cannot be read, or does not have the identity that it should have."""


class OriginClashError(XpmError, ValueError):
    """Raised when two different files claim one class name in a workspace."""

    def __init__(self, name: str, known: str, given: str, keep: str = "") -> None:
        super().__init__(name, known, given, keep)
        self.name, self.known, self.given, self.keep = name, known, given, keep

    def __str__(self) -> str:
        return (
            f"{self.name}: defined in {self.given}, but in this workspace that name belongs to {self.known}; their "
            f"results would be mixed up. Give one of the classes an identifier of its own "
            f"(__xpmid__ = 'my-project.{self.name.rpartition(':')[2]}'), or use another workspace.{self.keep}"
        )
