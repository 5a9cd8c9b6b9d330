"""What is printed leads to the page, and shows the token to its user alone."""

from __future__ import annotations

import io
import os
import stat
from contextlib import closing
from pathlib import Path

import pytest

from xpm_cli.page.serving import announcing
from xpm_cli.page.serving.announcing import announcement
from xpm_cli.page.serving.listening import Listening, on_port
from xpm_core.script.this_process import others_read

TOKEN = "0123456789abcdef" * 2


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(announcing, "private_folder", lambda: str(tmp_path))
    return tmp_path


def test_a_port_is_one_line_that_can_be_clicked() -> None:
    with closing(on_port(0)) as found:
        assert announcement(found, TOKEN) == [f"page http://127.0.0.1:{found.port}/?token={TOKEN}"]


def test_another_port_than_that_asked_for_is_said() -> None:
    with closing(on_port(0)) as first, closing(on_port(first.port)) as second:
        said, _ = announcement(second, TOKEN)
        assert said == f"port {first.port} is taken, the page has port {second.port}"


def test_a_socket_has_the_line_to_type_elsewhere() -> None:
    with closing(on_port(0)) as any_socket:
        lines = announcement(Listening(any_socket.socket, path="/tmp/x/ui/a.sock"), TOKEN)
    assert lines[1].startswith("    ssh -L 8080:/tmp/x/ui/a.sock ")
    assert lines[-1] == f"    http://localhost:8080/?token={TOKEN}"


def test_where_others_read_along_the_token_is_in_a_file_of_its_own(folder: Path) -> None:
    with closing(on_port(0)) as found:
        for _ in range(2):  # the file of a page that was killed is no hindrance
            lines = announcement(found, TOKEN, hidden=True)
        assert TOKEN not in "".join(lines)
        [path] = folder.iterdir()
        assert str(path) in lines[-1]
        assert path.read_text() == f"http://127.0.0.1:{found.port}/?token={TOKEN}\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("mode", "read"), [(0o600, False), (0o640, True), (0o604, True), (0o644, True), (0o622, False)]
)
def test_who_reads_a_file(tmp_path: Path, mode: int, read: bool) -> None:
    with open(tmp_path / "out", "w") as file:
        os.fchmod(file.fileno(), mode)
        assert others_read(file) is read


def test_what_a_step_of_slurm_prints_may_be_read_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes through a pipe to a file that is often open to all: only a terminal is surely read by one user."""
    read, write = os.pipe()
    leader, terminal = os.openpty()
    with open(read), open(write, "w") as pipe, open(leader), open(terminal, "w") as screen:
        monkeypatch.delenv("SLURM_JOB_ID", raising=False)
        assert [others_read(pipe), others_read(screen)] == [False, False]
        monkeypatch.setenv("SLURM_JOB_ID", "7")
        assert [others_read(pipe), others_read(screen)] == [True, False]


def test_what_is_no_file_is_not_read_by_others() -> None:
    with open(os.devnull) as nowhere:
        assert not others_read(nowhere)
    assert not others_read(io.StringIO())
    assert not others_read(None)  # type: ignore[arg-type]
