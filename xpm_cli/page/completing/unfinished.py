"""What somebody is typing at the end of a filter: a name, an operator, a value, or what joins two comparisons.

Owns: where the last word begins. The pieces of a filter are those of `xpm_core.filters.parser`.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from xpm_core.errors import FilterError
from xpm_core.filters.parser import OPERATOR, WORD, Parser
from xpm_core.filters.syntax import Name


class Expected(Enum):
    """What can stand at a place of a filter."""

    NAME = "name"
    OPERATOR = "operator"
    VALUE = "value"
    JOIN = "join"


class Unfinished(NamedTuple):
    """The end of a filter that is being typed.

    Attributes:
        expected: What the last word is.
        piece: What there is of it.
        name: The name before it, if a value is expected.
        quotes: Whether an open quote begins the piece.
    """

    expected: Expected
    piece: str
    name: Name | None = None
    quotes: bool = False


def unfinished(text: str) -> Unfinished | None:
    """Return what is being typed at the end of a text; None if the text before it is no filter.

    Example:
        >>> unfinished("state=failed and lr=0.").piece
        '0.'
    """
    try:
        return _walk(text)
    except FilterError as error:
        return _open_quote(text, error.column)


def _walk(text: str) -> Unfinished | None:
    parser = Parser(text, "filter")
    expected, name = Expected.NAME, None
    while True:
        token = parser.token
        if parser.end == len(text) and token.kind == WORD and not token.quoted:
            return Unfinished(expected, text[token.place.column - 1 :], name)
        if token.kind == WORD and expected is Expected.NAME:
            if token.is_keyword("not"):
                parser.advance()
            else:
                name, expected = parser.name(), Expected.OPERATOR
            continue
        if token.kind not in (WORD, OPERATOR, "(", ")", ","):
            return Unfinished(expected, "", name)  # the end
        after = _after(token.kind, expected)
        if after is None or (token.kind == WORD and expected is Expected.JOIN and token.text.lower() not in _JOINS):
            return None
        expected = after
        parser.advance()


_JOINS = ("and", "or")
_NEXT = {
    ("(", Expected.NAME): Expected.NAME,
    (OPERATOR, Expected.OPERATOR): Expected.VALUE,
    (WORD, Expected.VALUE): Expected.JOIN,
    (WORD, Expected.JOIN): Expected.NAME,
    (",", Expected.JOIN): Expected.VALUE,
    (")", Expected.JOIN): Expected.JOIN,
}
"""By the kind of a token and what was expected: what is expected after it."""


def _after(kind: str, expected: Expected) -> Expected | None:
    return _NEXT.get((kind, expected))


def _open_quote(text: str, column: int) -> Unfinished | None:
    """The value that an open quote begins; None if something else is wrong with the text."""
    before, piece = text[: column - 1], text[column - 1 :]
    if not piece.startswith(("'", '"')):
        return None
    try:
        found = _walk(before)
    except FilterError:
        return None
    if found is None or found.piece or found.expected is not Expected.VALUE:
        return None
    return Unfinished(Expected.VALUE, piece, found.name, quotes=True)
