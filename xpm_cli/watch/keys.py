"""The keys that a terminal sends, as names.

Owns: escape sequences and UTF-8, also if they arrive in parts.
"""

from __future__ import annotations

import codecs
import re

UP, DOWN, PAGE_UP, PAGE_DOWN, HOME, END = "up", "down", "page up", "page down", "home", "end"
ENTER, ESCAPE, BACKSPACE, CLEAR, WORD = "enter", "escape", "backspace", "clear", "word"
OTHER = ""
"""A key that has no name here."""

WAIT_S = 0.05
"""How long to wait for the rest of an escape sequence, seconds. Without a rest, it was the key Escape."""

_CONTROLS = {"\r": ENTER, "\n": ENTER, "\x7f": BACKSPACE, "\x08": BACKSPACE, "\x15": CLEAR, "\x17": WORD,
             "\x02": PAGE_UP, "\x06": PAGE_DOWN, "\x10": UP, "\x0e": DOWN}  # fmt: skip
_FINALS = {"A": UP, "B": DOWN, "H": HOME, "F": END}
_NUMBERS = {"1": HOME, "7": HOME, "4": END, "8": END, "5": PAGE_UP, "6": PAGE_DOWN}
_SEQUENCE = re.compile(r"\x1b(?:\[([0-?]*)[ -/]*([@-~])|O([ -~]))")
_BEGINNING = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|O)?\Z")


class Keys:
    """Reads keys from what a terminal sends.

    Example:
        >>> keys = Keys()
        >>> keys.feed(b"j\\x1b[5~"), keys.feed(b"\\x1b"), keys.rest()
        (['j', 'page up'], [], ['escape'])
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""

    @property
    def pending(self) -> bool:
        """Whether a sequence has begun that is not whole."""
        return bool(self._text)

    def feed(self, data: bytes) -> list[str]:
        """Return the keys that are whole now. A character is its own name."""
        self._text += self._decoder.decode(data)
        found: list[str] = []
        while self._text and not _BEGINNING.match(self._text):
            found.append(self._next())
        return [key for key in found if key != OTHER]

    def rest(self) -> list[str]:
        """Return what is left, because the rest of a sequence has not come: the key Escape, and what follows it."""
        text, self._text = self._text, ""
        if not text:
            return []
        return [ESCAPE, *(character for character in text[1:] if character.isprintable())]

    def _next(self) -> str:
        """Take the first key."""
        if sequence := _SEQUENCE.match(self._text):
            self._text = self._text[sequence.end() :]
            numbers, final, single = sequence.groups()
            if final == "~":
                return _NUMBERS.get(numbers.partition(";")[0], OTHER)
            return _FINALS.get(final or single, OTHER)
        character, self._text = self._text[0], self._text[1:]
        if character == "\x1b":
            return ESCAPE
        return _CONTROLS.get(character, character if character.isprintable() else OTHER)
