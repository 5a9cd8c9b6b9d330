"""A project on the disk, and a job that is done, as a worker leaves it: without a server, a worker or a script.

`from helpers.done_job import DoneJob`.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

from xpm_core.fingerprints.ran import Ran, RanModule
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import KeptFile, Manifest
from xpm_core.snapshot.provenance import Provenance, Tree
from xpm_core.wire import payload
from xpm_core.workspace.job_directory import JobDirectory
from xpm_core.workspace.job_spec import JobOptions, JobSpec, Retries
from xpm_core.workspace.kept_job import KeptJob

TASK, CLASS, IDENTITY = "changed_task:Changed", "Changed", "3f9ac2e1" * 8

FILES = {
    "changed_task.py": """
        from xpm_core import Param, Task
        import changed_helper

        class Changed(Task):
            n: Param[int]
            def execute(self):
                changed_helper.used(self.n) or changed_helper.unused(1)
        """,
    "changed_helper.py": """
        # A comment.
        def used(n):
            return n

        def unused(n):
            return -n
        """,
}
RAN = Ran(
    "monitoring",
    functions={("p", "changed_task.py"): ("Changed.execute",), ("p", "changed_helper.py"): ("used",)},
    modules=[RanModule("p", "changed_helper.py", "changed_helper"), RanModule("p", "changed_task.py", "changed_task")],
)


class DoneJob:
    """A job of a project.

    Attributes:
        root: The folder of the project.
        workspace: The workspace.
        directory: The directory of the job.
        files: The texts of the files as the job has them.
    """

    def __init__(self, folder: Path, files: Mapping[str, str] = FILES) -> None:
        self.root, self.workspace = folder / "p", folder / "workspace"
        self.root.mkdir()
        self.directory = JobDirectory(self.workspace, f"jobs/changed_task.changed/{IDENTITY}")
        self.files = {path: dedent(text).lstrip("\n") for path, text in files.items()}
        for path, text in self.files.items():
            self.write(path, text)

    def write(self, path: str, text: str) -> None:
        """Write a file of the project."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a part of a file."""
        text = (self.root / path).read_text()
        assert old in text
        self.write(path, text.replace(old, new, 1))

    def submitted(self, **others: str) -> dict[str, str]:
        """Write the files, with others in place of some, and keep them as a submission does.

        Args:
            others: The texts of modules, by their names.

        Returns:
            The names of the snapshot and of its provenance, as the record of an execution has them.
        """
        store = CodeStore(self.workspace)
        entries = []
        for path, text in {**self.files, **{f"{name}.py": text for name, text in others.items()}}.items():
            self.write(path, text)
            entries.append(KeptFile(0, path, 0o644, store.put_object(text.encode()), len(text)))
        manifest = Manifest(["p"], [*entries])
        store.put("snapshots", manifest.data)
        told = Provenance(manifest.digest, [Tree("p", [str(self.root)])])
        return {"snapshot": manifest.digest, "provenance": store.put("provenance", told.written())}

    def run(
        self, *attempts: Ran | None, resumable: bool = False, missing: int = 0, done: bool = True, **record: Any
    ) -> None:
        """Write what a worker writes of a job that has ended.

        Args:
            attempts: What each attempt has run; the default is one, which has run RAN.
            resumable: Whether each continues what the one before has left.
            missing: How many attempts before these have left no record.
            done: Whether the last one has ended well.
            record: More of what the records say.
        """
        code, store = self.submitted(), CodeStore(self.workspace)
        task = importlib.import_module("changed_task").Changed.C(n=1)
        options = JobOptions(**code, resumable=resumable)
        spec = JobSpec(IDENTITY, TASK, CLASS, self.directory.relative, payload.pack(task), options)
        self.directory.path.parent.mkdir(parents=True)
        for number, ran in enumerate(attempts or (RAN,), 1 + missing):
            self.directory.prepare(number, resumable=resumable)
            noted = {"code": code, **({} if ran is None else {"ran": store.put("ran", ran.written())}), **record}
            self.directory.write_record(number, f"e{number}", noted)
        params = {"task": TASK, "identity": IDENTITY, "tags": {"n": 1}, "parameters": {"n": 1}}
        self.directory.params.write_text(json.dumps(params))
        self.directory.keep(KeptJob(spec, (), Retries(0, 0, 0)))
        self.directory.write_marker("done" if done else "failed", f"e{number}")

    @contextmanager
    def importable(self) -> Iterator[None]:
        """Let the files of the project be imported; they are forgotten afterwards."""
        sys.path.insert(0, str(self.root))
        try:
            yield
        finally:
            sys.path.remove(str(self.root))
            for name in [path.removesuffix(".py") for path in self.files]:
                sys.modules.pop(name, None)
