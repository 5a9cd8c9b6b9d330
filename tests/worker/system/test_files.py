"""Directories that are held open."""

from __future__ import annotations

import os
from pathlib import Path

from xpm_worker.system import files


def test_a_directory_that_is_held_open_is_known_to_be_removed(tmp_path: Path) -> None:
    place = tmp_path / "workspace"
    place.mkdir()
    held = files.hold_directory(place)
    try:
        place.rename(tmp_path / "moved")
        place.mkdir()
        assert not files.is_removed(held), "another of its name is there; it lives on"
        (tmp_path / "moved").rmdir()
        assert files.is_removed(held)
    finally:
        os.close(held)


def test_that_a_directory_cannot_be_looked_at_proves_nothing() -> None:
    assert not files.is_removed(-1)
