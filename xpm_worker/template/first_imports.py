"""Which installed packages a job imports first: read from the source text of its module, before the module runs.

Imports at the top of a module run before anything else in it, so running them early gives the same result. Owns: where
this reading stops. It stops at the first statement that is no import, and at the first import of one of the project's
modules, because that module may do anything.
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder

from xpm_core.project.import_path import ImportPath, follow
from xpm_core.project.moved_code import UNMOVED, MovedCode, MovedFinder
from xpm_core.tracebacks.user_frames import is_installed_file
from xpm_core.wire import payload

DEFINITION = re.compile("^(?:@|class |def |async def )", re.MULTILINE)
"""The first definition of a module. The text after it need not be parsed, because the imports at the top end there."""


@contextlib.contextmanager
def of_payload(data: bytes, code: MovedCode = UNMOVED) -> Iterator[list[str]]:
    """Give the imports of installed packages with which a job begins, in order, except for those imported already.

    Inside the `with` block, modules are found where the job finds them, because an installed package may import a
    module of the project.

    Args:
        data: The job's payload.
        code: Where the code of its script lies now.

    Returns:
        `"a.b"` for `import a.b`. `"a.b:c"` for `from a.b import c`, where c may be a module, or something in one. An
        empty list if the module cannot be read; then the job itself will report the reason.

    Example:
        >>> with of_payload(job.payload) as names:
        ...     for name in names:
        ...         import_name(name)
    """
    path, cached, modules = sys.path[:], set(sys.path_importer_cache), sys.modules.copy()
    variable = os.environ.get("PYTHONPATH")
    try:
        yield _beginning(data, code)
    finally:
        sys.path[:] = path
        sys.meta_path[:] = [each for each in sys.meta_path if not isinstance(each, MovedFinder)]
        os.environ.pop("PYTHONPATH", None)  # it may lead to this job's code, and later jobs have other code
        if variable is not None:
            os.environ["PYTHONPATH"] = variable
        for name in modules.keys() - sys.modules.keys():
            sys.modules[name] = modules[name]
        for folder in sys.path_importer_cache.keys() - cached:
            del sys.path_importer_cache[folder]


def _beginning(data: bytes, code: MovedCode) -> list[str]:
    with contextlib.suppress(Exception):
        module, path = payload.first_module(data, code)
        follow(path, code)
        return list(_installed(_imports(module), path))
    return []


def import_name(name: str) -> None:
    """Import a name that `of_payload` gave, as the import statement does.

    Args:
        name: `"a.b"` or `"a.b:c"`.
    """
    module, _, wanted = name.partition(":")
    __import__(module, fromlist=[wanted] if wanted else [])


def _imports(module: str) -> Iterator[str]:
    """The imports at the top of a module, after those of the packages that it is in, which run before it."""
    for spec in _specs(module):
        source: str | None = getattr(spec.loader, "get_source", lambda name: None)(spec.name)
        beginning, *rest = DEFINITION.split(source or "", 1)
        for each in ast.parse(beginning).body:
            if isinstance(each, ast.Import):
                yield from (alias.name for alias in each.names)
            elif isinstance(each, ast.ImportFrom) and each.module and not each.level:
                yield from (f"{each.module}:{alias.name}" for alias in each.names)
            elif not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)):
                return
        if rest:
            return


def _specs(module: str) -> Iterator[ModuleSpec]:
    """The specs of the packages that a module is in, the outermost first, and then its own."""
    path, name = None, ""
    for part in module.split("."):
        name = f"{name}.{part}".lstrip(".")
        spec = PathFinder.find_spec(name, path)
        if spec is None:
            return
        yield spec
        path = spec.submodule_search_locations


def _installed(names: Iterator[str], path: ImportPath) -> Iterator[str]:
    """Those of installed packages, up to the first one of the project. The standard library's are left out."""
    for name in names:
        package = re.split("[.:]", name)[0]
        if package in sys.modules or (package in sys.stdlib_module_names and not path.standard.get(package)):
            continue
        spec = PathFinder.find_spec(package)
        if spec is None or not is_installed_file(spec.origin or ""):
            return
        yield name
