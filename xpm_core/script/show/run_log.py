"""The log of a run: a file beside its results, and warnings on stderr."""

from __future__ import annotations

import logging
import sys
from contextlib import ExitStack
from pathlib import Path

log = logging.getLogger("xpm")


class _Stderr(logging.StreamHandler):  # type: ignore[type-arg]  # generic in stubs only
    """Writes to the present `sys.stderr`. A moving display replaces it, and shows the lines above itself."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def log_to(path: Path, stack: ExitStack) -> None:
    """Write the log of `xpm` to a file until the stack is closed. Warnings go to stderr, too.

    Args:
        path: The file.
        stack: Its end also ends the log.
    """
    file = logging.FileHandler(path, encoding="utf-8", delay=True)
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    handlers: list[logging.Handler] = [file]
    if not logging.getLogger().handlers:  # else the script shows them in its own way
        stderr = _Stderr()
        stderr.setLevel(logging.WARNING)
        handlers.append(stderr)
    for handler in handlers:
        log.addHandler(handler)
        stack.callback(handler.close)
        stack.callback(log.removeHandler, handler)
    if log.level == logging.NOTSET:
        log.setLevel(logging.INFO)
        stack.callback(log.setLevel, logging.NOTSET)
