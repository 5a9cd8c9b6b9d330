"""The origin of a class: the name by which any process can import it, its file, and the project of the file."""

from __future__ import annotations

import os
import re
import sys
from functools import lru_cache
from types import ModuleType
from typing import Any

from xpm_core.errors import ClassNameError, OriginClashError
from xpm_core.project.own_names import recorded_module
from xpm_core.project.repository import checkout_of, repository_of
from xpm_core.tracebacks.prompt import in_notebook

LOCAL = "<locals>"
INSTALLED = ("site-packages", "dist-packages")

ANYWHERE = ":**/"
"""Stands for any folder of a project in the name of a file: `project:**/sweep.py`. submit.lua reads it, too."""

_HEADER = re.compile(r"\s*\[([\w.\-]+)\]")
_NAME = re.compile(r"""\s*name\s*=\s*["']([^"']+)""")
"""Compiled at import: the process of a job is forked from one that has loaded this module, and need not do it again."""


def module_name(cls: Any) -> str:
    """The name by which another process can import the module of a class or function. It is never `__main__`.

    Raises:
        ClassNameError: No file has the class: it was made at a prompt, in a notebook or by `python -c`.
    """
    if cls.__module__ != "__main__":
        return recorded_module(str(cls.__module__), cls.__qualname__)
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is not None and spec.name != "__main__":
        return str(spec.name)
    file: str | None = getattr(main, "__file__", None)
    if file is None or not os.path.isfile(file) or os.path.basename(file) == "__main__.py":
        raise _nameless(cls.__qualname__)
    return os.path.splitext(os.path.basename(file))[0]


def refuse_cell(cls: Any) -> None:
    """Refuse a class of a cell of a notebook, whose tasks no job could run. It is called where one is made.

    Raises:
        ClassNameError: It stands in a cell.
    """
    if in_notebook():
        module_name(cls)


def _nameless(qualname: str) -> ClassNameError:
    """The error about a class that stands in no file."""
    if not in_notebook():
        wrong = "no other process can import this class: it was defined at a prompt or by python -c"
        return ClassNameError(qualname, wrong, "Put it into a file of its own, and import it from there.")
    wrong = "no other process can import this class: it was defined in a cell of this notebook"
    top = qualname.partition(".")[0]
    remedy = (
        "Write %%writefile tasks.py as the first line of that cell, and its imports below it. Run it. Then run in "
        f"another cell: from tasks import {top}"
    )
    return ClassNameError(qualname, wrong, remedy)


def class_id(cls: type) -> str:
    """The name of a class in identities: its own `__xpmid__`, else `module:QualName`.

    A subclass does not inherit an `__xpmid__`. But if it is a class method, it is called for each subclass.

    Raises:
        ClassNameError: No other process could import the class, or its `__xpmid__` is no text.

    Example:
        >>> class_id(Learn)
        'demo.train:Learn'
    """
    own: Any = getattr(cls, "__xpmid__", None)
    if callable(own):
        own = own()
    elif "__xpmid__" not in cls.__dict__:
        return f"{module_name(cls)}:{cls.__qualname__}"
    if not isinstance(own, str) or not own or not own.isprintable():
        raise ClassNameError(cls.__qualname__, f"its __xpmid__ is {own!r}", "Make it a text that can be printed.")
    return own


def attribute(module: Any, name: str) -> Any:
    """The object that a module has under a qualified name; None when there is none. Other modules are not asked."""
    found = module
    for part in name.split("."):
        found = getattr(found, part, None) if found is module or not isinstance(found, ModuleType) else None
    return found


def class_file(cls: Any) -> str | None:
    """The absolute path of the file that defines a class.

    Returns:
        The path; None for built-in modules, and for xpm's own classes that moved: no other release has them there.
    """
    if cls.__module__ != "__main__" and module_name(cls) != cls.__module__:
        return None
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return os.path.abspath(file) if file else None


def project_file(cls: Any) -> str | None:
    """The name of the file of a class, `project:package/module.py`. It is the same in every clone of the project.

    The nearest pyproject.toml names the project. Without one, it has the name of the folder that holds `.git`. Without
    that, it has the name of the folder from which the module is imported.

    Returns:
        The name; None for built-in modules.
    """
    file = class_file(cls)
    return None if file is None else within_project(file, module_name(cls))


def project_files(cls: Any) -> str | None:
    """All names of the file of a class, the one of `project_file` first. Files that share a name are the same file.

    A project without a name in pyproject.toml can be reached by a link, or be cloned into a folder with another name.
    Therefore the names by the real folder and by the repository are among them. The `__xpmid__` of a class can be its
    name in a former module. Then the names of that module's file are among them, too, for any folder of the project.

    Returns:
        One name a line; None for built-in modules.
    """
    file = class_file(cls)
    if file is None:
        return None
    module, own = module_name(cls), cls.__dict__.get("__xpmid__")
    names = _names(file, module)
    if isinstance(own, str) and ":" in own:
        former = own.partition(":")[0]
        names = [*names, *_names(_file_beside(file, module, former), former), *_anywhere(names, former)]
    return "\n".join(dict.fromkeys(names))


def _file_beside(file: str, module: str, other: str) -> str:
    """The file of another module in the folder that a module is imported from. It may no longer exist."""
    depth = module.count(".") + (os.path.basename(file) == "__init__.py")
    start = os.sep.join([*file.split(os.sep)[: -1 - depth], *other.split(".")])
    package = os.path.join(start, "__init__.py")
    return package if os.path.isfile(package) else f"{start}.py"


def _anywhere(names: list[str], module: str) -> list[str]:
    """The names of a module's file in the projects of some names, for any folder that they import it from."""
    projects = [project for project in (name.partition(":")[0] for name in names) if project not in INSTALLED]
    path = module.replace(".", "/")
    return [f"{project}{ANYWHERE}{path}{end}" for project in projects for end in (".py", "/__init__.py")]


def origin_clash(name: str, known: str, given: str) -> OriginClashError:
    """The error about two files that claim one class name.

    Both may be one file of a project that has two names: if their paths in the project are equal, or if the class names
    one of them as its former module. Then the error says how a name of the project keeps the results.

    Args:
        name: The class, as identities name it.
        known: The names of the first file, one a line.
        given: The names of the second file, one a line.
    """
    known, (given, *others) = known.split("\n")[0], given.split("\n")
    (project, _, path), (_, _, other) = known.partition(":"), given.partition(":")
    former = [f"/{end}" for _, anywhere, end in (each.partition(ANYWHERE) for each in others) if anywhere]
    keep = f" If they are one project, write [project] name = {project!r} into its pyproject.toml instead."
    return OriginClashError(name, known, given, keep if path == other or f"/{path}".endswith(tuple(former)) else "")


@lru_cache(maxsize=4096)
def _names(file: str, module: str) -> list[str]:
    names, real = [within_project(file, module)], os.path.realpath(file)
    if names[0].startswith(INSTALLED):
        return names
    names.append(within_project(real, module))
    root, _ = project_of(os.path.dirname(real))
    checkout = checkout_of(os.path.dirname(real))
    if checkout is not None and name_in(os.path.join(root, "pyproject.toml")) is None:
        repository = repository_of(checkout)
        if repository is not None:
            names.append(f"{repository}:{os.path.relpath(real, checkout).replace(os.sep, '/')}")
    return list(dict.fromkeys(names))


def project_name(cls: Any) -> str:
    """The name of the project of a class; for an installed class, its package. May be empty."""
    return project_in(project_file(cls))


def project_in(file: str | None) -> str:
    """The name of the project in a name that `project_file` returned."""
    project, _, path = (file or "").partition(":")
    return path.partition("/")[0].removesuffix(".py") if project in INSTALLED else project


@lru_cache(maxsize=4096)
def within_project(file: str, module: str) -> str:
    """The name of the file of a module, by its project: `project:package/module.py`."""
    folders = file.split(os.sep)
    for index in range(len(folders) - 1, 0, -1):
        if folders[index] in INSTALLED:
            return f"{folders[index]}:{'/'.join(folders[index + 1 :])}"
    root, project = project_of(os.path.dirname(file))
    if not root:
        depth = module.count(".") + (os.path.basename(file) == "__init__.py")
        root = os.sep.join(folders[: -1 - depth]) or os.sep
        project = os.path.basename(root)
    return f"{project}:{os.path.relpath(file, root).replace(os.sep, '/')}"


@lru_cache(maxsize=256)
def project_of(folder: str) -> tuple[str, str]:
    """The root and the name of the project around a folder; both empty when nothing marks a project."""
    described = os.path.join(folder, "pyproject.toml")
    if os.path.isfile(described):
        return folder, name_in(described) or os.path.basename(folder)
    if os.path.exists(os.path.join(folder, ".git")):
        return folder, os.path.basename(folder)
    above = os.path.dirname(folder)
    return ("", "") if above == folder else project_of(above)


def name_in(file: str) -> str | None:
    """The name of the project in a pyproject.toml; None if there is no such file, or no name in it.

    The file is read line by line, because the standard library cannot parse it before Python 3.11.
    """
    table = ""
    if not os.path.isfile(file):
        return None
    with open(file, encoding="utf-8") as lines:
        for line in lines:
            if header := _HEADER.match(line):
                table = header[1]
            elif table in ("project", "tool.poetry") and (name := _NAME.match(line)):
                return name[1]
    return None
