"""What a job in the foreground reports: it is printed for the user, and sent to nobody."""

from __future__ import annotations

from time import monotonic
from typing import Any

from xpm_core.job import outputs
from xpm_core.words.text import line, say
from xpm_core.workspace.job_directory import JobDirectory

PAUSE_S = 1.0
"""The least time between two lines of progress."""
LONGEST_LINE = 200


class Reports:
    """Prints the progress and the outputs of a job to standard error.

    Args:
        directory: The folder in which the job works.
        quiet: Whether to print nothing.
    """

    def __init__(self, directory: JobDirectory, *, quiet: bool = False) -> None:
        self._directory, self._quiet = directory, quiet
        self._due = 0.0

    def progress(self, kind: str, data: dict[str, Any]) -> bool:
        """Print how far the job is, at most once a second.

        Returns:
            Whether it was printed. If not, the caller tries again later.
        """
        if self._quiet:
            return True
        if monotonic() < self._due:
            return False
        self._due = monotonic() + PAUSE_S
        levels = [data, *data.get("inner", ())] if data else []
        say(f"progress    {'  ·  '.join(filter(None, map(_level, levels)))}")
        return True

    def output(self, data: dict[str, Any]) -> None:
        """Print an output that the job has registered."""
        if not self._quiet:
            args, kwargs = outputs.arguments(data, self._directory)
            words = [*map(_shown, args), *(f"{name}={_shown(value)}" for name, value in kwargs.items())]
            say(f"output      {data['of']}.{data['method']}({line(', '.join(words), LONGEST_LINE)})")


def _level(level: dict[str, Any]) -> str:
    fraction = level.get("fraction")
    percent = "" if fraction is None else f"{fraction:.0%}"
    return f"{percent} {line(level.get('desc', ''), LONGEST_LINE)}".strip()


def _shown(value: Any) -> str:
    return repr(str(value)) if hasattr(value, "__fspath__") else repr(value)
