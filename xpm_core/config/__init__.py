"""The configurations of scripts: the classes that they derive from, and what can be done with a configuration.

Processes of jobs load this room, so it imports neither redis nor rq. May import `job` and `language`.
"""

from __future__ import annotations

from xpm_core.config.attributes import experiments
from xpm_core.config.base import (
    Config,
    InstanceConfig,
    LightweightTask,
    ResumableTask,
    Task,
)
from xpm_core.config.composition import copyconfig, setmeta
from xpm_core.config.decorators import cache, initializer
from xpm_core.config.dependencies import DependentMarker, outputs, produced_by, upstream
from xpm_core.config.deprecation import deprecate
from xpm_core.config.live_objects import config_of
from xpm_core.language.graph.state import ConfigState, is_configuration, state_of
from xpm_core.language.identity.partials import Partial, partial
from xpm_core.language.parameters.annotations import CONVERTERS
from xpm_core.language.parameters.bounds import Bounds
from xpm_core.language.parameters.fields import LATER, Constant, DataPath, Meta, Param, field, param_group
from xpm_core.language.parameters.object_kinds import object_kind
from xpm_core.language.parameters.paths import PathGenerator
from xpm_core.language.parameters.schema import ParameterGroup

state = state_of
"""The public name of `state_of`, since the first release."""

__all__ = [
    "LATER",
    "Bounds",
    "Config",
    "ConfigState",
    "Constant",
    "DataPath",
    "DependentMarker",
    "InstanceConfig",
    "LightweightTask",
    "Meta",
    "Param",
    "ParameterGroup",
    "Partial",
    "PathGenerator",
    "ResumableTask",
    "Task",
    "cache",
    "config_of",
    "copyconfig",
    "deprecate",
    "experiments",
    "field",
    "initializer",
    "is_configuration",
    "outputs",
    "param_group",
    "partial",
    "produced_by",
    "setmeta",
    "state",
    "state_of",
    "upstream",
]

CONVERTERS.append(object_kind)
