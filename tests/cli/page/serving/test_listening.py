"""Where a page listens: who can reach it, what happens when a port is taken, and what is left behind."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest

from xpm_cli.page.serving import listening
from xpm_cli.page.serving.listening import is_loopback, on_port, on_socket
from xpm_core.errors import PageError

NOBODY = 65534


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for sockets. Its path is short enough."""
    place = Path(mkdtemp(prefix="xpm-", dir="/tmp"))
    monkeypatch.setattr(listening, "private_folder", lambda: str(place))
    yield place
    rmtree(place)


def as_nobody(path: str) -> int:
    """What another user gets who connects to a socket: 0, or the number of the error."""
    probe = "import socket, sys; sys.exit(socket.socket(socket.AF_UNIX).connect_ex(sys.argv[1]))"
    other = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return subprocess.run([*other, "/usr/bin/env", "python3", "-c", probe, path], cwd="/").returncode


# -- a Unix socket ----------------------------------------------------------------------------------------------------


def test_a_socket_is_for_its_user_alone_whatever_the_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        with closing(on_socket("/data/xpm")) as found:
            assert stat.S_IMODE(os.stat(found.path).st_mode) == 0o600
            assert Path(found.path).parent == folder
    finally:
        os.umask(before)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_cannot_connect_to_a_socket(folder: Path) -> None:
    with closing(on_socket("/data/xpm")) as found:
        assert as_nobody(found.path) == 13, "EACCES: the folder is closed"
        folder.chmod(0o755)
        assert as_nobody(found.path) == 13, "EACCES: the socket is closed, too"
        os.chmod(found.path, 0o666)
        assert as_nobody(found.path) == 0, "the test can tell"


def test_a_workspace_has_the_same_socket_each_time(folder: Path) -> None:
    paths = []
    for _ in range(2):
        with closing(on_socket("/data/xpm")) as found:
            paths.append(found.path)
            assert os.path.exists(found.path)
        assert not os.path.exists(found.path)
    assert paths[0] == paths[1]
    with closing(on_socket("/home/xpm")) as other:
        assert other.path != paths[0]


def test_a_second_page_of_a_workspace_has_a_socket_of_its_own(folder: Path) -> None:
    with closing(on_socket("/data/xpm")) as first, closing(on_socket("/data/xpm")) as second:
        assert second.path == first.path.replace(".sock", "-2.sock")
        assert first.cookie("id") != second.cookie("id")


def test_what_a_dead_process_has_left_is_removed(folder: Path) -> None:
    for name in ("old.sock", "other.txt"):
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(folder / name))
    with closing(on_socket("/data/xpm")):
        assert not (folder / "old.sock").exists()
        assert (folder / "other.txt").exists()


def test_a_socket_whose_process_lives_is_left(folder: Path) -> None:
    with closing(on_socket("/data/xpm")) as first:
        with closing(on_socket("/other")):
            assert os.path.exists(first.path)
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(first.path)


@pytest.mark.parametrize("name", ["x" * 300, "ü b;c'd\n", "..", "-rf", ".hidden", ""])
def test_any_name_of_a_workspace_gives_a_short_path(folder: Path, name: str) -> None:
    with closing(on_socket(f"/data/{name}")) as found:
        assert len(os.fsencode(found.path)) < 107
        assert found.path.isascii()
        assert found.path.split() == [found.path]


def test_a_socket_is_not_handed_to_other_programs(folder: Path) -> None:
    with closing(on_socket("/data/xpm")) as found, closing(on_port(0)) as other:
        assert not found.socket.get_inheritable()
        assert not other.socket.get_inheritable()


# -- a port -----------------------------------------------------------------------------------------------------------


def test_a_port_is_that_of_this_machine_alone() -> None:
    with closing(on_port(0)) as found:
        assert found.socket.getsockname() == ("127.0.0.1", found.port)
        assert (found.taken, found.path) == (0, "")


def test_a_port_that_is_taken_gives_the_next_free_one() -> None:
    with closing(on_port(0)) as first, closing(on_port(first.port)) as second:
        assert second.port > first.port
        assert (first.taken, second.taken) == (0, first.port)


def test_the_last_port_has_no_next_one_and_gives_any() -> None:
    with closing(on_port(65535)) as first, closing(on_port(65535)) as second:
        assert first.port != second.port
        assert second.taken == 65535


def test_a_port_that_was_just_left_is_not_taken() -> None:
    with closing(on_port(0)) as found, socket.create_connection(("127.0.0.1", found.port)):
        accepted, _ = found.socket.accept()
        accepted.close()  # this end closes first, so the system keeps the port for a while
    with closing(on_port(found.port)) as again:
        assert again.taken == 0


def test_an_address_that_is_not_of_this_machine_is_an_error() -> None:
    with pytest.raises(PageError, match="Name an address of this machine"):
        on_port(0, "192.0.2.1")
    with pytest.raises(PageError, match="it has no address"):
        on_port(0, "no host.invalid")


# -- names ------------------------------------------------------------------------------------------------------------


def test_the_address_for_a_browser(folder: Path) -> None:
    with closing(on_port(0)) as port, closing(on_socket("/data/xpm")) as unix:
        assert port.url("abc") == f"http://127.0.0.1:{port.port}/?token=abc"
        assert port.url("", "https") == f"https://127.0.0.1:{port.port}/"
        assert unix.url("abc") == "http://localhost:8080/?token=abc"


@pytest.mark.parametrize(("host", "shown"), [("::1", "[::1]"), ("0.0.0.0", socket.gethostname())])
def test_the_address_of_other_hosts(host: str, shown: str) -> None:
    with closing(on_port(0, host)) as found:
        assert found.url("") == f"http://{shown}:{found.port}/"


def test_cookies_differ_by_port_workspace_and_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(on_port(0)) as one, closing(on_port(0)) as other:
        names = {one.cookie("a"), one.cookie("b"), other.cookie("a")}
        monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
        names.add(one.cookie("a"))
        assert len(names) == 4
        assert all(str(port) in " ".join(names) for port in (one.port, other.port))


@pytest.mark.parametrize(
    ("host", "alone"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("10.0.0.1", False), ("head", False), ("localhost.evil", False), ("", False)],
)  # fmt: skip
def test_which_addresses_only_this_machine_reaches(host: str, alone: bool) -> None:
    assert is_loopback(host) is alone
