"""The names of xpm's own functions and classes in payloads and identities. They stay as they are when a module moves.

A local class can use functions and classes of xpm that its function has imported. The payload names each by its module,
and so does the identity if the function chooses one. Therefore the modules of the release that wrote the first payloads
are recorded, and are translated when a payload is read.

Owns: the translation, in both directions. A function or class that moves again changes its entry here.
"""

from __future__ import annotations

_MOVED = {
    "xpm_core.config.base": {"DependentMarker": "xpm_core.config.dependencies"},
    "xpm_core.config.change": {"copyconfig": "xpm_core.config.composition", "setmeta": "xpm_core.config.composition"},
    "xpm_core.config.fields": {
        "LATER": "xpm_core.language.parameters.fields",
        "Bounds": "xpm_core.language.parameters.bounds",
        "Constant": "xpm_core.language.parameters.fields",
        "DataPath": "xpm_core.language.parameters.fields",
        "Meta": "xpm_core.language.parameters.fields",
        "Param": "xpm_core.language.parameters.fields",
        "PathGenerator": "xpm_core.language.parameters.paths",
        "field": "xpm_core.language.parameters.fields",
        "param_group": "xpm_core.language.parameters.fields",
    },
    "xpm_core.config.live": {"config_of": "xpm_core.config.live_objects"},
    "xpm_core.config.methods": {"cache": "xpm_core.config.decorators", "initializer": "xpm_core.config.decorators"},
    "xpm_core.config.partials": {"partial": "xpm_core.language.identity.partials"},
    "xpm_core.digest": {
        "counted_names": "xpm_core.language.identity.digest",
        "partial_identity": "xpm_core.language.identity.digest",
        "task_id": "xpm_core.language.identity.digest",
    },
    "xpm_core.experiment": {"experiment": "xpm_core.script.experiment"},
    "xpm_core.identity": {
        "class_origins": "xpm_core.language.identity.seal",
        "freeze": "xpm_core.language.identity.seal",
        "missing": "xpm_core.language.identity.seal",
        "seal": "xpm_core.language.identity.seal",
    },
    "xpm_core.job": {"TaskCancelled": "xpm_core.job.running"},
    "xpm_core.loops": {"tqdm": "xpm_core.job.loops", "trange": "xpm_core.job.loops"},
    "xpm_core.reporting": {"progress": "xpm_core.job.progress"},
    "xpm_core.saving": {"load": "xpm_core.wire.saving", "save": "xpm_core.wire.saving"},
    "xpm_core.tags": {
        "grid": "xpm_core.language.graph.tags",
        "stop_tags": "xpm_core.language.graph.tags",
        "tag": "xpm_core.language.graph.tags",
        "tagspath": "xpm_core.language.graph.tags",
    },
}
"""By the module that is recorded: its names, and the modules that have them now."""

_RECORDED = {(now, name): module for module, names in _MOVED.items() for name, now in names.items()}


def is_own(module: str) -> bool:
    """Whether a module belongs to xpm."""
    return module.partition(".")[0] == "xpm_core"


def recorded_module(module: str, name: str) -> str:
    """The module that payloads and identities name for an object.

    Args:
        module: The module that has the object now.
        name: The qualified name of the object.

    Example:
        >>> recorded_module("xpm_core.job.progress", "progress")
        'xpm_core.reporting'
    """
    return _RECORDED.get((module, name.partition(".")[0]), module)


def present_module(module: str, name: str) -> str:
    """The module that has an object now.

    Args:
        module: The module that a payload names.
        name: The qualified name of the object.
    """
    return _MOVED.get(module, {}).get(name.partition(".")[0], module)
