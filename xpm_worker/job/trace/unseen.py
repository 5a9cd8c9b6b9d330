"""What of a job runs where nobody sees it: processes that others start for it, and functions that are compiled.

Python enters no function that a compiler has taken over, and says nothing of processes that a library starts in C. Of
both, traces are left in the modules of the libraries. What cannot be read there counts as compiled.

Owns: which libraries, and how each is asked. Imports nothing heavy, because processes of jobs use it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType, ModuleType
from typing import Any

STARTERS = {
    f"{package}.{module}": word
    for package, module, word in (
        ("multiprocessing", "popen_spawn_posix", "spawn"),
        ("multiprocessing", "popen_forkserver", "forkserver"),
        ("multiprocess", "popen_spawn_posix", "spawn"),
        ("multiprocess", "popen_forkserver", "forkserver"),
        ("billiard", "popen_spawn_posix", "spawn"),
        ("billiard", "popen_forkserver", "forkserver"),
        ("joblib.externals.loky.backend", "popen_loky_posix", "loky"),
        ("loky.backend", "popen_loky_posix", "loky"),
    )
}
"""Modules that are imported when they start a process, for which there is no audit event."""

_WHOLE = ("numba",)
"""Packages that compile functions, and do not say which: whoever imports one may use it."""
_DECORATORS = ("triton", "taichi", "warp")
"""Packages whose decorators compile functions. Other packages import them too, so a module of the project has to."""
_AUTOGRAPH = "__autograph_generated_file"
"""How the names of modules begin into which TensorFlow writes functions anew."""


def starters() -> set[str]:
    """How processes were started of which there is no audit event."""
    return {word for name, word in STARTERS.items() if name in sys.modules}


def compilers(own: Iterable[str], is_own: Callable[[str], bool]) -> set[str]:
    """Compilers that may have run functions of the project.

    Args:
        own: Names of the modules of the project.
        is_own: Whether a file is the project's.
    """
    return set(_compilers(list(own), is_own))


def _compilers(own: list[str], is_own: Callable[[str], bool]) -> Iterator[str]:
    for name in _WHOLE:
        if name in sys.modules:
            yield name
    for name in _DECORATORS:
        if name in sys.modules and any(_names(sys.modules.get(each), name) for each in own):
            yield name
    if any(type(name) is str and name.startswith(_AUTOGRAPH) for name in list(sys.modules)):
        yield "tf.function"
    for word, module, is_used in (
        ("torch.compile", "torch._dynamo.convert_frame", _has_compiled),
        ("torch.jit", "torch.jit._state", lambda found: _has_scripted(found, own, is_own)),
    ):
        if module in sys.modules:
            try:
                used = is_used(sys.modules[module])
            except Exception:  # it is another version, or none of torch's modules
                used = True
            if used:
                yield word


def _names(module: object, package: str) -> bool:
    """Whether a module of the project has a name from a package: the package, a function, or what it has made."""
    try:
        values = list(object.__getattribute__(module, "__dict__").values())
        return any(_origin(value).partition(".")[0] == package for value in values)
    except Exception:  # the job has put another object in its place
        return True


def _origin(value: object) -> str:
    """The module from which a value of a module comes; no code of the value is called."""
    if type(value) is ModuleType:
        origin = vars(value).get("__name__")
    elif type(value) is FunctionType:
        origin = value.__module__
    else:
        origin = type.__getattribute__(value if isinstance(value, type) else type(value), "__module__")
    return origin if type(origin) is str else ""


def _has_compiled(convert_frame: Any) -> bool:
    """Whether torch has compiled a function. Every optimizer imports this module, so that alone says nothing."""
    return convert_frame.FRAME_COUNTER != 0 or "torch._dynamo.backends.inductor" in sys.modules


def _has_scripted(state: Any, own: Iterable[str], is_own: Callable[[str], bool]) -> bool:
    """Whether torch has compiled a function or a module of the project into a script."""
    functions = [each for each in list(state._jit_caching_layer) if is_own(each.__code__.co_filename)]
    types = sys.modules["torch.jit._recursive"].concrete_type_store.type_store
    names = set(own)
    return bool(functions) or any(each.__module__ in names for each in list(types))
