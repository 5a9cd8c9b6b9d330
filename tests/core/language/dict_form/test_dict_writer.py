"""From configurations to plain values, and back without a loss."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from dict_samples import Adam, Learn, Loss, Optimizer, Part
from hypothesis import example, given
from hypothesis import strategies as st

from xpm_core import Config, Param
from xpm_core.config import copyconfig, setmeta, state_of
from xpm_core.errors import (
    ParameterValueError,
)
from xpm_core.identity import seal


def test_text_that_fits_several_types_is_refused_in_both_directions() -> None:
    class Ambiguous(Config):
        value: Param[Path | Loss]
        text: Param[str | Path] = ""

    with pytest.raises(ParameterValueError, match=r"Ambiguous\.value: .*It could be Path or Loss"):
        Ambiguous.from_dict({"value": "CROSS"})
    assert Ambiguous.from_dict({"value": "x"}).value == Path("x")
    with pytest.raises(ParameterValueError, match=r"Ambiguous\.text: plain values cannot express it: .*read as 'x'"):
        Ambiguous.C(value=Path("x"), text=Path("x")).to_dict()
    with pytest.raises(
        ParameterValueError, match=r"Ambiguous\.value: plain values cannot express it: .*read as 'CROSS'"
    ):
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
    state_of(made).source = Learn.C()
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


class Quoting(yaml.SafeDumper):
    """Quotes texts: PyYAML writes YAML 1.1, where `0E0` is a text without quotes. We read YAML 1.2: a number."""


Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


@given(plains)
@example(
    Plain.C(
        text="0E0",
        number=1,
        path=Path("1e3"),
        loss=Loss.CROSS,
        moment=datetime(2024, 2, 29),
        span=timedelta(0),
        key=b"",
        pairs=[],
        sets={},
        part=None,
    )
)
def test_every_configuration_comes_back_from_plain_values(config: Plain) -> None:
    values = config.to_dict()
    assert seal(Plain.from_dict(json.loads(json.dumps(values)))) == seal(config)
    assert seal(Plain.from_yaml(StringIO(yaml.dump(values, Dumper=Quoting, allow_unicode=True)))) == seal(config)
