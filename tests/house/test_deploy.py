"""The files of deploy/ are right by the tools that read them, and call the worker with options that it has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers.project_files import ROOT, command_problem, require

UNIT = ROOT / "deploy" / "xpm-worker@.service"
COMPOSE = ROOT / "deploy" / "compose.yaml"
DOCKERFILE = ROOT / "deploy" / "Dockerfile"


def tool(name: str) -> str:
    """Where an optional program is: one of this environment, or of the system; skips without it, fails in CI."""
    found = shutil.which(name, path=os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])) or ""
    require(found, name)
    return found


def systemd_verify(unit: Path, runtime: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [tool("systemd-analyze"), *options, "verify", str(unit)],
        capture_output=True,
        text=True,
        env={**os.environ, "XDG_RUNTIME_DIR": str(runtime)},
    )


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content = yaml.safe_load(COMPOSE.read_text())
    assert isinstance(content, dict)
    return content


@pytest.mark.parametrize("manager", ["--system", "--user"])
def test_unit_is_accepted_without_a_word_by_either_manager(tmp_path: Path, manager: str) -> None:
    result = systemd_verify(UNIT, tmp_path, manager)
    assert (result.returncode, result.stderr) == (0, "")


def test_unknown_key_in_a_unit_would_be_noticed(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("RestartSec=", "RestartSeconds="))
    assert "RestartSeconds" in systemd_verify(unit, tmp_path).stderr


def test_unit_starts_the_worker_with_options_that_exist() -> None:
    (command,) = (line for line in UNIT.read_text().splitlines() if line.startswith("ExecStart="))
    program, *words = command.removeprefix("ExecStart=/usr/bin/env ").split()
    assert command_problem(program, words) is None


def test_compose_file_follows_the_specification() -> None:
    checker = [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    result = subprocess.run(checker, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_compose_server_keeps_what_it_acknowledged_and_evicts_nothing(compose: dict[str, Any]) -> None:
    command = compose["services"]["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"
    assert all(port.startswith("127.0.0.1:") for port in compose["services"]["redis"]["ports"])


def test_compose_workers_wait_for_the_server_and_use_options_that_exist(compose: dict[str, Any]) -> None:
    worker = compose["services"]["worker"]
    assert worker["depends_on"]["redis"]["condition"] == "service_healthy"
    assert worker["deploy"]["replicas"] >= 2
    program, *words = worker["command"]
    assert command_problem(program, words) is None


def test_image_copies_files_that_exist(compose: dict[str, Any]) -> None:
    assert (COMPOSE.parent / compose["services"]["worker"]["build"]["context"]).resolve() == ROOT
    assert (ROOT / compose["services"]["worker"]["build"]["dockerfile"]).resolve() == DOCKERFILE
    copies = [line.split()[1:-1] for line in DOCKERFILE.read_text().splitlines() if line.startswith("COPY ")]
    assert copies
    for source in (name for line in copies for name in line):
        assert (ROOT / source).exists(), f"Dockerfile copies {source}, which does not exist"
