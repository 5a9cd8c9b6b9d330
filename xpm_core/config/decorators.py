"""Decorators for methods of live objects: `@initializer` runs a method once, `@cache` gives it a file to keep."""

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
"""The entry in the `__dict__` of a live object that holds the directory of its caches."""

ONCE = "__xpm_once__"
"""The entry in the `__dict__` of a live object that holds the results of its initializers."""


def live_only(method: Callable[..., Any], instance: Any) -> None:
    """Refuse to run a method of live objects on a configuration.

    Raises:
        DeclarationError: The object is a configuration.
    """
    if is_configuration(instance):
        name = f"{type(instance).__name__}.{method.__name__}"
        raise DeclarationError(name, "called on a configuration", "Call it in execute(), or on an instance().")


def initializer(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Let a method of live objects run once. Further calls return the first result, whatever their arguments are.

    A call on a configuration is refused with a DeclarationError.

    Args:
        method: The method.

    Returns:
        The method that takes its place.

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

    The path is the same in all jobs of the workspace whose object has that identity. The method runs in one of these
    jobs at a time. Outside of a job, the file lies in a temporary directory, and is not kept.

    Args:
        name: Name of the file.

    Returns:
        A decorator. The method takes the path after `self`; callers do not pass it.

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
                from tempfile import TemporaryDirectory  # late, because it is slow to import, and few need it

                with TemporaryDirectory() as folder:
                    return method(self, Path(folder, name), *args, **kwargs)
            with locked(directory / f"{name}.lock", "file"):
                return method(self, directory / name, *args, **kwargs)

        cached.__xpm_cached__ = True  # type: ignore[attr-defined]
        return cached

    return decorate


def has_cache(cls: type) -> bool:
    """Whether a method of a class or of its bases is decorated by `@cache`."""
    own = (vars(base) for base in cls.__mro__ if base is not object and "__xpm_base__" not in vars(base))
    return any(hasattr(value, "__xpm_cached__") for content in own for value in content.values())


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Hold a lock that excludes processes on all machines of the workspace.

    Args:
        path: The file of the lock.
        what: The word for the thing that is locked, for the warning that another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            import logging  # late, because few jobs wait here

            logging.getLogger("xpm").warning("%s: another job has this %s, this one waits until it ends", path, what)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
