"""Results and statistics that are asked for wrongly."""

from __future__ import annotations

from xpm_core.errors.base import ShapedError


class ResultsError(ShapedError, ValueError):
    """Raised when a statistic is asked for with an argument that makes no sense.

    Numbers never raise it: where they allow no interval, the result has none, and says why.

    Message:
        level: expected a number between 0 and 1, got 95. Write level=0.95.

    Remedy:
        Do what the message says. docs/reference/statistics.md lists what each argument can be.
    """
