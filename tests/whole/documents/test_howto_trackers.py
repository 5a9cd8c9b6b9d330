"""Every example in docs/howto/trackers.md runs, with its package of hooks installed, and prints what stands there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from helpers.documents import Shell, blocks, play_in_order
from helpers.hook_packages import install
from helpers.project_files import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DOCUMENT = ROOT / "docs" / "howto" / "trackers.md"


def installed(folder: Path) -> Path:
    """Install the package of the page into a folder, as pip does it."""
    files = {block.file: block.text for block in blocks(DOCUMENT) if block.file}
    project = tomllib.loads(files["hooks/pyproject.toml"])["project"]
    entries = project["entry-points"]["xpm.hooks"]
    assert entries == {name: f"labhooks:{name}" for name in entries}
    return install(folder, files["hooks/labhooks.py"], *entries, package=project["name"])


@pytest.mark.redis
def test_examples_run_in_order_and_print_what_stands_there(tmp_path: Path, redis_url: str) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    before, title, after = DOCUMENT.read_text().partition("\n## Hooks\n")
    assert title
    variables = {"XPM_REDIS_URL": redis_url}
    for name, text, more in (
        ("first", before, {}),
        ("hooks", after, {"PYTHONPATH": str(installed(tmp_path / "site"))}),
    ):
        (tmp_path / f"{name}.md").write_text(text)
        play_in_order([tmp_path / f"{name}.md"], Shell(folder, {**variables, **more}))
