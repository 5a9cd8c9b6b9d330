"""Local classes that use names of xpm which their function has imported; test_own_names.py pins their identities."""

from __future__ import annotations


def learn():
    from pathlib import Path
    from typing import Annotated

    from xpm_core import (
        LATER,
        Bounds,
        Config,
        Constant,
        Meta,
        Param,
        PathGenerator,
        Task,
        TaskCancelled,
        cache,
        config_of,
        copyconfig,
        field,
        initializer,
        param_group,
        partial,
        progress,
        save,
        setmeta,
        tag,
        tagspath,
        tqdm,
    )
    from xpm_core.config import DependentMarker
    from xpm_core.errors import GracefulTimeout
    from xpm_core.identity import seal

    group = param_group("sizes")

    class Model(Config):
        layers: Param[int] = 3
        rate: Param[Annotated[float, Bounds(ge=0)]] = 0.5
        shared = partial(exclude_groups=[group])

        @initializer
        def initialize(self):
            return self.layers

    class Learn(Task):
        model: Param[Model]
        version: Constant[str] = "1"
        size: Param[int] = field(default=2, groups=[group])
        out: Meta[Path] = field(default_factory=PathGenerator("out.txt"))

        def task_outputs(self, dep: DependentMarker):
            return dep(self)

        def execute(self):
            try:
                progress(sum(tqdm(range(3))))
            except (TaskCancelled, GracefulTimeout):
                raise
            save(config_of(self.model), "model")
            return self.model.initialize(), LATER, cache, copyconfig, seal, setmeta, tag, tagspath

    return Learn.C(model=Model.C())


def chosen(fast: bool):
    from xpm_core import Bounds, Task, TaskCancelled, progress, tqdm

    if fast:
        show, error = tqdm, TaskCancelled
    else:
        show, error = progress, Bounds

    class Chosen(Task):
        def execute(self):
            return show, error

    return Chosen.C()
