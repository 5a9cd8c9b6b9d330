"""Put the runs of a source into a workspace, in one step.

Owns: what an import is called, and what happens if it has come before.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any, Literal, NamedTuple

from xpm_core.errors import ExchangeError, WorkspaceError
from xpm_core.exchange.foreign.runs import Runs
from xpm_core.exchange.foreign.sheet import Sheet
from xpm_core.results.foreign import ForeignImport, file_of, imports, keep, names, read
from xpm_core.words.names import check_experiment_name, check_import_name

Change = Literal["new", "same", "replaced"]

_TIME = re.compile(r"\d\d-\d\d-\d\d")


class Draft(NamedTuple):
    """An import that can be placed.

    Attributes:
        source: What is imported.
        runs: Its runs.
        change: What placing it does: it is new, the same is there, or it replaces one.
    """

    source: ForeignImport
    runs: list[dict[str, Any]]
    change: Change

    def place(self, workspace: Path) -> None:
        """Write it, unless the same is there.

        Raises:
            WorkspaceError: It cannot be written. What was there stays.
        """
        if self.change != "same":
            keep(workspace, self.source, self.runs)


def draft(workspace: Path, sheet: Sheet, runs: Runs, experiment: str, *, name: str, task: str, by: str) -> Draft:
    """What an import would bring into a workspace, which need not exist.

    Args:
        workspace: The directory of the workspace.
        sheet: What was read.
        runs: The runs.
        experiment: The experiment that they belong to.
        name: What the import is called; empty for the name of its file or folder.
        task: The task that they count as; empty for the name of the import.
        by: Who imports it.

    Raises:
        InvalidNameError: A name has characters that are not allowed.
        ExchangeError: The name is taken by something else, or the same came under another name.
    """
    path = Path(os.path.abspath(sheet.source))
    name = check_import_name(name or name_of(path))
    source = ForeignImport(
        name,
        sheet.kind,
        check_experiment_name(experiment),
        task or name,
        str(path),
        sheet.digest,
        time.time(),
        by,
        len(runs.kept),
    )
    others = [each for each in imports(workspace) if each.name != name]
    for other in others:
        if (other.digest, other.experiment) == (source.digest, source.experiment):
            remedy = f"To import it anew, remove that first: xpm import --forget {other.name}."
            raise ExchangeError(sheet.source, f"it was imported already, as {other.name}", remedy)
    return Draft(source, runs.kept, _change(workspace, source, runs.kept))


def name_of(path: Path) -> str:
    """What an import of a file or folder is called: its name, with `-` for characters that a name may not have.

    A sweep of Hydra has a time as its name; its date stands before it.
    """
    name = path.name
    if _TIME.fullmatch(name):
        name = f"{path.parent.name}-{name}"
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("._-")[:100] or "runs"


def _change(workspace: Path, source: ForeignImport, runs: list[dict[str, Any]]) -> Change:
    if source.name not in names(workspace):
        return "new"
    try:
        found = read(file_of(workspace, source.name))
    except WorkspaceError:  # it is damaged: a new one mends it
        return "replaced"
    if not found:  # somebody has emptied it
        return "replaced"
    before = found[0].source
    if (before.experiment, before.task) == (source.experiment, source.task) and [each.kept for each in found] == runs:
        return "same"
    if before.source != source.source or before.experiment != source.experiment:
        problem = f"the workspace has foreign rows of the name {source.name!r}, from {before.source}"
        if before.source == source.source:
            problem = f"its rows belong to {before.experiment!r} already"
        remedy = f"Give another name: --name NAME, or remove them: xpm import --forget {source.name}."
        raise ExchangeError(source.source, problem, remedy)
    return "replaced"
