"""Pieces of HTML for notebooks. Every text that comes in is escaped, unless it is such a piece.

The styles stand in the elements, because notebooks drop style sheets. No colour of text or page is set but those of
states, which can be read on white and on black.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from xpm_core.states import State

COLOURS = {
    State.DONE: "#2e9e5b", State.RUNNING: "#2f8fc9", State.FAILED: "#d9534f", State.CANCELLED: "#d9534f",
    State.BLOCKED: "#b8860b", State.READY: "#b8860b", State.DELAYED: "#b8860b", State.WAITING: "#808080",
}  # fmt: skip

_FRAME = "border-left:3px solid rgba(128,128,128,.5);padding:2px 0 2px 10px;margin:4px 0;line-height:1.5"
_CELL = "text-align:left;padding:0 14px 0 0;border:none;background:none;vertical-align:middle"
_TRACK = "display:inline-block;vertical-align:middle;height:9px;background:rgba(128,128,128,.25);overflow:hidden"
_MUTED = "opacity:.7"


class Html(str):
    """A text that is HTML already."""


def text(value: object, *, state: State | None = None, bold: bool = False, muted: bool = False) -> Html:
    """A text, escaped. Control characters are left out.

    Example:
        >>> text("<b>")
        '&lt;b&gt;'
    """
    if isinstance(value, Html):
        return value
    shown = escape("".join(each for each in str(value) if each.isprintable() or each in "\n\t"))
    styles = [f"color:{COLOURS[state]}"] if state is not None else []
    styles += ["font-weight:600"] if bold else []
    styles += [_MUTED] if muted else []
    return Html(f'<span style="{";".join(styles)}">{shown}</span>' if styles else shown)


def code(value: object) -> Html:
    """A command or a path, escaped."""
    return Html(f'<code style="background:none;color:inherit">{text(value)}</code>')


def bar(fraction: float, width_px: int, state: State = State.DONE) -> Html:
    """A bar that is full to a fraction."""
    full = f"width:{100 * min(max(fraction, 0.0), 1.0):.0f}%;height:100%;background:{COLOURS[state]}"
    return Html(f'<span style="{_TRACK};width:{width_px}px"><span style="display:block;{full}"></span></span>')


def line(*parts: object) -> Html:
    """Parts side by side."""
    return Html(f"<div>{' &nbsp; '.join(text(part) for part in parts if part != '')}</div>")


def table(rows: Iterable[Iterable[object]]) -> Html:
    """Rows of cells; empty without rows."""
    drawn = [
        '<tr style="background:none">' + "".join(f'<td style="{_CELL}">{text(cell)}</td>' for cell in row) + "</tr>"
        for row in rows
    ]
    return Html(f'<table style="border:none;margin:2px 0">{"".join(drawn)}</table>' if drawn else "")


def frame(*parts: Html) -> Html:
    """Parts below each other, as one output of a cell."""
    return Html(f'<div style="{_FRAME}">{"".join(parts)}</div>')


def card(title: object, facts: Mapping[str, object]) -> Html:
    """A title, and facts with their names below it."""
    return frame(line(text(title, bold=True)), table((text(name, muted=True), fact) for name, fact in facts.items()))
