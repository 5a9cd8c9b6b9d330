"""Where a script's lines run: in a process of their own, at a prompt, or in the cells of a notebook."""

from __future__ import annotations

import sys


def at_prompt() -> bool:
    """Whether a person types lines into this process, at a prompt or in a notebook: it must not exit then."""
    return hasattr(sys, "ps1")  # Python's own prompt and IPython say so


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def rerun() -> str:
    """How to run the same lines again, as messages say it."""
    if in_notebook():
        return "rerun this cell"
    return "run this again" if at_prompt() else "run the script again"
