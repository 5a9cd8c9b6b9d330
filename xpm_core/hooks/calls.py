"""Calling hooks, so that none of them delays or fails what calls them.

Owns: the time limit, and what is logged. A hook that hangs keeps its own thread; nobody waits for it again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from importlib.metadata import EntryPoint
from time import monotonic
from typing import Any

from xpm_core.hooks.plugins import GROUP, NAMES, registered

log = logging.getLogger("xpm")

LIMIT_S = 5.0
"""How long a caller waits for a hook."""


class Hooks:
    """The hooks of one process. They are found at the first call, and each is imported at its own first call.

    Args:
        find: Returns the entry points.

    Example:
        >>> hooks = Hooks()
        >>> hooks.call("job_ended", job, outcome)
        []
    """

    def __init__(self, find: Callable[[], list[EntryPoint]] = registered) -> None:
        self._find = find
        self._found: dict[str, list[_Hook]] | None = None
        self._lock = threading.Lock()

    def any(self, name: str) -> bool:
        """Whether a hook of this name is registered."""
        return bool(self._of(name))

    def call(self, name: str, *arguments: object, limit_s: float = LIMIT_S) -> list[tuple[str, Any]]:
        """Call all hooks of a name, at the same time.

        A hook that raises is logged. One that takes too long is logged, and left alone: its thread goes on, and it is
        not called again before that ends.

        Args:
            name: One of `plugins.NAMES`.
            arguments: What each is called with.
            limit_s: How long to wait for all of them together, seconds.

        Returns:
            What those returned that came to their end in time, with their names for messages.
        """
        ends = monotonic() + limit_s
        calls = [(hook, hook.start(arguments)) for hook in self._of(name)]
        returned = []
        for hook, call in calls:
            if call is None:
                log.warning("%s: not called, because an earlier call of it has not ended", hook)
            elif not call.ended.wait(max(ends - monotonic(), 0.0)):
                log.warning("%s: left alone, because it takes more than %g s", hook, limit_s)
            elif call.error is not None:
                log.warning("%s: it raised %s: %s", hook, type(call.error).__name__, call.error)
            elif not hook.broken:
                returned.append((str(hook), call.returned))
        return returned

    def _of(self, name: str) -> list[_Hook]:
        with self._lock:
            if self._found is None:
                self._found = {}
                for each in self._find():
                    if each.name in NAMES:
                        self._found.setdefault(each.name, []).append(_Hook(each))
                    else:
                        log.warning("%s: %s is no hook of xpm. Known are: %s", GROUP, each.name, ", ".join(NAMES))
            return self._found.get(name, [])


class _Call:
    """One call of a hook."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.returned: Any = None
        self.error: BaseException | None = None


class _Hook:
    """One function that a package has registered."""

    def __init__(self, entry: EntryPoint) -> None:
        self._entry = entry
        self._function: Callable[..., Any] | None = None
        self._last: _Call | None = None
        self.broken = False
        """Whether it cannot be imported. It was logged once, and is not tried again."""

    def __str__(self) -> str:
        return f"hook {self._entry.name} ({self._entry.value})"

    def start(self, arguments: tuple[object, ...]) -> _Call | None:
        """Call it in a thread of its own. Returns None if an earlier call has not ended."""
        if self._last is not None and not self._last.ended.is_set():
            return None
        call = self._last = _Call()
        if self.broken:
            call.ended.set()
        else:
            threading.Thread(target=self._run, args=(call, arguments), name=str(self), daemon=True).start()
        return call

    def _run(self, call: _Call, arguments: tuple[object, ...]) -> None:
        try:
            if self._function is None:
                self._function = self._load()
            call.returned = self._function(*arguments)
        except BaseException as error:  # whatever a hook raises, also SystemExit, concerns nobody else
            call.error = error
        finally:
            call.ended.set()

    def _load(self) -> Callable[..., Any]:
        """Import it.

        Raises:
            Exception: It cannot be imported, or is no function.
        """
        try:
            found = self._entry.load()
            if not callable(found):
                raise TypeError(f"expected a function, got {type(found).__name__}")
        except BaseException:
            self.broken = True
            raise
        return found  # type: ignore[no-any-return]  # an entry point may be anything
