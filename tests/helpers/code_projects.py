"""Projects with code that snapshots are taken of: folders that a test fills, with git or without.

`from helpers.code_projects import CodeProject, content`; files of a project are imported by this process.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import KeptFile
from xpm_core.snapshot.taking import reading

TASK = "class Learn:\n    pass\n"
IDENTITY = {f"GIT_{who}_{what}": f"a@{what.lower()}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


class CodeProject:
    """A folder with code.

    Example:
        >>> project = CodeProject(tmp_path / "digits", {"train.py": TASK}).git("init")
        >>> taken = Snapshotter(workspace).current([project.load("train").Learn])
    """

    def __init__(self, root: Path, files: dict[str, str | bytes]) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.write(files)

    def write(self, files: dict[str, str | bytes]) -> CodeProject:
        """Write files, by their paths."""
        for path, text in files.items():
            place = self.root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text.encode() if isinstance(text, str) else text)
        return self

    def git(self, *arguments: str) -> CodeProject:
        """Run git in the folder."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        options = ["-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always"]
        command = ["git", *options, *arguments]
        subprocess.run(command, cwd=self.root, env={**env, **IDENTITY}, check=True, capture_output=True)
        return self

    def commit(self) -> CodeProject:
        """Commit all files, in a repository that is made if there is none."""
        if not (self.root / ".git").exists():
            self.git("init")
        return self.git("add", "-A").git("commit", "-m", "all")

    def load(self, module: str = "train", folder: str | Path = "") -> Any:
        """Import a module of the project from a folder of it. The fixture `forgotten` undoes it."""
        sys.path.insert(0, str(self.root / folder))
        importlib.invalidate_caches()
        return importlib.import_module(module)


def kept_files(workspace: Path, snapshot: str) -> dict[str, bytes]:
    """The content of each kept file of a snapshot: by its path, with its tree in front."""
    store = CodeStore(workspace)
    manifest = store.manifest(snapshot)
    files = [each for each in manifest.entries if isinstance(each, KeptFile)]
    return {f"{manifest.trees[each.tree]}/{each.path}": store.object(each.digest) for each in files}


def believe_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files that were just written count as old when they are read."""
    monkeypatch.setattr(reading, "now_ns", lambda: time.time_ns() + 10_000_000_000)
