"""What stands where on the screen."""

from __future__ import annotations

import click
import pytest

from xpm_cli.output.terminal import Terminal
from xpm_cli.watch.board import HELP, KEYS, Board
from xpm_cli.watch.desk import Outage
from xpm_cli.watch.pages import Page, Request, Shown
from xpm_cli.watch.screen import width_of

BOARD = Board("/data/xpm", "redis://head:6379/0")


def page(shown: Shown = Shown.JOBS, rows: int = 4) -> Page:
    texts = [f"row {n}" for n in range(rows)]
    jobs = texts if shown is Shown.JOBS else []
    return Page(Request(shown, Terminal(40), 8, first=10), ["above", "HEADER"], texts, "below", jobs, rows)


def test_head_says_what_is_shown_and_when() -> None:
    head = click.unstyle(BOARD.head(Shown.JOBS, None, 80))
    assert head.startswith("jobs  /data/xpm  redis redis://head:6379/0  ")
    assert len(head) == 80
    assert click.unstyle(BOARD.head(Shown.JOBS, None, 30)).startswith("jobs  /data/xpm  ")


def test_head_of_an_outage_says_since_when_and_why() -> None:
    head = click.unstyle(BOARD.head(Shown.JOBS, Outage("connection refused", 0.0), 80))
    assert head.startswith(" Redis is out of reach since ")
    assert ": connection refused " in head


def test_the_chosen_row_is_in_reverse() -> None:
    lines = BOARD.body(page(), 12, 0, 10, 8)
    assert [click.unstyle(line).strip() for line in lines] == [
        "above", "HEADER", "row 0", "row 1", "row 2", "row 3", "", "below",
    ]  # fmt: skip
    assert [n for n, line in enumerate(lines) if "\x1b[7m" in line] == [4]


def test_a_view_that_is_no_list_scrolls() -> None:
    lines = BOARD.body(page(Shown.WORKERS, rows=20), 0, 7, 10, 6)
    assert [click.unstyle(line) for line in lines] == ["above", "HEADER", "row 7", "row 8", "row 9", "below"]


@pytest.mark.parametrize("height", range(9))
def test_a_low_screen_is_not_overfull(height: int) -> None:
    assert len(BOARD.body(page(), 10, 0, 10, height)) <= height


@pytest.mark.parametrize("columns", range(1, 120, 7))
def test_the_bottom_line_names_as_many_keys_as_there_is_room_for(columns: int) -> None:
    (line,) = BOARD.foot(columns)
    assert width_of(line) <= max(columns, len("? keys"))
    assert "? keys" in click.unstyle(line)
    if columns >= 80:
        assert all(f"{key} {does}" in click.unstyle(line) for key, does in KEYS)


def test_help_names_every_key_of_the_bottom_line() -> None:
    assert all(f"\n{key}" in f"\n{HELP}" for key, _ in KEYS)
    assert all(len(line) <= 80 for line in HELP.splitlines())


def test_of_a_long_filter_the_end_is_shown() -> None:
    (line,) = BOARD.prompt("state=failed and name=日本", 10)
    assert click.unstyle(line).endswith("e=日本 ")
    assert width_of(line) <= 10


def test_a_long_message_goes_on_in_the_next_line() -> None:
    assert BOARD.said(["one two three four five", "six"], Terminal(20)) == ["one two three four", "five", "six"]
