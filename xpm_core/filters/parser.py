"""From the text of a filter to its tree.

    filter      = and-filter { "or" and-filter }
    and-filter  = condition { "and" condition }
    condition   = "not" condition | "(" filter ")" | comparison
    comparison  = name operator value { "," value }
    name        = word | quoted | ("tag." | "param." | "result.") quoted
    value       = word | quoted | "[" ... "]" | "{" ... "}"
    operator    = "=" | "==" | "!=" | "<" | "<=" | ">" | ">="

A word ends before a space and before any of `( ) , = ! < > & | ' "`. In quotes, `\\` stands before a quote or `\\` that
belongs to the text.

Owns: the grammar, and errors about it. What the names mean is in `vocabulary`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from xpm_core.filters.syntax import Comparison, Condition, Literal, Name, Not, Place, all_of, any_of
from xpm_core.shapes import brief

LONGEST = 10_000
"""Characters of a filter."""

DEEPEST = 50
"""How deep parentheses, `not` and brackets may be nested."""

SCOPES = ("tag", "param", "result")
"""What may stand before the point of a name, so that it means only a tag, a parameter or a result."""

WRITE = "Write NAME=VALUE, such as state=failed or lr>0.01."

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"[^\s(),=!<>&|'\"]+")
_QUOTED = re.compile(r"(?:(tag|param|result)\.)?(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")", re.DOTALL)
_QUOTE = re.compile(r"(?:(?:tag|param|result)\.)?['\"]")
_ESCAPE = re.compile(r"\\([\\'\"])")
_OPERATOR = re.compile(r"==|!=|<=|>=|[=<>]")
_BRACKET = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[\[\]{}'\"]", re.DOTALL)
_CLOSING = {"[": "]", "{": "}"}

WORD, OPERATOR, END = "word", "operator", "end"


class Token(NamedTuple):
    """A piece of a filter. The kind of a comma or a parenthesis is that character."""

    kind: str
    text: str
    place: Place
    quoted: bool = False
    scope: str = ""

    def is_keyword(self, word: str) -> bool:
        """Whether it is `and`, `or` or `not`, in small or capital letters."""
        return self.kind == WORD and not self.quoted and self.text.lower() == word

    def __str__(self) -> str:
        """The token as errors name it."""
        return "the end" if self.kind == END else brief(self.text)


def parse_condition(text: str, where: str) -> Condition:
    """The tree of a filter.

    Raises:
        FilterError: The text is no filter.
    """
    parser = Parser(text, where)
    found = parser.any_of(0)
    if (token := parser.token).kind != END:
        if token.kind == ")":
            raise token.place.error("')' closes nothing", "Take it out, or write a '(' before.")
        remedy = "Put values that have spaces in quotes. Join comparisons with 'and' or 'or'."
        raise token.place.error(f"expected 'and', 'or' or the end, got {token}", remedy)
    return found


def parse_values(text: str, where: str) -> tuple[Literal, ...]:
    """The values of an option such as `--state failed,blocked`.

    Raises:
        FilterError: The text is no list of values.
    """
    parser = Parser(text, where)
    found = parser.values("")
    if parser.token.kind != END:
        remedy = "Separate values by commas. Put values that have spaces in quotes."
        raise parser.token.place.error(f"expected ',' or the end, got {parser.token}", remedy)
    return found


def parse_names(text: str, where: str, signs: str = "") -> Iterator[tuple[str, Name]]:
    """The names of a list such as `-started,lr`, each with the sign before it.

    Raises:
        FilterError: The text is no list of names.
    """
    parser = Parser(text, where, signs)
    while True:
        yield parser.sign, parser.name()
        if parser.token.kind == END:
            return
        if parser.token.kind != ",":
            remedy = "Separate names by commas, such as id,state,lr."
            raise parser.token.place.error(f"expected ',' or the end, got {parser.token}", remedy)
        parser.advance()


class Parser:
    """Reads one text from left to right. `token` is the next token.

    Args:
        text: The text.
        where: What it is, for errors.
        signs: Characters that may stand before a name.
    """

    def __init__(self, text: str, where: str, signs: str = "") -> None:
        self.text, self.where, self.signs, self.end = text, where, signs, 0
        self.sign = ""
        if len(text) > LONGEST:
            problem = f"{len(text)} characters, there may be {LONGEST}; the rest begins"
            raise self.place(LONGEST).error(problem, "Write a shorter one.")
        self.advance()

    def any_of(self, depth: int) -> Condition:
        parts = [self.all_of(depth)]
        while self.token.is_keyword("or"):
            self.advance()
            parts.append(self.all_of(depth))
        return any_of(parts)

    def all_of(self, depth: int) -> Condition:
        parts = [self.condition(depth)]
        while self.token.is_keyword("and"):
            self.advance()
            parts.append(self.condition(depth))
        return all_of(parts)

    def condition(self, depth: int) -> Condition:
        token = self.token
        if depth > DEEPEST:
            raise token.place.error(f"nested more than {DEEPEST} deep", "Write it with fewer parentheses.")
        if token.is_keyword("not"):
            self.advance()
            return Not(self.condition(depth + 1))
        if token.kind != "(":
            return self.comparison()
        self.advance()
        found = self.any_of(depth + 1)
        if self.token.kind != ")":
            raise self.token.place.error(
                f"expected ')', got {self.token}", f"Close the '(' of column {token[2].column}."
            )
        self.advance()
        return found

    def comparison(self) -> Comparison:
        name, token = self.name(), self.token
        if token.kind != OPERATOR:
            remedy = "Write one of = != < <= > >= and a value after it, such as lr>0.01."
            raise token.place.error(f"expected an operator after {brief(str(name))}, got {token}", remedy)
        self.advance()
        return Comparison(name, "=" if token.text == "==" else token.text, self.values(token.text))

    def name(self) -> Name:
        token = self.token
        if token.kind != WORD or (not token.quoted and token.text.lower() in ("and", "or", "not")):
            raise token.place.error(f"expected a name, got {token}", WRITE)
        self.advance()
        if token.quoted:
            return Name(token.text, token.scope, True, token.place)
        scope, dot, rest = token.text.partition(".")
        if not dot or scope not in SCOPES:
            return Name(token.text, place=token.place)
        if not rest:
            raise token.place.error(f"expected a name after '{scope}.'", f"Write {scope}.NAME, such as {scope}.lr.")
        return Name(rest, scope, place=token.place)

    def values(self, operator: str) -> tuple[Literal, ...]:
        found = [self.value(operator)]
        while self.token.kind == ",":
            comma = self.token.place
            if operator not in ("", "=", "==", "!="):
                raise comma.error(f"several values after {operator!r}", "Write one value, or use = or !=.")
            self.advance()
            found.append(self.value(","))
        return tuple(found)

    def value(self, after: str) -> Literal:
        token = self.token
        if token.kind != WORD or token.scope:
            behind = f" after {after!r}" if after else ""
            remedy = WRITE if after else "Write a value, such as failed."
            raise token.place.error(f"expected a value{behind}", remedy)
        self.advance()
        return Literal(token.text, token.quoted, token.place)

    def advance(self) -> None:
        """Let the next token be the one after it."""
        start = self._match(_SPACE, self.end)
        self.sign = ""
        if start < len(self.text) and self.text[start] in self.signs:
            self.sign, start = self.text[start], self._match(_SPACE, start + 1)
        place = self.place(start)
        if start == len(self.text):
            self.end, self.token = start, Token(END, "", place)
        elif (first := self.text[start]) in "(),":
            self.end, self.token = start + 1, Token(first, first, place)
        elif first in _CLOSING:
            self.end = self._bracket(start)
            self.token = Token(WORD, self.text[start : self.end], place)
        elif _QUOTE.match(self.text, start):
            self._quoted(start)
        elif (end := self._match(_OPERATOR, start)) > start:
            self.end, self.token = end, Token(OPERATOR, self.text[start:end], place)
        elif (end := self._match(_WORD, start)) > start:
            self.end, self.token = end, Token(WORD, self.text[start:end], place)
        else:
            instead = {"&": "and", "|": "or", "!": "not"}[first]
            raise place.error(f"unknown operator {first!r}", f"Write {instead!r}, or put a value with it in quotes.")

    def place(self, index: int) -> Place:
        """The place of the character with an index."""
        return Place(self.where, self.text, index + 1)

    def _match(self, pattern: re.Pattern[str], start: int) -> int:
        """Where a match that begins at an index ends; the index itself if there is none."""
        found = pattern.match(self.text, start)
        return found.end() if found else start

    def _quoted(self, start: int) -> None:
        place, found = self.place(start), _QUOTED.match(self.text, start)
        if found is None:
            raise place.error("a quote begins and does not end", "Write the same quote at the end of the value.")
        scope, single, double = found.groups()
        text = _ESCAPE.sub(r"\1", single if single is not None else double)
        self.end, self.token = found.end(), Token(WORD, text, place, True, scope or "")

    def _bracket(self, start: int) -> int:
        """Where a list or a map ends that begins at an index."""
        open_ones: list[str] = []
        for match in _BRACKET.finditer(self.text, start):
            piece = match[0]
            if piece in _CLOSING:
                open_ones.append(_CLOSING[piece])
                if len(open_ones) > DEEPEST:
                    raise self.place(match.start()).error(f"nested more than {DEEPEST} deep", "Write a shorter list.")
            elif piece in ("]", "}") and open_ones.pop() != piece:
                raise self.place(match.start()).error(f"{piece!r} closes another bracket", "Write pairs of brackets.")
            if not open_ones:
                return match.end()
        problem = f"{self.text[start]!r} is not closed"
        raise self.place(start).error(problem, "Close it, or put the value in quotes.")
