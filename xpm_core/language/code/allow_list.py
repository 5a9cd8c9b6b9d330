"""The allow-list of a worker that was started with `--allow`: the modules that it imports for jobs.

A pattern is the name of a module, in which `*` stands for any characters. Modules below an allowed module are allowed,
too. A payload also says in which file a module is. Such a file is used only if no one but this user (or root) can
change it, and if it is named like the module. Otherwise the name of the module would protect nothing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from xpm_core.errors import ModuleNotAllowedError
from xpm_core.language.code.class_records import references_in
from xpm_core.project.import_path import PACKAGES, STANDARD, ImportPath

ALWAYS = ("builtins", "typing", "typing_extensions", "collections.abc", "xpm_core")
"""Modules that are always allowed, because declarations of parameters use their classes."""


class AllowList:
    """The modules that some patterns allow.

    Example:
        >>> AllowList(["sweep", "models.*"]).names("models.vision")
        True
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self.patterns = [*patterns, *ALWAYS]
        self.text = ", ".join(patterns)

    def names(self, module: str) -> bool:
        """Whether a module is allowed."""
        return any(fnmatchcase(module, pattern) or fnmatchcase(module, f"{pattern}.*") for pattern in self.patterns)

    def checked(
        self, records: Sequence[dict[str, Any]], path: ImportPath
    ) -> tuple[Sequence[dict[str, Any]], ImportPath]:
        """The class records of a payload, and the part of its import path that may be used.

        The path that is returned asks for no module of the standard library.

        Args:
            records: The class records.
            path: The import path of the script.

        Raises:
            ModuleNotAllowedError: A class, or something that a local class uses, is in a module that is not allowed, or
                in a file that others can change.
        """
        for record in records:
            for module, name, file in needed(record):
                where = f"{module}.{name}" if name else module
                if not self.names(module):
                    raise ModuleNotAllowedError(module, where, f"this worker allows {self.text} only")
                if file is not None and (problem := distrust(file, module)):
                    raise ModuleNotAllowedError(module, where, f"{file} {problem}")
        folders = [each for each in path.folders if each in (STANDARD, PACKAGES) or not others_can_change(each)]
        return records, ImportPath(folders, {name: True for name, taken in path.standard.items() if taken})


def needed(record: dict[str, Any]) -> Iterator[tuple[str, str, str | None]]:
    """The modules that a class needs: the name of each, the name that is needed from it, and its file if recorded."""
    yield record["module"], record["name"], record["file"]
    for kind, *content in references_in(record.get("local", {})):
        if kind == "module":
            yield content[0], "", None
        elif kind == "attribute":
            yield content[0], content[1], None
        elif kind == "function":
            yield content[0]["module"], content[0]["name"], content[0]["file"]


def distrust(file: str, module: str) -> str:
    """Why a file must not be loaded as a module; empty when it may be, or does not exist."""
    if not os.path.exists(file):
        return ""
    stem = os.path.splitext(os.path.basename(file))[0]
    if stem == "__init__":
        stem = os.path.basename(os.path.dirname(file))
    if stem not in (module, module.rpartition(".")[2]):
        return "is named otherwise"
    if others_can_change(file) or others_can_change(os.path.dirname(file)):
        return "can be changed by other users"
    return ""


def others_can_change(path: str) -> bool:
    """Whether anyone but this user, root and the group of the file can change a file or folder."""
    try:
        found = os.stat(path)
    except OSError:
        return True
    return found.st_uid not in (0, os.geteuid()) or bool(found.st_mode & stat.S_IWOTH)
