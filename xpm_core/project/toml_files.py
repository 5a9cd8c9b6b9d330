"""TOML files that people write: reading one, and on which line something stands there.

Owns: messages about files that cannot be read, and the lines in messages, which the library does not give.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xpm_core.errors import SettingsError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_HEADER = re.compile(r"\s*\[\[?([^\[\]]+)\]")
_KEY = re.compile(r"\s*([^=#\[]+?)\s*=")


@dataclass(frozen=True)
class TomlFile:
    """A file, and what it says. A file that does not exist says nothing.

    Example:
        >>> file = TomlFile.read(Path("/home/me/.config/xpm/settings.toml"))
        >>> file.content["workspaces"], file.line_of("workspaces", "lab")
        ({'lab': '/data/xpm'}, 4)
    """

    path: Path
    content: dict[str, Any]
    text: str = ""

    @classmethod
    def read(cls, path: Path, closed: str = "Make it readable for you.") -> TomlFile:
        """Read a file.

        Args:
            path: The file.
            closed: What to do if this user may not read it.

        Raises:
            SettingsError: It cannot be read, or is not TOML.
        """
        try:
            text = path.read_text(encoding="utf-8")
            return cls(path, tomllib.loads(text), text)
        except (FileNotFoundError, NotADirectoryError):
            return cls(path, {})
        except OSError as error:
            problem = f"cannot be read: {error.strerror}"
            remedy = closed if isinstance(error, PermissionError) else "Make it readable, or remove it."
            raise SettingsError(str(path), problem, remedy) from None
        except ValueError as error:  # also TOMLDecodeError, UnicodeDecodeError
            raise SettingsError(str(path), f"is not TOML: {error}", "Correct it, or remove it.") from None

    def line_of(self, *names: str) -> int | None:
        """The number of the line that sets something, or else of the line that sets what it is a part of."""
        found: dict[tuple[str, ...], int] = {}
        for number, key in _keys(self.text):
            found.setdefault(key, number)
        parts = (names[:length] for length in range(len(names), 0, -1))
        return next((found[part] for part in parts if part in found), None)

    def where(self, *names: str) -> str:
        """Where something stands: `/home/me/.config/xpm/settings.toml:4`; without a line if that is not known."""
        line = self.line_of(*names)
        return f"{self.path}:{line}" if line else str(self.path)

    def refuse_unknown(self, names: tuple[str, ...], known: Iterable[str]) -> None:
        """Raise an error if the last of some names is not among the known ones.

        Raises:
            SettingsError: It is unknown; the error names a similar one, or all.
        """
        if names[-1] not in (all_known := sorted(known)):
            close = difflib.get_close_matches(names[-1], all_known, 1)
            remedy = f"Did you mean {close[0]!r}?" if close else f"Known are: {', '.join(all_known)}."
            raise SettingsError(self.where(*names), f"unknown setting {'.'.join(names)!r}", remedy)


def _keys(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The lines that set something: their numbers, and the whole name of what they set. Tables count, too."""
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _parts(header[1])
            yield number, table
        elif key := _KEY.match(line):
            yield number, table + _parts(key[1])


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip(" \"'") for part in dotted.split("."))
