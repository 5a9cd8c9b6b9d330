"""How the command line prints: times, wrapping, columns that go when the width lacks."""

from __future__ import annotations

import click
import pytest

from xpm_cli.output.terminal import Terminal, length, state
from xpm_core.states import State
from xpm_core.words.text import ago, span


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0.0 s"),
        (0.25, "0.2 s"),
        (1, "1 s"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (6720, "1 h 52 min"),
        (90061, "1 d 1 h"),
    ],
)
def test_span_has_at_most_two_units(seconds: float, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(-3, "just now"), (0.9, "just now"), (59.9, "59 s ago"), (7199, "1 h ago")]
)
def test_ago_has_one_unit(seconds: float, text: str) -> None:
    assert ago(seconds) == text


def test_entry_wraps_between_items_and_keeps_each_whole() -> None:
    items = [f"{number} {word}" for number, word in enumerate(State)]
    printed = Terminal(80).entry("jobs", items)
    assert len(printed.splitlines()) > 1
    assert all(length(line) <= 80 for line in printed.splitlines())
    assert all(item in printed for item in items)


def test_item_that_is_too_wide_goes_on_in_the_next_line_unless_it_is_to_be_copied() -> None:
    named = f"Train learning_rate=0.1 3f2a91c {click.style('failed', fg='red')}"
    command = "xpm show 3f2a91c --workspace /data/experiments/here"
    lines = Terminal(40).entry("needs", [named, command]).splitlines()
    assert [click.unstyle(line) for line in lines] == [
        "needs       Train learning_rate=0.1",
        "            3f2a91c failed",
        f"            {command}",
    ]


def test_entry_in_a_pipe_is_one_line() -> None:
    assert len(Terminal(None).entry("jobs", ["a long word"] * 50).splitlines()) == 1


def test_table_drops_columns_from_the_right_and_says_so() -> None:
    rows = [["ID", "STATE", "WHY"], ["3f2a91c", "failed", "x" * 80]]
    lines = Terminal(80).table(rows)
    assert lines[:2] == ["ID       STATE", "3f2a91c  failed"]
    assert lines[2] == "too narrow for: why"
    assert Terminal(None).table(rows)[1].endswith("x" * 80)


def test_table_is_aligned_by_what_is_seen_not_by_colour_codes() -> None:
    rows = [["STATE", "ID"], [state("failed"), "3f2a91c"], [state("done"), "9bc04e1"]]
    assert [click.unstyle(line).index(" ") > 0 for line in Terminal(80).table(rows)] == [True] * 3
    assert {
        click.unstyle(line).index(cell)
        for line, cell in zip(Terminal(80).table(rows)[1:], ["3f2a91c", "9bc04e1"], strict=True)
    } == {8}


def test_glyphs_fall_back_to_ascii() -> None:
    assert Terminal(80, glyphs=False).text("✗ failed · 1…") == "x failed - 1..."


def test_every_state_can_be_shown() -> None:
    assert [click.unstyle(state(each.value)) for each in State] == [each.value for each in State]
