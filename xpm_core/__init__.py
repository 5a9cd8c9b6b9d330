"""xpm: experiments as typed configurations, run as jobs on any number of machines.

The public names, each imported when it is first asked for: `import xpm_core` loads none of the client of Redis, the
display or the command line.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xpm_core.config import (
        LATER,
        Bounds,
        Config,
        Constant,
        LightweightTask,
        Meta,
        Param,
        PathGenerator,
        ResumableTask,
        Task,
        field,
        param_group,
    )
    from xpm_core.errors import FailedExperiment, XpmError
    from xpm_core.experiment import experiment
    from xpm_core.store.connector import connect
    from xpm_core.tags import grid, stop_tags, tag, tagspath

__version__ = "0.1.0"

__all__ = [
    "LATER",
    "Bounds",
    "Config",
    "Constant",
    "FailedExperiment",
    "LightweightTask",
    "Meta",
    "Param",
    "PathGenerator",
    "ResumableTask",
    "Task",
    "XpmError",
    "__version__",
    "connect",
    "experiment",
    "field",
    "grid",
    "param_group",
    "stop_tags",
    "tag",
    "tagspath",
]

_HOMES = {
    "FailedExperiment": "xpm_core.errors",
    "XpmError": "xpm_core.errors",
    "connect": "xpm_core.store.connector",
    "experiment": "xpm_core.experiment",
    "grid": "xpm_core.tags",
    "stop_tags": "xpm_core.tags",
    "tag": "xpm_core.tags",
    "tagspath": "xpm_core.tags",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES.get(name, "xpm_core.config")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
