"""`xpm doctor`, as people and programs see it. What each check finds is in tests/core/diagnosis."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from helpers.simulated_jobs import ERROR, Lab
from helpers.typed_commands import PROGRAM, Shell
from helpers.user_scripts import Desktop

from xpm_cli.commands.upkeep import doctor
from xpm_core.labels import short
from xpm_core.states import State

pytestmark = pytest.mark.redis

Xpm = Callable[..., Result]


def test_healthy_workspace_has_a_line_for_each_check(lab: Lab, xpm: Xpm) -> None:
    lab.end("a")
    result = xpm("doctor")
    assert (result.exit_code, result.stderr) == (0, "")
    *findings, last = result.stdout.splitlines()
    assert [line.split(":")[0].split()[1] for line in findings] == [
        *("python", "redis", "redis", "workspace", "workers", "imports", "jobs", "files", "links", "index", "lists"),
        "view",
    ]
    assert [line for line in findings if line[0] != "✓"] == [
        "! redis: AOF is off: a restart forgets jobs that are not done     "
        "on the server: CONFIG SET appendonly yes, and in its configuration"
    ]
    assert last == "1 warning"


def test_many_faults_are_found_and_mended_in_one_go(shell: Shell, lab: Lab) -> None:
    for name in ("a", "b", "gone"):
        lab.end(name)
    lab.end("bad", State.FAILED, ERROR)
    (lab.directory("a").path / ".xpm" / "done").write_bytes(b"")
    (lab.directory("bad").path / ".xpm" / "failed").unlink()
    for link in lab.workspace.path.glob("experiments/*/jobs/*/*"):
        link.unlink()
    for file in lab.workspace.path.glob(".xpm/index/*"):
        file.unlink()
    lab.client.delete(*lab.client.keys("rq:*"))
    shutil.rmtree(lab.directory("gone").path)
    found = shell.run("doctor")
    assert found.returncode == 1
    lines = found.stdout.splitlines()
    assert lines[-1] == "4 errors, 3 warnings"
    assert f"✗ jobs: 1 job: damaged marker: {short(lab.identity('a'))}     xpm doctor --repair" in lines
    mended = shell.run("doctor", "--repair")
    assert mended.returncode == 1
    assert [line.split(" mended: ")[0] for line in mended.stdout.splitlines() if " mended: " in line] == [
        "✓ jobs:",
        "✓ jobs:",
        "✓ links:",
        "✓ index:",
        "✓ view for RQ:",
    ]
    [left] = [line for line in mended.stdout.splitlines() if line.startswith("✗")]
    gone = f"1 job: done, and the directory is gone: {short(lab.identity('gone'))}"
    assert left == f"✗ jobs: {gone}     run their script again, it runs these jobs anew"
    assert mended.stdout.splitlines()[-1] == "1 error, 1 warning, 5 mended"
    assert "mended" not in shell.run("doctor", "--repair").stdout


def test_document_says_the_same(lab: Lab, xpm: Xpm) -> None:
    lab.end("a")
    (lab.directory("a").path / ".xpm" / "done").unlink()
    document = json.loads(xpm("doctor", "--json").stdout)
    assert (document["schema"], document["errors"], document["warnings"]) == (1, 1, 1)
    [finding] = [each for each in document["findings"] if each["level"] == "error"]
    assert (finding["subject"], finding["remedy"], finding["repairable"]) == ("jobs", "xpm doctor --repair", True)


def test_progress_is_drawn_on_a_terminal_and_removed(lab: Lab, xpm: Xpm, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.end("a")
    monkeypatch.setattr(doctor, "FIRST_S", 0.0)
    monkeypatch.setattr(doctor, "REDRAW_S", 0.0)
    assert xpm("doctor").stderr == ""
    monkeypatch.setattr(doctor, "on_terminal", lambda: True)
    said = xpm("doctor").stderr
    assert "\r\x1b[Kjob directories  0 of 1" in said
    assert said.endswith("\r\x1b[K")
    assert xpm("doctor", "-q").stderr == ""


def test_folder_that_is_no_workspace_is_an_error(xpm: Xpm, outside: Path) -> None:
    assert xpm("doctor").exit_code == 3
    assert not list(outside.iterdir())


def test_remedy_stands_in_a_line_of_its_own_on_a_narrow_terminal(
    lab: Lab, shell: Shell, tmp_path: Path, xpm: Xpm
) -> None:
    lab.end("a")
    words = [PROGRAM, "doctor", "--workspace", lab.workspace.path]
    terminal = Desktop(tmp_path).terminal(*words, env=shell.environment(), lines=40, columns=60)
    lines = terminal.shows("1 warning")
    assert terminal.ends() == 0
    assert "    on the server: CONFIG SET appendonly yes, and in its" in [line.rstrip() for line in lines]
