"""Names of queues and workers that mean nothing, or too much."""

from __future__ import annotations

from xpm_core.errors.base import XpmError

NAMED = 8
"""How many known names an error lists."""


class UnknownQueueError(XpmError, LookupError):
    """Raised when no job and no worker has used the queue that was given, and it is not paused.

    Message:
        Queue 'gpuu': not in this workspace. Did you mean gpu? See them: xpm queues.

    Remedy:
        Correct the name. A queue is there once a job was submitted to it, or a worker serves it.
    """

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name, known)
        self.name, self.known = name, known

    def __str__(self) -> str:
        return f"Queue {self.name!r}: not in this workspace{_near(self.name, self.known)} See them: xpm queues."


class UnknownWorkerError(XpmError, LookupError):
    """Raised when no worker, daemon or machine has the name that was given.

    Message:
        Worker 'node8': no worker, daemon or machine has this name. Did you mean node7? See them: xpm workers.

    Remedy:
        Correct the name. A worker that has left, or was not heard of for long, is not listed any more.
    """

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name, known)
        self.name, self.known = name, known

    def __str__(self) -> str:
        hint = _near(self.name, self.known)
        return f"Worker {self.name!r}: no worker, daemon or machine has this name{hint} See them: xpm workers."


class AmbiguousWorkerError(XpmError, LookupError):
    """Raised when the beginning of a name means different workers.

    Message:
        Worker 'node': it means several: node7, node7-4f21aa09, node8, node8-9d01e44b. Give more of the name.

    Remedy:
        Give the whole name of a worker, of its daemon, or of its machine.
    """

    def __init__(self, name: str, candidates: tuple[str, ...]) -> None:
        super().__init__(name, candidates)
        self.name, self.candidates = name, candidates

    def __str__(self) -> str:
        return f"Worker {self.name!r}: it means several: {_some(self.candidates)}. Give more of the name."


def _near(name: str, known: tuple[str, ...]) -> str:
    """The near ones among known names, as the end of a sentence; all of them if none is near."""
    from difflib import get_close_matches  # late, because a job needs it never

    near = get_close_matches(name, known, 3)
    if near:
        return f". Did you mean {' or '.join(near)}?"
    return f", there is {_some(known)}." if known else ", there is none."


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
