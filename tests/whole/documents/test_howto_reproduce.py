"""Every example in docs/howto/reproduce.md runs, with a real worker and snapshots, and prints what stands there."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.documents import play
from helpers.project_files import ROOT

DOCUMENT = ROOT / "docs" / "howto" / "reproduce.md"


@pytest.mark.redis
def test_examples_run_in_order_and_print_what_stands_there(
    snapshots_on: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XPM_SNAPSHOT_FOLDER", str(tmp_path / "host"))
    folder = tmp_path / "reader"
    folder.mkdir()
    play(DOCUMENT, folder, {})
