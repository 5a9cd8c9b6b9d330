"""Fixtures for fingerprints: projects whose files lie in a workspace, as those of a snapshot do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from xpm_core.fingerprints.project import Folders, Project
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import KeptFile, Manifest

MakeProject = Callable[..., Project]


@pytest.fixture
def project(tmp_path: Path) -> MakeProject:
    """Makes a project of the tree `p` from its files: their paths, and what is in them."""

    def make(files: Mapping[str, str | bytes], folders: tuple[str, ...] = ("",), taken: str = "") -> Project:
        store = CodeStore(tmp_path)
        entries = []
        for path, text in files.items():
            data = text if isinstance(text, bytes) else dedent(text).encode()
            entries.append(KeptFile(0, path, 0o644, store.put_object(data), len(data)))
        found = Folders([("p", folder) for folder in folders], frozenset(taken.split()))
        return Project.of_snapshot(tmp_path, Manifest(["p"], list(entries)), found)

    return make
