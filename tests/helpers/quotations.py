"""Whether a message that a document quotes can be one that the code writes.

Each string of the code is a template: what an f-string fills in stands for anything. A sentence of a quoted message is
known if templates that fit the message say most of it: names, numbers and places are the rest.

`from helpers.quotations import unknown_sentences`.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Iterator
from functools import cache

from helpers.project_files import PACKAGES, files, python_files, strings

HOLE = "…"
LEAST_LETTERS = 4
"""A template with fewer letters fits too much."""
LEAST_SHARE = 0.4
"""How much of the letters of a sentence its templates have to say."""
PERCENT = re.compile(r"%[-.\d]*[sdrfg]")
"""What the logging module fills in."""
LUA_STRING = re.compile(r"'([^'\n]*)'")
OWN_WORDS = re.compile(r"'[^']*'|`[^`]*`|\S*[/\d]\S*")
"""What is a message's own: quoted values, paths and numbers."""
END = re.compile(r"(?<=[.:])\s+(?=[A-Z`])")


@cache
def templates() -> list[tuple[str, re.Pattern[str]]]:
    """The strings of the code: the longest literal part of each, and an expression whose groups are its literal parts.

    A message without that part does not fit. To look for the part takes a hundredth of the time.
    """
    python = [value for path in python_files() for _, value in strings(path.read_text())]
    lua = [found for path in files(".lua", *PACKAGES) for found in LUA_STRING.findall(path.read_text())]
    system = [os.strerror(number).lower() for number in errno.errorcode]
    made = {
        tuple(_literals(text))
        for text in {*python, *lua, *system}
        if len(re.findall(r"[^\W\d_]", text)) >= LEAST_LETTERS
    }
    return [(max(each, key=len), re.compile(_expression(each), re.DOTALL)) for each in made]


def _literals(text: str) -> list[str]:
    return re.split(f"{HOLE}+", " ".join(PERCENT.sub(HOLE, text).split()))


def _expression(literals: Iterable[str]) -> str:
    return ".*?".join(f"({re.escape(literal)})" for literal in literals)


def _said(message: str) -> set[int]:
    """The places of the characters that templates say."""
    places: set[int] = set()
    for part, template in templates():
        if part not in message:
            continue
        for match in template.finditer(message):
            for group in range(1, template.groups + 1):
                places.update(range(*match.span(group)))
    return places


def unknown_sentences(message: str) -> Iterator[str]:
    """The sentences of a message that no string of the code says.

    Example:
        >>> list(unknown_sentences("Train.lr: the moon is full. Give one before you submit."))
        ['Train.lr: the moon is full.']
    """
    message = " ".join(message.split())
    said, start = _said(message), 0
    own = set(range(message.find(": ")))  # where it is
    own.update(place for match in OWN_WORDS.finditer(message) for place in range(*match.span()))
    for sentence in END.split(message):
        start = message.index(sentence, start)
        letters = [
            place for place in range(start, start + len(sentence)) if message[place].isalpha() and place not in own
        ]
        if letters and sum(place in said for place in letters) < LEAST_SHARE * len(letters):
            yield sentence
        start += len(sentence)
