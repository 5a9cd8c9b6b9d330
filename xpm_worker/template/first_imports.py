"""With which imports of installed packages a job begins: read in the text of its first module, before it runs.

Owns: how far that can be told. A module that begins with imports does nothing before them, so that whoever does the
same comes to the same. From the first other statement on, or the first import of a project's module, which may do
anything, nothing is told.
"""

from __future__ import annotations

import ast
import contextlib
import re
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder

from xpm_core.project.import_path import ImportPath, follow
from xpm_core.wire import payload
from xpm_worker.job import failure

DEFINITION = re.compile("^(?:@|class |def |async def )", re.MULTILINE)
"""Where the beginning of a module is over at the latest: the rest need not be parsed."""


@contextlib.contextmanager
def foretold(data: bytes) -> Iterator[list[str]]:
    """The imports of installed packages with which the job of a payload begins, in order, but those imported already.

    For so long, modules are found where the job finds them: an installed package may import one of the project's.

    Returns:
        For `import a.b`, `"a.b"`; for `from a.b import c`, `"a.b:c"`: c may be a module, or something in one. Nothing
        where that cannot be told, for the job itself will tell why.
    """
    path, cached, modules = sys.path[:], set(sys.path_importer_cache), sys.modules.copy()
    try:
        yield _beginning(data)
    finally:
        sys.path[:] = path
        for name in modules.keys() - sys.modules.keys():
            sys.modules[name] = modules[name]
        for folder in sys.path_importer_cache.keys() - cached:
            del sys.path_importer_cache[folder]


def _beginning(data: bytes) -> list[str]:
    with contextlib.suppress(Exception):
        module, path = payload.first_module(data)
        follow(path)
        return list(_installed(_imports(module), path))
    return []


def bring(name: str) -> None:
    """Import what `foretold` gives, as its statement does."""
    module, _, wanted = name.partition(":")
    __import__(module, fromlist=[wanted] if wanted else [])


def _imports(module: str) -> Iterator[str]:
    """The imports with which a module begins, and those of the packages that it is in, which run before it."""
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
    """Where the packages that a module is in lie, and at last itself."""
    path, name = None, ""
    for part in module.split("."):
        name = f"{name}.{part}".lstrip(".")
        spec = PathFinder.find_spec(name, path)
        if spec is None:
            return
        yield spec
        path = spec.submodule_search_locations


def _installed(names: Iterator[str], path: ImportPath) -> Iterator[str]:
    """Those of installed packages, until there comes one of the project."""
    for name in names:
        package = re.split("[.:]", name)[0]
        if package in sys.modules or (package in sys.stdlib_module_names and not path.standard.get(package)):
            continue
        spec = PathFinder.find_spec(package)
        if spec is None or not any(part in (spec.origin or "") for part in failure.INSTALLED):
            return
        yield name
