"""What was read of foreign runs: columns, and for each run its values. Also: nested values in one level.

Owns: this form, which all sources are brought into.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from xpm_core.errors import ExchangeError

Role = Literal["param", "tag", "result"]

MOST_ROWS = 1_000_000
"""How many runs an import may have."""
MOST_COLUMNS = 10_000
"""How many columns they may have."""
DEEPEST = 30
"""How many levels of objects a value may have."""


class Column(NamedTuple):
    """A column of a source.

    Attributes:
        key: Its whole name in the source: `config.lr`.
        name: What it is called in tables: `lr`.
        role: What it is, if the source says so.
        fact: Whether it says something of the run itself, such as its state. It is taken only if it is named.
    """

    key: str
    name: str
    role: Role | None = None
    fact: bool = False


@dataclass
class Line:
    """A run.

    Attributes:
        where: Where it stands in its source: `line 3`.
        values: By the key of a column: its value. A column without a value is missing.
        run: The id that its source gives it; empty without one.
        failed: Whether it has failed.
        started_s: When it began, epoch seconds.
        ended_s: When it ended, epoch seconds.
        seconds: How long it took; None if that is not known.
        host: The machine.
        commit: The git commit.
        folder: Its folder, relative to the source; None if it has none.
    """

    where: str
    values: dict[str, Any] = field(default_factory=dict)
    run: str = ""
    failed: bool = False
    started_s: float | None = None
    ended_s: float | None = None
    seconds: float | None = None
    host: str = ""
    commit: str = ""
    folder: str | None = None


@dataclass
class Sheet:
    """The runs of a source.

    Attributes:
        kind: What it is: `csv`, `hydra` or `wandb`.
        source: What messages call it: the path of its file or folder, as it was typed.
        digest: The SHA-256 of what was read.
        columns: The columns, by their keys.
        lines: The runs.
        notes: What one should know, each a sentence.
    """

    kind: str
    source: str
    digest: str
    columns: dict[str, Column] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, column: Column) -> None:
        """Add a column, if it is not there.

        Raises:
            ExchangeError: There are too many.
        """
        if column.key not in self.columns:
            if len(self.columns) >= MOST_COLUMNS:
                problem = f"it has more than {MOST_COLUMNS:,} columns"
                raise ExchangeError(self.source, problem, "Export fewer: the ones that tables need.")
            self.columns[column.key] = column

    def append(self, line: Line) -> None:
        """Add a run.

        Raises:
            ExchangeError: There are too many.
        """
        if len(self.lines) >= MOST_ROWS:
            raise ExchangeError(self.source, f"it has more than {MOST_ROWS:,} runs", "Import it in parts.")
        self.lines.append(line)


def leaves(values: Mapping[Any, Any], start: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """The values in nested mappings, with their paths. Lists are values.

    Example:
        >>> list(leaves({"optim": {"lr": 0.1}, "sizes": [64, 32]}))
        [('optim.lr', 0.1), ('sizes', [64, 32])]
    """
    for name, value in values.items():
        path = f"{start}{name}"
        if isinstance(value, Mapping) and depth < DEEPEST:
            yield from leaves(value, f"{path}.", depth + 1)
        else:
            yield path, value
