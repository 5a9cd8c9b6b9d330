"""Every example in docs/reference/language.md runs, and prints what stands there."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.documents import blocks, play
from helpers.project_files import ROOT

pytestmark = pytest.mark.slow

DOCUMENT = ROOT / "docs" / "reference" / "language.md"


@pytest.mark.redis
def test_examples_run_in_order_and_print_what_stands_there(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)  # meant for this run, not for the document's
    monkeypatch.setenv("XPM_REDIS_URL", redis_url)
    play(DOCUMENT, tmp_path, {"XPM_REDIS_URL": redis_url})


def test_every_block_is_run_or_is_a_file() -> None:
    idle = [block for block in blocks(DOCUMENT) if block.kind not in ("python", "pycon", "console") and not block.file]
    assert [(block.kind, block.line) for block in idle] == []
