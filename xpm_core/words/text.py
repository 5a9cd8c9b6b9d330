"""Words for people: durations, numbers and bars, and glyphs that become ASCII where they cannot be shown."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from typing import TextIO

_ASCII = {"✗": "x", "✓": "v", "●": "*", "⧗": "~", "·": "-", "↻": "@", "…": "...", "█": "#", "░": ".", "—": "-",
          "▌": "=", "±": "+-"}  # fmt: skip
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def span(seconds: float) -> str:
    """A duration in at most two units.

    Example:
        >>> span(6720), span(41.2), span(0.3)
        ('1 h 52 min', '41 s', '0.3 s')
    """
    if seconds < 1:
        return f"{max(seconds, 0):.1f} s"
    left = int(seconds)
    for index, (size, unit) in enumerate(_UNITS):
        if left >= size:
            smaller = _UNITS[index + 1] if index + 1 < len(_UNITS) else None
            rest = (left % size) // smaller[0] if smaller else 0
            return f"{left // size} {unit}" + (f" {rest} {smaller[1]}" if smaller and rest else "")
    return "0 s"


def ago(seconds: float) -> str:
    """How long ago something was, in its largest unit.

    Example:
        >>> ago(6720), ago(0.2)
        ('1 h ago', 'just now')
    """
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"


def plural(count: int, noun: str) -> str:
    """A number and its noun.

    Example:
        >>> plural(1, "job"), plural(2, "job")
        ('1 job', '2 jobs')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(words: Sequence[str], most: int = 5) -> str:
    """Some words, and how many more there are.

    Example:
        >>> listed(["a", "b", "c"], 2)
        'a, b and 1 more'
    """
    rest = len(words) - most
    return ", ".join(words[:most]) + (f" and {rest} more" if rest > 0 else "")


def amount(size: int) -> str:
    """A number of bytes, as `df -H` writes it.

    Example:
        >>> amount(512), amount(12_340_000)
        ('512 B', '12.3 MB')
    """
    if size < 1000:
        return f"{size} B"
    scaled, unit = size / 1000.0, "kB"
    for larger in ("MB", "GB", "TB"):
        if scaled < 999.95:
            break
        scaled, unit = scaled / 1000, larger
    return f"{scaled:.1f} {unit}"


def meter(fraction: float, width: int) -> str:
    """A bar of that many characters, drawn to half a character.

    Example:
        >>> meter(0.75, 10)
        '███████▌··'
    """
    full, half = divmod(round(min(max(fraction, 0.0), 1.0) * width * 2), 2)
    return ("█" * full + "▌" * half).ljust(width, "·")


def shows_glyphs(stream: TextIO) -> bool:
    """Whether a stream can show more than ASCII."""
    try:
        "".join(_ASCII).encode(getattr(stream, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def plain(text: str) -> str:
    """A text with its glyphs replaced by ASCII."""
    return "".join(_ASCII.get(character, character) for character in text)


def line(text: object, most: int) -> str:
    """A text from outside as one line of at most so many characters. Control characters, which act on a terminal, go.

    Example:
        >>> line("a\\n b\\x1b[2J", 80), line("abcdef", 4)
        ('a b?[2J', 'abc…')
    """
    words = " ".join(str(text).split())
    shown = "".join(character if character.isprintable() else "?" for character in words)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def say(message: str) -> None:
    """Print a message of xpm to stderr, because stdout belongs to the script.

    Nobody may be there to read it: the terminal was closed, or the reader of a pipe has left. That is no error.
    """
    with contextlib.suppress(OSError, ValueError):
        if sys.stderr is not None:
            print(message if shows_glyphs(sys.stderr) else plain(message), file=sys.stderr, flush=True)
