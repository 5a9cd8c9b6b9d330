"""The process of the page that a script starts: `python -m xpm_cli.page`.

It prints one line of JSON: the lines that the script is to show, or why there is no page. It ends when the script does:
its standard input is a pipe of which the script has the other end, and the system closes that also if the script is
killed. A process that the script has forked may hold the pipe, too; so it is also looked at who the parent is.
"""

from __future__ import annotations

import json
import os
import select
import threading
import time
from contextlib import suppress
from typing import Any

import click

from xpm_cli.app import common_options
from xpm_core.errors import XpmError

LOOK_S = 1.0
"""How often it is looked whether the script is still the parent, in seconds."""
BEGIN_S = 20.0
"""How long a page may go on to begin, to end in order then, after the script has ended, in seconds."""


class _Life:
    """Ends the page when the script has ended.

    Args:
        parent: The script's process.
    """

    def __init__(self, parent: int) -> None:
        self._parent, self._lock, self._page, self._over = parent, threading.Lock(), None, False
        threading.Thread(target=self._watch, name="xpm-page-life", daemon=True).start()

    def give(self, page: Any) -> None:
        """From now on, the page is stopped when the script ends. If it has ended already, that is at once."""
        with self._lock:
            self._page = page
            if self._over:
                page.stop()

    def _watch(self) -> None:
        while os.getppid() == self._parent:
            readable, _, _ = select.select([0], [], [], LOOK_S)
            if readable and not os.read(0, 4096):
                break
        with self._lock:
            self._over = True
            if self._page is not None:
                self._page.stop()
                return
        # The process may use the server of the workspace by now. If it is the last one, it has to end that server, too.
        time.sleep(BEGIN_S)
        with self._lock:
            if self._page is None:
                os._exit(0)


@click.command()
@common_options
@click.option("--port", type=int, required=True)
@click.option("--parent", type=int, required=True)
@click.option("--hidden", is_flag=True)
def main(port: int, parent: int, hidden: bool) -> None:
    """Serve the page of a script's experiment. Only scripts call this; people type: xpm ui."""
    life = _Life(parent)
    try:
        _serve(port, hidden, life)
    except XpmError as error:
        _answer({"error": str(error)})


def _serve(port: int, hidden: bool, life: _Life) -> None:
    from xpm_cli.app import setting
    from xpm_cli.lookup.open_workspace import open_workspace
    from xpm_cli.page.serving.listening import on_port
    from xpm_cli.page.serving.open_page import OpenPage

    with open_workspace() as opened:
        page = OpenPage(opened, setting("redis"), on_port(port), acts=True)
        life.give(page)
        _answer({"lines": page.announcement(hidden=hidden)})
        page.serve()


def _answer(said: dict[str, Any]) -> None:
    """Print one line for the script. From then on, what is printed goes to the log."""
    line = json.dumps(said).encode() + b"\n"
    with suppress(BrokenPipeError):  # the script has ended meanwhile
        os.write(1, line)
    os.dup2(2, 1)


if __name__ == "__main__":
    main(prog_name="python -m xpm_cli.page")
