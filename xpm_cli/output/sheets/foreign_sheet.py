"""What `xpm import --csv` and the like say, and their JSON form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xpm_cli.output.json_form import SCHEMA
from xpm_core.exchange.foreign.placing import Draft
from xpm_core.exchange.foreign.roles import Chosen
from xpm_core.exchange.foreign.sheet import Role
from xpm_core.words.commands import Commands
from xpm_core.words.text import listed, plural

SHOWN = 20
"""How many columns a line names."""

_TITLES: dict[Role, str] = {"param": "parameters", "tag": "tags", "result": "results"}


@dataclass(frozen=True)
class ForeignSheet:
    """An import of foreign runs.

    Attributes:
        draft: What was imported.
        chosen: What its columns are.
        notes: What one should know, each a sentence.
        workspace: The directory of the workspace.
        written: Whether it was written.
        commands: Writes command lines that find the workspace.
    """

    draft: Draft
    chosen: Chosen
    notes: Sequence[str]
    workspace: Path
    written: bool
    commands: Commands

    def lines(self) -> Iterator[str]:
        """What is said of it."""
        for role, title in _TITLES.items():
            if names := self.chosen.names(role):
                guess = "   (by their names)" if role in self.chosen.guessed else ""
                yield f"{title:<12}{listed(names, SHOWN)}{guess}"
        if self.chosen.left:
            yield f"{'left out':<12}{listed(self.chosen.left, SHOWN)}"
        if self.chosen.guessed:
            yield "If that is wrong, name the columns: --params, --tags, --results."
        yield from self.notes
        yield self._summary()
        if self.written:
            yield f"See them: {self.commands.results(self.draft.source.experiment)}"

    def _summary(self) -> str:
        source = self.draft.source
        count = plural(source.rows, "row")
        if self.draft.change == "same":
            return f"{source.name}: nothing changes, its {count} are in {source.experiment} already."
        replaced = ", in place of those that came before" if self.draft.change == "replaced" else ""
        verb = "imported" if self.written else "would be imported"
        return f"{source.name}: {count} {verb} into {source.experiment}{replaced}."

    def as_data(self) -> dict[str, Any]:
        """The JSON form."""
        source = self.draft.source
        return {
            "schema": SCHEMA,
            "name": source.name,
            "kind": source.kind,
            "source": source.source,
            "sha256": source.digest,
            "workspace": str(self.workspace),
            "experiment": source.experiment,
            "task": source.task,
            "written": self.written and self.draft.change != "same",
            "change": self.draft.change,
            "rows": source.rows,
            "params": self.chosen.names("param"),
            "tags": self.chosen.names("tag"),
            "results": self.chosen.names("result"),
            "guessed": [_TITLES[role].replace("parameters", "params") for role in self.chosen.guessed],
            "left_out": self.chosen.left,
            "notes": list(self.notes),
        }
