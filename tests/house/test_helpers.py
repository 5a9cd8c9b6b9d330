"""Promises of the helpers of tests: documents run as they stand, waiting ends, and a server keeps its data."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.documents import Block, Player, blocks
from helpers.private_server import PrivateServer
from helpers.waiting import wait_until


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


def test_wait_until_shows_the_last_state() -> None:
    with pytest.raises(AssertionError, match="last state: 'stuck'"):
        wait_until(lambda: False, show=lambda: "stuck", timeout_s=0)


@pytest.mark.redis
def test_a_fresh_server_keeps_its_aof_over_a_restart(fresh_server) -> None:
    server: PrivateServer = fresh_server(aof=True)
    with server.client() as client:
        client.set("key", "value")
    server.stop()
    server.start()
    with server.client() as client:
        assert client.get("key") == b"value"
