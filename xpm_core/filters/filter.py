"""Filters: parsed, joined, bound to what is known, and asked about jobs.

Owns: the meaning of `and`, `or` and `not` when a fact is unknown (Kleene's logic), and the short options. A bound
filter is made of closures. Nothing of a filter is ever run as code.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from xpm_core.errors import FilterError, MismatchError
from xpm_core.filters.fields import Asked, RowTest, field_test, is_field
from xpm_core.filters.parser import parse_condition, parse_values
from xpm_core.filters.row import Row
from xpm_core.filters.syntax import And, Comparison, Condition, Literal, Name, Not, Or, all_of
from xpm_core.filters.values import KINDS, UNORDERED, TestByType, comparer, kind_and_value, shown
from xpm_core.filters.vocabulary import Vocabulary
from xpm_core.shapes import brief

Words = str | Iterable[str] | None


@dataclass(frozen=True)
class BoundFilter:
    """A filter that knows what its names mean.

    Attributes:
        matches: Whether a job matches: True, False, or None if that depends on facts of the job that are not known.
        fields: The fields that it reads, such as `state`; also `tag`, `param` and `result`.
    """

    matches: RowTest
    fields: frozenset[str]


EVERYTHING = And(())


@dataclass(frozen=True, repr=False)
class Filter:
    """A condition on jobs, as somebody typed it. `&` joins two, and `str` writes it.

    Example:
        >>> str(parse("state = failed and lr > 0.01") & parse("task == Train"))
        'state=failed and lr>0.01 and task=Train'
    """

    condition: Condition = EVERYTHING

    def __and__(self, other: Filter) -> Filter:
        return Filter(all_of([self.condition, other.condition]))

    def __str__(self) -> str:
        return str(self.condition)

    def __repr__(self) -> str:
        return f"Filter({str(self)!r})"

    def asks_for(self, field: str, word: str) -> bool:
        """Whether it asks for a value of a field by name: `state=done` asks for the state `done`, `state!=failed` not.

        Args:
            field: The field, such as `state`.
            word: The value.
        """
        return _asks_for(self.condition, field, word, True)

    def bind(self, vocabulary: Vocabulary, now_s: float | None = None) -> BoundFilter:
        """Find out what the names mean, and read the values by the types that they are compared with.

        Args:
            vocabulary: The tags, parameters, results, experiments and tasks that are known.
            now_s: The time from which durations such as `2h` count; the time of this machine if None.

        Raises:
            FilterError: A name, state, experiment or task is unknown, or a value does not fit its parameter.
        """
        compiler = _Compiler(vocabulary, time.time() if now_s is None else now_s)
        return BoundFilter(compiler.test(self.condition), frozenset(compiler.fields))


def parse(text: str, where: str = "filter") -> Filter:
    """The filter that a text writes.

    Args:
        text: The text, such as `state=failed and lr>0.01`.
        where: What the text is, for errors, such as `--where`.

    Raises:
        FilterError: The text is no filter.

    Example:
        >>> parse("not (state=done or lr<1e-3)")
        Filter('not (state=done or lr<1e-3)')
    """
    return Filter(parse_condition(text, where))


def from_options(
    *,
    where: Words = None,
    state: Words = None,
    tag: Words = None,
    task: Words = None,
    experiment: Words = None,
    since: str | None = None,
) -> Filter:
    """The filter that the short options of a command line write together. An option that is None asks nothing.

    Args:
        where: Filters, all of which must match.
        state: States, any of which must match: each text may have several, separated by commas.
        tag: Comparisons of tags, such as `model=bm25`, all of which must match.
        task: Tasks, any of which must match.
        experiment: Experiments, any of which must match.
        since: A duration or a date: the job's latest change is younger.

    Raises:
        FilterError: An option cannot be understood. It names the option.

    Example:
        >>> from_options(state="failed,blocked", tag=["model=bm25"])
        Filter('state=failed,blocked and tag.model=bm25')
    """
    conditions: list[Condition] = [parse_condition(text, "--where") for text in _texts(where)]
    for name, given in (("state", state), ("task", task), ("experiment", experiment), ("since", since)):
        values = tuple(value for text in _texts(given) for value in parse_values(text, f"--{name}"))
        if values:
            conditions.append(Comparison(Name(name, place=values[0].place), "=", values))
    for text in _texts(tag):
        condition = parse_condition(text, "--tag")
        conditions.append(_of_tags(condition))
    return Filter(all_of(conditions))


def comparisons(condition: Condition) -> Iterator[Comparison]:
    """The comparisons in a condition."""
    if isinstance(condition, Comparison):
        yield condition
    else:
        for part in (condition.inner,) if isinstance(condition, Not) else condition.parts:
            yield from comparisons(part)


def _asks_for(condition: Condition, field: str, word: str, positive: bool) -> bool:
    if isinstance(condition, Comparison):
        named = is_field(condition.name) and condition.name.text == field
        equal = (condition.operator != "!=") is positive
        return named and equal and any(value.text.lower() == word for value in condition.values)
    if isinstance(condition, Not):
        return _asks_for(condition.inner, field, word, not positive)
    return any(_asks_for(part, field, word, positive) for part in condition.parts)


def _texts(given: Words) -> Iterable[str]:
    return () if given is None else (given,) if isinstance(given, str) else given


def _of_tags(condition: Condition) -> Condition:
    """The comparison that `--tag` writes: its name is that of a tag."""
    if not isinstance(condition, Comparison):
        place = next(comparisons(condition)).name.place
        raise place.error("expected one comparison", "Give --tag several times, or write it in --where.")
    name = condition.name
    if name.scope in ("param", "result"):
        what = "a parameter" if name.scope == "param" else "a result"
        raise name.place.error(f"{brief(str(name))} is {what}", "Write the comparison in --where.")
    return Comparison(replace(name, scope="tag"), condition.operator, condition.values)


class _Compiler:
    """Makes closures of conditions."""

    def __init__(self, vocabulary: Vocabulary, now_s: float) -> None:
        self.vocabulary, self.now_s = vocabulary, now_s
        self.fields: set[str] = set()

    def test(self, condition: Condition) -> RowTest:
        if isinstance(condition, Comparison):
            test = self.comparison(condition)
            return negated(test) if condition.operator == "!=" else test
        if isinstance(condition, Not):
            return negated(self.test(condition.inner))
        parts = [self.test(part) for part in condition.parts]
        return joined(parts, decisive=isinstance(condition, Or))

    def comparison(self, comparison: Comparison) -> RowTest:
        sign = "=" if comparison.operator == "!=" else comparison.operator
        if is_field(comparison.name):
            self.fields.add(comparison.name.text)
            return field_test(Asked(comparison, sign, self.vocabulary, self.now_s))
        resolved = self.vocabulary.resolve(comparison.name)
        self.fields.update(resolved.scopes)
        tests = value_tests(comparison, sign, resolved.samples)
        get = resolved.getter()

        def test(row: Row) -> bool | None:
            value = get(row)
            return tests[type(value)](value)

        return test


def value_tests(comparison: Comparison, sign: str, samples: Iterable[object]) -> TestByType:
    """The tests of the values of a tag, a parameter or a result, by type.

    Raises:
        FilterError: A value that was typed fits no kind of the values that jobs have.
    """
    kinds: dict[str, object] = {}
    for sample in samples:
        kinds.setdefault(kind_and_value(sample)[0], sample)
    kinds.pop("none", None)
    for literal in comparison.values:
        misfits = {kind: misfit for kind in kinds if (misfit := _misfit(kind, sign, literal))}
        if misfits and len(misfits) == len(kinds):
            raise _misfit_error(comparison, literal, misfits, kinds)
    by_kind: dict[str, Callable[[object], bool]] = {}
    for kind in KINDS:
        if not all(_misfit(kind, sign, literal) for literal in comparison.values):
            by_kind[kind] = comparer(kind, sign, comparison.values)
    return TestByType(by_kind, sign == "=" and any(literal.is_none for literal in comparison.values))


def negated(test: RowTest) -> RowTest:
    """The negation of a test. What is unknown stays unknown."""

    def negation(row: Row) -> bool | None:
        found = test(row)
        return None if found is None else not found

    return negation


def joined(tests: list[RowTest], decisive: bool) -> RowTest:
    """The disjunction of tests if True is decisive, their conjunction if False is.

    One decisive answer decides, whatever is unknown. Without one, an unknown answer makes the whole unknown.
    """

    def join(row: Row) -> bool | None:
        result: bool | None = not decisive
        for test in tests:
            found = test(row)
            if found is decisive:
                return decisive
            if found is None:
                result = None
        return result

    return join


def _misfit(kind: str, sign: str, literal: Literal) -> MismatchError | None:
    try:
        comparer(kind, sign, [literal])
    except MismatchError as misfit:
        return misfit
    return None


def _misfit_error(
    comparison: Comparison, literal: Literal, misfits: dict[str, MismatchError], samples: dict[str, object]
) -> FilterError:
    """The error for a value that fits no kind: what was expected, and what jobs have."""
    name, sample = comparison.name, shown(next(iter(samples.values())))
    expected = list(dict.fromkeys(misfit.expected for misfit in misfits.values()))
    unordered = UNORDERED in expected
    got = comparison.operator if unordered else str(literal)
    have = " and ".join(f"{KINDS[kind]}, such as {shown(samples[kind])}" for kind in misfits)
    example = f"{name}{'=' if unordered else comparison.operator}{sample}"
    problem = f"expected {' or '.join(expected)}, got {brief(got)}"
    return literal.place.error(problem, f"The values of {name} are {have}: write {example}.")
