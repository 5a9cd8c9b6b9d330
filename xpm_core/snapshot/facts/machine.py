"""What machine this is: processor, memory, graphics cards and their driver, operating system.

Owns: where these facts are found. They are read from files of the system; a program is run only where these lack.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ASK_S = 5.0
"""How long a program of the system may take to answer, seconds."""
MOST_GPUS = 64

NVIDIA = Path("/proc/driver/nvidia")
ROCM = Path("/sys/class/kfd/kfd/topology/nodes")
AMD_VERSION = Path("/sys/module/amdgpu/version")
CPUINFO = Path("/proc/cpuinfo")

_VERSION = re.compile(r"Kernel Module(?: for \w+)?\s+([\d.]+)|\s([\d]{3,}\.[\d.]+)\s")
_DEVICE_FILES = ("/dev/nvidiactl", "/dev/dxg")
"""If one of them exists, there may be cards of NVIDIA that /proc does not name, as under WSL."""


def machine_facts() -> dict[str, Any]:
    """What this machine has. What is not known, or not there, is left out.

    Returns:
        `cpu`: its model. `cores`: how many this process may use. `memory_bytes`: all that the machine has. `gpus`: the
        name of each card, in the order of the driver. `driver`: that of the cards. `system`: the operating system and
        its kernel. `libc`: the C library. `arch`: the architecture.

    Example:
        >>> machine_facts()
        {'cpu': 'AMD EPYC 7543', 'cores': 16, 'memory_bytes': 540000000000, 'gpus': ['NVIDIA A100-SXM4-80GB'], ...}
    """
    gpus, driver = _gpus()
    found = {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": _memory(),
        "gpus": gpus,
        "driver": driver,
        "system": _system(),
        "libc": _libc(),
        "arch": platform.machine(),
    }
    return {name: value for name, value in found.items() if value}


def _cpu() -> str:
    """The model of the processor; empty if the system does not say it, as some ARM systems."""
    if sys.platform == "darwin":
        return _answer("sysctl", "-n", "machdep.cpu.brand_string").strip()
    with contextlib.suppress(OSError), CPUINFO.open(errors="replace") as lines:
        for line in lines:
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "cpu model", "Hardware"):
                return " ".join(value.split())
    return ""


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return 0


def _system() -> str:
    """Such as `Debian GNU/Linux 12 (bookworm), Linux 6.1.0-18-amd64`."""
    kernel = f"{os.uname().sysname} {os.uname().release}"
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}, {kernel}"
    try:
        name = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except (OSError, ValueError):
        name = ""
    return f"{name}, {kernel}" if name else kernel


def _libc() -> str:
    """Such as `glibc 2.36`; empty if it does not say so."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, OSError, ValueError):
        return ""


# -- graphics cards ----------------------------------------------------------------------------------------------------


def _gpus() -> tuple[list[str], str]:
    """The names of the graphics cards, and the version of their driver."""
    version = _read(NVIDIA / "version")
    cards = sorted(_nvidia_cards())
    if cards:
        found = _VERSION.search(version)
        return [name for _, name in cards][:MOST_GPUS], f"nvidia {found[1] or found[2]}" if found else "nvidia"
    if any(map(os.path.exists, _DEVICE_FILES)) and (answered := _asked_nvidia())[0]:
        return answered
    amd = list(_amd_cards())[:MOST_GPUS]
    return amd, f"amdgpu {_read(AMD_VERSION).strip()}".strip() if amd else ""


def _nvidia_cards() -> Iterator[tuple[int, str]]:
    """The number and the name of each card of NVIDIA."""
    for card in _listed(NVIDIA / "gpus"):
        said = dict(_pair(line) for line in _read(card / "information").splitlines())
        if "Model" in said:
            minor = said.get("Device Minor", "")
            yield int(minor) if minor.isdigit() else MOST_GPUS, said["Model"]


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def _asked_nvidia() -> tuple[list[str], str]:
    """What `nvidia-smi` says of the cards."""
    said = _answer("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")
    cards = [line.rpartition(",") for line in said.splitlines() if "," in line][:MOST_GPUS]
    return [name.strip() for name, _, _ in cards], f"nvidia {cards[0][2].strip()}" if cards else ""


def _amd_cards() -> Iterator[str]:
    """The names of AMD's cards for computing. A node of the list that is a processor has no `simd_count`."""
    for node in sorted(_listed(ROCM), key=lambda node: (len(node.name), node.name)):
        said = dict(_pair(line.replace(" ", ":", 1)) for line in _read(node / "properties").splitlines())
        if said.get("simd_count", "0") != "0":
            yield _read(node / "name").strip() or f"gfx target {said.get('gfx_target_version', '?')}"


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _read(file: Path) -> str:
    """The text of a file; empty if it cannot be read."""
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""


def _answer(program: str, *arguments: str) -> str:
    """What a program prints; empty if there is none, or it fails, or takes too long."""
    path = shutil.which(program)
    if path is None:
        return ""
    try:
        ended = subprocess.run(
            [path, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=ASK_S, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return ended.stdout.decode(errors="replace") if not ended.returncode else ""
