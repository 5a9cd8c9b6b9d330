"""Every example in docs/trust.md runs and prints what stands there."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.documents import idle_blocks, play
from helpers.project_files import ROOT

pytestmark = pytest.mark.redis

PAGE = ROOT / "docs" / "trust.md"


def test_examples_run_in_order_and_print_what_stands_there(
    snapshots_on: None, tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XPM_SNAPSHOT_FOLDER", str(tmp_path / "host"))
    folder = tmp_path / "study"
    folder.mkdir()
    play(PAGE, folder, {"XPM_REDIS_URL": redis_url})


def test_every_block_is_run() -> None:
    assert idle_blocks(PAGE) == []
