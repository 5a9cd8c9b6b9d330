"""The tutorial, played from its first page to its last in one folder, as a reader types it into a terminal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers.documents import Shell, idle_blocks, play_in_order
from helpers.project_files import ROOT
from helpers.user_scripts import Desktop

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("snapshots_on")]

TUTORIAL = ROOT / "docs" / "tutorial"
PAGES = sorted(TUTORIAL.glob("[0-9]-*.md"))


@pytest.mark.redis
def test_pages_in_order_show_what_a_reader_sees(tmp_path: Path) -> None:
    desktop = Desktop(tmp_path / "study")  # the folder that the first page makes
    try:
        play_in_order(PAGES, Shell(tmp_path, terminal=True))
    finally:
        desktop.clear()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_is_run_or_is_a_file(page: Path) -> None:
    assert idle_blocks(page) == []


def test_pages_lead_from_the_first_to_the_last() -> None:
    names = [page.name for page in PAGES]
    assert re.findall(r"^\d\. \[[^]]+\]\(([^)]+)\)", (TUTORIAL / "index.md").read_text(), re.MULTILINE) == names
    led_to = [re.findall(r"^Next: \[[^]]+\]\(([^)]+)\)\.$", page.read_text(), re.MULTILINE) for page in PAGES]
    assert led_to == [*([name] for name in names[1:]), []]
