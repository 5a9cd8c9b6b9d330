"""The kernel of a notebook, and its cells.

`from helpers.notebooks import Notebook`. It needs ipykernel.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from helpers.waiting import PATIENCE_S


class Notebook:
    """A kernel, as a notebook starts it; its cells are run one after the other."""

    def __init__(self, folder: Path) -> None:
        from jupyter_client.manager import KernelManager

        self._manager = KernelManager(kernel_name="python3", transport="ipc", ip=str(folder / "kernel"))
        self._manager.start_kernel(cwd=str(folder), env={**os.environ, "XPM_DEBUG": ""})
        self._client = self._manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=PATIENCE_S)

    def begin(self, cell: str) -> str:
        """Run a cell, also right after one that has failed; `end` waits for it."""
        return str(self._client.execute(cell, stop_on_error=False))

    def end(self, request: str) -> dict[str, Any]:
        """What a cell came to: `status`, and of an error `ename`, `evalue` and `traceback`."""
        while True:
            reply = self._client.get_shell_msg(timeout=PATIENCE_S)
            if reply["parent_header"].get("msg_id") == request:
                return dict(reply["content"])

    def interrupt(self) -> None:
        """The notebook's button "interrupt"."""
        self._manager.interrupt_kernel()

    def close(self) -> None:
        """End it."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
