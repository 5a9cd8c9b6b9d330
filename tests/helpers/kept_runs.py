"""Runs of an experiment whose code was kept, without a server and a worker. `from helpers.kept_runs import KeptRuns`.

A script in a process of its own submits tasks of a project, keeps the project's files, runs the tasks in their
directories, and leaves all records that a real run would leave. So the project can be edited and deleted afterwards.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from helpers.project_files import ROOT

from xpm_core.identity import seal, task_id
from xpm_core.index.parameters import flat_parameters
from xpm_core.index.writers import IndexedJob, SubmissionWriter
from xpm_core.labels import bare_class
from xpm_core.language.graph import tags
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.facts.machine import machine_facts
from xpm_core.snapshot.facts.packages import packages_document
from xpm_core.snapshot.facts.script import script_facts
from xpm_core.snapshot.manifest import Entry, KeptFile, LargeFile, Manifest
from xpm_core.snapshot.provenance import Provenance, Tree
from xpm_core.wire import live_task, payload
from xpm_core.workspace.job_spec import JobOptions, JobSpec, Retries
from xpm_core.workspace.kept_job import KeptJob
from xpm_core.workspace.workspace import Workspace

BOOT = "from helpers.kept_runs import main; main()"

STUDY = """\
import json
from pathlib import Path

from xpm_core import Config, Meta, Param, Task

from scale import FACTOR


class Model(Config):
    layers: Param[int] = 2


class Train(Task):
    lr: Param[float]
    model: Param[Model]
    note: Meta[str] = ""

    def execute(self):
        data = (Path(__file__).parent / "data.csv").read_text()
        Path("result.json").write_text(json.dumps({"score": self.lr * FACTOR, "rows": len(data.split())}))
"""


class KeptRuns:
    """A project, and a workspace in which its tasks have run.

    Attributes:
        project: The folder of the project. `study.py` has its tasks.
        workspace: The workspace.
    """

    def __init__(self, folder: Path) -> None:
        self.project = folder / "checkout"
        self.workspace = Workspace.open(folder / "workspace")
        self.write("study.py", STUDY)
        self.write("scale.py", "FACTOR = 3\n")
        self.write("data.csv", "1\n2\n3\n")

    def write(self, name: str, text: str) -> None:
        """Write a file of the project."""
        file = self.project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        os.utime(file, ns=(len(text) * 10**9, len(text) * 10**9))  # bytecode of another text is not taken for it

    def run(self, tasks: str = "[Train.C(lr=tag(0.5), model=Model.C())]", **how: Any) -> list[str]:
        """Run tasks as one run of the experiment `digits`.

        Args:
            tasks: An expression that makes them, with the names of `study.py`, and `tag`.
            how: `code="live"` keeps no code. `large` is a file that the snapshot names and does not keep. `env` is the
                environment of the jobs. `old=True` leaves what an xpm without snapshots leaves. `record` are fields of
                the records.

        Returns:
            The identities.
        """
        environment = {**os.environ, "PYTHONPATH": f"{self.project}{os.pathsep}{ROOT / 'tests'}"}
        words = [str(self.project), str(self.workspace.path), tasks, json.dumps(how)]
        command = [sys.executable, "-c", BOOT, *words]
        ended = subprocess.run(
            command, env=environment, cwd=self.project.parent, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
        found: list[str] = json.loads(ended.stdout.splitlines()[-1])
        return found


def main() -> None:
    """Do in this process what `KeptRuns.run` asks for."""
    place, expression, how = Path(sys.argv[1]), sys.argv[3], json.loads(sys.argv[4])
    workspace = Workspace.open(sys.argv[2])
    sys.argv[:] = [str(place / "sweep.py"), "--epochs", "3"]
    tasks = eval(expression, {**vars(import_module("study")), "tag": tags.tag})
    snapshot, provenance, packages = _keep(workspace, place, how)
    if how.get("old"):
        snapshot = provenance = packages = ""
    run = workspace.experiment("digits").new_run()
    run.name_jobs([])
    index = SubmissionWriter(workspace.experiment("digits"), run.name)
    for task in tasks:
        options = JobOptions(env=how.get("env", {}), snapshot=snapshot, provenance=provenance)
        _submit(workspace, task, options, index, {"packages": packages, **how.get("record", {})})
        run.name_jobs([seal(task)])
    run.end()
    print(json.dumps([seal(task) for task in tasks]))


def _keep(workspace: Workspace, place: Path, how: dict[str, Any]) -> tuple[str, str, str]:
    """Keep the code of the project, how the script was started, and the packages."""
    store = CodeStore(workspace.path)
    packages = store.put("packages", packages_document())
    paths = [path for path in sorted(place.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
    files: list[Entry] = [
        KeptFile(0, path.relative_to(place).as_posix(), path.stat().st_mode & 0o777, store.put_object(data), len(data))
        for path in paths
        for data in [path.read_bytes()]
    ]
    if "large" in how:
        status = os.stat(how["large"])
        files.append(LargeFile(0, "model.bin", how["large"], status.st_size, status.st_mtime_ns))
    live = how.get("code") == "live"
    snapshot = "" if live else store.put("snapshots", Manifest([place.name], files).data)
    provenance = Provenance(snapshot, [Tree(place.name, [str(place)])], **{**script_facts(), "packages": packages})
    return snapshot, store.put("provenance", provenance.written()), packages


def _submit(
    workspace: Workspace, task: Any, options: JobOptions, index: SubmissionWriter, record: dict[str, Any]
) -> None:
    """Run a task in its directory, and write what is left of it."""
    identity, name = seal(task), task_id(type(task))
    directory = workspace.job(name, identity)
    found = tags.collect(task)
    data = payload.pack(task, workspace.path, found)
    spec = JobSpec(identity, name, bare_class(name), directory.relative, data, options)
    index.add([IndexedJob(identity, name, found, lambda: flat_parameters(task, directory))])
    execution = f"e{identity[:8]}"
    number = directory.prepare(1)
    loaded = payload.load(data, workspace=workspace.path, identity=identity, jobpath=directory.path)
    directory.write_params(live_task.params(loaded))
    os.chdir(directory.path)
    live_task.execute(loaded)
    directory.out.write_text("printed\n")
    facts = {"exit_code": 0, "python": sys.version.split()[0], "machine": machine_facts(), **record}
    directory.write_record(number, execution, facts)
    directory.keep(KeptJob(spec, [], Retries()))
    directory.write_marker("done", execution)
