"""What names of files and folders say: patterns of settings, secrets, Python files, folders that are never kept."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from importlib.machinery import EXTENSION_SUFFIXES

PYTHON = (".py", ".pyi", ".pyw")
COMPILED = (*EXTENSION_SUFFIXES, ".so", ".pyd", ".dylib")
"""How the names of extension modules, and of libraries that they load, end."""

VERSIONED = {".git", ".hg", ".svn", ".jj", ".bzr"}
"""What version control keeps for itself."""

PASSING = {
    "__pycache__", "node_modules", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".ipynb_checkpoints",
    ".tox", ".nox", ".eggs", ".cache", ".pytype", ".pyre", ".dvc", ".direnv", ".pixi", ".Trash",
}  # fmt: skip
"""Folders that tools make again when they need them, and environments by name."""

ENVIRONMENT = ("pyvenv.cfg", "conda-meta")
"""What lies in the folder of an environment, and in no other."""

WORKSPACE = os.path.join(".xpm", "workspace.json")
"""The file that marks a workspace."""

OWN_FOLDERS = {".xpm", "jobs", "experiments", "old", "code"}
"""What xpm writes into a workspace. The workspace can be the root itself; then these folders are not kept."""

_SECRET = re.compile(
    r"""
    \.env.* | [^/]*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk|ovpn|tfstate) | [._]netrc | id_[^./]+
    | \.(?:pgpass|my\.cnf|git-credentials|pypirc|npmrc|htpasswd|s3cfg|boto|vault-token|dockercfg|databrickscfg)
    | \.?credentials | (?:[\w-]*[._-])?credentials?\.(?:json|ya?ml|toml|ini|csv|db|txt) | client_secret[^/]*\.json
    | service[_-]?account[^/]*\.json | secrets?\.(?:json|ya?ml|toml|ini|txt|env) | kaggle\.json | kubeconfig
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_LEFTOVER = re.compile(r"\.#.*|#.*#|.*~|\..*\.sw[a-p]|\.nfs[0-9a-f]{8,}|\.DS_Store|\.goutputstream-.*", re.DOTALL)
_OUTPUT = re.compile(
    r"(?:.*/)?(?:[^/]*\.(?P<end>log|out|err)(?:\.\d+)?|(?P<events>events\.out\.tfevents)[^/]*"
    r"|(?P<folder>mlruns|lightning_logs|\.hydra)(?:/.*)?|(?P<wandb>wandb/(?:latest-run|(?:offline-)?run-|sweep-)).*)",
    re.DOTALL,
)
_SECRET_FOLDERS = re.compile(r"(?:^|/)\.(?:ssh|aws|gnupg|azure|kube|gcloud|docker)/")


def is_leftover(path: str) -> bool:
    """Whether a file is what an editor or a file system leaves beside the files that are worked on."""
    return _LEFTOVER.fullmatch(path.rpartition("/")[2]) is not None


def output_kind(path: str) -> str:
    """As what a file is left out if git does not track it: a pattern of files that programs write while jobs run.

    Such files change all the time, and differ from run to run. Each change would look like one of the code.

    Returns:
        The pattern; empty for other files, and for Python files.

    Example:
        >>> output_kind("logs/slurm-17.out"), output_kind("mlruns/0/meta.yaml"), output_kind("data.csv")
        ('*.out', 'mlruns', '')
    """
    found = None if is_python(path) else _OUTPUT.fullmatch(path)
    if found is None:
        return ""
    if found["end"]:
        return f"*.{found['end']}"
    return "events.out.tfevents*" if found["events"] else found["folder"] or "wandb"


def is_python(path: str) -> bool:
    """Whether a file is Python code, or a compiled module."""
    return path.endswith(PYTHON) or path.endswith(COMPILED)


def is_secret(path: str) -> bool:
    """Whether a file holds a secret, judged by its name alone. Python files never do.

    Example:
        >>> is_secret("deploy/.env.local"), is_secret("id_ed25519"), is_secret("id_map.csv")
        (True, True, False)
    """
    if path.endswith(PYTHON):
        return False
    name = path.rpartition("/")[2]
    return _SECRET.fullmatch(name) is not None or _SECRET_FOLDERS.search(path) is not None


def lies_in(path: str, folder: str) -> bool:
    """Whether a path is a folder, or lies in it."""
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def shown(path: str) -> str:
    """A path for messages: characters that act on a terminal, and bytes that are no UTF-8, are written as escapes.

    Example:
        >>> shown("two\\nlines")
        'two\\\\nlines'
    """
    if path.isprintable():
        return path
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in path)


class Patterns:
    """Patterns of settings, such as `build/*.so`.

    `*` and `?` stand for characters of one name, `**` for any folders. As in a .gitignore, a pattern with a slash is a
    path from the root, and one without a slash is a name in any folder. A pattern that is the name of a folder means
    all that lies in the folder.

    Example:
        >>> Patterns(["build/*.so", "*.csv"]).match("data/small.csv")
        True
    """

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self.patterns = tuple(patterns)
        each = "|".join(f"(?:{_regex(pattern)})" for pattern in self.patterns)
        self._regex = re.compile(each, re.DOTALL) if each else None

    def match(self, path: str) -> bool:
        """Whether a path, or a folder on it, is meant by one of the patterns."""
        return self._regex is not None and self._regex.fullmatch(path) is not None


def fixed_part(pattern: str) -> str:
    """The folder or file on which a search for a pattern can begin; empty for the root.

    Example:
        >>> fixed_part("build/lib/*.so"), fixed_part("*.so"), fixed_part("data/set.csv")
        ('build/lib', '', 'data/set.csv')
    """
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    if "/" not in pattern.rstrip("/"):
        return "" if _has_wildcard(pattern) else parts[0]
    known = []
    for part in parts:
        if _has_wildcard(part):
            break
        known.append(part)
    return "/".join(known)


def _has_wildcard(part: str) -> bool:
    return any(character in part for character in "*?[")


def _regex(pattern: str) -> str:
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    built = "" if "/" in pattern.rstrip("/") else "(?:.*/)?"
    for number, part in enumerate(parts, 1):
        is_last = number == len(parts)
        if part == "**":
            built += ".*" if is_last else "(?:.*/)?"
        else:
            built += _name_regex(part) + ("" if is_last else "/")
    return built + "(?:/.*)?"


def _name_regex(part: str) -> str:
    """The regular expression for one name of a pattern."""
    built, index = "", 0
    while index < len(part):
        character = part[index]
        end = part.find("]", index + 2)
        if character == "[" and end > 0:
            inner = part[index + 1 : end].replace("\\", r"\\").replace("[", r"\[")
            built += f"[^{inner[1:]}]" if inner.startswith("!") else f"[{inner}]"
            index = end
        else:
            built += {"*": "[^/]*", "?": "[^/]"}.get(character) or re.escape(character)
        index += 1
    return built
