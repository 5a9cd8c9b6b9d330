"""Payloads whose graph lies in parts: they give the same as a payload that holds everything."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgpack
import pytest
from helpers.payloads import loaded, submitted
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xpm_core.config import (
    Config,
    InstanceConfig,
    LightweightTask,
    Meta,
    Param,
    PathGenerator,
    Task,
    deprecate,
    field,
    state_of,
)
from xpm_core.config.dependencies import made_by, upstream
from xpm_core.errors import PayloadError
from xpm_core.identity import seal
from xpm_core.language.graph.tags import collect, submission_tags
from xpm_core.wire import live_task, payload
from xpm_core.workspace.payload_parts import Parts

MANY = payload.MANY
"""The limit itself: a fixture lowers it."""


class Leaf(Config):
    size: Param[int] = 0
    note: Meta[str] = ""
    file: Meta[Path] = field(default_factory=PathGenerator("leaf.bin"))


class Pair(Config):
    items: Param[list[Any]]


class Part(InstanceConfig):
    size: Param[int] = 0


@deprecate(Leaf)
class OldLeaf(Config):
    size: Param[int] = 0
    other: Param[Any] = None

    def __convert__(self) -> Leaf:
        return Leaf.C(size=self.size)


class Warm(LightweightTask):
    of: Param[Any]

    def execute(self) -> None: ...


class Work(Task):
    number: Param[int]
    uses: Param[list[Any]] = field(default_factory=list)
    named: Param[dict[str, Any]] = field(default_factory=dict)
    before: Param[Task | None] = None
    checkpoint: Meta[Path] = field(default_factory=PathGenerator("model.bin"))

    def execute(self) -> None: ...


def chain(length: int, workspace: Path, parts: Parts, **values: Any) -> tuple[Any, list[bytes]]:
    """The last of some tasks that each need the one before, and the payloads of all."""
    task, found = None, []
    for number in range(length):
        task = Work.C(number=number, before=task, **values)
        found.append(payload.pack(task, workspace, parts=parts))
        submitted(task, workspace)
    return task, found


def configs_of(task: Any) -> list[tuple[Any, Any]]:
    return list(task.__dict__["__xpm_objects__"].values())


def shape(task: Any) -> Any:
    """All that a live task holds, by its own number each object: equal for tasks that are alike in all, sharing too."""
    numbers: dict[int, int] = {}
    described: list[Any] = []

    def of(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [type(value).__name__, *map(of, value)]
        if isinstance(value, dict):
            return {key: of(each) for key, each in value.items()}
        if not isinstance(value, Config):
            return value
        if id(value) not in numbers:
            numbers[id(value)] = len(numbers)
            names = [*type(value).__xpm_schema__.parameters, "__taskdir__", "__tags__", "__xpm_init_tasks__"]
            found = {name: of(value.__dict__[name]) for name in names if name in value.__dict__}
            described.append((numbers[id(value)], type(value), found))
        return ("object", numbers[id(value)])

    of(task)
    identities = sorted(str(state_of(config).identity) for config, _ in configs_of(task))
    return described, identities


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "MANY", 1)


NODE = st.tuples(
    st.sampled_from(["leaf", "pair", "part", "old", "work", "work", "made"]),
    st.lists(st.integers(0, 30), max_size=3),
    st.booleans(),
)


def built(nodes: list[Any], workspace: Path) -> Iterator[Any]:
    """Tasks over one graph, each when it is about to be submitted; it counts as submitted afterwards."""
    made: list[Any] = [Leaf.C(size=1)]
    tasks: list[Any] = []
    for number, (kind, places, flag) in enumerate(nodes):
        below = [made[place % len(made)] for place in places]
        if kind == "work":
            first = tasks[-1] if tasks and flag else None
            task = Work.C(number=number, uses=below, named={"x": made[number % len(made)]}, before=first)
            if flag:
                state_of(task).init_tasks = (Warm.C(of=made[-1]),)
            yield task
            tasks.append(submitted(task, workspace))
            made.append(task)
        elif kind == "made" and tasks:
            leaf = next((each for each in below if isinstance(each, Leaf)), None) or Leaf.C(size=number)
            made.append(made_by(tasks[-1], leaf))
        elif kind == "pair":
            made.append(Pair.C(items=below))
        elif kind == "old":
            made.append(OldLeaf.C(size=number, other=below[0] if below else None))
        else:
            made.append(Part.C() if kind == "part" else Leaf.C(size=number % 3, note=str(number)))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(nodes=st.lists(NODE, min_size=4, max_size=30))
def test_any_graph_comes_back_the_same_by_parts_and_whole(nodes: list[Any], tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for task in built(nodes, tmp_path):
            by_parts, whole = payload.pack(task, tmp_path, parts=parts), payload.pack(task, tmp_path)
            assert shape(loaded(task, tmp_path, by_parts)) == shape(loaded(task, tmp_path, whole))


def version(data: bytes) -> int:
    return int(msgpack.unpackb(data, strict_map_key=False)["version"])


def test_small_graph_is_written_as_it_always_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "MANY", MANY)
    task, payloads = chain(MANY, tmp_path, Parts(tmp_path))
    assert {version(each) for each in payloads} == {1}
    assert payload.pack(task, tmp_path, parts=Parts(tmp_path)) == payload.pack(task, tmp_path)
    assert not (tmp_path / ".xpm").exists()


def test_classes_that_a_function_made_stay_together(tmp_path: Path) -> None:
    class Local(Task):
        before: Param[Task | None] = None
        number: Param[int] = 0

        def execute(self) -> None: ...

    parts, task = Parts(tmp_path), None
    for number in range(10):
        task = submitted(Local.C(number=number, before=task), tmp_path)
    live = loaded(last := Local.C(before=task), tmp_path, payload.pack(last, tmp_path, parts=parts))
    assert type(live) is type(live.before) is type(live.before.before)
    assert not (tmp_path / ".xpm").exists()


def test_chain_takes_bytes_that_grow_with_its_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "MANY", MANY)
    _, payloads = chain(1000, tmp_path, Parts(tmp_path))
    written = sum(each.stat().st_size for each in (tmp_path / ".xpm/parts").iterdir())
    assert max(map(len, payloads)) < 20_000
    assert written < 1000 * 500


def test_chain_comes_back_however_long_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "MANY", MANY)
    task, payloads = chain(1_500, tmp_path, Parts(tmp_path))
    live = found = loaded(task, tmp_path, payloads[-1])
    for number in reversed(range(1_500)):
        assert found.number == number
        found = found.before
    assert live_task.params(live)["identity"] == seal(task)
    assert repr(task) == "Work(number=1499, uses=[], named={}, before=Work(...))"
    assert task.copy(number=1).before is task.before


def test_large_parameter_of_a_task_is_written_once_for_all_that_use_it(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    first = submitted(Work.C(number=0, uses=[b"x" * 200_000]), tmp_path)
    sizes = [len(payload.pack(Work.C(number=n, before=first), tmp_path, parts=parts)) for n in range(1, 20)]
    assert max(sizes) < 5000
    assert len(list((tmp_path / ".xpm/parts").iterdir())) == 1


def test_workspace_can_lie_elsewhere_for_the_worker(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    task, payloads = chain(10, here, Parts(here))
    here.rename(there)
    live = payload.load(payloads[-1], workspace=there, identity=seal(task), jobpath=there / "jobs" / seal(task))
    assert live.before.before.checkpoint == there / "jobs" / seal(task.before.before) / "model.bin"


def part_of(tmp_path: Path) -> tuple[Any, bytes, Path]:
    task, payloads = chain(10, tmp_path, Parts(tmp_path))
    [[digest, _]] = msgpack.unpackb(payloads[-1], strict_map_key=False)["imports"]
    return task, payloads[-1], tmp_path / ".xpm/parts" / digest.hex()


def test_part_that_is_gone_is_named_with_what_to_do(tmp_path: Path) -> None:
    task, data, place = part_of(tmp_path)
    place.unlink()
    with pytest.raises(PayloadError) as caught:
        loaded(task, tmp_path, data)
    assert str(caught.value) == (
        f"{place}: this part of a job's parameters is not there, or too large. "
        "Run the script again, which writes it anew."
    )


def test_part_that_was_changed_is_refused_and_mended_by_the_next_script(tmp_path: Path) -> None:
    task, data, place = part_of(tmp_path)
    good = place.read_bytes()
    place.write_bytes(good.replace(b"number", b"numbex"))
    with pytest.raises(PayloadError, match="was changed, as by a power cut"):
        loaded(task, tmp_path, data)
    Parts(tmp_path).put(good)
    assert loaded(task, tmp_path, data).number == 9


FORGED = [
    (lambda c: c["imports"][0][1].append(999), "it refers to object 999 of a part that has none of that number"),
    (lambda c: c["imports"].append([b"\0" * 32, [1]]), "is not there"),
    (lambda c: c["imports"].append([b"../../x", [1]]), "is not there"),
    (lambda c: c.update(imports=[[1, [1]]]), "imports[0][0]: expected bytes, got 1"),
    (lambda c: c.update(imports=[[b"x"]]), "imports[0]: expected a list of 2, got a list"),
    (lambda c: c["imports"][0][1].clear(), "refers to configuration 0"),
    (lambda c: c.update(placed=[[b"x", 1, {}]]), "it has paths for configurations that it does not refer to"),
    (
        lambda c: c.update(placed=[[c["imports"][0][0], c["imports"][0][1][0], {"number": b"\x01"}]]),
        "Work.number is no generated path",
    ),
]


@pytest.mark.parametrize(("change", "message"), FORGED, ids=[message[:30] for _, message in FORGED])
def test_forged_reference_is_refused(change: Any, message: str, tmp_path: Path) -> None:
    task, data, _ = part_of(tmp_path)
    content = msgpack.unpackb(data, strict_map_key=False)
    change(content)
    with pytest.raises(PayloadError) as caught:
        loaded(task, tmp_path, msgpack.packb(content))
    assert message in str(caught.value)


def test_forged_part_cannot_become_another_task(tmp_path: Path) -> None:
    task, data, place = part_of(tmp_path)
    part = msgpack.unpackb(place.read_bytes(), strict_map_key=False)
    part["objects"][-1]["values"]["number"] = msgpack.packb(77)
    forged = msgpack.packb(part)
    digest = sha256(forged).digest()
    place.with_name(digest.hex()).write_bytes(forged)
    content = msgpack.unpackb(data, strict_map_key=False)
    content["imports"][0][0] = digest
    with pytest.raises(PayloadError, match="its identity is"):
        loaded(task, tmp_path, msgpack.packb(content))


def test_tags_of_a_long_chain_are_those_that_a_walk_finds(tmp_path: Path) -> None:
    task: Any = Work.C(number=0).tag("first", 1)
    for number in range(1, 3000):
        seal(task)
        submission_tags(task, [task], upstream(task))
        task = Work.C(number=number, before=submitted(task, tmp_path))
    assert task.tags() == {"first": 1}
    task.before.before.tag("late", 2)
    assert task.tags() == {"first": 1, "late": 2}
    assert collect(task.before) == {"first": 1, "late": 2}
