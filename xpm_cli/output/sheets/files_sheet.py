"""The sheet of a workspace whose server cannot be had: what its files say.

Owns: the lines that `xpm status` then prints, and their JSON form. It has the fields of the other one; those that only
the server knows are null.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from xpm_cli.lookup.open_workspace import OpenWorkspace
from xpm_cli.output.json_form import SCHEMA, moment
from xpm_cli.output.sheets.survey_sheet import experiment_record
from xpm_cli.output.terminal import Terminal, state
from xpm_core.reading.experiments import Experiment
from xpm_core.states import State
from xpm_core.words.text import ago, plural

OF_THE_SERVER = (
    "eta_s", "forecast", "suspended", "tokens", "workers", "queues", "refusals", "failed", "failures",
)  # fmt: skip
"""The fields of the JSON form that only the server knows."""


@dataclass(frozen=True)
class FilesSheet:
    """What `xpm status` shows without the server.

    Attributes:
        opened: The workspace.
        experiments: The experiments, the latest run first.
        counts: How many jobs are in each state; None stands for a state that is not known.
        of: The experiment whose jobs these are; None for the whole workspace.
    """

    opened: OpenWorkspace
    experiments: list[Experiment]
    counts: Mapping[State | None, int]
    of: str | None = None

    def lines(self, terminal: Terminal) -> Iterator[str]:
        """The lines to print."""
        yield terminal.entry("workspace", [str(self.opened.workspace.path), "read from its files"])
        for each in self.experiments:
            started = [f"last run {ago(self.opened.now_s - each.started_s)}"] if each.started_s else []
            yield terminal.entry("experiment", [each.name, plural(each.jobs, "job"), *started])
        known = [f"{self.counts[each]} {state(each.value)}" for each in State if self.counts[each]]
        unknown = [f"{self.counts[None]} not known to have ended"] if self.counts[None] else []
        yield terminal.entry("jobs", [*known, *unknown] or ["none in the index"])

    def as_data(self) -> dict[str, Any]:
        """The JSON form."""
        workspace = self.opened.workspace
        return {
            "schema": SCHEMA,
            "workspace": {"path": str(workspace.path), "id": workspace.id},
            "server": None,
            "age_s": round(self.opened.view.age_s, 3),
            "experiment": self.of,
            "time": moment(self.opened.now_s),
            "jobs": {each.value: self.counts[each] for each in State},
            "unknown": self.counts[None],
            "experiments": list(map(experiment_record, self.experiments)),
            **dict.fromkeys(OF_THE_SERVER),
        }
