"""Values of many jobs, one list a name. A list is unpacked when somebody asks for it, so most never are.

    {"lr": [0.1, 0.2, …], "epochs": [10, 10, …]}     instead of     [{"lr": 0.1, "epochs": 10}, …]

Owns: this form, and a job's values in it as a mapping.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgpack


class Columns:
    """The values of some jobs that have the same names.

    Args:
        packed: By name, the values of all jobs in their order, packed.
        samples: By name, values of each kind.
    """

    __slots__ = ("_lists", "_packed", "samples")

    def __init__(self, packed: Mapping[str, bytes | str], samples: Mapping[str, list[Any]]) -> None:
        self._packed, self.samples = packed, samples
        self._lists: dict[str, list[Any]] = {}

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> Columns:
        """The columns of some mappings, all of which have the same names."""
        lists = {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
        found = cls(
            {name: _packed(values) for name, values in lists.items()}, {n: _samples(v) for n, v in lists.items()}
        )
        found._lists = lists
        return found

    @classmethod
    def read(cls, data: Any) -> Columns:
        """The columns that `data` wrote."""
        packed, samples = data
        return cls(packed, json.loads(samples))

    def data(self) -> Any:
        """What to write of them, of msgpack's types."""
        return [self._packed, json.dumps(self.samples)]

    @property
    def names(self) -> Mapping[str, object]:
        """The names, in their order."""
        return self._packed

    def __getitem__(self, name: str) -> list[Any]:
        """The values of a name."""
        found = self._lists.get(name)
        if found is None:
            found = self._lists[name] = _unpacked(self._packed[name])
        return found


class Cells(Mapping[str, Any]):
    """The values of one job.

    Attributes:
        columns: Those of all jobs that have the same names.
        at: Its place in them.
    """

    __slots__ = ("at", "columns")

    def __init__(self, columns: Columns, at: int) -> None:
        self.columns, self.at = columns, at

    def __getitem__(self, name: str) -> Any:
        return self.columns[name][self.at]

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a name, or the default."""
        columns = self.columns
        return columns[name][self.at] if name in columns.names else default

    def __contains__(self, name: object) -> bool:
        return name in self.columns.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns.names)

    def __len__(self) -> int:
        return len(self.columns.names)

    def __repr__(self) -> str:
        return repr(dict(self))


def _packed(values: list[Any]) -> bytes | str:
    """A list as bytes; as JSON if it holds what msgpack has not, such as an integer of many digits."""
    try:
        data: bytes = msgpack.packb(values)
    except (ValueError, OverflowError):
        return json.dumps(values)
    return data


def _unpacked(data: bytes | str) -> list[Any]:
    found: list[Any] = json.loads(data) if isinstance(data, str) else msgpack.unpackb(data, strict_map_key=False)
    return found


def _samples(values: list[Any]) -> list[Any]:
    """A value of each kind."""
    from xpm_core.filters.values import kind_and_value  # late, because scripts and workers seldom write a memory

    found: dict[object, Any] = {}
    for value in values:
        cls = type(value)
        found.setdefault(kind_and_value(value)[0] if cls is dict else cls, value)
    return list(found.values())
