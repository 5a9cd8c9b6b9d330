"""What is seen of a line: controls of a terminal are obeyed or removed, and hide nothing."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xpm_cli.page.log.styles import PLAIN, Style
from xpm_cli.page.log.visible import Run, has_controls, runs_of, text_of

PIECES = st.sampled_from(
    ["\x1b", "\x1b[", "\x9b", "\x1b]8;;http://x\x1b\\", "\x1b]0;t\x07", "\x1bP", "\x9d", "\x9c", "\x07",
     "31m", "2K", "m", "\r", "\b", "\f", "\x00", "a", "é", "漢", "<b>", "&", "0", ";",
     "\ufffd", "\x1b[1;31m", "\x1b[0m", "\x1b[38;5;9m"]
)  # fmt: skip
PRINTED = st.binary(max_size=60) | st.lists(PIECES, max_size=25).map(lambda parts: "".join(parts).encode())
LINES = PRINTED.map(lambda data: data.replace(b"\n", b""))


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("a\tb", "a\tb"),
        ("10 %\r20 %\r30 %", "30 %"),
        ("100\r99", "99"),
        ("done\r", "done"),
        ("done\r\r", "done"),
        ("a\r\x1b[0m", "a"),
        ("a\r\x1b[K", ""),
        ("a\x1b[2Kb", "b"),
        ("abc\x1b[1K", ""),
        ("abc\x1b[Kd", "abcd"),
        ("a\x1b[1Gb", "b"),
        ("a\x1b[5Gb", "ab"),
        ("|\b/\b-", "-"),
        ("ab\bc", "ac"),
        ("ab\b", "ab"),
        ("abc\b\b\x1b[K", "a"),
        ("a\b\b\bb", "b"),
        ("_\bx", "x"),
        ("abc\b \b", "ab "),
        ("a\fb\vc", "a b c"),
        ("a\x00\x07\x7f\x85b", "ab"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b[?25l\x1b[2J\x1b[Hx", "x"),
        ("\x1b]8;;https://example.org\x1b\\text\x1b]8;;\x1b\\", "text"),
        ("\x1b]8;;https://example.org\x07text\x1b]8;;\x07", "text"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1bPq#0;2\x1b\\x", "x"),
        ("\x1b]8;;no end", "8;;no end"),
        ("\x1b[31", ""),
        ("\x1b[3\x1b[31mx", "x"),
        ("\x1b(Bx\x1b7\x1b=", "x"),
        ("x\x1b", "x"),
        ("\x1b[8mhidden", "hidden"),
        ("\x1b[>4;2mx", "x"),
    ],
)
def test_what_is_seen(written: str, seen: str) -> None:
    assert text_of(written.encode()) == seen


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    assert text_of(b"a\xff\xc3b\xe6\xbc") == "a\ufffd\ufffdb\ufffd"


def test_a_style_goes_on_in_the_next_line() -> None:
    runs, style = runs_of(b"\x1b[1;31mone")
    assert (runs, style) == ([Run(Style(1, None, "b"), "one")], Style(1, None, "b"))
    assert runs_of(b"two\x1b[m.", style) == ([Run(style, "two"), Run(PLAIN, ".")], PLAIN)


def test_a_replaced_text_changes_the_style_and_is_not_seen() -> None:
    assert runs_of(b"\x1b[32mold\rnew")[0] == [Run(Style(2), "new")]


def seen(text: str) -> str:
    """The same said as slowly as can be: one character after the other."""
    cells: list[str] = []
    cursor, anew, at = 0, False, 0
    while at < len(text):
        one = text[at]
        at += 1
        if one == "\x1b" or "\x80" <= one <= "\x9f":
            at, order = sequence(text, at - 1)
            if order in ("K", "0K", "2K", "1K"):
                erased = anew if order in ("K", "0K") else order == "2K" or not anew
                if erased:
                    cells, cursor, anew = [], 0, False
                elif order in ("K", "0K"):
                    del cells[cursor:]
            elif order in ("G", "0G", "1G"):
                anew = True
        elif one == "\r":
            anew = True
        elif one == "\b":
            cursor = cursor if anew else max(cursor - 1, 0)
        elif one in "\f\v" or one == "\t" or (one >= " " and one != "\x7f"):
            if anew:
                cells, cursor, anew = [], 0, False
            cells[cursor : cursor + 1] = [" " if one in "\f\v" else one]
            cursor += 1
    return "".join(cells)


def sequence(text: str, at: int) -> tuple[int, str]:
    """Where a sequence ends, and what it orders."""
    two = text[at : at + 2] if text[at] == "\x1b" else text[at]
    after = at + len(two)
    if two in ("\x1b[", "\x9b"):
        end = after
        while end < len(text) and "0" <= text[end] <= "?":
            end += 1
        final = end
        while final < len(text) and " " <= text[final] <= "/":
            final += 1
        whole = final < len(text) and "@" <= text[final] <= "~"
        return final + whole, text[after:final] + text[final] if whole else ""
    if two in ("\x1b]", "\x1bP", "\x1bX", "\x1b^", "\x1b_", "\x9d", "\x90", "\x98", "\x9e", "\x9f"):
        end = after
        while end < len(text) and text[end] not in "\x07\x1b" and not "\x80" <= text[end] <= "\x9f":
            end += 1
        if text[end : end + 1] in ("\x07", "\x9c") and end < len(text):
            return end + 1, ""
        return (end + 2, "") if text[end : end + 2] == "\x1b\\" else (after, "")
    if text[at] != "\x1b":
        return at + 1, ""
    end = at + 1
    while end < len(text) and " " <= text[end] <= "/":
        end += 1
    return (end + 1, "") if end < len(text) and "0" <= text[end] <= "~" else (at + 1, "")


@given(LINES)
@example(b"\x1b]a\rb\x07c")
def test_it_is_what_a_slow_terminal_shows(data: bytes) -> None:
    assert text_of(data) == seen(data.decode("utf-8", "replace"))


@given(LINES)
def test_nothing_that_acts_on_a_terminal_is_left(data: bytes) -> None:
    text = text_of(data)
    assert not has_controls(text.encode())


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_a_text_without_controls_is_seen_as_it_is(text: str) -> None:
    assert runs_of(text.encode())[0] == ([Run(PLAIN, text)] if text else [])


@pytest.mark.parametrize(
    "piece",
    ["\x1b]", "\x9d", "\x1bP", "\x1b[", "\x9b", "\x1b[1;", "\x1b", "\x1b ", "a\b", "\r", "\x1b[1m", "\x1b]8;;x",
     "\x1b[38;5", ";"],
)  # fmt: skip
def test_a_long_line_of_broken_sequences_is_read(piece: str) -> None:
    text = text_of((piece * 100_000).encode())  # with an expression that backtracks, this would take hours
    assert len(text) <= 100_000 * len(piece)
