"""A display below the cell of a notebook, which is changed in place. IPython is there, because it runs the cell."""

from __future__ import annotations

import sys
from typing import Any


class NotebookOutput:
    """HTML below the cell that runs. A cell that is run later gets an output of its own."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._cell: object = None
        self._shown = ""

    def show(self, html: str, text: str) -> None:
        """Show something in place of what was shown before.

        Args:
            html: For notebooks.
            text: The same, for programs that show no HTML.
        """
        shell = sys.modules["IPython"].get_ipython()
        if (cell := getattr(shell, "execution_count", None)) != self._cell:
            self._cell, self._handle, self._shown = cell, None, ""
        if html == self._shown:
            return
        self._shown = html
        data = {"text/html": html, "text/plain": text}
        if self._handle is None:
            self._handle = sys.modules["IPython.display"].display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)
