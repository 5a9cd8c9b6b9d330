"""What is remembered of contents, and what of it is believed."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest

from xpm_core.fingerprints.memory import Memory

DATA = b"def f(): return 1\n"
DIGEST = sha256(DATA).hexdigest()


def never() -> bytes:
    raise AssertionError("the file was read again")


def test_a_content_is_parsed_once_in_a_workspace(tmp_path: Path) -> None:
    first = Memory(tmp_path).definitions(DIGEST, "a.py", lambda: DATA)
    other = Memory(tmp_path)
    assert other.definitions(DIGEST, "b.py", never).names == first.names
    assert other.definitions(DIGEST, "a.py", never) is other.definitions(DIGEST, "a.py", never)


@pytest.mark.parametrize("damage", [b"", b"x", b"\xff\n{}", b"cut"])
def test_a_damaged_document_is_made_again(tmp_path: Path, damage: bytes) -> None:
    found = Memory(tmp_path).definitions(DIGEST, "a.py", lambda: DATA)
    path = tmp_path / "code" / "definitions" / DIGEST
    whole = path.read_bytes()
    path.write_bytes(whole[:-9] if damage == b"cut" else damage)
    assert Memory(tmp_path).definitions(DIGEST, "a.py", lambda: DATA).names == found.names
    assert path.read_bytes() == whole


def test_a_content_that_is_not_the_one_of_its_digest_is_not_remembered(tmp_path: Path) -> None:
    assert "g" in Memory(tmp_path).definitions(DIGEST, "a.py", lambda: b"def g(): pass").names
    assert "f" in Memory(tmp_path).definitions(DIGEST, "a.py", lambda: DATA).names


def test_a_document_that_is_used_is_marked_so_that_it_stays(tmp_path: Path) -> None:
    Memory(tmp_path).definitions(DIGEST, "a.py", lambda: DATA)
    path = tmp_path / "code" / "definitions" / DIGEST
    os.utime(path, (1, 1))
    Memory(tmp_path).definitions(DIGEST, "a.py", never)
    assert path.stat().st_mtime > 1


def test_without_rights_for_it_nothing_is_kept_and_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "code").write_text("a file in the way")
    assert "f" in Memory(tmp_path).definitions(DIGEST, "a.py", lambda: DATA).names


def test_a_compiled_file_is_not_read(tmp_path: Path) -> None:
    assert Memory(tmp_path).definitions(DIGEST, "a.so", never).problem == "is compiled"


def test_what_this_python_cannot_parse_is_left_to_others(tmp_path: Path) -> None:
    """A later Python knows more of the language, and can share the workspace."""
    data = b"def f(:"
    digest = sha256(data).hexdigest()
    memory = Memory(tmp_path)
    assert memory.definitions(digest, "a.py", lambda: data).problem == "does not parse"
    assert memory.definitions(digest, "a.py", never).problem == "does not parse"
    assert not (tmp_path / "code" / "definitions" / digest).exists()
