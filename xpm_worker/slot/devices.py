"""The devices of this machine that a worker may use, where a variable of its own lists them.

A job holds numbered units of a token, and a variable such as CUDA_VISIBLE_DEVICES tells it which devices they are. A
worker that was itself given some (as Slurm does) has those only: unit 0 is the first of its own list, whatever that
calls it, and a unit beyond the list is none of this machine's. Where a worker has no such list, unit 0 is device 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from xpm_core.errors import SettingsError

_NONE = ("", "none", "void", "nodevfiles")
_LIST = re.compile(r"\w*VISIBLE_DEVICES|GPU_DEVICE_ORDINAL|ZE_AFFINITY_MASK")


def own_devices(environment: Mapping[str, str]) -> dict[str, list[str]]:
    """The devices that each such variable lists, in order: numbers, or names such as `GPU-8932f937`.

    As in CUDA, what stands behind one that there cannot be (`-1`, or nothing) does not count.
    """
    return {name: _listed(text) for name, text in environment.items() if _LIST.fullmatch(name) and text != "all"}


def counted(devices: Mapping[str, list[str]]) -> str:
    """How many they are, as claims tell: `CUDA_VISIBLE_DEVICES=2,ROCR_VISIBLE_DEVICES=1`."""
    return ",".join(f"{name}={len(devices[name])}" for name in sorted(devices))


def named(variables: Mapping[str, str], devices: Mapping[str, list[str]]) -> dict[str, str]:
    """The variables that name a job's units, with this machine's names for them.

    Raises:
        SettingsError: The job holds a unit that this machine has not.
    """
    return {
        name: ",".join(_name(name, unit, devices[name]) for unit in units.split(",")) if name in devices else units
        for name, units in variables.items()
    }


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
