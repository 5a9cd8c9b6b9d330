"""docs/howto: what cannot run in a test (systemd, Docker, Slurm) is read by the tools that it is meant for."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
from helpers.documents import blocks
from helpers.project_files import ROOT, command_problem, require

HOWTO = ROOT / "docs" / "howto"
UNIT = ROOT / "deploy" / "xpm-worker@.service"


def texts(page: str, kind: str) -> list[str]:
    return [block.text for block in blocks(HOWTO / f"{page}.md") if block.kind == kind]


def tool(name: str) -> str:
    found = shutil.which(name, path=os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])) or ""
    require(found, name)
    return found


def test_environment_file_names_what_the_unit_uses() -> None:
    (text,) = (each for each in texts("systemd", "ini") if not each.startswith("["))
    values = dict(line.split("=", 1) for line in text.splitlines())
    assert {name for name in values if f"${{{name}}}" in UNIT.read_text() or f"${name}" in UNIT.read_text()} == {
        "XPM_WORKSPACE",
        "XPM_WORKER_OPTIONS",
    }
    assert command_problem("xpm-worker", values["XPM_WORKER_OPTIONS"].split()) is None


def test_drop_in_is_accepted_by_systemd(tmp_path: Path) -> None:
    (text,) = (each for each in texts("systemd", "ini") if each.startswith("["))
    parsed = configparser.ConfigParser()
    parsed.read_string(text)
    assert parsed.sections() == ["Service"]
    unit = tmp_path / UNIT.name
    unit.write_text(f"{UNIT.read_text()}\n{text}")
    command = [tool("systemd-analyze"), "--system", "verify", str(unit)]
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "XDG_RUNTIME_DIR": "/tmp"})
    assert (result.returncode, result.stderr) == (0, "")


def test_compose_file_of_the_page_follows_the_specification(tmp_path: Path) -> None:
    (text,) = texts("docker", "yaml")
    file = tmp_path / "compose.override.yaml"
    file.write_text(text)
    command = [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(file)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("page", ["docker", "slurm", "systemd"])
def test_shell_can_read_the_commands(page: str) -> None:
    for text in texts(page, "text"):
        result = subprocess.run([tool("bash"), "-n"], input=text, capture_output=True, text=True)
        assert (result.returncode, result.stderr) == (0, "")
