"""What is seen of a line as HTML: its text escaped, its colours as `<span class="f1 b">`, and no other tag.

Owns: the HTML of logs. This module escapes by itself; no other one of the log makes HTML.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from xpm_cli.page.log.styles import LEVELS, Style, rgb
from xpm_cli.page.log.visible import Run


def html_of(runs: Sequence[Run]) -> Markup:
    """Return the HTML of a line.

    Example:
        >>> html_of([Run(Style(front=1), "<b>")])
        Markup('<span class="f1">&lt;b&gt;</span>')
    """
    return Markup("").join(_html(run.style, run.text) for run in runs)


def _html(style: Style, text: str) -> Markup:
    return Markup('<span class="{}">{}</span>').format(style.classes, text) if style.classes else escape(text)


def cut(runs: Sequence[Run], most: int) -> tuple[list[Run], int]:
    """Return the first characters of a line, and how many more it has."""
    found: list[Run] = []
    left = most
    for run in runs:
        if left > 0:
            found.append(Run(run.style, run.text[:left]))
        left -= len(run.text)
    return found, max(-left, 0)


def palette() -> str:
    """Return the CSS of the 240 colours that no theme changes: a file of the assets holds it.

    The first 16 colours are the theme's, so they stand there by hand.
    """
    lines = []
    for colour in range(16, 16 + len(LEVELS) ** 3 + 24):
        code = "#{:02x}{:02x}{:02x}".format(*rgb(colour))
        lines.append(f".log .f{colour}{{color:{code}}}.log .k{colour}{{background:{code}}}")
    return "\n".join(lines) + "\n"
