"""The colours and marks that a program asks a terminal for (SGR), as names of CSS classes.

Owns: the palette of 256 colours, and which of its colours stands for any other one. Conceal and blink are left out,
because a log hides nothing and nothing in it moves.
"""

from __future__ import annotations

from typing import NamedTuple

LEVELS = (0, 95, 135, 175, 215, 255)
"""The brightness of the levels of red, green and blue in the cube of colours that begins at 16."""
GREYS = tuple(range(8, 239, 10))
"""The brightness of the greys that begin at 232."""

_ON = {1: "b", 2: "d", 3: "i", 4: "u", 7: "r", 9: "s", 21: "u"}
"""Marks by the number that sets them: bold, dim, italic, underlined, reversed, struck out."""
_OFF = {22: "bd", 23: "i", 24: "u", 27: "r", 29: "s"}
_FRONT, _BACK = 38, 48
_LONGEST = 4
"""Digits of a number that means something."""


class Style(NamedTuple):
    """How characters look.

    Attributes:
        front: The colour of the characters, a number of the palette; None for the usual one.
        back: The colour behind them.
        marks: Letters, sorted: b bold, d dim, i italic, r reversed, s struck out, u underlined.
    """

    front: int | None = None
    back: int | None = None
    marks: str = ""

    @property
    def classes(self) -> str:
        """The CSS classes: `f1 k4 b`; empty for the usual style."""
        front = [] if self.front is None else [f"f{self.front}"]
        back = [] if self.back is None else [f"k{self.back}"]
        return " ".join([*front, *back, *self.marks])

    @property
    def code(self) -> str:
        """The numbers that set this style from the usual one, as `styled` takes them: `1;38;5;1`."""
        marks = [str(number) for number, mark in _ON.items() if mark in self.marks and number != 21]
        front = [] if self.front is None else [f"{_FRONT};5;{self.front}"]
        back = [] if self.back is None else [f"{_BACK};5;{self.back}"]
        return ";".join([*marks, *front, *back])


PLAIN = Style()


def styled(style: Style, numbers: str) -> Style:
    """Return the style after an SGR sequence. What it does not mean is passed over.

    Args:
        style: The style before.
        numbers: The parameters of the sequence, such as `1;31` or `38;2;255;0;0` or `38:5:208`.

    Example:
        >>> styled(PLAIN, "1;31").classes
        'f1 b'
    """
    given = numbers.split(";")
    place = 0
    while place < len(given):
        parts = [_number(each) for each in given[place].split(":")]
        place += 1
        code = parts[0] or 0
        if code not in (_FRONT, _BACK):
            style = _changed(style, code, parts[1:])
            continue
        if len(parts) == 1:  # the numbers of the colour follow as parameters of their own
            count = {5: 2, 2: 4}.get(_at(given, place) or 0, 1)
            parts, place = [code, *map(_number, given[place : place + count])], place + count
        colour = _colour(parts[1:])
        if colour is not None:
            style = style._replace(front=colour) if code == _FRONT else style._replace(back=colour)
    return style


def nearest(red: int, green: int, blue: int) -> int:
    """Return the colour of the palette, from 16, that is nearest to a colour.

    Example:
        >>> nearest(255, 0, 0), nearest(128, 128, 128)
        (196, 244)
    """
    wanted = (red, green, blue)
    steps = [min(range(6), key=lambda step: abs(LEVELS[step] - each)) for each in wanted]
    grey = min(range(len(GREYS)), key=lambda step: sum(abs(GREYS[step] - each) for each in wanted))
    cube = 16 + 36 * steps[0] + 6 * steps[1] + steps[2]
    off_cube = sum((LEVELS[step] - each) ** 2 for step, each in zip(steps, wanted, strict=True))
    off_grey = sum((GREYS[grey] - each) ** 2 for each in wanted)
    return 232 + grey if off_grey < off_cube else cube


def rgb(colour: int) -> tuple[int, int, int]:
    """Return the red, green and blue of a colour of the palette from 16 on."""
    if colour >= 232:
        return (GREYS[colour - 232],) * 3
    red, rest = divmod(colour - 16, 36)
    return LEVELS[red], LEVELS[rest // 6], LEVELS[rest % 6]


def _changed(style: Style, code: int, details: list[int | None]) -> Style:
    if code == 0:
        return PLAIN
    if code in _ON:
        if code == 4 and details[:1] == [0]:  # 4:0 is no line, 4:3 is a wavy one
            return _without(style, "u")
        return style._replace(marks="".join(sorted({*style.marks, _ON[code]})))
    if code in _OFF:
        return _without(style, _OFF[code])
    if 30 <= code <= 37 or 90 <= code <= 97:
        return style._replace(front=code - 30 if code < 90 else code - 82)
    if 40 <= code <= 47 or 100 <= code <= 107:
        return style._replace(back=code - 40 if code < 100 else code - 92)
    return style._replace(front=None) if code == 39 else style._replace(back=None) if code == 49 else style


def _without(style: Style, marks: str) -> Style:
    return style._replace(marks="".join(each for each in style.marks if each not in marks))


def _colour(numbers: list[int | None]) -> int | None:
    """The colour that `5;N`, `2;R;G;B` or `2::R:G:B` means; None if it means none."""
    kind, values = (numbers[0], numbers[1:]) if numbers else (None, [])
    if kind == 5 and values:
        return values[0] if values[0] is not None and values[0] < 256 else None
    if kind == 2:
        last = values[1:4] if len(values) > 3 else values[:3]  # with four, the first names a space of colours
        known = [each for each in last if each is not None and each < 256]
        return nearest(*known) if len(known) == 3 else None
    return None


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= _LONGEST else None


def _at(given: list[str], place: int) -> int | None:
    return _number(given[place]) if place < len(given) else None
