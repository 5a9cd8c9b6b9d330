"""xpm: experiments as typed configurations, run as jobs on any number of machines.

These are the public names. Each is imported when it is first used. So `import xpm_core` loads neither the client of
Redis, nor the display, nor the command line.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# Type checkers and editors find the public names here. A test keeps these imports equal to _HOMES.
if TYPE_CHECKING:
    from xpm_core.config import LATER as LATER
    from xpm_core.config import Bounds as Bounds
    from xpm_core.config import Config as Config
    from xpm_core.config import Constant as Constant
    from xpm_core.config import DataPath as DataPath
    from xpm_core.config import DependentMarker as DependentMarker
    from xpm_core.config import InstanceConfig as InstanceConfig
    from xpm_core.config import LightweightTask as LightweightTask
    from xpm_core.config import Meta as Meta
    from xpm_core.config import Param as Param
    from xpm_core.config import PathGenerator as PathGenerator
    from xpm_core.config import ResumableTask as ResumableTask
    from xpm_core.config import Task as Task
    from xpm_core.config import cache as cache
    from xpm_core.config import config_of as config_of
    from xpm_core.config import copyconfig as copyconfig
    from xpm_core.config import deprecate as deprecate
    from xpm_core.config import field as field
    from xpm_core.config import initializer as initializer
    from xpm_core.config import param_group as param_group
    from xpm_core.config import partial as partial
    from xpm_core.config import setmeta as setmeta
    from xpm_core.errors import FailedExperiment as FailedExperiment
    from xpm_core.errors import GracefulTimeout as GracefulTimeout
    from xpm_core.errors import XpmError as XpmError
    from xpm_core.job.loops import tqdm as tqdm
    from xpm_core.job.loops import trange as trange
    from xpm_core.job.progress import progress as progress
    from xpm_core.job.reporting.metrics import log as log
    from xpm_core.job.reporting.results import output as output
    from xpm_core.job.reporting.results import result as result
    from xpm_core.job.running import TaskCancelled as TaskCancelled
    from xpm_core.language.graph.tags import grid as grid
    from xpm_core.language.graph.tags import stop_tags as stop_tags
    from xpm_core.language.graph.tags import tag as tag
    from xpm_core.language.graph.tags import tagspath as tagspath
    from xpm_core.reading.look import look as look
    from xpm_core.script.experiment import experiment as experiment
    from xpm_core.store.connector import connect as connect
    from xpm_core.wire.saving import load as load
    from xpm_core.wire.saving import save as save

__version__ = "0.1.0"

_HOMES = {
    "xpm_core.config": (
        "LATER", "Bounds", "Config", "Constant", "DataPath", "DependentMarker", "InstanceConfig", "LightweightTask",
        "Meta", "Param", "PathGenerator", "ResumableTask", "Task", "cache", "config_of", "copyconfig", "deprecate",
        "field", "initializer", "param_group", "partial", "setmeta",
    ),
    "xpm_core.errors": ("FailedExperiment", "GracefulTimeout", "XpmError"),
    "xpm_core.job.loops": ("tqdm", "trange"),
    "xpm_core.job.progress": ("progress",),
    "xpm_core.job.reporting.metrics": ("log",),
    "xpm_core.job.reporting.results": ("output", "result"),
    "xpm_core.job.running": ("TaskCancelled",),
    "xpm_core.language.graph.tags": ("grid", "stop_tags", "tag", "tagspath"),
    "xpm_core.reading.look": ("look",),
    "xpm_core.script.experiment": ("experiment",),
    "xpm_core.store.connector": ("connect",),
    "xpm_core.wire.saving": ("load", "save"),
}  # fmt: skip
"""The public names, by the module that has them."""

_MODULES = {name: module for module, names in _HOMES.items() for name in names}

# Constants first, then classes, then functions.
__all__ = sorted(["__version__", *_MODULES], key=lambda name: (not name.isupper(), name.islower(), name))


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "experiment" and "XPM_JOB" in os.environ:
        module = "xpm_core.job.inside"  # it only refuses the experiment, and loads no client of Redis
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
