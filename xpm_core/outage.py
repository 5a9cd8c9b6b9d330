"""An outage of the server, as a script sees it: said once when it begins to matter, and once when it is over.

An embedded server that stays away is started again, for nobody else may be there to do it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from xpm_core.errors import XpmError
from xpm_core.text import say

TELL_AFTER_S = 0.5
"""How long a server may be away before that is said."""
REVIVE_AFTER_S = 2.0
"""How long an embedded one may be; the daemon of workers starts it again after 1 s."""

log = logging.getLogger("xpm")


class Outage:
    """Whether the server is away; all threads of a script tell what they see of it.

    Args:
        name: Who says it: the experiment's name.
        revive: Starts an embedded server again.

    Example:
        outage = Outage("digits")
        outage.failed("connection refused")
        outage.over()
    """

    def __init__(self, name: str, revive: Callable[[], object] | None = None) -> None:
        self.words = ""
        """Why it does not answer; empty while it does."""
        self._name, self._revive = name, revive
        self._since = 0.0
        self._told = False
        self._lock = threading.Lock()

    def failed(self, words: str) -> None:
        """A call failed, for the server is away."""
        with self._lock:
            if not self.words:
                self._since = time.monotonic()
            self.words = words
            if not self._told and time.monotonic() - self._since >= TELL_AFTER_S:
                self._told = True
                say(f"{self._name}: Redis is out of reach ({words}). Waiting for it; running jobs go on.")

    def over(self) -> None:
        """A call was answered."""
        if not self.words:
            return
        with self._lock:
            self.words = ""
            if self._told:
                self._told = False
                say(f"{self._name}: Redis answers again.")

    def mend(self) -> None:
        """Start an embedded server again, if it has been away for long enough."""
        if self._revive is None or not self.words or time.monotonic() - self._since < REVIVE_AFTER_S:
            return
        try:
            self._revive()
        except XpmError as error:
            log.warning("%s", error)
