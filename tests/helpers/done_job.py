"""A project on the disk, and a job that is done, as a worker leaves it: without a server, a worker or a script.

`from helpers.done_job import DoneJob`.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
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

    def run(
        self, ran: Ran | None = RAN, *, done: bool = True, earlier: Sequence[Ran | None] = (), **record: Any
    ) -> None:
        """Write what a worker writes of a job that has ended. If it has had earlier attempts, it continues them."""
        store = CodeStore(self.workspace)
        digests = {path: store.put_object(text.encode()) for path, text in self.files.items()}
        entries = [KeptFile(0, path, 0o644, digests[path], len(text)) for path, text in self.files.items()]
        manifest = Manifest(["p"], [*entries])
        store.put("snapshots", manifest.data)
        told = Provenance(manifest.digest, [Tree("p", [str(self.root)])])
        code = {"snapshot": manifest.digest, "provenance": store.put("provenance", told.written())}
        task = importlib.import_module("changed_task").Changed.C(n=1)
        options = JobOptions(snapshot=code["snapshot"], provenance=code["provenance"], resumable=bool(earlier))
        spec = JobSpec(IDENTITY, TASK, CLASS, self.directory.relative, payload.pack(task), options)
        seen = [{} if each is None else {"ran": store.put("ran", each.written())} for each in (*earlier, ran)]
        self.directory.path.parent.mkdir(parents=True)
        number = self.directory.prepare(1)
        params = {"task": TASK, "identity": IDENTITY, "tags": {"n": 1}, "parameters": {"n": 1}}
        self.directory.params.write_text(json.dumps(params))
        self.directory.keep(KeptJob(spec, (), Retries(0, 0, 0)))
        for each in seen[:-1]:
            self.directory.write_record(number, f"e{number}", {"code": code, **each})
            number = self.directory.prepare(number + 1, resumable=True)
        self.directory.write_record(number, f"e{number}", {"code": code, **seen[-1], **record})
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
