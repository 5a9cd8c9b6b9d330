"""Identities: what counts, what does not, and that they never change."""

from __future__ import annotations

import enum
import hashlib
import json
import math
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from helpers.fresh_process import run, script
from helpers.import_folders import import_file

from xpm_core.config import Config, Constant, Meta, Param, PathGenerator, Task, field, state_of
from xpm_core.errors import ClassNameError
from xpm_core.identity import class_origins, counted_names, seal, task_id
from xpm_core.language.identity import digest
from xpm_core.language.identity.digest import encode


class Holder(Config):
    value: Param[Any]


class Pair(Config):
    a: Param[Any]
    b: Param[Any]


class Colour(enum.Enum):
    RED = 1
    CRIMSON = 1  # noqa: PIE796 -- a second name for it
    GREEN = 2


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Number(enum.IntEnum):
    ONE = 1


def identity(value: Any) -> str:
    return seal(Holder.C(value=value))


UTC = timezone.utc
DIFFERENT: list[tuple[Any, Any]] = [
    (["a\x03b", "c"], ["a", "b\x03c"]),
    ({"a": {"b": 1}, "c": 2}, {"a": {"b": 1, "c": 2}}),
    (1, True),
    (1, 1.0),
    (1, "1"),
    (True, 1.0),
    (True, "True"),
    (0, False),
    (0, None),
    (None, "None"),
    ("", None),
    ("", b""),
    ([], ()),
    ([], {}),
    (set(), frozenset()),
    ({}, set()),
    ([], None),
    ([[]], []),
    ([1, 2], [2, 1]),
    ([1, [2]], [[1], 2]),
    ((1, 2), [1, 2]),
    ({1: "a"}, {"1": "a"}),
    ({1: 2}, [[1, 2]]),
    (2**70, 2**70 + 1),
    (2**64, 2**64 - 1),
    (2**70, -(2**70)),
    (-(2**63), -(2**63) - 1),
    (float("inf"), float("-inf")),
    (math.nan, "nan"),
    (0.1, 0.1 + 1e-17 + 1e-16),
    ("é", "e\u0301"),
    ("a", "A"),
    ("\ud800", "\udfff"),
    (Path("a"), "a"),
    (Colour.RED, "RED"),
    (Colour.RED, 1),
    (Colour.RED, Colour.GREEN),
    (Number.ONE, 1),
    (Access.READ, Access.READ | Access.WRITE),
    (datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)),
    (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))),
    (timedelta(1), 86400),
    (Holder.C(value=1), {"value": 1}),
    (Holder.C(value=1), Holder.C(value=2)),
    (Holder.C(value=1), Pair.C(a=1, b=1)),
    (Holder.C(value=Holder.C(value=1)), Holder.C(value=1)),
]

SAME: list[tuple[Any, Any]] = [
    (Path("a"), Path("b")),
    ((Path("a"), 1), (Path("/b"), 1)),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ({"x", "y", "z"}, {"z", "y", "x"}),
    (-0.0, 0.0),
    ([-0.0], [0.0]),
    (math.nan, -math.nan),
    (Colour.RED, Colour.CRIMSON),
    (2**70, int("1180591620717411303424")),
    (Pair.C(a=Holder.C(value=1), b=Holder.C(value=1)), Pair.C(a=(h := Holder.C(value=1)), b=h)),
]


def shown(value: Any) -> str:
    """A value in a test's name, which is the same in each process."""
    return "a set" if isinstance(value, set) else repr(value)[:40]


@pytest.mark.parametrize(("one", "other"), DIFFERENT, ids=shown)
def test_different_values_give_different_identities(one: Any, other: Any) -> None:
    assert identity(one) != identity(other)
    assert identity([one]) != identity([other])


@pytest.mark.parametrize(("one", "other"), SAME, ids=shown)
def test_equal_values_give_one_identity(one: Any, other: Any) -> None:
    assert identity(one) == identity(other)


def test_parameters_swapped_or_assigned_in_another_order() -> None:
    config = Pair.C(b=2, a=1)
    other = Pair.C(a=None, b=None)
    other.b = 2
    other.a = 1
    assert seal(config) == seal(other) != seal(Pair.C(a=2, b=1))


def test_what_is_left_out() -> None:
    class Model(Config):
        size: Param[int] = 1
        threads: Meta[int] = 1
        seed: Param[int] = field(default=0, ignored=True)
        path: Param[Path] = Path("a")
        maybe: Param[Path | None] = None
        paths: Param[list[Path]] = field(default_factory=list)
        table: Param[dict[str, Path]] = field(default_factory=dict)
        out: Param[Path] = field(default_factory=PathGenerator("out"))
        either: Param[Path | str] = "a"
        version: Constant[int] = 1

    base = Model.C()
    seal(base)
    assert counted_names(base) == ["size", "either", "version"]
    same = Model.C(threads=2, seed=3, path=Path("b"), maybe=Path("c"), paths=[Path("d")], table={"x": Path("e")})
    same.out = Path("elsewhere")
    assert seal(same) == seal(base)
    assert seal(Model.C(either=Path("a"))) != seal(base)


def test_ignored_defaults_do_not_count_while_they_hold() -> None:
    class V1:
        class Learn(Config):
            __xpmid__ = "learn"
            rate: Param[float]

    class V2:
        class Learn(Config):
            __xpmid__ = "learn"
            rate: Param[float]
            seed: Param[int] = field(default=0, ignore_default=True)
            depth: Param[int] = field(ignore_default=4)
            flag: Param[bool] = field(ignore_default=True)
            layers: Param[list[int]] = field(default_factory=lambda: [1, 2], ignore_default=True)
            inner: Param[Holder] = field(default_factory=lambda: Holder.C(value=1), ignore_default=True)

    old = seal(V1.Learn.C(rate=1))
    assert seal(V2.Learn.C(rate=1)) == old
    assert seal(V2.Learn.C(rate=1, depth=4, layers=[1, 2], inner=Holder.C(value=1), flag=True)) == old
    for changed in ({"seed": 1}, {"depth": 3}, {"flag": False}, {"layers": [2, 1]}, {"inner": Holder.C(value=2)}):
        assert seal(V2.Learn.C(rate=1, **changed)) != old  # type: ignore[arg-type]


def test_defaults_count_as_given_values_do() -> None:
    class Model(Config):
        size: Param[int] = 1
        inner: Param[Holder] = Holder.C(value=[1])

    assert seal(Model.C()) == seal(Model.C(size=1, inner=Holder.C(value=[1])))
    assert seal(Model.C()) != seal(Model.C(inner=Holder.C(value=[2])))


def test_diamonds_cost_no_more_than_their_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    def diamond(levels: int) -> Config:
        config: Config = Holder.C(value=1)
        for _ in range(levels):
            config = Pair.C(a=config, b=config)
        return config

    hashed = []
    monkeypatch.setattr(digest, "sha256", lambda data: hashed.append(data) or hashlib.sha256(data))
    seal(diamond(30))
    assert len(hashed) == 31


def test_own_identifier_is_for_the_class_that_has_it() -> None:
    class Named(Config):
        __xpmid__ = "my.model"

    class Sub(Named):
        pass

    class Family(Config):
        @classmethod
        def __xpmid__(cls) -> str:
            return f"family.{cls.__name__.lower()}"

    class Member(Family):
        pass

    assert [task_id(cls) for cls in (Named, Family, Member)] == ["my.model", "family.family", "family.member"]
    assert task_id(Sub) == f"{__name__}:{Sub.__qualname__}"


@pytest.mark.parametrize("name", ["", 3, "a\nb"])
def test_own_identifier_has_to_be_a_text(name: Any) -> None:
    cls = type(Config)("Named", (Config,), {"__xpmid__": name, "__module__": __name__})
    with pytest.raises(ClassNameError, match="its __xpmid__ is"):
        seal(cls.C())


@pytest.mark.parametrize("hash_seed", ["0", "1", "12345"])
def test_identity_is_the_same_in_every_process(hash_seed: str, tmp_path: Path) -> None:
    code = """
        from xpm_core.config import Config, Param
        from xpm_core.identity import seal
        class Model(Config):
            names: Param[set[str]]
            table: Param[dict[str, float]]
        print(seal(Model.C(names={"a", "b", "c", "d"}, table={"x": 1, "y": 2})))
    """
    script(tmp_path, "model.py", code)
    found = run("model.py", cwd=tmp_path, PYTHONHASHSEED=hash_seed)
    assert found == "ca90975d1f56923fd17dc81cbcff43299edb5fc2b359d68285d0c25932915c9c"


def test_origins_tell_each_class_once() -> None:
    class Learn(Task):
        holder: Param[Holder]

        def execute(self) -> None: ...

    learn = Learn.C(holder=Holder.C(value=[Pair.C(a=1, b=Holder.C(value=2))]))
    assert class_origins(learn) == {
        task_id(cls): "xpm-queue:tests/core/language/identity/test_digest.py"
        for cls in sorted((Learn, Holder, Pair), key=task_id)
    }


GOLDEN = Path(__file__).parent / "golden"


def golden(name: str) -> Any:
    return json.loads((GOLDEN / name).read_text())


def pinned() -> Any:
    return import_file("golden_configurations", GOLDEN / "configurations.py")


def test_bytes_of_values_are_those_of_the_file() -> None:
    assert {name: encode(value).hex() for name, value in pinned().VALUES.items()} == golden("encodings.json")


def test_identities_are_those_of_the_file() -> None:
    """Jobs of years ago have these identities: who changes the file loses them."""
    found = {name: seal(make()) for name, make in pinned().CONFIGURATIONS.items()}
    assert found == golden("identities.json")


def test_state_tells_the_identity() -> None:
    config = Holder.C(value=1)
    assert state_of(config).identity is None
    assert state_of(config).identity != seal(config) == state_of(config).identity


def test_example_of_the_documentation_is_true(tmp_path: Path) -> None:
    text = (Path(__file__).resolve().parents[4] / "docs" / "reference" / "identity.md").read_text()
    [code] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    blocks = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    told = [block.split()[-1] for block in blocks]
    for block, identity in zip(blocks, told, strict=True):
        parts = re.findall(r"^ *((?:[0-9a-f]{2}(?: |$))+)", block.rsplit("\n\n", 1)[0], re.MULTILINE)
        assert hashlib.sha256(bytes.fromhex("".join(parts))).hexdigest() == identity
    imports = "from xpm_core.config import Config, Meta, Param, Task\nfrom xpm_core.identity import seal\n"
    place = script(tmp_path, "demo.py", f"{imports}{code}\nprint(seal(learn.model), seal(learn))\n")
    assert run(place, cwd=tmp_path).split() == told
