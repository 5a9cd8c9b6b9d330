"""The names that every job has, such as `state` and `started`: their values, and how a filter tests them.

Owns: one test for each field. A test is made from a comparison whose sign is never `!=`; the caller negates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from xpm_core.errors import MismatchError
from xpm_core.filters.moments import DATE, DURATION, read_date, read_duration, read_since, span_test
from xpm_core.filters.row import ABSENT, UNKNOWN, Row
from xpm_core.filters.syntax import Comparison, Literal, Name
from xpm_core.filters.values import comparer, text_test
from xpm_core.filters.vocabulary import FIELDS, Vocabulary, hint
from xpm_core.labels import LIVE, bare_class
from xpm_core.shapes import brief
from xpm_core.states import State

RowTest = Callable[[Row], bool | None]

STATES = tuple(state.value for state in State)

_DIGEST = re.compile(r"[0-9a-f*?]{1,64}\+?")
"""The beginning of a digest. A `+` after it means that files differed from the commit."""

_AGES: dict[str, str] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""An age below a limit is a moment above another."""


@dataclass(frozen=True)
class Asked:
    """What a test is made from: the comparison, its sign without `!`, what is known, and the time now."""

    comparison: Comparison
    sign: str
    vocabulary: Vocabulary
    now_s: float

    @property
    def literals(self) -> tuple[Literal, ...]:
        return self.comparison.values

    def only_equal(self) -> None:
        """Refuse `<` and its like."""
        if self.sign != "=":
            name = self.comparison.name
            problem = f"{name} has no order, so {self.sign!r} cannot be used"
            raise name.place.error(problem, f"Write {name}=VALUE.")


def is_field(name: Name) -> bool:
    """Whether a name means a field, not a tag, a parameter or a result."""
    return not name.scope and not name.quoted and name.text in FIELDS


def field_value(name: str) -> Callable[[Row], Any]:
    """A function that returns a job's value of a field, or UNKNOWN or ABSENT."""
    return _VALUES[name]


def field_test(asked: Asked) -> RowTest:
    """A test of jobs by a field.

    Raises:
        FilterError: The value is none that the field can have.
    """
    return _TESTS[asked.comparison.name.text](asked)


def latest_s(row: Row) -> Any:
    """The moment of a job's latest change; UNKNOWN if one of its times is not known."""
    times = (row.submitted_s, row.started_s, row.ended_s)
    return UNKNOWN if None in times else max(time or 0 for time in times) or ABSENT


def _known(value: Any) -> Any:
    return UNKNOWN if value is None else value


def _some(value: Any) -> Any:
    """A fact whose empty text, or time 0, means that a job has none."""
    return UNKNOWN if value is None else value or ABSENT


_VALUES: dict[str, Callable[[Row], Any]] = {
    "id": lambda row: row.identity,
    "state": lambda row: _known(row.state),
    "task": lambda row: _known(row.task),
    "experiment": lambda row: UNKNOWN if row.experiments is None else sorted(row.experiments),
    "since": lambda row: latest_s(row),
    "queue": lambda row: _some(row.queue),
    "token": lambda row: UNKNOWN if row.demand is None else dict(row.demand),
    "worker": lambda row: _some(row.worker),
    "host": lambda row: _some(row.host),
    "error": lambda row: _some(row.error_type),
    "code": lambda row: _some(row.code),
    "commit": lambda row: _some(row.commit),
    "packages": lambda row: _some(row.packages),
    "attempts": lambda row: _known(row.attempts),
    "submitted": lambda row: _some(row.submitted_s),
    "started": lambda row: _some(row.started_s),
    "ended": lambda row: _some(row.ended_s),
}


def _id(asked: Asked) -> RowTest:
    asked.only_equal()
    for literal in asked.literals:
        if not re.fullmatch(r"[0-9a-f*?]{1,64}", literal.text.lower()):
            problem = f"{brief(literal.text)} is no beginning of an identity"
            raise literal.place.error(problem, "Write some of its first characters, such as id=3f2a91c.")
    plain = tuple(each.text.lower() for each in asked.literals if not each.is_pattern)
    pattern = text_test([each for each in asked.literals if each.is_pattern], fold=True)
    return lambda row: row.identity.startswith(plain) or pattern(row.identity)


def _state(asked: Asked) -> RowTest:
    asked.only_equal()
    for literal in asked.literals:
        if literal.text.lower() not in STATES:
            near = get_close_matches(literal.text.lower(), STATES, 1)
            meant = f"Did you mean {near[0]!r}? " if near else ""
            remedy = f"{meant}There are: {', '.join(STATES)}."
            raise literal.place.error(f"unknown state {brief(literal.text)}", remedy)
    wanted = frozenset(State(literal.text.lower()) for literal in asked.literals)
    return lambda row: None if (state := row.state) is None else state in wanted


def _task(asked: Asked) -> RowTest:
    asked.only_equal()
    known = asked.vocabulary.tasks
    _refuse_unknown(asked.literals, known, "task", task_names, [bare_class(task) for task in known or ()])
    matches = text_test(asked.literals, fold=True)
    verdicts: dict[tuple[str, str | None], bool | None] = {}

    def test(row: Row) -> bool | None:
        if (task := row.task) is None:
            return None
        key = (task, row.name)
        if key not in verdicts:
            found = any(map(matches, {*task_names(task), row.name or task}))
            verdicts[key] = found or (None if row.name is None else False)
        return verdicts[key]

    return test


def task_names(task: str) -> list[str]:
    """The names that a filter may give a task: `sweep:Study.Train`, `Study.Train` and `Train`."""
    return [task, task.rpartition(":")[2], bare_class(task)]


def _experiment(asked: Asked) -> RowTest:
    asked.only_equal()
    known = asked.vocabulary.experiments
    _refuse_unknown(asked.literals, known, "experiment", lambda name: [name], known or ())
    return _each(lambda row: row.experiments, asked.literals)


def _token(asked: Asked) -> RowTest:
    asked.only_equal()
    return _each(lambda row: row.demand, asked.literals)


def _each(names: Callable[[Row], Iterable[str] | None], literals: Collection[Literal]) -> RowTest:
    """A test whether one of a job's names matches; `none` matches a job without any."""
    matches, none = text_test(literals), any(literal.is_none for literal in literals)

    def test(row: Row) -> bool | None:
        if (found := names(row)) is None:
            return None
        return any(map(matches, found)) or (none and not found)

    return test


def _words(get: Callable[[Row], str | None], names: Callable[[str], Iterable[str]]) -> Callable[[Asked], RowTest]:
    """The maker of tests for a field that is a text. `none` matches a job that has none."""

    def make(asked: Asked) -> RowTest:
        asked.only_equal()
        return _each(lambda row: None if (text := get(row)) is None else names(text), asked.literals)

    return make


def _one(text: str) -> list[str]:
    return [text] if text else []


def _error_names(text: str) -> list[str]:
    return [text, bare_class(text)] if text else []


def _digits(get: Callable[[Row], str | None], word: str = "") -> Callable[[Asked], RowTest]:
    """The maker of tests for a digest, by some of its first digits. A filter may have more of them than the job has.

    Args:
        get: Returns the job's first digits, and perhaps a `+` after them.
        word: A word that may stand instead of a digest.
    """

    def make(asked: Asked) -> RowTest:
        asked.only_equal()
        plain = [each.text.lower() for each in asked.literals if not each.is_pattern and not each.is_none]
        for literal in asked.literals:
            if not (literal.is_none or literal.text.lower() == word or _DIGEST.fullmatch(literal.text.lower())):
                name = asked.comparison.name
                remedy = f"Write some of its first characters, such as {name}=8c1f2e0."
                raise literal.place.error(f"{brief(literal.text)} is no beginning of a digest", remedy)
        matches = text_test([each for each in asked.literals if each.is_pattern], fold=True)
        none = any(literal.is_none for literal in asked.literals)

        def test(row: Row) -> bool | None:
            if (found := get(row)) is None:
                return None
            return any(_begins(found, each) for each in plain) or matches(found) or (none and not found)

        return test

    return make


def _begins(found: str, asked: str) -> bool:
    """Whether two texts begin with the same digits, as far as both go; a `+` is after those found if it was asked."""
    known, wanted = found.rstrip("+"), asked.rstrip("+")
    is_marked = found.endswith("+") or not asked.endswith("+")
    return bool(known) and is_marked and (known.startswith(wanted) or wanted.startswith(known))


def _attempts(asked: Asked) -> RowTest:
    try:
        matches = comparer("number", asked.sign, asked.literals)
    except MismatchError as misfit:
        problem = f"expected a number, got {brief(asked.literals[0].text)}"
        raise asked.literals[0].place.error(problem, "Write a number, such as attempts>1.") from misfit
    return lambda row: None if (count := row.attempts) is None else matches(count)


def _since(asked: Asked) -> RowTest:
    name, literal = asked.comparison.name, asked.literals[0]
    if asked.comparison.operator != "=" or len(asked.literals) > 1:
        raise name.place.error(
            "since takes '=' and one value", "Write since=2h, or compare submitted, started or ended."
        )
    least = read_since(literal.text, asked.now_s)
    if least is None:
        raise literal.place.error(f"expected {DURATION}, or {DATE}, got {brief(literal.text)}", "Write since=2h.")

    def test(row: Row) -> bool | None:
        times = (row.ended_s, row.started_s, row.submitted_s)
        if any(time is not None and time and time >= least for time in times):
            return True
        return None if None in times else False

    return test


def _moment(get: Callable[[Row], float | None]) -> Callable[[Asked], RowTest]:
    """The maker of tests for a time. A date is compared as a moment, a duration as an age."""

    def make(asked: Asked) -> RowTest:
        tests = [_moment_test(asked, literal) for literal in asked.literals if not literal.is_none]
        none = len(tests) < len(asked.literals)
        if none and asked.sign != "=":
            raise asked.literals[0].place.error("none has no order", f"Write {asked.comparison.name}=none.")

        def test(row: Row) -> bool | None:
            if (moment := get(row)) is None:
                return None
            return any(test(moment) for test in tests) if moment else none

        return test

    return make


def _moment_test(asked: Asked, literal: Literal) -> Callable[[float], bool]:
    name = asked.comparison.name
    if (span := read_date(literal.text)) is not None:
        return span_test(asked.sign, span)
    if (seconds := read_duration(literal.text)) is None:
        problem = f"expected {DATE}, or {DURATION}, got {brief(literal.text)}"
        raise literal.place.error(problem, f"Write {name}<2h for less than 2 hours ago, or {name}>=2026-11-27.")
    if asked.sign == "=":
        raise literal.place.error(
            "a duration is compared with < or >", f"Write {name}<2h for less than 2 hours ago, or {name}>2h."
        )
    least = asked.now_s - seconds
    return span_test(_AGES[asked.sign], (least, least))


_TESTS: dict[str, Callable[[Asked], RowTest]] = {
    "id": _id,
    "state": _state,
    "task": _task,
    "experiment": _experiment,
    "since": _since,
    "queue": _words(lambda row: row.queue, _one),
    "token": _token,
    "worker": _words(lambda row: row.worker, _one),
    "host": _words(lambda row: row.host, _one),
    "error": _words(lambda row: row.error_type, _error_names),
    "code": _digits(lambda row: row.code, LIVE),
    "commit": _digits(lambda row: row.commit),
    "packages": _digits(lambda row: row.packages),
    "attempts": _attempts,
    "submitted": _moment(lambda row: row.submitted_s),
    "started": _moment(lambda row: row.started_s),
    "ended": _moment(lambda row: row.ended_s),
}


def _refuse_unknown(
    literals: Iterable[Literal],
    known: Collection[str] | None,
    what: str,
    names: Callable[[str], list[str]],
    shown: Collection[str],
) -> None:
    """Refuse a value that fits nothing that is known, because a filter would then find no job and not say why."""
    for literal in literals:
        matches = text_test([literal], fold=what == "task")
        if known is None or literal.is_none or any(matches(name) for each in known for name in names(each)):
            continue
        unique = list(dict.fromkeys(shown))
        near = get_close_matches(literal.text, unique, 3)
        raise literal.place.error(f"unknown {what} {brief(literal.text)}", hint(near, unique))
