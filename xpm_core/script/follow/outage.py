"""An outage of the server, as a script sees it: reported once when it begins to matter, and once when it is over.

If an embedded server stays away, the script starts it again, because nobody else may be there to do it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from xpm_core.errors import XpmError
from xpm_core.server.faults import fault_of
from xpm_core.words.text import say

if TYPE_CHECKING:
    from xpm_core.server.connection import Client

REPORT_AFTER_S = 0.5
"""How long a server may be away before the script reports it, in seconds."""
REVIVE_AFTER_S = 2.0
"""How long an embedded server may be away before the script starts it again, in seconds. The daemon of workers does so
after 1 s already."""

log = logging.getLogger("xpm")


class Outage:
    """Whether the server is away. All threads of a script report their failed calls here.

    Args:
        name: The experiment's name, which begins each report.
        client: A client of the server; its URL helps to explain an error.
        revive: Starts an embedded server again; None for any other server.

    Attributes:
        reason: Why the server does not answer; empty while it answers.

    Example:
        outage = Outage("digits", client)
        try:
            client.ping()
            outage.over()
        except OUTAGES as error:
            outage.failed(error)
    """

    def __init__(self, name: str, client: Client, revive: Callable[[], object] | None = None) -> None:
        self.reason = ""
        self._name, self._client, self._revive = name, client, revive
        self._since = 0.0
        self._reported = ""
        self._lock = threading.Lock()

    def failed(self, error: Exception) -> None:
        """A call failed because the server is away, or refuses the user.

        A fault that somebody has to mend is reported even if another one was reported before.
        """
        fault = fault_of(error, self._client)
        with self._lock:
            if not self.reason:
                self._since = time.monotonic()
            self.reason = fault.problem
            new = fault.lasting and self._reported != fault.problem
            if (new or not self._reported) and time.monotonic() - self._since >= REPORT_AFTER_S:
                self._reported = fault.problem
                remedy = f" {fault.remedy}" if fault.lasting else ""
                words = f"Redis is out of reach ({fault.problem}).{remedy}"
                say(f"{self._name}: {words} Waiting for it; running jobs go on.")

    def over(self) -> None:
        """A call was answered."""
        if not self.reason:
            return
        with self._lock:
            self.reason = ""
            if self._reported:
                self._reported = ""
                say(f"{self._name}: Redis answers again.")

    def mend(self) -> None:
        """Start an embedded server again, if it has been away for long enough."""
        if self._revive is None or not self.reason or time.monotonic() - self._since < REVIVE_AFTER_S:
            return
        try:
            self._revive()
        except XpmError as error:
            log.warning("%s", error)
