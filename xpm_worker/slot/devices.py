"""The devices of this machine that a worker may use, if an environment variable lists them.

A job holds numbered units of a token. A variable such as CUDA_VISIBLE_DEVICES says which devices these are. If the
worker has such a variable itself, as Slurm sets it, then it may use only the devices of this list: unit 0 is the first
device of the list, whatever its name there, and a unit beyond the list does not exist on this machine. If the worker
has no such list, unit 0 is device 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from xpm_core.errors import SettingsError

_NONE = ("", "none", "void", "nodevfiles")
_LIST = re.compile(r"\w*VISIBLE_DEVICES|GPU_DEVICE_ORDINAL|ZE_AFFINITY_MASK")


def own_devices(environment: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the devices that each such variable lists, in order: numbers, or names such as `GPU-8932f937`.

    As in CUDA, the list ends at the first entry that cannot be a device, such as `-1` or an empty one.

    Args:
        environment: The worker's environment.

    Example:
        >>> own_devices({"CUDA_VISIBLE_DEVICES": "2,3", "HOME": "/home/me"})
        {'CUDA_VISIBLE_DEVICES': ['2', '3']}
    """
    return {name: _listed(text) for name, text in environment.items() if _LIST.fullmatch(name) and text != "all"}


def counted(devices: Mapping[str, list[str]]) -> str:
    """Return how many devices there are, in the form of claims: `CUDA_VISIBLE_DEVICES=2,ROCR_VISIBLE_DEVICES=1`."""
    return ",".join(f"{name}={len(devices[name])}" for name in sorted(devices))


def named(variables: Mapping[str, str], devices: Mapping[str, list[str]]) -> dict[str, str]:
    """Return the variables of a job that name its units, with this machine's names for them.

    Args:
        variables: The job's units by variable, such as `{"CUDA_VISIBLE_DEVICES": "0,1"}`.
        devices: The worker's devices, see `own_devices`.

    Raises:
        SettingsError: The job holds a unit that this machine does not have.

    Example:
        >>> named({"CUDA_VISIBLE_DEVICES": "1"}, {"CUDA_VISIBLE_DEVICES": ["2", "3"]})
        {'CUDA_VISIBLE_DEVICES': '3'}
    """
    return {
        name: ",".join(_name(name, unit, devices[name]) for unit in units.split(",")) if name in devices else units
        for name, units in variables.items()
    }


def visible(env: Mapping[str, str], devices: Mapping[str, list[str]]) -> dict[str, str]:
    """Return the variables that say which devices a job saw: those of the job, else those of the worker.

    Args:
        env: The variables that the job got.
        devices: The worker's devices, see `own_devices`.

    Example:
        >>> visible({"CUDA_VISIBLE_DEVICES": "3", "LR": "1"}, {"CUDA_VISIBLE_DEVICES": ["2", "3"]})
        {'CUDA_VISIBLE_DEVICES': '3'}
    """
    own = {name: ",".join(listed) for name, listed in devices.items()}
    return own | {name: value for name, value in env.items() if _LIST.fullmatch(name)}


def _listed(text: str) -> list[str]:
    found: list[str] = []
    for each in map(str.strip, text.split(",")):
        if each.lower() in _NONE or each.startswith("-"):
            break
        found.append(each)
    return found


def _name(variable: str, unit: str, own: list[str]) -> str:
    if int(unit) >= len(own):
        problem = f"unit {unit} is none of this worker's {len(own)} devices ({', '.join(own)})"
        raise SettingsError(variable, problem, "Start a worker that has it.")
    return own[int(unit)]
