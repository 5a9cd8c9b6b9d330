"""Experiments whose jobs are done, made without a server and without a worker.

`from helpers.finished_jobs import Study`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from exchange_tasks import Model, Prepare, Train

from xpm_core.identity import seal
from xpm_core.index.rebuild import rebuild
from xpm_core.language.graph.state import state_of
from xpm_core.language.identity.description import describe
from xpm_core.language.identity.digest import task_id
from xpm_core.wire import payload
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_links import JobLinks
from xpm_core.workspace.job_spec import JobOptions, JobSpec
from xpm_core.workspace.kept_job import KeptJob, Retries
from xpm_core.workspace.payload_parts import Parts
from xpm_core.workspace.workspace import Workspace


class Study:
    """An experiment in a workspace.

    Attributes:
        workspace: The workspace.
        name: The name of the experiment.
    """

    def __init__(self, folder: Path, name: str = "digits") -> None:
        self.workspace, self.name = Workspace.open(folder), name
        self.parts = Parts(self.workspace.path)
        self.run = self.workspace.experiment(name).new_run()
        self.run.name_jobs(())

    def add(
        self,
        task: Any,
        *,
        kind: Any = "done",
        needs: Sequence[JobDirectory] = (),
        files: Mapping[str, str] | None = None,
        linked: bool = True,
        keeps: bool = True,
        record: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> JobDirectory:
        """A job that has ended, as if a worker had run it."""
        identity = seal(task)
        directory = self.workspace.job(task_id(type(task)), identity)
        state_of(task).submitted = SimpleNamespace(jobpath=directory.path, where="here")
        number = directory.prepare(1)
        execution = f"e{identity[:10]}"
        for name, text in {"model.txt": "learnt", f"{directory.name}.out": "hello\n", **(files or {})}.items():
            place = directory.path / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        directory.write_params(describe(task, job=directory.path, workspace=self.workspace.path))
        spec = JobSpec(
            identity,
            task_id(type(task)),
            type(task).__name__,
            directory.relative,
            payload.pack(task, self.workspace.path, parts=self.parts),
            JobOptions(**options),
        )
        if keeps:
            directory.keep(KeptJob(spec, [each.identity for each in needs], Retries()))
        facts = {"reason": kind, "host": "node1", "started_s": time.time() - 60, "ended_s": time.time()}
        directory.write_record(number, execution, {**facts, **(record or {})})
        directory.write_marker(kind, execution)
        if linked:
            JobLinks(self.workspace.experiment(self.name)).add(directory, "no-tags")
            self.run.name_jobs([identity])
        return directory

    def grid(self, count: int = 3, **options: Any) -> list[JobDirectory]:
        """One Prepare, and some Train that need it; the index knows them."""
        prepare = Prepare.C(seed=1)
        first = self.add(prepare)
        found = [first]
        for number in range(count):
            task = Train.C(lr=(number + 1) / 10, data=prepare, model=Model.C(layers=number)).tag("n", number)
            found.append(self.add(task, needs=[first], **options))
        (self.run.results / "table.csv").write_text("a,b\n")
        self.run.log.write_text("began\n")
        self.run.end()
        rebuild(self.workspace)
        return found


def tree(folder: Path) -> dict[str, str]:
    """All files and links below a folder, with their contents."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = path.read_bytes().decode("latin-1")
    return found


def handed(directory: JobDirectory) -> dict[str, Any]:
    """What a directory says that its job runs."""
    found: dict[str, Any] = json.loads((directory.path / ".xpm" / "handed.json").read_bytes())
    return found
