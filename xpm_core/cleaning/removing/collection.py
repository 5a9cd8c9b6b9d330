"""A collection: the time in which jobs may be removed. The server notes which jobs somebody names meanwhile.

Owns: that the server has forgotten a job before its directory goes, and that nobody can run the job again in between.
"""

from __future__ import annotations

import getpass
import os
import socket
import time
from collections.abc import Collection as Some
from contextlib import suppress
from types import TracebackType

from xpm_core.errors import CollectionError
from xpm_core.server.connection import ServerError
from xpm_core.store.jobs import Store, new_execution_id
from xpm_core.store.records import CollectCode, ForgetCode

LEASE_S = 120.0
"""How long a collection lasts after its last call, seconds."""
SAFE_S = LEASE_S / 3
"""How long after a call a directory may still be renamed, seconds. Nobody can run the job again before `LEASE_S`."""
RENEW_S = LEASE_S / 6
"""How often a collection that does something else says that it goes on, seconds."""


class Collection:
    """A collection in one workspace; use it in a `with` block. There is at most one at a time.

    Args:
        store: The jobs of the workspace.
        place: The workspace, for messages.

    Raises:
        CollectionError: Another one goes on, when the block is entered.
    """

    def __init__(self, store: Store, place: str) -> None:
        self._store, self._place, self._id = store, place, new_execution_id()
        self._asked_s = 0.0

    def __enter__(self) -> Collection:
        self._asked_s = _clock_s()
        about = {"host": socket.gethostname(), "pid": os.getpid(), "user": _user()}
        code, other = self._store.collect(self._id, LEASE_S, about)
        if code is CollectCode.BUSY:
            who = f"process {other.get('pid', '?')} of {other.get('user', '?')} on {other.get('host', '?')}"
            remedy = f"Wait until it has ended. If it was killed, wait {round(LEASE_S / 60)} minutes."
            raise CollectionError(self._place, f"another xpm gc removes files there, {who}", remedy)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(ServerError):  # then it is over after a while
            self._store.collect(self._id, 0.0, {})

    def go_on(self) -> None:
        """Say that it goes on, if that was not said for a while.

        Raises:
            CollectionError: It is over, because it said nothing for too long.
        """
        if _clock_s() - self._asked_s > RENEW_S:
            self.forget("", "", ())

    def forget(self, identity: str, execution: str, needs: Some[str]) -> tuple[ForgetCode, str]:
        """Let the server forget a job; see `Store.forget`.

        Raises:
            CollectionError: As for `go_on`.
        """
        self._asked_s = _clock_s()
        code, word = self._store.forget(self._id, LEASE_S, identity, execution, sorted(needs))
        if code is ForgetCode.OVER:
            problem = (
                f"this xpm gc was stopped for more than {round(LEASE_S)} s, so that others may use what it removes"
            )
            raise CollectionError(self._place, problem, "Run it again: it goes on where it was.")
        return code, word

    @property
    def is_safe(self) -> bool:
        """Whether a job that the server has just forgotten cannot run again for a while."""
        return _clock_s() - self._asked_s < SAFE_S


def _clock_s() -> float:
    """A clock that also counts while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
