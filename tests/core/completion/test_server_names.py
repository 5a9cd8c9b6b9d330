"""Names that only the server knows, as they were seen last."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xpm_core.completion import server_names
from xpm_core.completion.server_names import QUEUES, TOKENS, note, noted
from xpm_core.workspace.workspace import Workspace


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_later_names_of_a_kind_replace_the_earlier_ones(workspace: Workspace, tmp_path: Path) -> None:
    assert noted(workspace.path, QUEUES) == []
    note(workspace.path, QUEUES, ["default", "long"])
    note(workspace.path, TOKENS, ["gpu"])
    note(workspace.path, QUEUES, ["default"])
    (tmp_path / "link").symlink_to(workspace.path)
    assert noted(tmp_path / "link", QUEUES) == ["default"]
    assert noted(workspace.path, TOKENS) == ["gpu"]
    assert noted(tmp_path, QUEUES) == []


def test_so_many_names_are_noted_at_most(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_names, "MOST", 2)
    note(workspace.path, QUEUES, iter("abc"))
    assert noted(workspace.path, QUEUES) == ["a", "b"]


def test_cache_that_cannot_be_used_is_no_error(workspace: Workspace, cache: Path) -> None:
    note(workspace.path, QUEUES, ["\udcff"])
    assert noted(workspace.path, QUEUES) == []
    os.rename(cache, cache.with_name("other"))
    cache.write_text("no folder")
    note(workspace.path, QUEUES, ["default"])
    assert noted(workspace.path, QUEUES) == []
