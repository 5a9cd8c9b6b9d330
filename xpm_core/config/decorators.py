"""Decorators for methods of live objects: `@initializer`, which runs once, and `@cache`, which has a file to keep."""

from __future__ import annotations

import fcntl
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from xpm_core.errors import DeclarationError
from xpm_core.language.graph.state import is_configuration
from xpm_core.tracebacks.edges import edge

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")

CACHE = "__xpm_cache__"
"""Where a live object keeps, in its `__dict__`, the directory of its caches."""

ONCE = "__xpm_once__"
"""Where a live object keeps, in its `__dict__`, what its initializers returned."""


def live_only(method: Callable[..., Any], instance: Any) -> None:
    """Refuse to run a method of live objects on a configuration."""
    if is_configuration(instance):
        name = f"{type(instance).__name__}.{method.__name__}"
        raise DeclarationError(name, "called on a configuration", "Call it in execute(), or on an instance().")


def initializer(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Let a method of live objects run once: further calls return what the first one did, whatever they are given.

    Example:
        >>> class Model(Config):
        ...     @initializer
        ...     def initialize(self) -> None: ...
    """

    @functools.wraps(method)
    @edge
    def once(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        live_only(method, self)
        known: dict[str, R] = self.__dict__.setdefault(ONCE, {})
        if method.__name__ not in known:
            known[method.__name__] = method(self, *args, **kwargs)
        return known[method.__name__]

    return once


def cache(name: str) -> Callable[[Callable[Concatenate[S, Path, P], R]], Callable[Concatenate[S, P], R]]:
    """Give a method of live objects the path of a file that is kept for its configuration.

    The path is the same in all jobs of the workspace whose object has that identity, and one of them at a time runs
    the method. Outside of a job it is in a temporary directory, and nothing is kept.

    Args:
        name: Name of the file.

    Example:
        >>> class Terms(Config):
        ...     @cache("weights.npy")
        ...     def load(self, path: Path):
        ...         if not path.is_file():
        ...             numpy.save(path, self.weights())
        ...         return numpy.load(path)
    """

    def decorate(method: Callable[Concatenate[S, Path, P], R]) -> Callable[Concatenate[S, P], R]:
        @functools.wraps(method)
        @edge
        def cached(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
            live_only(method, self)
            directory: Path | None = self.__dict__.get(CACHE)
            if directory is None:
                from tempfile import TemporaryDirectory  # slow to import, and needed by few

                with TemporaryDirectory() as folder:
                    return method(self, Path(folder, name), *args, **kwargs)
            with locked(directory / f"{name}.lock", "file"):
                return method(self, directory / name, *args, **kwargs)

        cached.__xpm_cached__ = True  # type: ignore[attr-defined]
        return cached

    return decorate


def has_cache(cls: type) -> bool:
    """Whether a method of a class, or of its bases, is a `@cache`."""
    own = (vars(base) for base in cls.__mro__ if base is not object and "__xpm_base__" not in vars(base))
    return any(hasattr(value, "__xpm_cached__") for content in own for value in content.values())


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Hold a lock that processes on all machines of the workspace respect.

    Args:
        path: Its file.
        what: What it is of, for the warning that another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            import logging  # which few jobs need for this

            logging.getLogger("xpm").warning("%s: another job has this %s, this one waits until it ends", path, what)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
