"""Payloads: a task reaches another process unchanged, and a payload that was tampered with is refused."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgpack
import pytest
import worker_tasks as seeded
from helpers.fresh_process import run, run_payload, script
from helpers.payloads import loaded, submitted
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xpm_core.config import (
    Config,
    Constant,
    InstanceConfig,
    LightweightTask,
    Meta,
    Param,
    PathGenerator,
    Task,
    cache,
    deprecate,
    field,
    setmeta,
    state_of,
)
from xpm_core.config.dependencies import made_by
from xpm_core.errors import PayloadError, TaskImportError
from xpm_core.identity import seal
from xpm_core.language.graph.tags import tag
from xpm_core.language.identity import description
from xpm_core.language.parameters.schema import schema_of
from xpm_core.wire import live_task, payload


class Colour(enum.Enum):
    RED = 1


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Model(Config):
    layers: Param[int]
    kept: Meta[Path] = field(default_factory=PathGenerator("kept"))

    @cache("weights.txt")
    def load(self, path: Path) -> Path:
        path.write_text("kept")
        return path


class Part(InstanceConfig):
    size: Param[int] = 1


class Load(LightweightTask):
    model: Param[Model]

    def execute(self) -> None:
        print("loads", self.model.layers)
        self.model.loaded = True  # type: ignore[attr-defined]


class Learn(Task):
    model: Param[Model]
    other: Param[Model | None] = None
    anything: Param[Any] = None
    rates: Param[dict[str, float]] = field(default_factory=dict)
    seed: Param[int] = field(default=0, ignore_default=True)
    version: Constant[int] = 1
    data: Param[Path] = Path("/data")
    parts: Param[list[Part]] = field(default_factory=list)
    before: Param[Task | None] = None
    checkpoint: Meta[Path] = field(default_factory=PathGenerator("model.bin"))

    def execute(self) -> None:
        print(self.rates, self.model.layers, self.__tags__, getattr(self.model, "loaded", False))


@deprecate(Learn)
class OldLearn(Task):
    layers: Param[int]

    def execute(self) -> None:
        print("old", self.layers)

    def __convert__(self) -> Learn:
        return Learn.C(model=Model.C(layers=self.layers))


def learn(**values: Any) -> Learn:
    model = Model.C(layers=3)
    return Learn.C(model=model, other=model, **values)


def test_task_comes_back_as_it_was(tmp_path: Path) -> None:
    anything = [{1: (2, {3})}, b"x", Colour.RED, Access.READ | Access.WRITE, datetime(2026, 1, 1, tzinfo=timezone.utc)]
    task = loaded(learn(rates={"b": 1, "a": 0.5}, anything=anything).tag("x", 1), tmp_path)
    assert type(task) is Learn
    assert task.model.layers == 3
    assert task.model is task.other, "what was shared is shared"
    assert list(task.rates.items()) == [("b", 1.0), ("a", 0.5)], "entries keep their order"
    assert (task.anything, type(task.anything)) == (anything, list)
    assert task.__tags__ == {"x": 1}
    assert task.__taskdir__ == task.jobpath == tmp_path / "jobs/x"


def test_generated_paths_lie_in_the_directory_of_the_job(tmp_path: Path) -> None:
    task = loaded(learn(), tmp_path)
    assert task.checkpoint == tmp_path / "jobs/x/model.bin"
    assert task.model.kept == tmp_path / "jobs/x/out/model/kept"


def test_paths_in_the_workspace_move_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_of(learn()), "argv", ("sweep.py",))  # long ones would lie in a file of the workspace
    here, there = tmp_path / "here", tmp_path / "there"
    first = submitted(learn(), here, "first")
    task = learn(before=first, data=here / "some" / "file", anything=[first.jobpath / "x", Path("/elsewhere")])
    live: Any = payload.load(payload.pack(task, here), workspace=there, identity=seal(task), jobpath=there / "jobs/x")
    assert live.data == there / "some/file"
    assert live.anything == [there / "jobs/first/x", Path("/elsewhere")]
    assert live.before.jobpath == there / "jobs/first"
    assert live.before.checkpoint == there / "jobs/first/model.bin"
    assert live.before.model.kept == there / "jobs/first/out/model/kept"


def test_relative_path_means_what_it_meant_where_it_was_submitted(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert loaded(learn(data=Path("file")), tmp_path / "ws").data == tmp_path / "file"


def test_what_tasks_made_and_what_does_not_count_are_kept(tmp_path: Path) -> None:
    first = submitted(learn(rates={"a": 1}), tmp_path, "first")
    made = made_by(first, Model.C(layers=1))
    aside = setmeta(Model.C(layers=2), True)
    part = Part.C()
    task = learn(anything=[made, aside], parts=[part, Part.C(), part], seed=1)
    live = loaded(task, tmp_path)
    assert [each.layers for each in live.anything] == [1, 2]
    assert live.parts[0] is live.parts[2] is not live.parts[1]


def test_deprecated_task_runs_its_own_code_under_the_identity_of_the_new_one(tmp_path: Path) -> None:
    with pytest.warns(DeprecationWarning, match="OldLearn is deprecated"):
        task = OldLearn.C(layers=3)
    assert seal(task) == seal(Learn.C(model=Model.C(layers=3)))
    assert run_payload(payload.pack(task, tmp_path), seal(task), tmp_path) == "old 3"


def test_initial_tasks_run_first_in_a_fresh_process(tmp_path: Path) -> None:
    task = Learn.C(model=(model := Model.C(layers=tag(3))), rates={"a": 1})
    state_of(task).init_tasks = (Load.C(model=model),)
    found = run_payload(payload.pack(task, tmp_path), seal(task), tmp_path)
    assert found.splitlines() == ["loads 3", "{'a': 1.0} 3 {'layers': 3} True"]


def test_cached_file_is_that_of_the_configuration(tmp_path: Path) -> None:
    one, two = loaded(learn(), tmp_path), loaded(learn(seed=3), tmp_path)
    assert one.model.load() == two.model.load()
    assert one.model.load().read_text() == "kept"
    assert one.model.load().is_relative_to(tmp_path / "config")


def test_payload_of_another_identity_is_refused(tmp_path: Path) -> None:
    data = payload.pack(learn(), tmp_path)
    with pytest.raises(PayloadError, match="its identity is"):
        payload.load(data, workspace=tmp_path, identity="0" * 64, jobpath=tmp_path)


def altered(change: Callable[[dict[str, Any]], None]) -> tuple[bytes, str]:
    """The payload of a task with something changed in it, and its identity."""
    task = learn(rates={"a": 0.5})
    content = msgpack.unpackb(payload.pack(task), strict_map_key=False)
    change(content)
    return msgpack.packb(content), seal(task)


def refer(content: dict[str, Any], name: str, value: bytes) -> None:
    content["objects"][-1]["values"][name] = value


def ext(code: int, data: bytes) -> bytes:
    return msgpack.packb(msgpack.ExtType(code, data))


FORGED: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (lambda c: c.update(version=99), "it has version 99, and this release reads 1 to 2"),
    (lambda c: c.pop("objects"), "it cannot be read (objects: missing)"),
    (lambda c: c.update(objects=[]), "it cannot be read (objects: empty)"),
    (lambda c: c.update(objects=3), "it cannot be read (objects: expected a list, got 3)"),
    (lambda c: c["objects"].reverse(), "refers to configuration 0, of 0"),
    (lambda c: c["objects"][-1].update({"class": 77}), "it cannot be read (objects[1].class: there is no class 77)"),
    (lambda c: c["objects"][0]["values"].update(layers=b"\x05"), "its identity is"),
    (lambda c: c["objects"][0]["values"].update(layers=b"\xa15"), "Model.layers: expected int, got '5' (str)"),
    (lambda c: c["objects"][0]["values"].update(layers=b"\xc1"), "it cannot be read"),
    (lambda c: c["objects"][0].update(counted=[]), "its identity is"),
    (lambda c: c["objects"][0]["values"].update(more=b"\x05"), "Model has no parameter 'more' any more"),
    (lambda c: refer(c, "version", b"\x02"), "the constant Learn.version is now 1, and was 2"),
    (lambda c: refer(c, "data", ext(10, b"\x01../../etc/passwd")), "it has a path that leads elsewhere"),
    (lambda c: refer(c, "data", ext(10, b"\x02/etc/passwd")), "it has a path that leads elsewhere"),
    (lambda c: refer(c, "data", ext(10, b"\x09x")), "it has a path that leads elsewhere"),
    (lambda c: refer(c, "anything", ext(99, b"")), "unknown extension 99"),
    (lambda c: refer(c, "anything", ext(11, b"\x63")), "it refers to configuration 99"),
    (lambda c: refer(c, "anything", ext(11, b"\xa1x")), "it refers to configuration 'x'"),
    (lambda c: c["classes"][0].update(module="os", name="system", id="os:system"), "module 'os' has no class 'system'"),
    (
        lambda c: c["classes"][0].update(module="os", name="Model", id="os:Model", file="/nowhere/os.py"),
        "'os' is another module here: ",
    ),
    (lambda c: c.update(standard={"queue": 1}), "standard.queue: expected true or false, got 1"),
    (
        lambda c: c["classes"][0].update(module="fractions", name="Fraction", id="fractions:Fraction", file=None),
        "Fraction is no class of configurations",
    ),
    (lambda c: c["classes"][0].update(id="other:Model"), "and was 'other:Model'"),
    (lambda c: c["classes"][0].update(module="no_such_module", file=None), "No module named 'no_such_module'"),
    (lambda c: c["classes"][0].update(name="Gone"), "has no class 'Gone'"),
    (lambda c: c["folders"].append("."), "expected an absolute path, got '.'"),
    (lambda c: c["classes"][0].update(file="sweep.py"), "classes[0].file: expected an absolute path, got 'sweep.py'"),
]


@pytest.mark.parametrize(("change", "message"), FORGED, ids=[message[:30] for _, message in FORGED])
def test_forged_payload_is_refused(change: Callable[[dict[str, Any]], None], message: str, tmp_path: Path) -> None:
    data, identity = altered(change)
    with pytest.raises((PayloadError, TaskImportError)) as caught:
        payload.load(data, workspace=tmp_path, identity=identity, jobpath=tmp_path)
    assert message in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(PayloadError):
        payload.load(data, workspace=Path("/ws"), identity="0" * 64, jobpath=Path("/ws/job"))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_payload_is_refused_or_means_the_same(data: st.DataObject) -> None:
    task = learn(rates={"a": 0.5})
    good = payload.pack(task)
    start = good.index(b"objects")
    place = data.draw(st.integers(start, good.index(b"folders") - 1))
    bad = good[:place] + bytes([data.draw(st.integers(0, 255))]) + good[place + 1 :]
    try:
        found: Any = payload.load(bad, workspace=Path("/ws"), identity=seal(task), jobpath=Path("/ws/job"))
    except (PayloadError, TaskImportError):
        return
    assert (found.model.layers, found.rates, found.seed) == (3, {"a": 0.5}, 0)


def test_configuration_that_is_no_task_cannot_be_run(tmp_path: Path) -> None:
    model: Any = Model.C(layers=3)
    with pytest.raises(PayloadError, match="it is a Model, not a task"):
        payload.load(payload.pack(model), workspace=tmp_path, identity=seal(model), jobpath=tmp_path)


SCRIPT = """
    import sys
    from pathlib import Path
    from xpm_core.config import Config, Param, Task
    from xpm_core.wire import payload
    from xpm_core.identity import seal
    {imports}
    class Learn(Task):
        size: Param[int]
        def execute(self):
            print(self.size, __name__, {shown})

    if __name__ == "__main__":
        task = Learn.C(size=3)
        Path(sys.argv[1]).write_bytes(payload.pack(task))
        print(seal(task))
"""


@pytest.mark.parametrize(
    ("file", "imports", "shown", "expected"),
    [
        ("sweep.py", "import helper", "helper.NAME", "3 sweep helper"),
        ("my-sweep.v2.py", "import helper", "helper.NAME", "3 my-sweep.v2 helper"),
        ("random.py", "", "1", "3 random 1"),
    ],
)
def test_script_runs_from_anywhere(file: str, imports: str, shown: str, expected: str, tmp_path: Path) -> None:
    folder, workspace = tmp_path / "project", tmp_path / "ws"
    workspace.mkdir()
    script(folder, "helper.py", "NAME = 'helper'\n")
    script(folder, file, SCRIPT.format(imports=imports, shown=shown))
    place = workspace / "data"
    identity = run(folder / file, place, cwd=tmp_path)
    assert run_payload(place.read_bytes(), identity, workspace) == expected


def test_module_that_fails_on_import_is_named_with_its_reason(tmp_path: Path) -> None:
    script(tmp_path, "broken.py", "raise RuntimeError('no licence')\n")
    file = str(tmp_path / "broken.py")
    data, identity = altered(
        lambda c: c["classes"][0].update(module="broken", name="Model", id="broken:Model", file=file)
    )
    with pytest.raises(TaskImportError) as caught:
        payload.load(data, workspace=tmp_path, identity=identity, jobpath=tmp_path)
    assert (caught.value.module, caught.value.reason) == ("broken", "RuntimeError: no licence")


def test_loading_imports_neither_clients_nor_displays(tmp_path: Path) -> None:
    folder, workspace = tmp_path / "project", tmp_path / "ws"
    workspace.mkdir()
    shown = "[m for m in ('redis', 'rq', 'click', 'rich', 'asyncio') if m in sys.modules]"
    script(folder, "sweep.py", SCRIPT.format(imports="", shown=shown))
    place = workspace / "data"
    identity = run(folder / "sweep.py", place, cwd=tmp_path)
    assert run_payload(place.read_bytes(), identity, workspace) == "3 sweep []"


def test_seeds_are_those_of_the_task_and_its_configurations(tmp_path: Path) -> None:
    parts = [seeded.Part.C(init_seed=n) for n in range(60)]
    found = live_task.seeds(loaded(seeded.Seeded.C(seed=2**64, parts=parts), tmp_path))
    assert list(found.items())[:3] == [("seed", str(2**64)), ("random_state", 5), ("parts[59].init_seed", 59)]
    assert len(found) == 50
    few = seeded.Seeded.C(seed=1, parts=[seeded.Part.C(init_seed=-3)])
    assert live_task.seeds(loaded(few, tmp_path)) == {"seed": 1, "random_state": 5, "parts[0].init_seed": -3}
    assert live_task.seeds(loaded(seeded.Write.C(note="x"), tmp_path)) == {}


def test_worker_describes_a_task_as_the_script_does(tmp_path: Path) -> None:
    first = submitted(learn(), tmp_path, "first")
    task = learn(before=first, anything=[made_by(first, Model.C(layers=tag(1)))], rates={"a": 0.5}).tag("x", 1)
    found, expected = live_task.params(loaded(task, tmp_path)), description.describe(task, workspace=tmp_path)
    assert found == expected
    made = {"class": f"{__name__}:Learn", "identity": seal(first), "job": {"path": "jobs/first", "in": "workspace"}}
    assert found["parameters"]["anything"][0]["made by"] == made
    assert found["tags"] == {"layers": 1, "x": 1}


def test_long_chains_of_tasks_are_described_as_far_as_can_be_read(tmp_path: Path) -> None:
    task: Task = learn()
    for number in range(300):
        task = learn(before=submitted(task, tmp_path, str(number)))
    text = json.dumps(live_task.params(loaded(task, tmp_path)))
    assert '{"path": "jobs/299", "in": "workspace"}' in text
    assert len(text) < 100_000


def test_description_is_readable_and_complete(tmp_path: Path) -> None:
    first = submitted(learn(), tmp_path, "first")
    anything = [2**70, float("nan"), {1: Colour.RED}, (1, {2}), b"\x00", Path("/x")]
    task = learn(before=first, anything=anything, rates={"a": 0.5}).tag("x", 1)
    described = description.describe(task)
    assert json.loads(json.dumps(described)) == described
    assert {name: described[name] for name in ("schema", "identity", "tags")} == {
        "schema": 1,
        "identity": seal(task),
        "tags": {"x": 1},
    }
    values = described["parameters"]
    assert values["model"]["parameters"] == {"layers": 3, "kept": {"path": "out/model/kept", "in": "job"}}
    assert values["other"] == {"see": "Learn.model"}
    assert values["rates"] == {"a": 0.5}
    assert values["before"]["job"] == {"path": str(tmp_path / "jobs/first")}
    assert values["checkpoint"] == {"path": "model.bin", "in": "job"}
    assert values["anything"][:2] == [2**70, {"float": "nan"}]
    assert values["anything"][3:] == [{"tuple": [1, {"set": [2]}]}, {"bytes": "00"}, {"path": "/x"}]
    assert described["ignored"] == ["seed", "data", "checkpoint"]
    assert described["code"]["project"] == "xpm-queue:tests/core/wire/test_payload.py"
