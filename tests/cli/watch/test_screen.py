"""The screen: lines are cut to the width, and only what has changed is written."""

from __future__ import annotations

import pytest

from xpm_cli.watch.screen import BEGIN, END, Screen, fit, highlighted, width_of

RED, RESET = "\x1b[31m", "\x1b[0m"


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "abc"),
        (f"a{RED}bc{RESET}d", 2, f"a{RED}b{RESET}"),
        (f"a{RED}b{RESET}c", 3, f"a{RED}b{RESET}c"),
        (f"{RED}abc", 3, f"{RED}abc{RESET}"),
        ("日本", 3, "日"),
        ("a\tb\x1b]0;x\x07c\x9b", 20, "a b?]0;x?c?"),
        ("abc", 0, ""),
    ],
)
def test_a_line_is_cut_to_the_columns_that_it_may_take(text: str, columns: int, shown: str) -> None:
    assert fit(text, columns) == shown
    assert width_of(fit(text, columns)) <= columns


def test_a_chosen_line_is_as_wide_as_the_screen_and_without_colours() -> None:
    assert highlighted(f"a{RED}b{RESET}", 4) == f"\x1b[7mab  {RESET}"


def test_only_lines_that_have_changed_are_written() -> None:
    written: list[str] = []
    screen = Screen(written.append)
    screen.draw(["a", "b", "c"], 10, 4)
    assert "\x1b[2J" in written.pop()
    screen.draw(["a", "b", "c"], 10, 4)
    assert written == []
    screen.draw(["a", "x", "c"], 10, 4)
    assert written.pop() == f"{BEGIN}\x1b[2;1Hx\x1b[K{END}"
    screen.draw(["a"], 10, 4)
    assert written.pop() == f"{BEGIN}\x1b[2;1H\x1b[K\x1b[3;1H\x1b[K{END}"


def test_a_line_over_the_whole_width_does_not_erase_its_last_character() -> None:
    written: list[str] = []
    screen = Screen(written.append)
    screen.draw(["abc"], 3, 1)
    screen.draw(["abd"], 3, 1)
    assert written[1] == f"{BEGIN}\x1b[1;1Habd{END}"


@pytest.mark.parametrize("forgets", [True, False])
def test_another_size_or_another_program_lets_all_be_drawn(forgets: bool) -> None:
    written: list[str] = []
    screen = Screen(written.append)
    screen.draw(["a", "b"], 10, 2)
    if forgets:
        screen.forget()
    screen.draw(["a", "b"], 10 if forgets else 9, 2)
    assert "\x1b[2J" in written[1]
    assert "a" in written[1]
