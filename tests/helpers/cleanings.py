"""A workspace to clean: simulated jobs, runs that name them, and removals.

`from helpers.cleanings import Cleaner`; the fixture around it is in core/cleaning/conftest.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpers.simulated_jobs import Lab

from xpm_core.cleaning.facts import Facts
from xpm_core.cleaning.plan import plan
from xpm_core.cleaning.records import Done, Kind, Plan, Wanted
from xpm_core.cleaning.removing.collection import Collection
from xpm_core.cleaning.removing.removal import Removal
from xpm_core.index.writers import RemovalWriter
from xpm_core.reading.reader import Reader
from xpm_core.workspace.experiment_directory import RunDirectory
from xpm_core.workspace.job_links import JobLinks

DAY_S = 86400.0


class Cleaner:
    """Plans and removes.

    Attributes:
        lab: Submits jobs, and lets them end.
        reader: Reads the server.
    """

    def __init__(self, lab: Lab) -> None:
        self.lab, self.reader = lab, Reader(lab.client, lab.workspace.id)

    def run(self, *names: str, experiment: str = "sweep", ended: bool = True, recorded: bool = True) -> RunDirectory:
        """A run that names these jobs, with links to them. An earlier xpm has not recorded what a run names."""
        directory = self.lab.workspace.experiment(experiment)
        found = directory.new_run()
        links = JobLinks(directory)
        for name in names:
            links.add(self.lab.directory(name), f"name={name}")
        if recorded:
            found.name_jobs(())
            found.name_jobs(map(self.lab.identity, names))
            if ended:
                found.end()
        return found

    def facts(self) -> Facts:
        """What is known now."""
        return Facts.read(self.lab.workspace, self.reader)

    def plan(self, **wanted: Any) -> Plan:
        """What would go."""
        return plan(self.facts(), Wanted(**wanted))

    def jobs(self, kind: Kind, **wanted: Any) -> set[str]:
        """The identities of the jobs of a kind that would go."""
        return {item.identity for item in self.plan(**wanted).of(kind)}

    def collection(self) -> Collection:
        """A collection, to be entered."""
        return Collection(self.lab.store, "here")

    def remove(self, *, between: Callable[[], object] = lambda: None, **wanted: Any) -> Done:
        """Remove what is wanted; `between` is called when the plan is made, and nothing is removed yet."""
        with self.collection() as collection:
            facts = self.facts()
            found = plan(facts, Wanted(**wanted))
            between()
            removal = self.removal(facts, collection)
            removal.take(found)
        removal.delete(found)
        return removal.done

    def removal(self, facts: Facts, collection: Collection) -> Removal:
        """A removal that has not begun."""
        writer = RemovalWriter(self.lab.workspace.path, "tester")
        return Removal(facts, collection, writer, lambda identity: bool(self.reader.jobs.states([identity])))

    def there(self, name: str) -> bool:
        """Whether a job has a directory."""
        return self.lab.directory(name).path.is_dir()

    def trash(self) -> list[Path]:
        """The trash in the workspace."""
        return sorted(self.lab.workspace.path.glob("**/.removed-*"))


def age(path: Path, days: float = 8) -> None:
    """Let all in a directory have been changed so many days ago."""
    for each in [path, *path.rglob("*")]:
        moment = each.lstat().st_mtime - days * DAY_S
        os.utime(each, (moment, moment), follow_symlinks=False)
