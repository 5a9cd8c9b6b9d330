"""The folder for sockets belongs to one user, and is closed to all others."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

import pytest

from xpm_cli.page.serving import private_folder
from xpm_core.errors import PageError


@pytest.fixture
def parent(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of this machine, as if it were elsewhere; and no other one can be taken."""
    place = Path(os.path.realpath(tmp_path_factory.mktemp("m"))) / "x"
    monkeypatch.setattr(private_folder, "MACHINE_FOLDER", str(place))
    monkeypatch.setattr(private_folder, "LONGEST", 200)
    monkeypatch.setattr(private_folder.tempfile, "gettempdir", lambda: "/nowhere")
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    return place


def test_it_is_made_closed_to_others(parent: Path) -> None:
    before = os.umask(0)
    try:
        folder = Path(private_folder.private_folder())
    finally:
        os.umask(before)
    assert folder == parent / "ui"
    assert [stat.S_IMODE(each.stat().st_mode) for each in (parent, folder)] == [0o700, 0o700]
    assert private_folder.private_folder() == str(folder)


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o755, 0o710])
def test_one_that_is_open_to_others_is_not_used(parent: Path, mode: int) -> None:
    (parent / "ui").mkdir(parents=True)
    (parent / "ui").chmod(mode)
    with pytest.raises(PageError, match="closed to others"):
        private_folder.private_folder()


def test_a_link_or_a_file_in_its_place_is_not_used(parent: Path, tmp_path: Path) -> None:
    parent.mkdir()
    (parent / "ui").symlink_to(tmp_path)
    with pytest.raises(PageError, match="closed to others"):
        private_folder.private_folder()
    (parent / "ui").unlink()
    (parent / "ui").touch()
    with pytest.raises(PageError, match="serve the page on a port: --port 0"):
        private_folder.private_folder()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_one_of_another_user_is_not_used(parent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parent.mkdir()
    os.chown(parent, 65534, 65534)
    with pytest.raises(PageError):
        private_folder.private_folder()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert private_folder.private_folder() == f"{tmp_path}/ui"


def test_a_path_that_is_too_long_for_a_socket_is_not_used(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_folder, "LONGEST", len(str(parent)))
    with pytest.raises(PageError):
        private_folder.private_folder()
    assert not parent.exists()


def test_while_it_is_held_nobody_else_holds_it(tmp_path: Path) -> None:
    with private_folder.held(str(tmp_path)):
        descriptor = os.open(tmp_path, os.O_RDONLY)  # a lock belongs to who has opened the folder
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)
