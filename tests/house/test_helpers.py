"""Promises of the helpers of tests: documents run as they stand, waiting ends, and a server keeps its data."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.documents import Block, Player, Shell, blocks, changed, idle_blocks, play_in_order
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
        Player(document, Shell(tmp_path)).play()


def test_block_with_a_name_is_a_file(tmp_path: Path) -> None:
    document = tmp_path / "sample.md"
    document.write_text("```python\n# a/b.py\nprint(3)\n```\n```console\n$ python a/b.py\n3\n```\n")
    assert next(blocks(document)) == Block("python", 1, "# a/b.py\nprint(3)\n")
    Player(document, Shell(tmp_path)).play()


def test_shell_keeps_its_folder_and_its_variables_from_page_to_page(tmp_path: Path) -> None:
    first, second = tmp_path / "first.md", tmp_path / "second.md"
    first.write_text("```console\n$ mkdir inner\n$ cd inner\n$ export COLOUR=blue\n```\n")
    second.write_text("```text\n# note.txt\n```\n```console\n$ ls; echo $COLOUR\nnote.txt\nblue\n```\n")
    play_in_order([first, second], Shell(tmp_path))
    assert (tmp_path / "inner" / "note.txt").exists()


def test_terminal_shows_both_outputs_in_order(tmp_path: Path) -> None:
    document = tmp_path / "sample.md"
    document.write_text("```console\n$ echo one; echo two >&2; test -t 1 && echo three\none\ntwo\nthree\n```\n")
    play_in_order([document], Shell(tmp_path, terminal=True))
    with pytest.raises(AssertionError):
        play_in_order([document], Shell(tmp_path))


def test_ctrl_c_is_pressed_once_the_screen_is_as_shown(tmp_path: Path) -> None:
    document = tmp_path / "sample.md"
    command = "trap 'echo; echo asked; exit 1' INT; echo begun; while :; do sleep 0.01; done"
    document.write_text(f"```console\n$ {command}\nbegun\n^C\n...asked\n```\n")
    play_in_order([document], Shell(tmp_path, terminal=True))
    document.write_text(f"```console\n$ {command}\nbegun\n^C\nnothing\n```\n")
    with pytest.raises(AssertionError, match="asked"):
        play_in_order([document], Shell(tmp_path, terminal=True))


def test_change_applies_where_its_lines_stand_once(tmp_path: Path) -> None:
    text = "one = 1\ntwo = 2\n\none = 1\n"
    assert changed(text, "-two = 2\n+two = 3\n \n one = 1\n") == "one = 1\ntwo = 3\n\none = 1\n"
    for change in ("-one = 1\n", "-three = 3\n"):
        with pytest.raises(AssertionError, match="has not once"):
            changed(text, change)


def test_block_that_nobody_runs_is_found(tmp_path: Path) -> None:
    document = tmp_path / "sample.md"
    document.write_text("```text\nidle\n```\n```diff\n--- a.py\n-b\n```\n```diff\n-b\n```\n```yaml\n# a.yaml\n```\n")
    assert idle_blocks(document) == [("text", 1), ("diff", 8)]


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
