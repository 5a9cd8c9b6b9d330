"""xpm: experiments as typed configurations, run as jobs on any number of machines.

The public names, each imported when it is first asked for: `import xpm_core` loads none of the client of Redis, the
display or the command line.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xpm_core.config import (
        LATER,
        Bounds,
        Config,
        Constant,
        DataPath,
        DependentMarker,
        InstanceConfig,
        LightweightTask,
        Meta,
        Param,
        PathGenerator,
        ResumableTask,
        Task,
        cache,
        config_of,
        copyconfig,
        deprecate,
        field,
        initializer,
        param_group,
        partial,
        setmeta,
    )
    from xpm_core.errors import FailedExperiment, GracefulTimeout, XpmError
    from xpm_core.job.loops import tqdm, trange
    from xpm_core.job.progress import progress
    from xpm_core.job.running import TaskCancelled
    from xpm_core.language.graph.tags import grid, stop_tags, tag, tagspath
    from xpm_core.script.experiment import experiment
    from xpm_core.store.connector import connect
    from xpm_core.wire.saving import load, save

__version__ = "0.1.0"

__all__ = [
    "LATER",
    "Bounds",
    "Config",
    "Constant",
    "DataPath",
    "DependentMarker",
    "FailedExperiment",
    "GracefulTimeout",
    "InstanceConfig",
    "LightweightTask",
    "Meta",
    "Param",
    "PathGenerator",
    "ResumableTask",
    "Task",
    "TaskCancelled",
    "XpmError",
    "__version__",
    "cache",
    "config_of",
    "connect",
    "copyconfig",
    "deprecate",
    "experiment",
    "field",
    "grid",
    "initializer",
    "load",
    "param_group",
    "partial",
    "progress",
    "save",
    "setmeta",
    "stop_tags",
    "tag",
    "tagspath",
    "tqdm",
    "trange",
]

_HOMES = {
    "FailedExperiment": "xpm_core.errors",
    "GracefulTimeout": "xpm_core.errors",
    "TaskCancelled": "xpm_core.job.running",
    "XpmError": "xpm_core.errors",
    "connect": "xpm_core.store.connector",
    "experiment": "xpm_core.script.experiment",
    "grid": "xpm_core.language.graph.tags",
    "load": "xpm_core.wire.saving",
    "progress": "xpm_core.job.progress",
    "save": "xpm_core.wire.saving",
    "stop_tags": "xpm_core.language.graph.tags",
    "tag": "xpm_core.language.graph.tags",
    "tagspath": "xpm_core.language.graph.tags",
    "tqdm": "xpm_core.job.loops",
    "trange": "xpm_core.job.loops",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES.get(name, "xpm_core.config")
    if name == "experiment" and "XPM_JOB" in os.environ:  # a job can only be refused one: spare it the client of Redis
        home = "xpm_core.job.inside"
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
