"""What type checkers say of a script. Each line with an error says so: `# E` for both, `# E mypy`, `# E pyright`."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

from xpm_core.config import (
    LATER,
    Bounds,
    Config,
    Constant,
    LightweightTask,
    Meta,
    Param,
    PathGenerator,
    Task,
    copyconfig,
    deprecate,
    field,
    initializer,
    setmeta,
)
from xpm_core.language.graph.tags import grid, tag, tagspath

T = TypeVar("T")


class Kind(Enum):
    SMALL = 1


class Model(Config):
    layers: Param[int]
    kind: Param[Kind] = Kind.SMALL
    dropout: Param[Annotated[float, Bounds(ge=0)]] = 0.5
    version: Constant[str] = "1"

    @initializer
    def initialize(self, seed: int) -> str:
        return str(seed)


class Loader(Config, Generic[T]):
    item: Param[T]


class Learn(Task):
    model: Param[Model]
    epochs: Param[int] = field(default=100)
    widths: Param[list[int]] = field(default_factory=list)
    wrong: Param[int] = field(default="x")  # E
    later: Param[int] = field(ignore_default=3)
    checkpoint: Meta[Path] = field(default_factory=PathGenerator("model.bin"))
    table: Param[dict[int, Path]] = field(default_factory=dict)
    maybe: Param[Model | None] = None

    def execute(self) -> None:
        self.model.initialize(3).upper()
        self.model.initialize("x")  # E
        self.checkpoint.write_text("x")


class Unfinished(Task):
    size: Param[int]


class Load(LightweightTask):
    model: Param[Model]

    def execute(self) -> None: ...


model = Model.C(layers=3)
learn = Learn.C(model=model, later=1)

# wrong names
Model.C(layer=3)  # E
Model(layer=3)  # E
learn.epoch = 3  # E
learn.callback = print  # E
print(learn.epoch)  # E

# wrong types
Model.C(layers="3")  # E
Model(layers="3")  # E
Learn.C(model=3, later=1)  # E
Learn.C(model=Model, later=1)  # E
Learn.C(model=model, later=1, widths=["x"])  # E
Learn.C(model=model, later=1, table={"x": Path("x")})  # E
learn.epochs = "x"  # E
learn.model = "x"  # E
learn.maybe = None
learn.model.kind = "SMALL"  # E

# missing arguments, and positional ones
Model.C()  # E
Learn.C(later=1)  # E
Learn(later=1)  # E
Model.C(3)  # E
Learn.C(model=LATER, later=LATER)
Unfinished.C(size=3)  # E pyright

# types are kept
learn.submit().epochs + 1
learn.submit().epochs + "x"  # E
learn.submit(init_tasks=[Load.C(model=model)]).add_dependencies(learn).on_completed(lambda task: print(task.epochs))
learn.submit(init_tasks=[model])  # E
learn.copy(epochs=3).model.layers.bit_length()
copyconfig(learn, epochs=3).model.layers.bit_length()
learn.instance().checkpoint.exists()
setmeta(model, True).layers.bit_length()
(learn @ model).epochs.bit_length()
Learn.C(model=model, later=1, epochs=tag(100)).jobpath.exists()
Learn.C(model=model, later=1, epochs=tag("x"))  # E
tagspath(learn).upper()
for values in grid({"epochs": [1, 2]}):
    Learn.C(model=model, later=1, **values)
Loader[int].C(item=3).item.bit_length()
Loader(item=3).item.bit_length()
Loader(item=3).item.upper()  # E
Loader[int](item="x")  # E
Loader[int].C(item="x")  # E
anything: Any = learn.tags()["x"]


@deprecate(Learn)
class OldLearn(Task):
    rate: Param[float]

    def execute(self) -> None: ...

    def __convert__(self) -> Learn:
        return Learn.C(model=model, later=1)


@deprecate
class Renamed(Model):
    pass


@Model.value_class()
class HeavyModel(Model):
    pass


OldLearn.C(rate=1.0).rate.is_integer()
OldLearn.C(rate="x")  # E
Renamed.C(layers="x")  # E
HeavyModel.C(layers="x")  # E


class Taken(Task):
    identity: Param[int]
    state: Param[str]
    stdout: Meta[Path]
    stderr: Meta[Path]
    wait: Param[float]

    def execute(self) -> None: ...


class Own(Task):
    state = "own"

    def wait(self) -> int:
        return 3

    def execute(self) -> None: ...


Taken.C(identity=1, state="x", stdout=Path("o"), stderr=Path("e"), wait=1.0).state.upper()
Taken.C(identity="x", state="x", stdout=Path("o"), stderr=Path("e"), wait=1.0)  # E
Own.C().wait().bit_length()
learn.stdout.exists()
learn.on_completed(lambda: None).epochs.bit_length()
learn.on_completed(lambda done: done.epochs.bit_length())
learn.on_completed(lambda done, other: None)  # E
