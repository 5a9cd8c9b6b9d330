"""What records say of the code of jobs, for tests. `from helpers.recorded_code import RecordedCode`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import KeptFile, Manifest
from xpm_core.snapshot.provenance import GitState, Provenance, Tree

COMMIT = "1a2b3c4d5e6f" + "0" * 28


class RecordedCode:
    """Writes snapshots of a project, and what belongs to them, into a workspace.

    Args:
        workspace: The workspace.
        root: The folder of the project. It need not exist.
    """

    def __init__(self, workspace: Path, root: Path) -> None:
        self.store, self.root = CodeStore(workspace), root

    def snapshot(self, files: Mapping[str, bytes], mode: int = 0o644) -> str:
        """Keep a snapshot of these files; returns its digest."""
        kept = [KeptFile(0, path, mode, self.store.put_object(data), len(data)) for path, data in sorted(files.items())]
        return self.store.put("snapshots", Manifest(["lab"], list(kept)).data)

    def provenance(self, snapshot: str, **more: Any) -> str:
        """Keep how jobs with this snapshot came to be submitted; returns the digest."""
        git = GitState(COMMIT, "main", ["train.py"], 2)
        tree = Tree("lab", [str(self.root)], git)
        about = {"script": "/home/alice/sweep.py", "arguments": ["--epochs", "3"], "user": "alice", "host": "head"}
        return self.store.put("provenance", Provenance(snapshot, [tree], **{**about, **more}).written())

    def packages(self, **versions: str) -> str:
        """Keep a list of packages; returns its digest."""
        document = {"schema": 1, "python": "3.12.4", "implementation": "CPython", "packages": versions, "sources": {}}
        return self.store.put("packages", json.dumps(document).encode())

    def record(self, files: Mapping[str, bytes] | None, **versions: str) -> dict[str, Any]:
        """What the record of a job says that ran these files, or live code, with these packages."""
        snapshot = self.snapshot(files) if files is not None else ""
        return {
            "code": {"snapshot": snapshot, "provenance": self.provenance(snapshot)},
            "git": {"commit": COMMIT, "dirty": True},
            "packages": self.packages(**versions),
            "machine": {"cpu": "AMD EPYC", "cores": 2, "gpus": ["A100", "A100"], "driver": "nvidia 550"},
            "devices": {"CUDA_VISIBLE_DEVICES": "1"},
            "started_s": 100.0,
            "ended_s": 110.0,
            "cpu_s": 31.0,
        }
