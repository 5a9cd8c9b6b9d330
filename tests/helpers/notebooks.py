"""The kernel of a notebook, and its cells; and whole notebooks that run from the first cell to the last.

`from helpers.notebooks import Notebook, executed`. They need ipykernel; `executed` needs nbclient, too.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
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


@dataclass
class Ran:
    """What a cell has left behind.

    Attributes:
        outputs: Its outputs, as they stand in the file of the notebook.
        messages: How many messages of each kind the kernel has sent for it.
    """

    outputs: list[dict[str, Any]]
    messages: Counter[str]

    def html(self) -> list[str]:
        """The outputs that are HTML."""
        return [each["data"]["text/html"] for each in self.outputs if "text/html" in each.get("data", {})]

    @property
    def error(self) -> str:
        """Its error; empty without one."""
        found = [f"{each['ename']}: {each['evalue']}" for each in self.outputs if each["output_type"] == "error"]
        return "\n".join(found)

    @property
    def text(self) -> str:
        """What it has printed, to both streams."""
        return "".join(each["text"] for each in self.outputs if each["output_type"] == "stream")


def executed(folder: Path, *cells: str) -> list[Ran]:
    """Run a notebook of these cells in a folder, as `jupyter execute --allow-errors` does."""
    import nbformat
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    counts: list[Counter[str]] = [Counter() for _ in cells]

    class Client(NotebookClient):  # type: ignore[misc]
        def process_message(self, message: dict[str, Any], cell: Any, index: int) -> Any:
            counts[index][message["msg_type"]] += 1
            return super().process_message(message, cell, index)

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    manager = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=str(folder / "kernel"))
    client = Client(
        notebook, km=manager, timeout=PATIENCE_S, allow_errors=True, resources={"metadata": {"path": str(folder)}}
    )
    client.execute(cleanup_kc=True, env={**os.environ, "XPM_DEBUG": ""})
    return [Ran(cell["outputs"], count) for cell, count in zip(notebook.cells, counts, strict=True)]
