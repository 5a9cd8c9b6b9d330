"""Tags: how values get them, where they go, and the paths made of them."""

from __future__ import annotations

import copy
import enum
import pickle
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_core.config import Config, Param, Task, copyconfig, field, outputs, state_of
from xpm_core.config.dependencies import made_by
from xpm_core.errors import ParameterTypeError
from xpm_core.identity import seal
from xpm_core.language.graph.tags import COMPONENT_BYTES, grid, name_from_tags, stop_tags, tag, tagspath
from xpm_core.wire import payload


class Kind(enum.Enum):
    SMALL = 1


class Shape(enum.Enum):
    SMALL = 1


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Model(Config):
    layers: Param[int] = 1
    kind: Param[Kind] = Kind.SMALL
    path: Param[Path | None] = None


class Learn(Task):
    model: Param[Model | None] = None
    models: Param[list[Model]] = field(default_factory=list)
    rate: Param[float] = 0.1
    before: Param[Task | None] = None

    def execute(self) -> None: ...


def test_tag_has_the_name_of_the_parameter() -> None:
    learn = Learn.C(rate=tag(1), model=Model.C(kind=tag(Kind.SMALL), path=tag(Path("a"))))
    assert learn.tags() == {"kind": "SMALL", "path": "a", "rate": 1}
    assert learn.rate == 1.0
    learn.models = [Model.C(layers=tag(3))]
    assert list(learn.tags()) == ["kind", "layers", "path", "rate"], "they come in the order of their names"


def test_tagging_changes_no_identity() -> None:
    assert seal(Model.C(layers=tag(3)).tag("any", 1)) == seal(Model.C(layers=3))


def test_tag_goes_when_its_parameter_is_assigned_anew() -> None:
    learn = Learn.C(rate=tag(1)).tag("note", "x")
    learn.rate = 2
    assert learn.tags() == {"note": "x"}
    learn.rate = tag(3)
    assert copyconfig(learn).tags() == {"note": "x", "rate": 3}
    assert copyconfig(learn, rate=4).tags() == {"note": "x"}


def test_wrong_tag_is_refused() -> None:
    with pytest.raises(ParameterTypeError, match=r"tag: Model\(.*\) cannot be a tag, set at .*\. Name it"):
        tag(Model.C())
    with pytest.raises(ParameterTypeError, match=r"cannot be a tag, .* Tag a text, a number or an Enum"):
        Model.C().tag("x", [1])  # type: ignore[arg-type]
    with pytest.raises(ParameterTypeError, match="Tag the whole value of a parameter"):
        Learn.C(models=[tag(3)])  # type: ignore[list-item]
    with pytest.raises(ParameterTypeError, match=r"models\[0\]: .* Pass the whole value to it: stop_tags"):
        Learn.C(models=[stop_tags(Model.C())])
    with pytest.raises(ParameterTypeError, match="expected float, got 'x'"):
        Learn.C(rate=tag("x"))  # type: ignore[arg-type]


def test_tags_are_stopped_where_asked() -> None:
    model = Model.C(layers=tag(3))
    learn = Learn.C(model=stop_tags(model), models=[Model.C(path=tag(Path("x")))])
    assert learn.tags() == {"path": "x"}
    learn.model = model
    assert learn.tags() == {"layers": 3, "path": "x"}
    learn.model = stop_tags(model)
    assert copyconfig(learn).tags() == {"path": "x"}
    assert Learn.C(models=stop_tags([model])).tags() == {}


def test_tags_go_through_what_tasks_make() -> None:
    first = Learn.C(rate=tag(1))
    state_of(first).submitted = object()
    assert Learn.C(before=outputs(first)).tags() == {"rate": 1}
    model = made_by(first, Model.C(layers=tag(2)))
    assert Learn.C(model=model).tags() == {"layers": 2, "rate": 1}


def test_two_values_of_one_tag_warn_with_both_places() -> None:
    learn = Learn.C(rate=tag(1), model=Model.C(layers=tag(1)), models=[Model.C(layers=tag(1)), Model.C(layers=tag(2))])
    with pytest.warns(UserWarning, match=r"Learn: tag 'layers' is 1, set at .*:\d+, and 2, set at .*:\d+") as caught:
        assert learn.tags() == {"layers": 1, "rate": 1}
    assert caught[0].filename == __file__


def test_two_values_of_one_tag_warn_once() -> None:
    """A submission collects tags, and so does `task.tags()`: in other lines."""
    learn = Learn.C(model=Model.C(layers=tag(1)), models=[Model.C(layers=tag(2))])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        learn.tags()
        learn.tags()
    assert [each.category for each in caught] == [UserWarning]


def test_two_values_that_read_alike_warn_as_paths_write_them() -> None:
    learn = Learn.C(model=Model.C().tag("a", Kind.SMALL)).tag("a", "SMALL")
    with pytest.warns(UserWarning, match=r"tag 'a' is 'SMALL', set at .*:\d+, and Kind@SMALL, set at .*:\d+"):
        assert learn.tags() == {"a": "SMALL"}


def test_equal_tags_do_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Learn.C(models=[Model.C(layers=tag(1)), Model.C(layers=tag(1))]).tags() == {"layers": 1}


def test_tags_of_diamonds_take_no_time() -> None:
    config: Any = Model.C(layers=tag(3))
    for _ in range(60):
        config = Pair.C(a=config, b=config)
    assert config.tags() == {"layers": 3}


class Pair(Config):
    a: Param[Config]
    b: Param[Config]


PATHS: list[tuple[dict[str, Any], str]] = [
    ({}, "no-tags"),
    ({"model": "mlp", "epochs": 100}, "epochs=100,model=mlp"),
    ({"lr": 0.1, "flag": True}, "flag=True,lr=0.1"),
    ({"a": "1"}, "a='1'"),
    ({"a": "True"}, "a='True'"),
    ({"a": ""}, "a=''"),
    ({"a": "1e5"}, "a='1e5'"),
    ({"a": 1.0}, "a=1.0"),
    ({"a": "x/y"}, "a=x%2Fy"),
    ({"a": "x,b=c"}, "a=x%2Cb%3Dc"),
    ({"a": "'1'"}, "a=%271%27"),
    ({"é": "ü"}, "%C3%A9=%C3%BC"),
    ({".hidden": 1}, "%2Ehidden=1"),
    ({"a": "b~"}, "a=b%7E"),
    ({"a": 1e300}, "a=1e+300"),
    ({"a": None}, "a=None"),
    ({"a": "None"}, "a='None'"),
    ({"a": Path("x/y")}, "a=@x%2Fy"),
    ({"a": Kind.SMALL}, "a=Kind@SMALL"),
    ({"a": Access.READ}, "a=Access@READ"),
    ({"a": Access(0)}, "a=Access@0"),
    ({"a": "Kind@SMALL"}, "a=Kind%40SMALL"),
]


@pytest.mark.parametrize(("tags", "expected"), PATHS)
def test_path_of_tags(tags: dict[str, Any], expected: str) -> None:
    assert tagspath(tagged(tags)) == expected


def tagged(tags: dict[str, Any]) -> Config:
    config = Model.C()
    for name, value in tags.items():
        config.tag(name, value)
    return config


plain_labels = st.text(max_size=12) | st.integers() | st.booleans() | st.floats()
lookalikes = st.sampled_from(["None", "a", "SMALL", "Kind@SMALL", "@a", "1", "1.0", "True", "nan", "0", 0, 1, 1.0])
values = st.none() | st.sampled_from([*Kind, *Shape, *Access, Access(0)]) | st.text("a/@.", max_size=3).map(Path)
labels = plain_labels | lookalikes | values
tag_sets = st.dictionaries(st.text(max_size=8), labels, max_size=4)


@given(tag_sets, tag_sets)
def test_different_tags_give_different_names_of_files(one: dict[str, Any], other: dict[str, Any]) -> None:
    paths = [tagspath(tagged(tags)) for tags in (one, other)]
    kinds = [sorted((name, str(type(value)), repr(value)) for name, value in tags.items()) for tags in (one, other)]
    assert (paths[0] == paths[1]) == (kinds[0] == kinds[1])
    for path in paths:
        assert path.isascii()
        assert not set(path) & set('/\\:*?"<>| \n\0')
        assert not path.startswith(".")


@pytest.mark.parametrize("value", [None, Kind.SMALL, Access.READ, Access(0), Path("x"), "x", 2**70])
def test_tags_reach_the_job_as_they_read(value: Any, tmp_path: Path) -> None:
    learn = Learn.C().tag("a", value)
    data = payload.pack(learn, tmp_path)
    live = payload.load(data, workspace=tmp_path, identity=seal(learn), jobpath=tmp_path)
    assert live.__dict__["__tags__"] == learn.tags()
    copies = (copy.deepcopy(learn.tags()), pickle.loads(pickle.dumps(learn.tags())))
    assert [name_from_tags(tags) for tags in copies] == [tagspath(learn)] * 2


def test_long_path_is_cut_and_still_tells_tags_apart(tmp_path: Path) -> None:
    paths = [tagspath(tagged({"a": "x" * 400 + end})) for end in "12"]
    assert [len(path) for path in paths] == [COMPONENT_BYTES] * 2
    assert len(set(paths)) == 2
    for path in paths:
        (tmp_path / path).touch()


def test_grid_gives_all_combinations_tagged() -> None:
    models = {"mlp": Model.C(layers=3), "svm": Model.C(layers=4)}
    learns = [Learn.C(**values) for values in grid({"rate": [0.1, 0.2], "model": models})]
    assert [learn.tags() for learn in learns] == [
        {"model": "mlp", "rate": 0.1},
        {"model": "svm", "rate": 0.1},
        {"model": "mlp", "rate": 0.2},
        {"model": "svm", "rate": 0.2},
    ]
    assert learns[1].model is models["svm"]
    assert list(grid({})) == [{}]
    with pytest.raises(ParameterTypeError, match="cannot be a tag"):
        list(grid({"model": [Model.C()]}))
