"""How the script of this process was started: the fields of `Provenance` that do not depend on the project's files.

Owns: which of it is recorded. Secrets are hidden (secrets.py), and long lists are cut.
"""

from __future__ import annotations

import getpass
import os
import platform
import socket
import sys
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from xpm_core.project.variables import settable
from xpm_core.snapshot.facts import secrets
from xpm_core.snapshot.facts.packages import packages_document
from xpm_core.tracebacks.prompt import at_prompt, in_notebook

VARIABLES = (
    "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS", "CUBLAS_WORKSPACE_CONFIG", "XLA_FLAGS", "PYTHONPATH", "PYTHONHASHSEED", "SLURM_JOB_ID",
    "SLURM_ARRAY_TASK_ID", "CONDA_DEFAULT_ENV", "VIRTUAL_ENV",
)  # fmt: skip
"""The variables that are recorded, besides those of xpm. They decide what is imported, and how numbers are computed."""

MOST_ARGUMENTS = 200
"""How many arguments are recorded."""
LONGEST = 1000
"""How many characters of an argument or a variable are recorded."""


def script_facts() -> dict[str, Any]:
    """How the script of this process was started: the fields of `Provenance` of these names.

    `packages` is the digest of `packages_document()`, which the caller keeps under `packages` in the `CodeStore`.

    Example:
        >>> script_facts()["script"], script_facts()["arguments"]
        ('/home/me/digits/sweep.py', ['--epochs', '3'])
    """
    script, arguments = _started()
    return {
        "script": script,
        "arguments": _some(secrets.arguments(arguments)),
        "folder": _folder(),
        "host": socket.gethostname(),
        "user": _user(),
        "python": platform.python_version(),
        "variables": variables(os.environ),
        "packages": sha256(packages_document()).hexdigest(),
    }


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of an environment that are recorded, by name, with secrets hidden."""
    names = sorted({*VARIABLES, *settable()} & environment.keys())
    return {name: _cut(secrets.variable(name, environment[name])) for name in names}


def _started() -> tuple[str, list[str]]:
    """The script as it was started, and its arguments."""
    if in_notebook():
        return os.environ.get("JPY_SESSION_NAME", ""), []
    first = sys.argv[0] if sys.argv else ""
    if at_prompt() or not first:
        return "", []
    main = sys.modules.get("__main__")
    own, spec = getattr(main, "__file__", None) or "", getattr(main, "__spec__", None)
    script = _absolute(first)
    if "xpm_cli" in sys.modules and own and script != _absolute(own):  # `xpm run` puts its file there
        script = f"xpm run {script}"
    elif first == "-c":
        script = "python -c"
    elif spec is not None and spec.name != "__main__":
        script = f"python -m {spec.name.removesuffix('.__main__')}"
    return script, sys.argv[1:]


def _some(arguments: list[str]) -> list[str]:
    more = len(arguments) - MOST_ARGUMENTS
    return [*map(_cut, arguments[:MOST_ARGUMENTS]), *([f"… and {more} more"] if more > 0 else [])]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _absolute(path: str) -> str:
    try:
        return os.path.abspath(path)
    except OSError:  # the working directory was removed
        return path


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # no name for this uid
        return str(os.getuid())
