"""Configurations from plain values, and back: from_dict, to_dict, from_yaml."""

from __future__ import annotations

import json
import sys
from abc import abstractmethod
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum, Flag
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

import pydantic
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from xpm_core import Bounds, Config, Constant, Meta, Param, PathGenerator, Task, field
from xpm_core.config import InstanceConfig, copyconfig, deprecate, setmeta, state
from xpm_core.errors import (
    ConfigurationError,
    CycleError,
    MissingPackageError,
    MissingParameterError,
    NestingError,
    ParameterTypeError,
    ParameterValueError,
    SealedError,
    UnknownParameterError,
    YamlError,
)
from xpm_core.identity import seal

T = TypeVar("T")


class Loss(Enum):
    CROSS = "cross-entropy"
    HINGE = "hinge"


class Mode(Flag):
    FAST = 1
    SAFE = 2


@dataclass
class Range:
    low: int
    high: int = 9


class Wide(pydantic.BaseModel):
    size: pydantic.PositiveInt = pydantic.Field(alias="Size")


class Optimizer(Config):
    lr: Param[float] = 0.1


class Adam(Optimizer):
    beta: Param[float] = 0.9


class Model(Config):
    @abstractmethod
    def forward(self) -> None: ...


class MLP(Model):
    layers: Param[list[int]]

    def forward(self) -> None: ...


class CNN(Model):
    width: Param[int]

    def forward(self) -> None: ...


class Loader(Config, Generic[T]):
    items: Param[list[T]]


class Part(InstanceConfig):
    size: Param[int] = 1


class Learn(Task):
    epochs: Param[int] = 1
    lr: Param[float] = 0.5
    name: Param[str] = ""
    amp: Param[bool] = False
    maybe: Param[int | None] = None
    device: Param[Literal["cpu", "cuda"]] = "cpu"
    share: Param[Annotated[float, Bounds(gt=0, lt=1)]] = 0.5
    loss: Param[Loss] = Loss.CROSS
    losses: Param[dict[Loss, float]] = field(default_factory=dict)
    mode: Param[Mode] = Mode.FAST
    layers: Param[list[int]] = field(default_factory=list)
    window: Param[tuple[int, float]] = (1, 0.5)
    names: Param[tuple[str, ...]] = ()
    folds: Param[set[int]] = field(default_factory=set)
    by_number: Param[dict[int, list[str]]] = field(default_factory=dict)
    since: Param[date | None] = None
    at: Param[datetime | None] = None
    daily: Param[time | None] = None
    span: Param[timedelta] = timedelta(seconds=1)
    key: Param[bytes] = b""
    anything: Param[Any] = None
    data: Param[Path | None] = None
    optimizer: Param[Optimizer] = field(default=Optimizer.C())
    optimizers: Param[dict[str, Optimizer]] = field(default_factory=dict)
    model: Param[MLP | CNN | None] = None
    base: Param[Model | None] = None
    loader: Param[Loader[Path] | None] = None
    range: Param[Range] = Range(1)
    wide: Param[Wide | None] = None
    either: Param[str | list[str] | dict[str, int]] = ""
    threads: Meta[int] = 1
    version: Constant[int] = 2
    checkpoint: Meta[Path] = field(default_factory=PathGenerator("model.bin"))

    def execute(self) -> None: ...


FULL: dict[str, Any] = {
    "epochs": 3,
    "lr": 1e-4,
    "name": "no",
    "amp": True,
    "maybe": 4,
    "device": "cuda",
    "share": 0.25,
    "loss": "HINGE",
    "losses": {"CROSS": 0.5, "HINGE": 1.5},
    "mode": 3,
    "layers": [1, 2],
    "window": [2, 0.25],
    "names": ["a", "b"],
    "folds": [1, 2],
    "by_number": {1: ["x"], 2: []},
    "since": "2024-02-29",
    "at": "2024-02-29T12:00:00+01:00",
    "daily": "12:30:00",
    "span": {"days": 1, "seconds": 30, "microseconds": 5},
    "key": "AP8=",
    "anything": {"a": [1, None, {"b": 0.5}]},
    "data": "/data/x",
    "optimizer": {"class": "Adam", "lr": 0.3, "beta": 0.5},
    "optimizers": {"first": {"lr": 0.1}, "second": {"class": "Adam", "lr": 0.1, "beta": 0.9}},
    "model": {"class": "CNN", "width": 3},
    "base": {"class": "MLP", "layers": [3]},
    "loader": {"items": ["/a", "/b"]},
    "range": {"low": 2, "high": 5},
    "wide": {"size": 4},
    "either": ["a"],
    "threads": 8,
}


def test_values_become_what_the_parameters_declare() -> None:
    learn = Learn.from_dict(FULL)
    assert (learn.epochs, learn.lr, learn.name, learn.amp, learn.maybe) == (3, 1e-4, "no", True, 4)
    assert (learn.loss, learn.losses) == (Loss.HINGE, {Loss.CROSS: 0.5, Loss.HINGE: 1.5})
    assert (learn.mode, learn.window, learn.names) == (Mode.FAST | Mode.SAFE, (2, 0.25), ("a", "b"))
    assert (learn.folds, learn.by_number) == ({1, 2}, {1: ["x"], 2: []})
    assert (learn.since, learn.daily) == (date(2024, 2, 29), time(12, 30))
    assert learn.at is not None
    assert learn.at.utcoffset() == timedelta(hours=1)
    assert (learn.span, learn.key) == (timedelta(days=1, seconds=30, microseconds=5), b"\x00\xff")
    assert (learn.data, learn.range, learn.wide) == (Path("/data/x"), Range(2, 5), Wide(Size=4))
    assert (type(learn.optimizer), learn.optimizer.lr) == (Adam, 0.3)
    assert [type(each) for each in learn.optimizers.values()] == [Optimizer, Adam]
    assert (type(learn.model), type(learn.base)) == (CNN, MLP)
    assert learn.loader is not None
    assert learn.loader.items == [Path("/a"), Path("/b")]


def test_dict_of_a_configuration_makes_an_equal_one() -> None:
    learn = Learn.from_dict(FULL)
    assert learn.to_dict() == FULL
    assert seal(Learn.from_dict(learn.to_dict())) == seal(learn)
    assert seal(Learn.from_dict(Learn.C().to_dict())) == seal(Learn.C())


def test_yaml_of_a_configuration_makes_an_equal_one() -> None:
    learn = Learn.from_dict(FULL)
    text = yaml.safe_dump(learn.to_dict(), sort_keys=False)
    assert seal(Learn.from_yaml(StringIO(text))) == seal(learn)


def test_what_has_no_entry_keeps_its_default_or_is_missing() -> None:
    assert MLP.from_dict({}).missing() == ["MLP.layers"]
    assert seal(Learn.from_dict({})) == seal(Learn.C())


def test_values_of_Python_are_taken_as_they_are() -> None:
    given = {"loss": Loss.HINGE, "data": Path("x"), "window": (2, 0.5), "optimizer": Adam.C(lr=0.3), "range": Range(3)}
    learn = Learn.from_dict({**given, "since": date(2024, 1, 1), "folds": {1}})
    assert {name: getattr(learn, name) for name in given} == given


@pytest.mark.parametrize(
    ("values", "kind", "said"),
    [
        ({"epochs": "3"}, ParameterTypeError, "Learn.epochs: expected int, got '3' (str), set at "),
        ({"epochs": 3.0}, ParameterTypeError, "Learn.epochs: expected int, got 3.0 (float), set at "),
        ({"amp": 1}, ParameterTypeError, "Learn.amp: expected bool, got 1 (int), set at "),
        ({"name": 3}, ParameterTypeError, "Learn.name: expected str, got 3 (int), set at "),
        ({"share": 1.5}, ParameterValueError, "Learn.share: expected float > 0 and < 1, got 1.5 (float), set at "),
        ({"loss": "hinge"}, ParameterTypeError, "Learn.loss: expected Loss, got 'hinge' (str), set at "),
        ({"losses": {"X": 1.0}}, ParameterTypeError, "Learn.losses{key 'X'}: expected Loss, got 'X' (str), set at "),
        ({"layers": [1, "2"]}, ParameterTypeError, "Learn.layers[1]: expected int, got '2' (str), set at "),
        ({"layers": 3}, ParameterTypeError, "Learn.layers: expected list[int], got 3 (int), set at "),
        ({"window": [1]}, ParameterValueError, "Learn.window: expected tuple[int, float], got [1] (list), set at "),
        ({"folds": [1, 1]}, ParameterValueError, "Learn.folds: expected set[int], got [1, 1] (list), set at "),
        ({"by_number": {"1": []}}, ParameterTypeError, "Learn.by_number{key '1'}: expected int, got '1' (str), set at"),
        ({"by_number": {1: [2]}}, ParameterTypeError, "Learn.by_number[1][0]: expected str, got 2 (int), set at "),
        ({"since": "today"}, ParameterTypeError, "Learn.since: expected date | None, got 'today' (str), set at "),
        ({"span": {"days": 0.5}}, ParameterTypeError, "Learn.span: expected timedelta, got {'days': 0.5} (dict), set "),
        ({"key": "&"}, ParameterTypeError, "Learn.key: expected bytes, got '&' (str), set at "),
        ({"lerning": 3}, UnknownParameterError, "Learn: unknown parameter 'lerning', set at "),
        ({"epoch": 3}, UnknownParameterError, "Learn: unknown parameter 'epoch', set at "),
        ({"optimizer": {"l": 3}}, UnknownParameterError, "Learn.optimizer: unknown parameter 'l', set at "),
        ({"optimizer": 3}, ParameterTypeError, "Learn.optimizer: expected Optimizer, got 3 (int), set at "),
        ({"optimizers": {"a": {"lr": ""}}}, ParameterTypeError, "Learn.optimizers['a'].lr: expected float, got ''"),
        ({"optimizer": {"class": "Adan"}}, ParameterValueError, "Learn.optimizer: class: 'Adan' is none of the "),
        ({"optimizer": {"class": "MLP"}}, ParameterValueError, "Learn.optimizer: class: 'MLP' is none of the "),
        ({"model": {"width": 3}}, ParameterValueError, "Learn.model: it could be MLP or CNN, set at "),
        ({"base": {"width": 3}}, ParameterValueError, "Learn.base: Model has no method forward, so none can be made"),
        ({"loader": {"items": [3]}}, ParameterTypeError, "Learn.loader.items[0]: expected Path, got 3 (int), set at "),
        ({"range": {"lo": 3}}, UnknownParameterError, "Learn.range: unknown parameter 'lo', set at "),
        ({"range": {"low": "3"}}, ParameterTypeError, "Learn.range.low: expected int, got '3' (str), set at "),
        ({"range": {"high": 3}}, ParameterValueError, "Learn.range: Range refuses its fields ("),
        ({"wide": {"size": 0}}, ParameterValueError, "Learn.wide.size: expected int > 0, got 0 (int), set at "),
        ({"version": 2}, SealedError, "Learn.version: cannot set 2, it is a constant, set at "),
        ({"either": 3}, ParameterTypeError, "Learn.either: expected str | list[str] | dict[str, int], got 3"),
        ({"either": {"a": ""}}, ParameterTypeError, "Learn.either['a']: expected int, got '' (str), set at "),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path(
    values: dict[str, Any], kind: type[ConfigurationError], said: str
) -> None:
    with pytest.raises(kind) as error:
        Learn.from_dict(values)
    assert str(error.value).startswith(said)
    assert "test_plain.py:" in str(error.value)


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        ({"epoch": 3}, "Did you mean 'epochs'?"),
        ({"loss": "hinge"}, "Write CROSS or HINGE."),
        ({"optimizer": {"class": "Adan"}}, "Did you mean 'Adam'?"),
        ({"optimizer": {"class": "MLP"}}, "There are: Adam, Optimizer."),
        ({"model": {"width": 3}}, "Name the class: class: MLP."),
        ({"base": {"width": 3}}, "Name a class: class: CNN, MLP."),
        ({"window": [1]}, "Write 2 items, not 1."),
        ({"folds": [1, 1]}, "Write each item once."),
        ({"optimizer": 3}, "Write a dict of the parameters of Optimizer."),
        ({"span": {"days": 0.5}}, "Write it as {days: 1, seconds: 30} (got {'days': 0.5})."),
    ],
)
def test_error_says_what_to_write(values: dict[str, Any], remedy: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        Learn.from_dict(values)
    assert str(error.value).endswith(remedy)


def test_class_can_be_named_in_full() -> None:
    learn = Learn.from_dict({"optimizer": {"class": f"{Adam.__module__}:Adam"}})
    assert type(learn.optimizer) is Adam
    assert type(Optimizer.from_dict({"class": "Adam"})) is Adam


def test_name_of_several_classes_has_to_be_given_in_full() -> None:
    def inner() -> type:
        class Adam(Optimizer): ...

        return Adam

    other = inner()
    with pytest.raises(ParameterValueError, match=r"class: 'Adam' is the name of several classes, .*Name one in full"):
        Optimizer.from_dict({"class": "Adam"})
    assert Learn.C(optimizer=Adam.C()).to_dict()["optimizer"]["class"] == f"{Adam.__module__}:Adam"
    del other


def test_text_that_fits_several_types_is_refused_in_both_directions() -> None:
    class Ambiguous(Config):
        value: Param[Path | Loss]
        text: Param[str | Path] = ""

    with pytest.raises(ParameterValueError, match=r"Ambiguous\.value: .*It could be Path or Loss"):
        Ambiguous.from_dict({"value": "CROSS"})
    assert Ambiguous.from_dict({"value": "x"}).value == Path("x")
    with pytest.raises(ParameterValueError, match=r"Ambiguous\.text: plain values cannot tell it: .*read as 'x'"):
        Ambiguous.C(value=Path("x"), text=Path("x")).to_dict()
    with pytest.raises(ParameterValueError, match=r"Ambiguous\.value: plain values cannot tell it: .*read as 'CROSS'"):
        Ambiguous.C(value=Loss.CROSS).to_dict()


def test_what_plain_values_cannot_tell_is_refused() -> None:
    class Holder(Config):
        value: Param[Any] = None
        part: Param[Part | None] = None

    with pytest.raises(ParameterValueError, match=r"Holder\.value\['a'\]: .*\(1,\) is of a type that is not declared"):
        Holder.C(value={"a": (1,)}).to_dict()
    with pytest.raises(ParameterValueError, match=r"Holder\.part: .*setmeta\(\) was called for it\. Use save\(\)"):
        Holder.C(part=setmeta(Part.C(), True)).to_dict()
    made = Part.C()
    state(made).source = Learn.C()
    with pytest.raises(ParameterValueError, match=r"Holder\.part: .*it was made by a task\. Use save\(\)"):
        Holder.C(part=made).to_dict()


def test_shared_configuration_is_a_shared_dict_and_back() -> None:
    class Pair(Config):
        first: Param[Part]
        second: Param[Part]

    part = Part.C()
    shared, apart = Pair.C(first=part, second=part), Pair.C(first=part, second=copyconfig(part))
    found = Pair.from_dict(shared.to_dict())
    assert found.first is found.second
    assert seal(Pair.from_dict(shared.to_dict())) == seal(shared)
    assert seal(Pair.from_dict(apart.to_dict())) == seal(apart) != seal(shared)
    assert "&id001" in yaml.safe_dump(shared.to_dict())
    again = Pair.from_yaml(StringIO(yaml.safe_dump(shared.to_dict())))
    assert again.first is again.second


def test_dict_that_contains_itself_is_refused() -> None:
    class Node(Config):
        next: Param[Node | None] = None

    values: dict[str, Any] = {}
    values["next"] = values
    with pytest.raises(CycleError, match=r"Node\.next: it contains itself"):
        Node.from_dict(values)


def test_dict_that_is_nested_too_deep_is_refused() -> None:
    class Node(Config):
        next: Param[Node | None] = None

    values: dict[str, Any] = {}
    for _ in range(10_000):
        values = {"next": values}
    with pytest.raises(NestingError, match=r"Node: its values are nested deeper than"):
        Node.from_dict(values)


class Plain(Config):
    text: Param[str]
    number: Param[int | float | bool | None]
    path: Param[Path]
    loss: Param[Loss]
    moment: Param[datetime]
    span: Param[timedelta]
    key: Param[bytes]
    pairs: Param[list[tuple[str, bool]]]
    sets: Param[dict[Loss, frozenset[int]]]
    part: Param[Optimizer | None]


numbers = st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none()
optimizers = st.none() | st.builds(Optimizer.C, lr=st.floats()) | st.builds(Adam.C, beta=st.floats())
plains = st.builds(
    Plain.C,
    text=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])),
    number=numbers,
    path=st.text("ab/.", min_size=1).map(Path),
    loss=st.sampled_from(Loss),
    moment=st.datetimes(),
    span=st.timedeltas(),
    key=st.binary(),
    pairs=st.lists(st.tuples(st.text("ab"), st.booleans())),
    sets=st.dictionaries(st.sampled_from(Loss), st.frozensets(st.integers())),
    part=optimizers,
)


@given(plains)
def test_every_configuration_comes_back_from_plain_values(config: Plain) -> None:
    values = config.to_dict()
    assert seal(Plain.from_dict(json.loads(json.dumps(values)))) == seal(config)
    assert seal(Plain.from_yaml(StringIO(yaml.safe_dump(values, allow_unicode=True)))) == seal(config)


def test_deprecated_names_are_followed() -> None:
    class New(Config):
        values: Param[list[int]] = field(default_factory=list)

        @deprecate
        def value(self, value: int) -> None:
            self.values = [value]

    with pytest.warns(DeprecationWarning, match=r"New\.value is deprecated"):
        assert New.from_dict({"value": 3}).values == [3]


def test_omegaconf_containers_are_taken() -> None:
    whole = Learn.from_dict(OmegaConf.create({"epochs": 7, "layers": "${oc.create:[1,2]}", "threads": "${epochs}"}))
    assert (whole.epochs, whole.layers, whole.threads) == (7, [1, 2], 7)
    parts = OmegaConf.create({"rate": 0.25, "optimizer": {"class": "Adam", "lr": "${rate}"}, "layers": [3]})
    found = Learn.from_dict({"optimizer": parts.optimizer, "layers": parts.layers})
    assert (found.optimizer.lr, found.layers) == (0.25, [3])


def test_what_omegaconf_lacks_is_told_with_its_path() -> None:
    with pytest.raises(MissingParameterError, match=r"Learn\.optimizer\.lr: it is missing \(\?\?\?\)"):
        Learn.from_dict(OmegaConf.create({"optimizer": {"lr": "???"}}))
    with pytest.raises(ParameterValueError, match=r"Learn\.epochs: OmegaConf cannot read it \(Interpolation key"):
        Learn.from_dict(OmegaConf.create({"epochs": "${nowhere}"}))


def write(folder: Path, text: str) -> Path:
    file = folder / "learn.yaml"
    file.write_text(text)
    return file


def test_yaml_errors_name_the_line_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = write(tmp_path, "epochs: 3\noptimizer:\n  class: Adam\n  lr: fast\n")
    with pytest.raises(ParameterTypeError) as error:
        Learn.from_yaml(file)
    assert str(error.value) == (
        "Learn.optimizer.lr: expected float, got 'fast' (str), set at learn.yaml:4. Pass a float."
    )
    write(tmp_path, "layers:\n- 1\n- 2\n- x\n")
    with pytest.raises(ParameterTypeError, match=r"Learn\.layers\[2\]: .*set at learn\.yaml:4\."):
        Learn.from_yaml("learn.yaml")
    write(tmp_path, "epochs: 3\nepoch: 4\n")
    with pytest.raises(UnknownParameterError, match=r"Learn: unknown parameter 'epoch', set at learn\.yaml:2"):
        Learn.from_yaml("learn.yaml")


def test_configuration_of_yaml_remembers_its_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    learn = Learn.from_yaml(write(tmp_path, "epochs: 3\noptimizer:\n  lr: 0.5\n"))
    assert state(learn).created == "learn.yaml:1"
    assert state(learn.optimizer).place("lr") == "learn.yaml:3"


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("lr: 1e-4", "lr", 1e-4),
        ("lr: .5", "lr", 0.5),
        ("lr: -.inf", "lr", float("-inf")),
        ("lr: 3", "lr", 3.0),
        ("name: no", "name", "no"),
        ("name: 12:30", "name", "12:30"),
        ("name: 2024-01-01", "name", "2024-01-01"),
        ("since: 2024-01-01", "since", date(2024, 1, 1)),
        ("epochs: 010", "epochs", 10),
        ("epochs: 0x10", "epochs", 16),
        ("epochs: 0o10", "epochs", 8),
        ("amp: true", "amp", True),
        ("maybe: ~", "maybe", None),
        ("maybe:", "maybe", None),
        ("name: '3'", "name", "3"),
        ("a: &a {lr: 0.7}\noptimizer: {<<: *a}", "a", None),
    ],
)
def test_yaml_means_what_it_looks_like(text: str, name: str, value: Any) -> None:
    if name == "a":
        with pytest.raises(UnknownParameterError, match="unknown parameter 'a'"):
            Learn.from_yaml(StringIO(text))
        return
    found = getattr(Learn.from_yaml(StringIO(text)), name)
    assert (type(found), found) == (type(value), value)


def test_yaml_merges_entries_of_an_anchor() -> None:
    learn = Learn.from_yaml(StringIO("optimizers:\n  a: &a {lr: 0.7}\n  b: {<<: *a, class: Adam, beta: 0.5}\n"))
    assert isinstance(learn.optimizers["b"], Adam)
    assert (learn.optimizers["b"].lr, learn.optimizers["b"].beta) == (0.7, 0.5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("epochs: 3\nlr: 0.1\nepochs: 4\n", "learn.yaml:3: 'epochs' stands twice, first in line 1. Keep one of them."),
        ("epochs: [3\n", "learn.yaml:2: it is no YAML (expected ',' or ']', but got '<stream end>'). Correct it."),
        ("epochs: !!python/object:os.system {}\n", "learn.yaml:1: it is no YAML (could not determine a constructor"),
        ("a: 1\n---\nb: 2\n", "learn.yaml:2: it is no YAML (but found another document). Correct it."),
    ],
)
def test_what_is_no_yaml_is_told_with_its_line(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, text)
    with pytest.raises(YamlError) as error:
        Learn.from_yaml("learn.yaml")
    assert str(error.value).startswith(said)


def test_file_that_is_not_there_or_empty_is_told(tmp_path: Path) -> None:
    with pytest.raises(YamlError, match=r"none\.yaml: cannot be read \(.*No such file"):
        Learn.from_yaml(tmp_path / "none.yaml")
    with pytest.raises(ParameterTypeError, match=r"Learn: expected Learn, got None \(NoneType\)"):
        Learn.from_yaml(write(tmp_path, ""))


def test_yaml_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.delitem(sys.modules, "xpm_core.language.dict_form.yaml_files", raising=False)
    monkeypatch.delattr("xpm_core.language.dict_form.yaml_files", raising=False)
    with pytest.raises(MissingPackageError, match=r"Learn\.from_yaml: needs PyYAML, .*pip install 'xpm\[yaml\]'"):
        Learn.from_yaml("learn.yaml")
