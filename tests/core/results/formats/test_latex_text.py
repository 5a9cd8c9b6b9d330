"""Any text in LaTeX: each letter stays, and none is a command."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.results.formats.latex_text import comment, escaped, needs_unicode

OURS = re.compile(
    r"\\text[a-z]+\{\}|\\symbol\{34\}|\\[{}$&#%_]|\{[][*]\}|\\ifdefined\\Umathcode .\\else\[U\+[0-9A-F]+\]\\fi\{\}"
    r"|\\ensuremath\{[^{}]*(?:\{\\circ\})?\}|\\[a-zA-Z]+\{\}|\\[`'^~\"=.a-zA-Z]\{[a-zA-Z]\}|\{\}"
)


@given(st.text())
def test_what_is_left_besides_our_commands_is_no_command(text: str) -> None:
    rest = OURS.sub("", escaped(text))
    assert not set(rest) & set('\\{}$&#%_^~<>|"`[]*\n')
    assert rest.isascii()
    assert "--" not in escaped(text)


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("50 % of R&D", r"50 \% of R\&D"),
        ("a_b^2", r"a\_b\textasciicircum{}2"),
        ("--lr", "-{}-lr"),
        ("naïve Ångström", r"na\"{i}ve \AA{}ngstr\"{o}m"),
        ("e\u0301", r"\'{e}"),
        ("λ ≤ 2", r"\ensuremath{\lambda} \ensuremath{\le} 2"),
        ("漢", r"\ifdefined\Umathcode 漢\else[U+6F22]\fi{}"),
        ("two\nlines\x1b", "two lines "),
    ],
)
def test_letters(text: str, latex: str) -> None:
    assert escaped(text) == latex


def test_a_comment_is_one_line() -> None:
    assert comment("a\nb\r\u2028%") == "% a b  %"
    assert (needs_unicode("naïve λ"), needs_unicode("漢")) == (False, True)
