"""The twenty commonest mistakes, and all that is said about each.

Each is run as a script, `sweep.py`, after the lines below; the line that is blamed is the one that makes the mistake.
"""

from __future__ import annotations

import linecache
import sys
import textwrap
import types
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from xpm_core.errors import XpmError

SCRIPT = """\
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal
from xpm_core.config import *
from xpm_core.identity import seal
from xpm_core.language.graph.tags import tag

class Kind(Enum):
    LINEAR = 1
    CONVOLUTIONAL = 2

class Optimiser(Config):
    learning_rate: Param[Annotated[float, Bounds(gt=0)]]
    momentum: Param[float] = 0.9

class Model(Config):
    layers: Param[list[int]]
    kind: Param[Kind] = Kind.LINEAR
    version: Constant[int] = 2

class Learn(Task):
    model: Param[Model]
    optimiser: Param[Optimiser]
    epochs: Param[int] = 10
    size: Param[Literal["small", "large"]] = "small"
    checkpoint: Meta[Path] = field(default_factory=PathGenerator("model.bin"))

    def execute(self): ...

    def __validate__(self):
        assert self.epochs < 1000, "epochs must be below 1000"

model = Model.C(layers=[3, 4])
optimiser = Optimiser.C(learning_rate=0.1)
learn = Learn.C(model=model, optimiser=optimiser)
"""


class Mistake(NamedTuple):
    what: str
    code: str
    message: str


MISTAKES = [
    Mistake(
        "a value of a wrong type",
        "Learn.C(epochs='10')",
        "Learn.epochs: expected int, got '10' (str), set at sweep.py:37. Pass an int.",
    ),
    Mistake(
        "a bool where a number is wanted",
        "learn.epochs = True",
        "Learn.epochs: expected int, got True (bool), set at sweep.py:37. Pass an int.",
    ),
    Mistake(
        "a wrong value deep inside of a list",
        "model.layers = [16, 16.5]",
        "Model.layers[1]: expected int, got 16.5 (float), set at sweep.py:37. Pass an int.",
    ),
    Mistake(
        "a tuple for a list",
        "Model.C(layers=(3, 4))",
        "Model.layers: expected list[int], got (3, 4) (tuple), set at sweep.py:37. Pass a list: [3, 4].",
    ),
    Mistake(
        "a misspelt parameter",
        "Optimiser.C(leaning_rate=0.1)",
        "Optimiser: unknown parameter 'leaning_rate', set at sweep.py:37. Did you mean 'learning_rate'?",
    ),
    Mistake(
        "assigning what is no parameter",
        "learn.callback = print",
        "Learn: unknown parameter 'callback', set at sweep.py:37. "
        "Parameters are: model, optimiser, epochs, size, checkpoint.",
    ),
    Mistake(
        "values without names",
        "Optimiser.C(0.1)",
        "Optimiser: 0.1 has no name, set at sweep.py:37. Give parameters by name: Optimiser.C(learning_rate=...).",
    ),
    Mistake(
        "a forgotten parameter",
        "seal(Learn.C(model=Model.C()))",
        "Learn.model.layers: it has no value, in the configuration made at sweep.py:37; nor has Learn.optimiser. "
        "Give one before you submit.",
    ),
    Mistake(
        "reading a parameter before it has a value",
        "Model.C().layers",
        "Model.layers: it has no value yet, in the configuration made at sweep.py:37. Assign one before you read it.",
    ),
    Mistake(
        "a value out of its bounds",
        "Optimiser.C(learning_rate=0)",
        "Optimiser.learning_rate: expected float > 0, got 0.0 (float), set at sweep.py:37. Pass a float > 0.",
    ),
    Mistake(
        "none of the allowed values",
        "learn.size = 'big'",
        "Learn.size: expected one of 'small', 'large', got 'big' (str), set at sweep.py:37. "
        "Pass one of 'small', 'large'.",
    ),
    Mistake(
        "the name of a member of an Enum",
        "model.kind = 'linear'",
        "Model.kind: expected Kind, got 'linear' (str), set at sweep.py:37. Pass Kind.LINEAR.",
    ),
    Mistake(
        "a class where a configuration is wanted",
        "Learn.C(model=Model)",
        "Learn.model: expected Model, got <class 'sweep.Model'> (ConfigMeta), set at sweep.py:37. "
        "Pass a configuration of it: Model.C(...).",
    ),
    Mistake(
        "a live object where a configuration is wanted",
        "live = model.instance()\nLearn.C(model=live)",
        "Learn.model: expected Model, got LIVE (Model), set at sweep.py:38. "
        "Pass the configuration, not the live object made of it.",
    ),
    Mistake(
        "changing what was sealed",
        "seal(learn)\nlearn.epochs = 20",
        "Learn.epochs: cannot assign 20, it is sealed. Change a copy: learn.copy(epochs=20).",
    ),
    Mistake(
        "changing a list of what was sealed",
        "seal(learn)\nmodel.layers.append(5)",
        "list: cannot be changed, its configuration is sealed: [3, 4]. "
        "Change a copy of the configuration: train.copy(layers=[...]).",
    ),
    Mistake(
        "assigning a constant",
        "Model.C(layers=[3], version=3)",
        "Model.version: cannot assign 3, it is a constant, set at sweep.py:37. Change its value in the class.",
    ),
    Mistake(
        "submitting outside of an experiment",
        "learn.submit()",
        "Learn: submitted outside of any experiment, at sweep.py:37. "
        "Submit it inside of: with experiment(workdir, name) as xp: ...",
    ),
    Mistake(
        "a task without execute",
        "class Evaluate(Task):\n    learn: Param[Learn]\nEvaluate.C(learn=learn)",
        "Evaluate: it has no method execute, so no configuration can be made of it, as at sweep.py:39. "
        "Define execute in the class.",
    ),
    Mistake(
        "values that __validate__ refuses",
        "seal(learn.copy(epochs=5000))",
        "Learn: its values are refused (epochs must be below 1000). Change the configuration made at sweep.py:37.",
    ),
    Mistake(
        "a task that was not submitted",
        "class Evaluate(Task):\n    learn: Param[Learn]\n    def execute(self): ...\nupstream(Evaluate.C(learn=learn))",
        "Evaluate.learn: the Learn made at sweep.py:35 was not submitted. Submit it first.",
    ),
    Mistake(
        "a path that is made in the job",
        "learn.checkpoint",
        "Learn.checkpoint: this path is made in the job's directory, which is not known yet. "
        "Read it once it is submitted. To run it here, for debugging: Learn.C(...).instance().execute().",
    ),
    Mistake(
        "a tag inside of a list",
        "Model.C(layers=[tag(3)])",
        "Model.layers[0]: expected int, got tag(3) (Tagged), set at sweep.py:37. "
        "Tag the whole value of a parameter, or name the tag: learn.tag('layers', 3).",
    ),
    Mistake(
        "a default of a wrong type",
        "class Other(Config):\n    size: Param[int] = 1.5",
        "Other.size: the default: expected int, got 1.5 (float). Pass an int.",
    ),
    Mistake(
        "a type that parameters cannot have",
        "class Other(Config):\n    size: Param[complex]",
        "Other.size: no parameter can have the type complex. "
        "Use int, float, str, bool, Path, an Enum, a Config, list, ...",
    ),
]


@pytest.fixture
def sweep() -> Iterator[types.ModuleType]:
    module = types.ModuleType("sweep")
    module.__file__ = "sweep.py"
    sys.modules["sweep"] = module
    yield module
    del sys.modules["sweep"]
    linecache.clearcache()


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.what)
def test_mistake_is_told_with_place_and_remedy(mistake: Mistake, sweep: types.ModuleType) -> None:
    with pytest.raises(XpmError) as caught:
        exec(compile(SCRIPT + "\n" + textwrap.dedent(mistake.code), "sweep.py", "exec"), vars(sweep))
    live = repr(vars(sweep).get("live"))
    assert str(caught.value).replace(live, "LIVE") == mistake.message
