"""The folder `code` of a workspace: what it believes, and what it says of the rest."""

from __future__ import annotations

import errno
import os
from hashlib import sha256
from pathlib import Path

import pytest

from xpm_core.errors import SnapshotError, WorkspaceError
from xpm_core.snapshot.code_store import CodeStore
from xpm_core.snapshot.manifest import KeptFile, Manifest
from xpm_core.workspace import files

DATA = b"def train(): ...\n"
DIGEST = sha256(DATA).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> CodeStore:
    return CodeStore(tmp_path)


def test_content_comes_back_by_its_digest(store: CodeStore) -> None:
    assert not store.has_object(DIGEST, len(DATA))
    assert store.put_object(DATA) == DIGEST
    assert store.has_object(DIGEST, len(DATA))
    assert store.object(DIGEST) == DATA


def test_content_is_written_once(store: CodeStore) -> None:
    store.put_object(DATA)
    before = os.stat(store.object_path(DIGEST))
    store.put_object(DATA)
    assert os.stat(store.object_path(DIGEST)).st_ino == before.st_ino


def test_missing_content_is_said_with_the_remedy(store: CodeStore) -> None:
    with pytest.raises(SnapshotError, match=rf"{DIGEST[2:]}: .* is missing, or cannot be read. Run the script again"):
        store.object(DIGEST)


@pytest.mark.parametrize("damage", [b"", DATA[:-1], DATA.upper(), DATA + b"x"], ids=["empty", "cut", "bits", "longer"])
def test_damaged_content_is_said_and_the_next_script_writes_it_anew(store: CodeStore, damage: bytes) -> None:
    store.put_object(DATA)
    path = Path(store.object_path(DIGEST))
    path.unlink()
    path.write_bytes(damage)
    with pytest.raises(SnapshotError, match=r"was damaged, as by a power cut. Run the script again"):
        store.object(DIGEST)
    assert store.put_object(DATA) == DIGEST
    assert store.object(DIGEST) == DATA


def test_content_that_was_cut_is_written_anew_although_a_file_is_there(store: CodeStore) -> None:
    store.put_object(DATA)
    path = Path(store.object_path(DIGEST))
    path.unlink()
    path.write_bytes(b"")
    store.put_object(DATA)
    assert store.object(DIGEST) == DATA


def test_full_disk_is_said_and_leaves_nothing(store: CodeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "write", full)
    with pytest.raises(WorkspaceError, match=r"cannot be written: no space left on device. Free some space there"):
        store.put_object(DATA)
    with pytest.raises(WorkspaceError, match="no space left on device"):
        store.put("provenance", DATA)
    monkeypatch.undo()
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []


def test_document_comes_back_by_its_digest(store: CodeStore) -> None:
    assert store.put("provenance", DATA) == DIGEST
    assert store.get("provenance", DIGEST) == DATA
    with pytest.raises(SnapshotError, match=rf"this description of snapshot {DIGEST[:7]} is missing"):
        store.get("snapshots", DIGEST)


def test_changed_document_is_said_and_written_anew(store: CodeStore) -> None:
    store.put("packages", DATA)
    Path(store.document_path("packages", DIGEST)).write_bytes(b"{}")
    with pytest.raises(SnapshotError, match=rf"this description of the packages {DIGEST[:7]} was changed"):
        store.get("packages", DIGEST)
    store.put("packages", DATA)
    assert store.get("packages", DIGEST) == DATA


def test_manifest_is_read_by_the_name_of_its_snapshot(store: CodeStore) -> None:
    manifest = Manifest(["digits"], [KeptFile(0, "train.py", 0o644, DIGEST, len(DATA))])
    assert store.put("snapshots", manifest.data) == manifest.digest
    assert store.manifest(manifest.digest).entries == manifest.entries
