"""What a machine has, by the files of its system."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from xpm_core.snapshot.facts import machine
from xpm_core.snapshot.facts.machine import machine_facts

CLOSED = (
    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\n"
    "GCC version:  gcc version 12.3.0\n"
)
OPEN = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  565.57.01  Release Build  (dvs-builder@U16)\n"
CARD = "Model: \t\t NVIDIA A100-SXM4-80GB\nIRQ:   \t\t 123\nGPU UUID: \t GPU-1\nDevice Minor: \t {}\n"


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system without cards, whose files tests write."""
    monkeypatch.setattr(machine, "NVIDIA", tmp_path / "nvidia")
    monkeypatch.setattr(machine, "ROCM", tmp_path / "nodes")
    monkeypatch.setattr(machine, "AMD_VERSION", tmp_path / "amdgpu")
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(machine, "_DEVICE_FILES", (str(tmp_path / "nvidiactl"),))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def write(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def test_this_machine_has_what_its_system_says() -> None:
    found = machine_facts()
    assert found["cores"] == len(os.sched_getaffinity(0))
    assert found["memory_bytes"] > 10**8
    assert found["arch"] == os.uname().machine
    assert os.uname().release in found["system"]
    json.dumps(found)


def test_cards_are_listed_in_the_order_of_the_driver(system: Path) -> None:
    write(system / "nvidia" / "version", CLOSED)
    write(system / "nvidia" / "gpus" / "0000:05:00.0" / "information", CARD.format(1).replace("A100", "H100"))
    write(system / "nvidia" / "gpus" / "0000:81:00.0" / "information", CARD.format(0))
    write(system / "nvidia" / "gpus" / "0000:99:00.0" / "information", "nonsense")
    found = machine_facts()
    assert found["gpus"] == ["NVIDIA A100-SXM4-80GB", "NVIDIA H100-SXM4-80GB"]
    assert found["driver"] == "nvidia 550.54.15"


def test_the_open_driver_is_known(system: Path) -> None:
    write(system / "nvidia" / "version", OPEN)
    write(system / "nvidia" / "gpus" / "0" / "information", CARD.format(0))
    assert machine_facts()["driver"] == "nvidia 565.57.01"


def test_a_program_is_asked_where_the_files_lack(system: Path) -> None:
    program = system / "bin" / "nvidia-smi"
    write(program, "#!/bin/sh\necho 'NVIDIA GeForce RTX 4090, 551.86'\necho 'NVIDIA GeForce RTX 4090, 551.86'\n")
    program.chmod(0o755)
    assert "gpus" not in machine_facts()
    write(system / "nvidiactl", "")
    found = machine_facts()
    assert (found["gpus"], found["driver"]) == (["NVIDIA GeForce RTX 4090"] * 2, "nvidia 551.86")


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 1\n", "#!/bin/sh\nexec sleep 60\n", "no program"])
def test_a_program_that_fails_or_hangs_is_no_error(system: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(machine, "ASK_S", 0.2)
    monkeypatch.setenv("PATH", f"{system / 'bin'}:/bin:/usr/bin")
    program = system / "bin" / "nvidia-smi"
    write(program, text)
    program.chmod(0o755)
    write(system / "nvidiactl", "")
    assert "gpus" not in machine_facts()


def test_cards_of_amd_are_found(system: Path) -> None:
    write(system / "amdgpu", "6.7.0\n")
    write(system / "nodes" / "0" / "properties", "cpu_cores_count 64\nsimd_count 0\n")
    write(system / "nodes" / "10" / "properties", "simd_count 440\n\ngfx_target_version 90010\n")
    write(system / "nodes" / "2" / "properties", "simd_count 440\ngfx_target_version 90010\n")
    write(system / "nodes" / "2" / "name", "aldebaran\n")
    found = machine_facts()
    assert (found["gpus"], found["driver"]) == (["aldebaran", "gfx target 90010"], "amdgpu 6.7.0")


def test_the_processor_is_the_first_that_is_named(system: Path) -> None:
    assert "cpu" not in machine_facts()
    write(system / "cpuinfo", "processor\t: 0\nmodel name\t: AMD  EPYC 7543\nprocessor\t: 1\nmodel name\t: other\n")
    assert machine_facts()["cpu"] == "AMD EPYC 7543"
