"""The language: what scripts declare and configure."""

from __future__ import annotations

from xpm_core.config.base import Config, LightweightTask, ResumableTask, Task, experiments
from xpm_core.config.fields import (
    LATER,
    Bounds,
    Constant,
    Meta,
    Param,
    ParameterGroup,
    PathGenerator,
    field,
    param_group,
)
from xpm_core.config.outputs import outputs, upstream
from xpm_core.graph import ConfigState, is_configuration, state

__all__ = [
    "LATER",
    "Bounds",
    "Config",
    "ConfigState",
    "Constant",
    "LightweightTask",
    "Meta",
    "Param",
    "ParameterGroup",
    "PathGenerator",
    "ResumableTask",
    "Task",
    "experiments",
    "field",
    "is_configuration",
    "outputs",
    "param_group",
    "state",
    "upstream",
]
