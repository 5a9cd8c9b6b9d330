"""The words that can come next in a filter: names of the jobs, their values, operators.

Owns: how a value is written in a filter, and which words are proposed first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from xpm_cli.page.completing.unfinished import Expected, Unfinished
from xpm_core.errors import FilterError
from xpm_core.filters.fields import STATES, field_value, is_field
from xpm_core.filters.row import ABSENT, UNKNOWN, Row
from xpm_core.filters.syntax import Name, in_quotes
from xpm_core.filters.values import kind_and_value
from xpm_core.filters.vocabulary import FIELDS, Vocabulary
from xpm_core.labels import bare_class
from xpm_core.words.text import plural

MOST = 40
"""How many words are proposed at most."""
MOST_VALUES = 2_000
"""How many values of a name are known at most."""
LONGEST = 100
"""Characters of a value that is proposed, at most."""

_BARE = re.compile(r"[\w./@%-]+")
_FREE = ("id", "since", "packages", "attempts", "submitted", "started", "ended")
"""Fields whose values nobody picks from a list."""


class Word(NamedTuple):
    """A word that can come next.

    Attributes:
        word: What takes the place of the piece that was typed.
        about: What it is, in a few words.
        more: Whether something has to follow it.
    """

    word: str
    about: str = ""
    more: bool = False


def names(vocabulary: Vocabulary) -> Iterator[Word]:
    """All names that a filter may use, as short as each is clear."""
    for field in FIELDS:
        yield Word(field, "of each job", True)
    for tag in vocabulary.tags:
        yield Word(_name("tag", tag, tag in FIELDS), "tag", True)
    last = Counter(path.rpartition(".")[2] for path in vocabulary.parameters)
    for path in vocabulary.parameters:
        name = path.rpartition(".")[2]
        clear = last[name] == 1 and name not in vocabulary.tags and name not in FIELDS
        yield Word(_name("param", name if clear else path, not clear), "parameter", True)
    others = {*FIELDS, *vocabulary.tags, *last}
    for result in vocabulary.results:
        yield Word(_name("result", result, result in others), "result", True)


def _name(scope: str, name: str, scoped: bool) -> str:
    """A name as a filter has it. With its scope, it means nothing else."""
    plain = _BARE.fullmatch(name) is not None and name.partition(".")[0] not in ("tag", "param", "result")
    written = name if plain else in_quotes(name)
    return f"{scope}.{written}" if scoped or not plain else written


def values(vocabulary: Vocabulary, name: Name, rows: Iterable[Row]) -> list[Word]:
    """The values of a name, each with the number of its jobs. A name that nothing has, has none."""
    if is_field(name):
        if name.text in _FREE:
            return []
        if name.text == "state":
            return [Word(state) for state in STATES]
        if name.text == "task":
            return [Word(task) for task in sorted({bare_class(task) for task in vocabulary.tasks or ()})]
        if name.text == "experiment":
            return [Word(_text(each)) for each in sorted(vocabulary.experiments or ())]
        return _counted(field_value(name.text), rows)
    try:
        return _counted(vocabulary.resolve(name).getter(), rows)
    except FilterError:
        return []


def _counted(getter: Callable[[Row], Any], rows: Iterable[Row]) -> list[Word]:
    found: Counter[str] = Counter()
    order: dict[str, tuple[int, Any]] = {}
    for row in rows:
        value = getter(row)
        if value is ABSENT or value is UNKNOWN:
            continue
        text = written(value)
        if text in order:
            found[text] += 1
        elif text and len(order) < MOST_VALUES:
            found[text] += 1
            order[text] = _rank(value)
    return [Word(text, plural(found[text], "job")) for text in sorted(order, key=order.__getitem__)]


def _rank(value: Any) -> tuple[int, Any]:
    """Numbers by size, then all else by its text."""
    plain = kind_and_value(value)[1]
    is_number = isinstance(plain, (int, float)) and plain == plain
    return (0, plain) if is_number else (1, str(plain))


def written(value: Any) -> str:
    """A value as a filter takes it; empty if nobody would pick it from a list, because it is long or has lines.

    Example:
        >>> written(0.1), written(True), written("a b")
        ('0.1', 'true', "'a b'")
    """
    kind, plain = kind_and_value(value)
    if kind in ("list", "set", "map"):
        return ""
    if kind == "duration":
        text = f"{plain!r}s"
    elif isinstance(plain, str):
        text = _text(plain)
    else:
        text = str(plain).lower() if plain is None or isinstance(plain, bool) else repr(plain)
    return text if len(text) <= LONGEST and text.isprintable() else ""


def _text(text: str) -> str:
    return text if _BARE.fullmatch(text) and text.lower() not in ("none", "null") else in_quotes(text)


def fitting(found: Unfinished, known: Iterable[Word]) -> list[Word]:
    """The words that can take the place of the piece: those that begin so, then those of which a part begins so."""
    piece = found.piece.lower()
    first, later = [], []
    for each in known:
        word = each.word.lower()
        if found.quotes:
            each = each._replace(word=each.word if word.startswith("'") else in_quotes(each.word))
            word = each.word.lower().replace('"', "'")
        if word.startswith(piece.replace('"', "'") if found.quotes else piece):
            first.append(each)
        elif piece and re.search(rf"[._/ '-]{re.escape(piece)}", word):
            later.append(each)
    return [*first, *later][:MOST]


def joins(text: str) -> list[Word]:
    """What joins a comparison with the next one."""
    space = "" if text.endswith(" ") else " "
    return [Word(f"{space}and", "both hold", True), Word(f"{space}or", "one of them holds", True)]


OPERATORS = [
    Word("=", "is one of", True), Word("!=", "is none of", True), Word("<", "", True), Word("<=", "", True),
    Word(">", "", True), Word(">=", "", True),
]  # fmt: skip
NOT = Word("not", "does not hold", True)


def proposed(
    text: str, found: Unfinished, vocabulary: Vocabulary, values_of: Callable[[Name], list[Word]]
) -> list[Word]:
    """What can take the place of the piece at the end of a text.

    Args:
        text: The text.
        found: Its end.
        vocabulary: The names that are known.
        values_of: The values of a name.
    """
    if found.expected is Expected.NAME:
        return fitting(found, [*names(vocabulary), NOT])
    if found.expected is Expected.OPERATOR:
        return fitting(found, OPERATORS)
    if found.expected is Expected.JOIN:
        return joins(text) if not found.piece else fitting(found, joins(" "))
    assert found.name is not None
    return fitting(found, values_of(found.name))
