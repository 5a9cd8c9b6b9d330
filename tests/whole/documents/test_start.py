"""The first pages, played in one folder and one terminal; a workspace looks as it is drawn there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers.documents import Shell, blocks, idle_blocks, play_in_order
from helpers.project_files import ROOT
from helpers.user_scripts import Desktop

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("snapshots_on")]

PAGES = [ROOT / "docs" / "start" / name for name in ("install.md", "first-experiment.md", "what-you-see.md")]


@pytest.mark.redis
def test_pages_in_order_show_what_a_reader_sees(tmp_path: Path) -> None:
    desktop = Desktop(tmp_path)
    try:
        play_in_order(PAGES, Shell(tmp_path, terminal=True))
        lost = [name for name in drawn(PAGES[-1]) if not list(desktop.workspace.glob(name))]
    finally:
        desktop.clear()
    assert lost == [".xpm/parts/", "old/"]  # what no job of these pages needs


def drawn(page: Path) -> list[str]:
    """The names in the drawing of a workspace as patterns, each below that of its folder."""
    (drawing,) = (block.text for block in blocks(page) if block.kind == "text")
    above, found = [""], []
    for line in drawing.splitlines()[1:]:
        entry = re.match(r"((?:│   )*)[├└]── (\S+(?: {1,2}\S+)*)", line)
        if entry is None:
            continue
        depth = len(entry[1]) // 4
        names = re.sub(r"…|\d{8}-\d{6}", "*", entry[2]).split("  ")
        found += [above[depth] + name for name in names]
        above[depth + 1 :] = [above[depth] + names[0]]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_is_run_or_is_a_drawing(page: Path) -> None:
    assert [kind for kind, _ in idle_blocks(page) if kind != "text"] == []


def test_pages_lead_from_the_first_to_the_last() -> None:
    names = [page.name for page in PAGES]
    index = (ROOT / "docs" / "start" / "index.md").read_text()
    assert re.findall(r"^\d\. \[[^]]+\]\(([^)]+)\)", index, re.MULTILINE) == names
    led_to = [re.findall(r"^Next: \[[^]]+\]\(([^)]+)\)", page.read_text(), re.MULTILINE) for page in PAGES]
    assert led_to == [*([name] for name in names[1:]), []]
