"""The tags, parameters and results in which jobs differ: the columns of a list that nobody has chosen.

Owns: that new jobs are taken in without looking at the others again. A name that differs once stays a column.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from xpm_core.filters import FIELDS
from xpm_core.filters.syntax import Name
from xpm_core.reading.listing.row import JobRow

_NONE: Any = object()
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


class Differing:
    """Names in which some jobs differ."""

    def __init__(self) -> None:
        self._tags, self._params = _Values(), _Values()
        self._results: dict[str, None] = {}
        self._own: set[str] = set()
        """Parameters that say more than the tag of their name."""

    def update(self, rows: Iterable[JobRow]) -> None:
        """Take in jobs that are new, or have changed."""
        for row in rows:
            tags, params = row.tags or {}, row.params or {}
            self._tags.add(tags)
            self._params.add(params)
            for path in self._params.differing.keys() - self._own:
                name = path.rpartition(".")[2]
                if path in params and tags.get(name, _NONE) != params[path]:
                    self._own.add(path)
            if row.results:
                self._results.update(dict.fromkeys(row.results))

    @property
    def names(self) -> list[str]:
        """The names of the columns, as filters call them: tags, then parameters. Each is as short as is clear.

        A parameter that only repeats a tag is left out.
        """
        last = Counter(path.rpartition(".")[2] for path in self._params.first)
        tags = [_name("tag", tag, clear=True) for tag in self._tags.differing]
        params = [
            _name("param", path, clear=last[name] == 1 and name not in self._tags.first)
            for path in self._params.differing
            if (name := path.rpartition(".")[2]) not in self._tags.first or path in self._own
        ]
        return [*tags, *params]

    @property
    def results(self) -> list[str]:
        """The names of what the jobs have reported, as filters call them."""
        taken = self._tags.first.keys() | {path.rpartition(".")[2] for path in self._params.first}
        return [_name("result", name, clear=name not in taken) for name in self._results]


def _name(scope: str, text: str, *, clear: bool) -> str:
    """A name as a filter has it, with its scope if it would mean something else without it."""
    bare = text.rpartition(".")[2] if scope == "param" and clear else text
    short = clear and bare not in FIELDS
    return str(Name(bare if short else text, "" if short else scope, quoted=not _PLAIN.fullmatch(bare)))


class _Values:
    """The first value of each name, and the names that have another one, too."""

    def __init__(self) -> None:
        self.first: dict[str, Any] = {}
        self.differing: dict[str, None] = {}

    def add(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            if name in self.differing:
                continue
            known = self.first.setdefault(name, value)
            if type(known) is not type(value) or known != value:
                self.differing[name] = None
