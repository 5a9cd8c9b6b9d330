"""An outage of the server, as a script sees it: said once when it begins to matter, and once when it is over.

An embedded server that stays away is started again, for nobody else may be there to do it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from xpm_core.errors import XpmError
from xpm_core.server.faults import Fault
from xpm_core.words.text import say

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
        outage.failed(Fault("connection refused", lasting=False))
        outage.over()
    """

    def __init__(self, name: str, revive: Callable[[], object] | None = None) -> None:
        self.words = ""
        """Why it does not answer; empty while it does."""
        self._name, self._revive = name, revive
        self._since = 0.0
        self._told = ""
        self._lock = threading.Lock()

    def failed(self, fault: Fault) -> None:
        """A call failed, because the server is away, or lets nobody in. What somebody has to mend is said anew."""
        with self._lock:
            if not self.words:
                self._since = time.monotonic()
            self.words = fault.problem
            new = fault.lasting and self._told != fault.problem
            if (new or not self._told) and time.monotonic() - self._since >= TELL_AFTER_S:
                self._told = fault.problem
                remedy = f" {fault.remedy}" if fault.lasting else ""
                words = f"Redis is out of reach ({fault.problem}).{remedy}"
                say(f"{self._name}: {words} Waiting for it; running jobs go on.")

    def over(self) -> None:
        """A call was answered."""
        if not self.words:
            return
        with self._lock:
            self.words = ""
            if self._told:
                self._told = ""
                say(f"{self._name}: Redis answers again.")

    def mend(self) -> None:
        """Start an embedded server again, if it has been away for long enough."""
        if self._revive is None or not self.words or time.monotonic() - self._since < REVIVE_AFTER_S:
            return
        try:
            self._revive()
        except XpmError as error:
            log.warning("%s", error)
