"""Every example in docs/language.md runs, and prints what stands there."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.documents import Block, Player, blocks, play
from helpers.project_files import ROOT

DOCUMENT = ROOT / "docs" / "language.md"


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


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("python", "assert 1 == 2\n"),
        ("pycon", ">>> 1 + 1\n3\n"),
        ("pycon", ">>> int('x')\nTraceback (most recent call last):\nValueError: nothing like this\n"),
        ("console", "$ echo one\ntwo\n"),
    ],
)
def test_example_that_is_wrong_is_noticed(tmp_path: Path, kind: str, text: str) -> None:
    document = tmp_path / "sample.md"
    document.write_text(f"# Sample\n\n```python\none = 1\n```\n\n```{kind}\n{text}```\n")
    assert [block.line for block in blocks(document)] == [3, 7]
    with pytest.raises(AssertionError):
        Player(document, tmp_path, {}).play()


def test_block_with_a_name_is_a_file(tmp_path: Path) -> None:
    document = tmp_path / "sample.md"
    document.write_text("```python\n# a/b.py\nprint(3)\n```\n```console\n$ python a/b.py\n3\n```\n")
    assert next(blocks(document)) == Block("python", 1, "# a/b.py\nprint(3)\n")
    Player(document, tmp_path, {}).play()
