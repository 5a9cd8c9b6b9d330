"""Where a script's lines run: in a process of their own, at a prompt, or in the cells of a notebook.

IPython is never imported: if it runs the lines, it is loaded already.
"""

from __future__ import annotations

import sys
from typing import Any


def at_prompt() -> bool:
    """Whether a person types lines into this process, at a prompt or in a notebook: it must not exit then."""
    return hasattr(sys, "ps1")  # Python's own prompt and IPython say so


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    return getattr(_shell(), "kernel", None) is not None


def rerun() -> str:
    """How to run the same lines again, as messages say it."""
    if in_notebook():
        return "rerun this cell"
    return "run this again" if at_prompt() else "run the script again"


def cell_of(file: str) -> str:
    """The cell of a notebook that stands behind the name of a file, such as `In[3]`; empty if there is none."""
    name_of = getattr(getattr(_shell(), "compile", None), "format_code_name", None)
    named = name_of(file) if name_of is not None else None
    return named[1] if named else ""


def _shell() -> Any:
    """The shell of IPython that runs the lines; None without one."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return get_ipython() if get_ipython is not None else None
