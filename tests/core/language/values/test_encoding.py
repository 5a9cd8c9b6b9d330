"""Properties of the encoding, on values that hypothesis makes up."""

from __future__ import annotations

import enum
import math
import sys
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

from helpers.fresh_process import run, script
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xpm_core.config import Config, Param, field
from xpm_core.identity import seal
from xpm_core.language.identity.digest import encode
from xpm_core.language.values.decoding import Decoder
from xpm_core.project.origin import class_id


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


class Holder(Config):
    value: Param[Any]


zones = st.none() | st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
keys = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(), max_size=20)
    | st.floats(allow_nan=False)
    | st.binary(max_size=10)
    | st.sampled_from(Colour)
)
scalars = (
    keys
    | st.floats()
    | st.datetimes(timezones=zones)
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.builds(lambda steps: Path("/", *steps), st.lists(st.text("ab.é", min_size=1), max_size=3))
)
hashable = st.recursive(keys, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=5)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(hashable, inner, max_size=4)
        | st.sets(hashable, max_size=4)
    )


values = st.recursive(scalars, containers, max_leaves=25)

decode = Decoder(
    lambda content: None,
    path=lambda content: Path(),
    enum=lambda name, member: {class_id(Colour): Colour}[name][member],
)


def alike(one: Any, other: Any) -> bool:
    """Whether two values are equal and of equal types, at any depth; -0.0 is 0.0, NaN is NaN, a path is a path."""
    if type(one) is not type(other):
        return False
    if isinstance(one, Path):
        return True
    if isinstance(one, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict):
        return alike(set(one), set(other)) and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, (set, frozenset)):
        return len(one) == len(other) and all(any(alike(a, b) for b in other) for a in one)
    if isinstance(one, (datetime, time)):
        return one == other and one.utcoffset() == other.utcoffset()
    return bool(one == other)


@given(values)
def test_what_was_encoded_can_be_decoded(value: Any) -> None:
    assert alike(decode(encode(value)), value)


@given(values, values)
def test_only_alike_values_share_an_encoding(one: Any, other: Any) -> None:
    assert (encode(one) == encode(other)) == alike(one, other)


@given(st.lists(st.tuples(keys, scalars), max_size=6), st.randoms())
def test_order_of_entries_and_items_of_sets_does_not_count(entries: list[Any], random: Any) -> None:
    table = dict(entries)
    shuffled = list(table.items())
    random.shuffle(shuffled)
    assert encode(table) == encode(dict(shuffled))
    assert encode(set(table)) == encode({key for key, _ in shuffled})


@given(values)
def test_decoded_values_encode_to_the_same_bytes(value: Any) -> None:
    assert encode(decode(encode(value))) == encode(value)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(values, st.integers(), values)
def test_new_parameter_with_an_ignored_default_changes_nothing(value: Any, default: int, other: Any) -> None:
    def learn(**parameters: Any) -> type[Config]:
        body = {"__annotations__": {"value": Param[Any]}, "__xpmid__": "learn", "__module__": __name__}
        body["__annotations__"] |= dict.fromkeys(parameters, Param[Any])  # type: ignore[operator]
        return type(Config)("Learn", (Config,), {**body, **parameters})

    before = seal(learn().C(value=value))
    newer = learn(more=field(default=default, ignore_default=True), rest=field(default=other, ignore_default=True))
    assert seal(newer.C(value=value)) == before
    assert seal(newer.C(value=value, more=default + 1)) != before


@given(values, values)
def test_configurations_of_different_values_differ(one: Any, other: Any) -> None:
    same = seal(Holder.C(value=one)) == seal(Holder.C(value=other))
    assert same == alike(Holder.C(value=one).value, Holder.C(value=other).value)


MANY = """
    import hashlib, math, random
    from datetime import datetime
    from xpm_core.language.identity.digest import encode

    def value(random, depth):
        kind = random.randrange(9 if depth else 6)
        some = range(random.randrange(4))
        return (
            lambda: None,
            lambda: random.random() * 10 ** random.randrange(-9, 9),
            lambda: random.randrange(-(2**80), 2**80),
            lambda: "".join(map(chr, random.choices(range(1, 1000), k=5))),
            lambda: random.random() < 0.5,
            lambda: datetime.fromtimestamp(random.randrange(2**31)),
            lambda: [value(random, depth - 1) for _ in some],
            lambda: {value(random, 0): value(random, depth - 1) for _ in some},
            lambda: {value(random, 0) for _ in some},
        )[kind]()

    source, found = random.Random(0), hashlib.sha256()
    for _ in range(2000):
        found.update(encode(value(source, 4)))
    print(found.hexdigest())
"""


def test_bytes_are_the_same_in_every_process(tmp_path: Path) -> None:
    place = script(tmp_path, "many.py", MANY)
    found = {run(place, cwd=tmp_path, PYTHONHASHSEED=seed, TZ="UTC") for seed in ("0", "1", "77")}
    assert len(found) == 1, sys.version


def test_days_are_no_datetimes() -> None:
    assert encode(date(2026, 1, 1)) != encode(datetime(2026, 1, 1))
