"""`xpm status --watch` in terminals of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from helpers.typed_commands import PROGRAM, Shell
from helpers.user_scripts import Desktop, Terminal


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Desktop]:
    """Commands in terminals; what still runs is ended."""
    desktop = Desktop(tmp_path)
    yield desktop
    desktop.clear()


@pytest.fixture
def watched(terminals: Desktop, tmp_path: Path) -> Callable[..., Terminal]:
    """Watch the workspace of a shell, and wait until its jobs are shown: `watched(shell, columns=40)`."""

    def start(
        shell: Shell, *words: str, shows: str = " of ", env: Mapping[str, str] | None = None, **size: int
    ) -> Terminal:
        command = [PROGRAM, "status", "--watch", *words, "--workspace", shell.folder]
        environment = shell.environment(XDG_CACHE_HOME=str(tmp_path / "cache"), **(env or {}))
        terminal = terminals.terminal(*command, env=environment, **size)
        if shows:
            terminal.shows(shows)
        return terminal

    return start
