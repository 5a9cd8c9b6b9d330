"""What runs a script's lines: a process of its own, a prompt that a person types at, or the cells of a notebook."""

from __future__ import annotations

import sys


def at_prompt() -> bool:
    """Whether lines are typed into this process, which an exit would end; in a notebook, too."""
    return hasattr(sys, "ps1")  # Python's own prompt and IPython say so


def in_notebook() -> bool:
    """Whether a kernel runs this, whose lines come in cells."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def rerun() -> str:
    """How to run the same lines again, as messages say it."""
    if in_notebook():
        return "rerun this cell"
    return "run this again" if at_prompt() else "run the script again"
