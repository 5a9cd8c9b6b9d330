"""What to do about results that were made by older code.

Owns: the words for it. Each command stands at the end of its line, so that it can be copied.
"""

from __future__ import annotations

from collections.abc import Mapping

from xpm_core.words.commands import Commands

MOST = 4
"""How many classes are named."""


def advice(older: Mapping[str, str], commands: Commands, experiment: str) -> list[str]:
    """Lines for the report of a run that has reused such results.

    Args:
        older: For each class, the identity of one of its jobs that ran older code.
        commands: Writes the commands.
        experiment: The name of the experiment.

    Example:
        >>> advice({"Train": "3f9ac2e04b"}, Commands(), "digits")[0]
        'next    what changed: xpm diff 3f9ac2e --code'
    """
    if not older:
        return []
    shown = list(older.items())[:MOST]
    each = [(f" ({name})" if len(older) > 1 else "", identity) for name, identity in shown]
    lines = [
        *(f"what changed{of}: {commands.code_since(identity)}" for of, identity in each),
        f"run them again: {commands.retry_changed(experiment)}",
        f"or accept them: {commands.accept(experiment)}",
    ]
    return [("next    " if number == 0 else " " * 8) + line for number, line in enumerate(lines)]
