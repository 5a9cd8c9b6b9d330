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

    Remedy:
        The last sentence of its message says what to do. `set at` names your line that gave the value.
    """

    def __init__(self, where: str, wrong: str, remedy: str, place: str | None = None) -> None:
        super().__init__(where, wrong, remedy, place)
        self.where, self.wrong, self.remedy, self.place = where, wrong, remedy, place

    def __str__(self) -> str:
        place = f", set at {self.place}" if self.place else ""
        return f"{self.where}: {self.wrong}{place}. {self.remedy}"


class ParameterTypeError(ConfigurationError, TypeError, ValueError):
    """Raised when a parameter gets a value that does not fit its declared type.

    Message:
        Train.optim.lr: expected float, got '0.1' (str), set at sweep.py:42. Pass a float.

    Remedy:
        Pass a value of the declared type, or widen the type in the class. If the value comes from YAML and is meant as
        a text, quote it there.
    """


class ParameterValueError(ConfigurationError, ValueError):
    """Raised when a parameter gets a value of the right type that it does not allow.

    Message:
        Train.epochs: expected int >= 1, got 0 (int), set at sweep.py:42. Pass an int >= 1.

    Remedy:
        Pass a value within the bounds or choices of the parameter, or change these in the class.
    """


class UnknownParameterError(ConfigurationError, AttributeError):
    """Raised when a value is given for a name that is no parameter of the class.

    Message:
        Train: unknown parameter 'leaning_rate', set at sweep.py:42. Did you mean 'learning_rate'?

    Remedy:
        Correct the name, or declare the parameter in the class: `learning_rate: Param[float]`.
    """


class MissingParameterError(ConfigurationError, AttributeError):
    """Raised when a parameter is read, or its task submitted, before it has a value.

    Message:
        Train.lr: it has no value, in the configuration made at sweep.py:42. Give one before you submit.

    Remedy:
        Give the parameter a value, or give it a default in the class. A generated path has its value once the task is
        submitted.
    """


class SealedError(ConfigurationError, AttributeError):
    """Raised when a value is assigned that can no longer change, as in a submitted task, or a constant.

    Message:
        Train.lr: cannot assign 0.2, the task was submitted at sweep.py:57. Change a copy: train.copy(lr=0.2).

    Remedy:
        Change a copy, and submit the copy. What was submitted keeps its values, because they are its identity.
    """


class DeclarationError(ConfigurationError, TypeError):
    """Raised when a class declares a parameter, or itself, in a way that cannot work.

    Message:
        Train.lr: its type str does not fit that of Learn, float. Give it a narrower type, or another name.

    Remedy:
        Change the class as the message says. The page on the language shows what a class can declare.
    """


class ValidationError(ConfigurationError, ValueError):
    """Raised when the `__validate__` of a configuration refuses its values.

    Message:
        Train: its values are refused (batch must divide 1024). Change the configuration made at sweep.py:42.

    Remedy:
        Give values that the `__validate__` of the class accepts, or change that method.
    """


class CycleError(ConfigurationError, ValueError):
    """Raised when a configuration contains itself.

    Message:
        Node.next.next: this configuration contains itself, set at graph.py:12. Break the circle.

    Remedy:
        Let one of the two name the other by a text or number, or join them into one configuration.
    """


class NestingError(ConfigurationError, ValueError):
    """Raised when values or configurations are nested too deep to be read.

    Message:
        Chain.next: its value is nested deeper than Python's recursion limit of 1000 allows, set at chain.py:9.
        Flatten it.

    Remedy:
        Keep a long chain in a list, or in a file that a parameter of type `Path` names.
    """


class UnsubmittedTaskError(ConfigurationError, ValueError, AttributeError):
    """Raised when a task depends on a task that was not submitted, or has no job and is asked for it.

    Message:
        Evaluate.model: the Train made at sweep.py:42 was not submitted. Submit it first.

    Remedy:
        Call `submit()` on the inner task before the outer one is submitted, or before you read its directory.
    """


class ClassNameError(ConfigurationError, ValueError):
    """Raised when a class has no name under which another process could import it.

    Message:
        Train: no other process can import this class: it was defined in a cell of this notebook. Write %%writefile
        tasks.py as the first line of that cell, and its imports below it. Run it. Then run in another cell: from tasks
        import Train

    Remedy:
        Put the class into a module, at its top level, and import it from there. In a notebook, `%%writefile tasks.py`
        as the first line of the cell does that.
    """


class YamlError(ConfigurationError, ValueError):
    """Raised when a YAML file cannot be read, or has a key twice.

    Message:
        config.yaml:3: 'lr' stands twice, first in line 1. Keep one of them.

    Remedy:
        Correct the line of the file that the message names.
    """


class ExperimentFileError(ConfigurationError, ValueError):
    """Raised when the YAML file of an experiment has an unknown key, or names something that cannot be used.

    Message:
        sweep.yaml:3: unknown key 'parent'. Write base: common.yaml.

    Remedy:
        Correct the line that the message names. `xpm run FILE.yaml --schema` prints what the file can have.
    """


class MismatchError(XpmError):
    """Raised when a value does not have a type. It is caught where the parameter and the line are known.

    Attributes:
        expected: The type, as messages write it.
        value: The value that was given.
        allowed: False when the type is right, and the value is not allowed.
        trail: The place of the value in a larger one, such as `[3]`.
        remedy: What to do, if there is a better remedy than to pass a value of that type.

    Message:
        value: expected float, got '0.1'

    Remedy:
        You meet it only if you call `check` of a type yourself: elsewhere it becomes a `ParameterTypeError` or a
        `ParameterValueError`.
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

    Message:
        cannot import 'models.Train' (No module named 'models'). Install it there, or start the worker with
        --pythonpath.

    Remedy:
        Make the module importable on the worker's machine: install the package there, put the code on a folder that all
        machines share, or name its folder with `xpm-worker --pythonpath`. Then start that worker again.
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
    """Raised when a payload names a module that the worker does not allow. Nothing of the module was imported.

    Message:
        cannot import 'models.Train' (this worker allows lab only). Start the worker with --allow models, or submit to a
        queue whose workers allow it.

    Remedy:
        Decide whether the worker shall run this code. If so, start it with one more `--allow`.
    """

    @property
    def remedy(self) -> str:
        """What to do."""
        return f"Start the worker with --allow {self.module}, or submit to a queue whose workers allow it."


class PayloadError(ShapedError, ValueError):
    """Raised when a payload cannot be made, cannot be read, or does not have the identity that it should have.

    Message:
        payload: Train has no parameter 'lr' any more. Its code has changed since it was submitted: submit it again.

    Remedy:
        Submit the task again, with the code as it is now. Keep large values in files.
    """


class OriginClashError(XpmError, ValueError):
    """Raised when two different files claim one class name in a workspace.

    Message:
        train:Train: defined in lab/b/train.py, but in this workspace that name belongs to lab/a/train.py; their results
        would be mixed up. Give one of the classes an identifier of its own (__xpmid__ = 'my-project.Train'), or use
        another workspace.

    Remedy:
        Rename a file, set `__xpmid__` in one of the classes, or use a workspace for each project.
    """

    def __init__(self, name: str, known: str, given: str, keep: str = "") -> None:
        super().__init__(name, known, given, keep)
        self.name, self.known, self.given, self.keep = name, known, given, keep

    def __str__(self) -> str:
        return (
            f"{self.name}: defined in {self.given}, but in this workspace that name belongs to {self.known}; their "
            f"results would be mixed up. Give one of the classes an identifier of its own "
            f"(__xpmid__ = 'my-project.{self.name.rpartition(':')[2]}'), or use another workspace.{self.keep}"
        )
