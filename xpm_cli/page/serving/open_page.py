"""A page with all its parts: the desk, the guard, the application and the server."""

from __future__ import annotations

import gc
import os
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.page.application import build
from xpm_cli.page.desk.desk import Desk
from xpm_cli.page.safety.guard import Guard
from xpm_cli.page.serving.announcing import announcement
from xpm_cli.page.serving.listening import Listening
from xpm_cli.page.serving.server import PageServer
from xpm_cli.page.serving.tls import Tls
from xpm_core.reading.look import View

GARBAGE = 50_000, 10, 10
"""How often Python looks for garbage while the page is served. Each answer leaves some. Commands, which end soon, look
for it after 1,000,000 objects: a page would have 200 MB of it by then. With Python's own 700, many jobs are slow."""
NICER = 5
"""By how much the page lets other processes go first: jobs may run on this machine."""


class OpenPage:
    """A page that is served until it is told to end.

    Args:
        opened: The workspace.
        redis: The address of its server, as the user gave it.
        listening: Where it listens. It is closed at the end.
        acts: Whether the page may act.
        hosts: Names of hosts that it answers to besides those of this machine for itself.
        tls: The files of TLS; None for plain HTTP.

    Example:
        page = OpenPage(opened, None, on_port(0))
        print(*page.announcement(), sep="\\n")
        page.serve()
    """

    def __init__(
        self,
        opened: OpenWorkspace,
        redis: str | None,
        listening: Listening,
        *,
        acts: bool = False,
        hosts: Sequence[str] = (),
        tls: Tls | None = None,
    ) -> None:
        self._listening, self._scheme = listening, "https" if tls else "http"
        cookie = listening.cookie(opened.workspace.id)
        self._guard = Guard(cookie, frozenset([*hosts, *_own_names(listening.host)]), acts)
        self._desk = Desk(opened, lambda: View(opened.workspace, redis))
        self._application = build(self._desk, self._guard)
        self._server = PageServer(self._application, listening, tls, self._leave_workspace)
        self._leaving = threading.Lock()

    def announcement(self, *, hidden: bool = False) -> list[str]:
        """The lines that are to be printed.

        Args:
            hidden: Whether others may read them.
        """
        return announcement(self._listening, self._guard.token, self._scheme, hidden=hidden)

    @property
    def address_once(self) -> str:
        """The address for a browser that is started here. It is good one time only."""
        return self._listening.url(self._guard.once, self._scheme)

    def serve(self) -> int:
        """Serve until a signal comes, or `stop` is called. Returns the signal's number, or 0."""
        with suppress(OSError):  # it may have the least priority that there is
            os.nice(NICER)
        before = gc.get_threshold()
        gc.set_threshold(*GARBAGE)
        try:
            return self._server.serve_until_ended()
        finally:
            gc.set_threshold(*before)
            self._application.state.feed.close()
            self._desk.close()
            self._leave_workspace()

    def stop(self) -> None:
        """End the page, from any thread."""
        self._server.stop()

    def _leave_workspace(self) -> None:
        """Stop using the server. The last user of an embedded one ends it, and waits until it has written its data."""
        with self._leaving:  # whoever comes second waits for the first
            self._desk.view.close()  # after an outage, it is another one than that of `opened`


def _own_names(host: str) -> list[str]:
    """The names by which browsers reach a page that listens at an address; 127.0.0.2 is one of its own, too."""
    if not host:
        return []
    if host in ("0.0.0.0", "::"):
        return [socket.gethostname(), socket.getfqdn()]
    return [f"[{host}]" if ":" in host else host]
