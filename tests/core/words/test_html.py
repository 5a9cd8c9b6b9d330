"""Pieces of HTML: nothing that comes in becomes markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from xpm_core.states import State
from xpm_core.words import html
from xpm_core.words.html import Html

NASTY = """<script>alert(1)</script>&amp;"'\x1b[2J"""


class Tags(HTMLParser):
    """The elements of a page, with how deep they stand; and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: object) -> None:
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    "piece",
    [
        html.text(NASTY),
        html.text(NASTY, state=State.FAILED, bold=True, muted=True),
        html.code(NASTY),
        html.line(NASTY, html.bar(0.5, 10)),
        html.table([[NASTY, 1, html.text(NASTY)]]),
        html.card(NASTY, {NASTY: NASTY}),
    ],
)
def test_texts_are_escaped_once(piece: Html) -> None:
    page = Tags(piece)
    assert page.open == []
    assert "script" not in page.seen
    assert """<script>alert(1)</script>&amp;"'[2J""" in page.text


@pytest.mark.parametrize(("fraction", "width"), [(0, 0), (0.5, 50), (1, 100), (7, 100), (-1, 0)])
def test_bar_is_full_to_its_fraction(fraction: float, width: int) -> None:
    assert f"width:{width}%" in html.bar(fraction, 80)


def test_colours_can_be_read_on_white_and_on_black() -> None:
    """By the contrast of WCAG for large text and graphics, 3 to 1."""
    for colour in html.COLOURS.values():
        channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        assert 1.05 / (light + 0.05) >= 3, colour
        assert (light + 0.05) / 0.05 >= 3, colour


def test_nothing_else_has_a_colour_of_its_own() -> None:
    page = html.frame(html.line("a", html.bar(0.5, 10)), html.table([["b"]]), html.line(html.code("c")))
    assert set(re.findall(r"(?<!-)color:([^;\"]+)", page)) == {"inherit"}


def test_no_rows_are_no_table() -> None:
    assert html.table([]) == ""
