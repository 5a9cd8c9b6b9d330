"""Servers that refuse every client: each error says why, and what to do."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from helpers.ports import free_port
from helpers.private_server import PrivateServer
from helpers.private_server import PrivateServer as Server
from helpers.waiting import PATIENCE_S, wait_until

from xpm_core import experiment
from xpm_core.errors import RedisUnavailableError, RedisUnfitError
from xpm_core.server import connection, fitness
from xpm_core.store import scripts

pytestmark = pytest.mark.redis

Fresh = Callable[..., PrivateServer]


def error_of(url: str, **options: int) -> str:
    """What `check` says of an address."""
    with connection.open(url) as client, pytest.raises((RedisUnavailableError, RedisUnfitError)) as caught:
        fitness.check(client, url, pause_s=0.01, **options)
    return str(caught.value)


def locked(server: PrivateServer) -> PrivateServer:
    """A server that asks for a password from now on."""
    with server.client() as client:
        client.config_set("requirepass", "S3CRET")
    return server


def worker(*words: str, url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "xpm_worker", "--workspace", str(folder), *words],
        capture_output=True,
        text=True,
        env={**os.environ, "XPM_REDIS_URL": url},
        timeout=2 * PATIENCE_S,
    )


def test_a_full_server_is_told_from_one_that_is_away(fresh_server: Fresh) -> None:
    server = fresh_server(options={"maxclients": "2"})
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(server.client()).ping()
        assert error_of(server.url) == (
            f"Redis at {server.url}: it takes no more clients (its maxclients is reached), 3 tries in 0 s. "
            "Raise maxclients there, or end some of its clients."
        )


def test_slots_that_a_server_has_no_room_for_are_refused_at_their_start(fresh_server: Fresh, tmp_path: Path) -> None:
    server = fresh_server(options={"maxclients": "20"})
    result = worker("--slots", "8", url=server.url, folder=tmp_path)
    assert (result.returncode, result.stderr.count("\n")) == (3, 1), result.stderr
    assert result.stderr == (
        f"Redis at {server.url}: it takes 20 clients (maxclients 20); these 8 slots need about 25. "
        "Raise maxclients there, or start fewer slots.\n"
    )


def test_a_slot_has_as_many_connections_as_is_reckoned_with(crew) -> None:
    before = len(crew.client.client_list())
    crew.started(slots=3)
    wait_until(lambda: len(crew.client.client_list()) - before >= 3 * fitness.CLIENTS_A_SLOT)
    assert len(crew.client.client_list()) - before == 3 * fitness.CLIENTS_A_SLOT


def test_a_database_that_is_not_there_is_told_with_the_number_of_those_that_are(fresh_server: Fresh) -> None:
    server = fresh_server(options={"databases": "4"})
    assert error_of(f"{server.url}?db=20") == (
        f"Redis at {server.url}?db=20: the server has 4 databases, the URL asks for number 20. Use 0 to 3."
    )


def test_protected_mode_is_told(fresh_server: Fresh) -> None:
    address = own_address()
    port = free_port()
    fresh_server(options={"port": str(port), "bind": "0.0.0.0", "protected-mode": "yes"})
    assert error_of(f"redis://{address}:{port}/0") == (
        f"Redis at redis://{address}:{port}/0: it is in protected mode: without a password it serves its own machine "
        "only. Set one there (requirepass, or users), and put it into the URL."
    )


def own_address() -> str:
    """An address of this machine that other machines have for it."""
    for addresses in psutil.net_if_addrs().values():
        for each in addresses:
            if each.family == socket.AF_INET and not each.address.startswith("127."):
                return each.address
    pytest.skip("this machine has no network")


def test_a_name_that_nobody_knows_is_not_asked_for_again() -> None:
    assert error_of("redis://no-such-host.invalid:6379/0") == (
        "Redis at redis://no-such-host.invalid:6379/0: host name not known. Correct it in the URL."
    )


def test_a_missing_password_is_told_from_a_wrong_one(fresh_server: Fresh) -> None:
    server = locked(fresh_server())
    assert error_of(server.url) == (
        f"Redis at {server.url}: it refuses the user name or password: the URL has none. "
        "Write redis://USER:PASSWORD@HOST:PORT/DB into XPM_REDIS_URL, or into a settings file of mode 600."
    )
    wrong = server.url.replace("unix://", "unix://:wr0ng@")
    assert error_of(wrong).endswith("it refuses the user name or password. Correct them in the URL (XPM_REDIS_URL).")


def test_a_password_that_a_server_does_not_ask_for_is_told(fresh_server: Fresh) -> None:
    url = fresh_server().url.replace("unix://", "unix://:S3CRET@")
    assert error_of(url).endswith(": it has no password, and the URL gives one. Take it out of the URL.")


# -- the edges: a script, xpm-worker, and a worker that started well --------------------------------------------------


def test_a_script_says_it_in_one_line(fresh_server: Fresh, tmp_path: Path) -> None:
    server = locked(fresh_server())
    with pytest.raises(RedisUnavailableError, match="the URL has none"):
        experiment(tmp_path / "workspace", "x", redis=server.url).__enter__()


def test_a_worker_says_it_in_one_line(fresh_server: Fresh, tmp_path: Path) -> None:
    server = locked(fresh_server())
    result = worker(url=server.url, folder=tmp_path)
    assert (result.returncode, result.stderr.count("\n")) == (3, 1), result.stderr
    assert "the URL has none" in result.stderr


def test_a_worker_that_meets_it_later_says_it_once_with_what_to_do(own_crew, server: Server) -> None:
    """The server is started again, with a password: first it is away, then it refuses."""
    started = own_crew.started(lease_s=2.0)
    server.stop()
    wait_until(lambda: "trying again" in started.log, show=lambda: started.log)
    server.options["requirepass"] = "S3CRET"
    server.start(wait=False)
    said = "it refuses the user name or password: the URL has none"
    wait_until(lambda: f"{said}; trying again. Write redis://USER:PASSWORD@" in started.log, show=lambda: started.log)
    with server.client(password="S3CRET") as client:
        client.config_set("requirepass", "")
    wait_until(lambda: "the server answers again" in started.log, show=lambda: started.log)
    met = re.findall(rf"cannot ([a-z ]+): {said}; trying again", started.log)  # whatever the slot was about to do
    assert met
    assert len(met) == len(set(met)), started.log


def test_a_script_that_meets_it_later_says_it_with_what_to_do(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ""

    def heard(words: str) -> bool:
        nonlocal said
        said += capsys.readouterr().err
        return words in said

    with experiment(tmp_path / "workspace", "x", redis=server.url, workers=0):
        server.stop()
        wait_until(lambda: heard("Redis is out of reach"), show=lambda: said)
        server.options["requirepass"] = "S3CRET"
        server.start(wait=False)
        wait_until(lambda: heard("the URL has none). Write redis://USER:PASSWORD@"), show=lambda: said)
        with server.client(password="S3CRET") as client:
            client.config_set("requirepass", "")
        wait_until(lambda: heard("Redis answers again"), show=lambda: said)


@pytest.fixture
def server(fresh_server: Fresh) -> Server:
    return fresh_server(aof=True)


@pytest.fixture
def own_crew(workspace, server: Server, tmp_path: Path):
    from helpers.daemons import Crew

    crew = Crew(workspace, server.url, tmp_path)
    yield crew
    crew.dismiss()


# -- passwords that others can read -----------------------------------------------------------------------------------


def test_a_password_on_the_command_line_is_warned_of_once(fresh_server: Fresh, tmp_path: Path) -> None:
    url = locked(fresh_server()).url.replace("unix://", "unix://:S3CRET@")
    programs = [
        [sys.executable, "-m", "xpm_worker", "--burst", "--workspace", str(tmp_path), "--redis"],
        [sys.executable, "-c", "from xpm_cli import main; main()", "status", "--workspace", str(tmp_path), "--redis"],
    ]
    for program in programs:
        result = subprocess.run([*program, url], capture_output=True, text=True, timeout=2 * PATIENCE_S)
        assert result.returncode == 0, result.stderr
        assert result.stderr.count("--redis: everybody on this machine can read its password (ps)") == 1
        assert "Set XPM_REDIS_URL instead, or put it into" in result.stderr
        assert "S3CRET" not in result.stderr + result.stdout
        environment = {**os.environ, "XPM_REDIS_URL": url}
        result = subprocess.run(program[:-1], capture_output=True, text=True, timeout=2 * PATIENCE_S, env=environment)
        assert (result.returncode, "read its password" in result.stderr) == (0, False), result.stderr


def test_a_script_on_a_server_that_lets_nobody_in_is_an_outage_whatever_the_server_says(fresh_server: Fresh) -> None:
    """Redis 7.0 answers a command of more than ten words with a protocol error."""
    with connection.open(locked(fresh_server()).url) as client, pytest.raises(connection.OUTAGES):
        scripts.run(client, "rights", [], ["ping"] * 20)
