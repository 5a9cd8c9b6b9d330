"""Identities are computed from payloads alone, for all that a payload can hold; a payload that was changed is found."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, time, timedelta, timezone
from pathlib import Path
from typing import Any

import attrs
import msgpack
import pytest
from exchange_tasks import Model, Noted, Prepare, Train
from helpers.payloads import submitted
from hypothesis import given
from hypothesis import strategies as st
from payload_samples import Access, Colour, sample

from xpm_core.config import Config, InstanceConfig, Param, Task, deprecate
from xpm_core.config.dependencies import made_by
from xpm_core.errors import PayloadError
from xpm_core.exchange.identities.verifier import Verifier
from xpm_core.identity import seal
from xpm_core.language.values.encoding import pack
from xpm_core.wire import payload
from xpm_core.wire.packer import Packer
from xpm_core.workspace.payload_parts import Parts

GOLDEN = Path(__file__).parents[2] / "language" / "identity" / "golden"


def no_part(digest: bytes) -> bytes:
    raise PayloadError("payload", "no part", "None.")


def verify(config: Any, workspace: Path = Path("/ws")) -> Any:
    """Verify the payload of a configuration, which is sealed."""
    identity = seal(config)
    return Verifier(no_part).verify(Packer(config, workspace).data({}), identity)


class Holder(Config):
    value: Param[Any] = None


class Part(InstanceConfig):
    size: Param[int] = 1


class Pair(Task):
    parts: Param[list[Part]]
    table: Param[dict[str, Part]]

    def execute(self) -> None:
        pass


class Step(Task):
    number: Param[int]
    before: Param[Task | None] = None

    def execute(self) -> None:
        pass


@attrs.define
class Marked:
    """An object of attrs with a field that does not count."""

    number: int
    label: str = attrs.field(default="", eq=False)


class Work(Task):
    size: Param[int]

    def execute(self) -> None:
        pass


@deprecate(Work)
class Former(Task):
    size: Param[int]

    def execute(self) -> None:
        pass

    def __convert__(self) -> Any:
        return Work.C(size=self.size)


class Objects(Task):
    noted: Param[Noted]
    marked: Param[Marked]

    def execute(self) -> None:
        pass


def test_the_identities_that_are_pinned_are_found_in_payloads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(GOLDEN)
    from configurations import CONFIGURATIONS  # type: ignore[import-not-found]

    for name, make in CONFIGURATIONS.items():
        config = make()
        found = verify(config)
        assert found.digests[found.graph.root].hex() == seal(config), name


def test_a_payload_with_every_part_yields_its_identity() -> None:
    assert verify(sample()).graph.task == "payload_samples:Everything"


ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
    st.datetimes(timezones=st.just(timezone.utc) | st.none()),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.sampled_from([Colour.RED, Access.READ, Access.READ | Access.WRITE, Path("/x"), date.min, time(1), timedelta(1)]),
    st.builds(lambda layers: Model.C(layers=layers), st.integers(0, 5)),
)
KEYS = st.one_of(st.text(), st.integers(), st.booleans(), st.none(), st.binary(), st.dates())


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    flat = st.lists(st.one_of(st.integers(), st.text(), st.dates()))
    return st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
        flat.map(set),
        flat.map(frozenset),
        flat.map(lambda items: {(item, item) for item in items}),
    )


@given(st.recursive(ATOMS, nested, max_leaves=12))
def test_any_value_yields_the_identity_that_the_class_gives(value: Any) -> None:
    verify(Holder.C(value=value))


@given(st.lists(st.integers(0, 3), max_size=6), st.dictionaries(st.sampled_from("abc"), st.integers(0, 3)))
def test_equal_instances_are_told_apart(parts: list[int], table: dict[str, int]) -> None:
    known = [Part.C(), Part.C(), Part.C(size=2), Part.C(size=2)]
    pair = Pair.C(parts=[known[each] for each in parts], table={name: known[each] for name, each in table.items()})
    verify(pair)


def test_fields_of_objects_that_do_not_count_are_found_out() -> None:
    verifier = Verifier(no_part)
    for number in range(3):
        task = Objects.C(noted=Noted(number, "seen", "here"), marked=Marked(number, "label"))
        verifier.verify(payload.pack(task, Path("/ws")), seal(task))


def test_a_long_chain_in_parts_yields_its_identity(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    task = submitted(Step.C(number=0), tmp_path)
    for number in range(1, 60):
        payload.pack(task, tmp_path, parts=parts)
        task = submitted(Step.C(number=number, before=task), tmp_path)
    data = payload.pack(task, tmp_path, parts=parts)
    found = Verifier(parts.get).verify(data, seal(task))
    assert found.graph.parts
    assert len(found.jobs) == 59


def test_jobs_that_made_its_configurations_are_named(tmp_path: Path) -> None:
    prepare = submitted(Prepare.C(seed=3), tmp_path)
    task = Train.C(lr=0.1, data=prepare, model=made_by(prepare, Model.C(layers=4)))
    assert verify(task, tmp_path).jobs == {seal(prepare)}


def test_no_class_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret_tasks.py").write_text(
        "from xpm_core import Param, Task\n"
        "class Work(Task):\n    lr: Param[float]\n    def execute(self):\n        pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import secret_tasks  # type: ignore[import-not-found]

    task = secret_tasks.Work.C(lr=0.5)
    data = payload.pack(task, tmp_path)
    sys.modules.pop("secret_tasks")
    Verifier(no_part).verify(data, seal(task))
    assert "secret_tasks" not in sys.modules


# -- forged ------------------------------------------------------------------------------------------------------------


def forged(task: Any, change: Callable[[dict[str, Any]], object]) -> tuple[bytes, str]:
    """A payload with another content, and the identity that it had."""
    content = msgpack.unpackb(payload.pack(task, Path("/ws")), strict_map_key=False)
    change(content)
    return pack(content), seal(task)


def train() -> Any:
    return Train.C(lr=0.1, data=submitted(Prepare.C(seed=1), Path("/ws")), model=Model.C(layers=3))


def name(content: dict[str, Any], value: str) -> None:
    content["classes"][content["objects"][-1]["class"]]["id"] = value


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["objects"][-1]["values"].update(lr=pack(0.2)),
        lambda content: content["objects"][-1]["counted"].remove("lr"),
        lambda content: content["objects"][0]["values"].update(seed=pack(9)),
        lambda content: content["objects"].pop(),
        lambda content: name(content, "other:Train"),
        lambda content: content["objects"][-1].update(source={"digest": bytes(32), "task": "x"}),
        lambda content: content["objects"][-1].update(source={"digest": b"short", "task": "x"}),
        lambda content: content["objects"][-1].update(init=[0]),
        lambda content: content["objects"][-1].update(stand_in=0),
        lambda content: content["objects"][0].update(meta=True),
        lambda content: content.update(task="other:Train"),
        lambda content: content["objects"][-1]["values"].update(lr=b"\xc1"),
        lambda content: content["objects"][-1]["values"].update(lr=msgpack.packb(msgpack.ExtType(11, b"\x63"))),
        lambda content: content["objects"][-1]["values"].update(lr=msgpack.packb(msgpack.ExtType(10, b"\x01../x"))),
        lambda content: content["objects"][-1]["values"].update(lr=msgpack.packb(msgpack.ExtType(5, b"\x92\x63\x01"))),
        lambda content: content["objects"][-1]["values"].pop("lr"),
        lambda content: content.update(version=9),
    ],
)
def test_a_changed_payload_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    data, identity = forged(train(), change)
    with pytest.raises(PayloadError):
        Verifier(no_part).verify(data, identity)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_payload_are_refused(data: bytes) -> None:
    with pytest.raises(PayloadError):
        Verifier(no_part).verify(data, "0" * 64)


@given(st.data())
def test_a_payload_with_changed_bytes_yields_its_identity_or_is_refused(data: st.DataObject) -> None:
    task = train()
    whole = bytearray(payload.pack(task, Path("/ws")))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] = data.draw(st.integers(0, 255))
    try:
        found = Verifier(no_part).verify(bytes(whole), seal(task))
    except PayloadError:
        return
    assert found.digests[found.graph.root].hex() == seal(task)


def test_a_part_that_was_changed_is_refused(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    task = submitted(Step.C(number=0), tmp_path)
    for number in range(1, 60):
        task = submitted(Step.C(number=number, before=task), tmp_path)
        payload.pack(task, tmp_path, parts=parts)
    data = payload.pack(Step.C(number=99, before=task), tmp_path, parts=parts)
    with pytest.raises(PayloadError, match="was changed"):
        Verifier(lambda digest: parts.get(digest) + b"x").verify(data, seal(Step.C(number=99, before=task)))


def test_a_deprecated_task_counts_as_the_one_that_replaces_it() -> None:
    with pytest.warns(DeprecationWarning, match="Former"):
        former = Former.C(size=3)
    found = verify(former)
    assert found.graph.task == found.graph.root_class() == f"{__name__}:Work"
