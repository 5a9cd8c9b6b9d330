"""Every example about the language runs, page after page in one folder, and prints what stands there."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.documents import blocks, play
from helpers.project_files import ROOT, place

pytestmark = pytest.mark.slow

FOLDER = ROOT / "docs" / "reference" / "language"
PAGES = [FOLDER / f"{name}.md" for name in ("configurations", "tasks", "identities", "values", "tools")]
"""The pages in the order in which they are read. Each imports what it needs of those before it."""


QUIET = "-W 'ignore:Module already imported so cannot be rewritten'"
"""For the pytest of an example: it warns of an editable install, which is not what users have."""


@pytest.mark.redis
def test_examples_run_in_order_and_print_what_stands_there(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)  # meant for this run, not for the document's
    monkeypatch.setenv("XPM_REDIS_URL", redis_url)
    for page in PAGES:
        play(page, tmp_path, {"XPM_REDIS_URL": redis_url, "PYTEST_ADDOPTS": QUIET})


def test_all_pages_are_played_and_named_in_the_overview_in_that_order() -> None:
    overview = FOLDER.with_suffix(".md").read_text()
    assert sorted(PAGES) == sorted(FOLDER.glob("*.md"))
    places = [overview.index(f"](language/{page.name})") for page in PAGES]
    assert places == sorted(places)


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_every_block_is_run_or_is_a_file(page: Path) -> None:
    idle = [block for block in blocks(page) if block.kind not in ("python", "pycon", "console") and not block.file]
    assert [(block.kind, block.line) for block in idle] == []
