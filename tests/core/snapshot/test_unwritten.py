"""What would be written is found in memory, under the names that it would have; nothing is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xpm_core.errors import SnapshotError
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.taking.taker import Taker
from xpm_core.snapshot.unwritten import UnwrittenStore


def test_a_snapshot_has_the_same_name_and_no_file_is_made(tmp_path: Path) -> None:
    project, workspace = tmp_path / "digits", tmp_path / "ws"
    project.mkdir()
    (project / "train.py").write_text("x = 1\n")
    (project / "pyproject.toml").touch()
    store = UnwrittenStore(workspace)
    photo = Taker(workspace, store).take([str(project)], [])
    assert not workspace.exists()
    assert store.manifest(photo.snapshot).files == photo.manifest.files
    assert Taker(workspace).take([str(project)], []).snapshot == photo.snapshot
    (digest,) = (each.digest for each in photo.manifest.files if each.path == "train.py")
    assert store.object(digest) == b"x = 1\n"


def test_what_the_workspace_has_is_found_and_not_marked_as_used(tmp_path: Path) -> None:
    written = CodeStore(tmp_path)
    digest, document = written.put_object(b"x = 1"), written.put("ran", b"a document")
    paths = [written.object_path(digest), written.document_path("ran", document)]
    for path in paths:
        os.utime(path, (1e9, 1e9))
    store = UnwrittenStore(tmp_path)
    assert store.has_object(digest, 5)
    assert not store.has_object(digest, 6)
    assert (store.object(digest), store.get("ran", document)) == (b"x = 1", b"a document")
    assert store.mark("ran", document)
    assert not store.mark("ran", digest)
    assert store.put_object(b"x = 1") == digest
    assert [os.stat(path).st_mtime for path in paths] == [1e9, 1e9]


def test_a_damaged_content_is_an_error_and_stays(tmp_path: Path) -> None:
    written = CodeStore(tmp_path)
    digest = written.put_object(b"x = 1")
    path = Path(written.object_path(digest))
    path.chmod(0o644)
    path.write_bytes(b"x = 2")
    with pytest.raises(SnapshotError, match="was damaged"):
        UnwrittenStore(tmp_path).object(digest)
    assert path.exists()
    with pytest.raises(SnapshotError, match="is missing"):
        UnwrittenStore(tmp_path).object("0" * 64)
