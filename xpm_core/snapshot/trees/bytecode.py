"""Compile the Python files of a tree, so that jobs need not.

Owns: which files are compiled, and how long that may take. Jobs compile the others themselves, when they import them.
"""

from __future__ import annotations

import os
import py_compile
import sys
import time
import warnings
from importlib.util import cache_from_source

from xpm_core.snapshot.manifest import Manifest
from xpm_core.snapshot.trees.build import place, python_files
from xpm_core.snapshot.trees.host_folder import Tick, nothing

LONGEST_S = 1.0
"""How long it may take. Then the rest is left to jobs."""
LARGEST = 256 * 1024
"""Bytes of the largest file that is compiled here, because nothing else can be done meanwhile."""


def cache_tag() -> str:
    """The version of Python that the bytecode of this process is for, and how it optimises: `cpython-311`."""
    return f"{sys.implementation.cache_tag}{f'-opt{sys.flags.optimize}' if sys.flags.optimize else ''}"


def compile_tree(folder: str, manifest: Manifest, final: str = "", tick: Tick = nothing) -> None:
    """Compile what is not compiled for this version of Python. A file that cannot be compiled is left to its job.

    Args:
        folder: The folder that holds the tree.
        manifest: Its snapshot.
        final: Where the tree will lie, if it is moved afterwards: bytecode names its file.
        tick: Called between files.
    """
    if sys.pycache_prefix is not None:  # bytecode lies elsewhere, where nobody removes it together with the tree
        return
    until = time.monotonic() + LONGEST_S
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are for the log of the job
        for each in python_files(manifest):
            if time.monotonic() >= until:
                return
            tick()
            path = f"{folder}/{place(manifest, each)}"
            if each.size <= LARGEST and not os.path.exists(cache_from_source(path)):
                _compile(path, f"{final or folder}/{place(manifest, each)}")


def _compile(path: str, shown: str) -> None:
    mode = py_compile.PycInvalidationMode.TIMESTAMP  # whatever SOURCE_DATE_EPOCH says: the time is always the same
    try:
        py_compile.compile(path, dfile=shown, doraise=True, invalidation_mode=mode)
    except (py_compile.PyCompileError, OSError, ValueError, RecursionError, MemoryError):
        return
