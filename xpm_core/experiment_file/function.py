"""The function that an experiment's file names: `run(xp, config)`."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, get_args, get_origin

from xpm_core.config import Config
from xpm_core.errors import ExperimentFileError
from xpm_core.experiment_file.content.header import Target
from xpm_core.project.import_path import import_from
from xpm_core.tracebacks.callsite import format_line

DEFAULT = "run"
"""The name of the function, if the file names none."""
SUFFIX = ".py"


class Function(NamedTuple):
    """A function that runs an experiment.

    Attributes:
        call: The function.
        config: The class of its second parameter; None if it takes only the experiment.
        takes_all: Whether it takes a list of all configurations, and is called once.
        place: The line of its definition.
    """

    call: Callable[..., Any]
    config: type[Config] | None
    takes_all: bool
    place: str


def load(target: Target) -> Function:
    """Import the function that a file names, as a script that lies beside it would.

    Raises:
        ExperimentFileError: There is no such function, or it does not take what it would be given.
    """
    source, _, name = target.run.partition(":")
    module = _of_file(target, source) if source.endswith(SUFFIX) else _of_module(target, source)
    name = name or DEFAULT
    function = getattr(module, name, None)
    if not callable(function):
        here = [known for known, value in vars(module).items() if inspect.isfunction(value)]
        near = get_close_matches(name, here, 1)
        remedy = f"Did you mean {target.run.partition(':')[0]}:{near[0]}?" if near else "Define run(xp, config) there."
        raise ExperimentFileError(target.place, f"run: there is no function {name!r} in {source}", remedy)
    return _described(function, name)


def _of_file(target: Target, source: str) -> ModuleType:
    file = Path(os.path.abspath(Path(target.folder, Path(source).expanduser())))
    if not file.is_file():
        here = sorted(each.name for each in file.parent.glob(f"*{SUFFIX}")) if file.parent.is_dir() else []
        near = get_close_matches(file.name, here, 1)
        remedy = f"Did you mean {near[0]}?" if near else "Write run: FILE.py, or run: MODULE:FUNCTION."
        raise ExperimentFileError(target.place, f"run: there is no file {source} in {target.folder}", remedy)
    if not file.stem.isidentifier():
        wrong = f"run: {file.name} cannot be imported, because {file.stem!r} is no name of a module"
        raise ExperimentFileError(target.place, wrong, "Rename the file: letters, digits and _.")
    import_from([str(file.parent), *map(str, target.pythonpath)])
    module = importlib.import_module(file.stem)
    found = getattr(module, "__file__", None)
    if found is None or not os.path.samefile(found, file):
        wrong = f"run: the module {file.stem!r} is {found or 'a part of Python'}, not {source}"
        raise ExperimentFileError(target.place, wrong, "Rename the file.")
    return module


def _of_module(target: Target, source: str) -> ModuleType:
    if not all(part.isidentifier() for part in source.split(".")):
        wrong = f"run: expected FILE.py, FILE.py:FUNCTION or MODULE:FUNCTION, got {target.run!r}"
        raise ExperimentFileError(target.place, wrong, "Write run: experiment.py.")
    folders = [str(folder) for folder in target.pythonpath or [target.folder]]
    import_from(folders)
    try:
        return importlib.import_module(source)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{source}.".startswith(f"{error.name}."):
            raise  # a module that the user's own code imports
        wrong = f"run: there is no module {error.name!r} in {', '.join(folders)}, and none is installed"
        raise ExperimentFileError(target.place, wrong, _where_it_is(target, error.name)) from None


def _where_it_is(target: Target, module: str) -> str:
    """What to write so that a module is found."""
    first, folder = module.partition(".")[0], target.folder
    for above in folder.parents:
        if (above / first).is_dir() or (above / f"{first}{SUFFIX}").is_file():
            return f"Write pythonpath: {os.path.relpath(above, folder)}."
    return "Write pythonpath: FOLDER, relative to the YAML file, or install it."


def _described(function: Any, name: str) -> Function:
    code = getattr(inspect.unwrap(function), "__code__", None)
    place = format_line((code.co_filename, code.co_firstlineno)) if code is not None else name
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = list(inspect.signature(function).parameters.values())
    positional = [each for each in parameters if each.kind in kinds]
    needed = [each for each in parameters if each.default is each.empty and each.kind is not each.VAR_KEYWORD]
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise ExperimentFileError(place, f"{name} is no plain function, so a call runs nothing of it", "Write def.")
    if not positional or len(needed) > 2 or any(each not in positional for each in needed):
        wrong = f"{name}{inspect.signature(function)} cannot be called with an experiment and a configuration"
        raise ExperimentFileError(place, wrong, f"Write {name}(xp, config: Settings).")
    if len(positional) < 2 or (positional[1].default is not inspect.Parameter.empty and positional[1] not in needed):
        return Function(function, None, False, place)
    declared = _resolved(positional[1], function, f"{name}(...)", place)
    takes_all = get_origin(declared) is list and len(get_args(declared)) == 1
    cls = get_args(declared)[0] if takes_all else declared
    if not (isinstance(cls, type) and issubclass(cls, Config)):
        wrong = f"{name}: its parameter {positional[1].name!r} is declared as {declared!r}, which is no Config"
        raise ExperimentFileError(place, wrong, "Declare a class that derives from Config.")
    return Function(function, cls, takes_all, place)


def _resolved(parameter: inspect.Parameter, function: Any, name: str, place: str) -> Any:
    """The type that a parameter declares."""
    declared = parameter.annotation
    if declared is parameter.empty:
        wrong = f"{name}: its parameter {parameter.name!r} declares no type"
        raise ExperimentFileError(place, wrong, f"Declare a class of configurations: {parameter.name}: Settings.")
    if not isinstance(declared, str):
        return declared
    scope = vars(sys.modules[inspect.unwrap(function).__module__])
    try:
        return eval(declared, dict(scope))
    except (NameError, AttributeError, SyntaxError) as error:
        wrong = f"{name}: the type {declared!r} of {parameter.name!r} cannot be found ({error})"
        raise ExperimentFileError(place, wrong, "Import it there, not only for type checkers.") from None
