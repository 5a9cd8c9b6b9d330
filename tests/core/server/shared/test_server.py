"""The server for several machines: its start, its end, its data, and what a dead one leaves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from helpers.embedded_users import gone, incr
from helpers.ports import free_port
from helpers.tls import Authority
from helpers.waiting import wait_until

from xpm_core.errors import (
    EmbeddedServerError,
    RedisUnavailableError,
    ServerNotFoundError,
    SettingsError,
    SharedServerError,
)
from xpm_core.project.settings import programs_file
from xpm_core.server import connection
from xpm_core.server.address import locate
from xpm_core.server.binary import ServerProgram
from xpm_core.server.embedded import process
from xpm_core.server.embedded.record import ServerRecord
from xpm_core.server.embedded.server import EmbeddedServer
from xpm_core.server.notice import Notice, notice_file
from xpm_core.server.shared.server import SharedServer, Started, password_in
from xpm_core.server.shared.status import EMBEDDED, NAMED, SHARED, status_of
from xpm_core.store.connector import Connector
from xpm_core.workspace.workspace import Workspace

pytestmark = pytest.mark.redis

Start = Callable[..., Started]


def process_of(workspace: Workspace) -> psutil.Process:
    record = ServerRecord.read(workspace.path / ".xpm" / "redis")
    assert record is not None
    return psutil.Process(record.pid)


def mode(file: Path) -> int:
    return file.stat().st_mode & 0o777


def elsewhere(file: Path) -> None:
    """Let a file of a server say that it was written on another machine."""
    file.write_text(json.dumps(json.loads(file.read_text()) | {"host": "head", "boot": "another"}))


def test_it_is_found_by_the_settings_and_keeps_what_it_is_told(workspace: Workspace, start: Start) -> None:
    started = start()
    assert locate(workspace.path).url == started.url
    with connection.open(started.url) as client:
        told = {name: client.config_get(name)[name] for name in ("appendonly", "maxmemory-policy", "save")}
        assert told == {"appendonly": "yes", "maxmemory-policy": "noeviction", "save": ""}
        client.incr("count")
    again = start()
    assert (again.new, again.url) == (False, started.url)
    daemon = process_of(workspace)
    assert daemon.terminal() is None
    assert os.getsid(daemon.pid) != os.getsid(0)
    with SharedServer(workspace) as server:
        assert server.stop()
        assert not server.stop()
    assert gone(daemon.pid)
    assert sorted(each.name for each in (workspace.path / ".xpm").iterdir()) == ["redis", "workspace.json"]
    with EmbeddedServer.attach(workspace) as own:
        assert incr(own) == 2


def test_its_password_is_long_new_and_nowhere_to_be_read(workspace: Workspace, start: Start) -> None:
    password = password_in(start().url)
    assert len(password) == 64
    daemon = process_of(workspace)
    seen = [*daemon.cmdline(), *daemon.environ().values()]
    assert not [text for text in seen if password in text]
    assert mode(programs_file(workspace.path)) == 0o600
    assert mode(workspace.path / ".xpm" / "redis") == 0o700
    assert password not in notice_file(workspace.path).read_text()
    log = (workspace.path / ".xpm" / "redis" / "server.log").read_text()
    assert log
    assert password not in log
    with SharedServer(workspace) as server:
        server.stop()
    assert password_in(start().url) != password


def test_jobs_of_the_embedded_server_are_carried_on_once_nobody_uses_it(workspace: Workspace, start: Start) -> None:
    own = EmbeddedServer.attach(workspace)
    incr(own)
    with pytest.raises(SharedServerError, match=rf"use its embedded server \(processes .*{os.getpid()}") as caught:
        start()
    assert str(caught.value).endswith("Then again: xpm server start")
    assert incr(own) == 2
    own.close()
    with connection.open(start().url) as client:
        assert client.get("count") == b"2"


def test_no_embedded_server_is_started_beside_it(workspace: Workspace, start: Start) -> None:
    start()
    programs_file(workspace.path).unlink()
    with pytest.raises(EmbeddedServerError, match="a server for several machines has its data, on host") as caught:
        EmbeddedServer.attach(workspace)
    assert str(caught.value).endswith(f"xpm server start -w {workspace.path}")
    before = process_of(workspace).pid
    assert start().new, "its password was lost, so it has to be started again"
    assert gone(before)


def test_after_the_death_of_its_machine_it_has_the_same_address(workspace: Workspace, start: Start) -> None:
    first = start()
    with connection.open(first.url) as client:
        client.incr("count")
    daemon = process_of(workspace)
    daemon.send_signal(signal.SIGKILL)
    wait_until(lambda: gone(daemon.pid))
    with pytest.raises(RedisUnavailableError) as caught:
        Connector.of_workspace(workspace, None, 1.0)
    assert str(caught.value).endswith(f"Start it again: xpm server start -w {workspace.path}")
    again = start(bind="")
    assert (again.new, again.url, again.notice.listening) == (True, first.url, first.notice.listening)
    with connection.open(again.url) as client:
        assert client.get("count") is not None


def test_only_its_own_machine_starts_and_stops_it(workspace: Workspace, start: Start) -> None:
    url = start().url
    elsewhere(notice_file(workspace.path))
    for act in (lambda server: server.stop(), lambda server: server.known()):
        with SharedServer(workspace) as server, pytest.raises(SharedServerError, match="it was started on host head"):
            act(server)
    left = [notice_file(workspace.path), programs_file(workspace.path), workspace.path / ".xpm/redis/server.json"]
    with pytest.raises(SharedServerError, match=f"first: rm {' '.join(map(str, left))}"):
        start()
    with connection.open(url) as client:
        assert client.ping()
    process_of(workspace).kill()
    notice = Notice.read(workspace.path)
    assert notice is not None
    with pytest.raises(RedisUnavailableError) as caught:
        Connector.of_workspace(workspace, None, 1.0)
    assert "It was started on host head, " in str(caught.value)
    assert f"If it runs there, open port {notice.listening.port} for this machine. Else" in str(caught.value)
    assert str(caught.value).endswith(f"Else start it again there: xpm server start -w {workspace.path}")
    notice_file(workspace.path).unlink()  # as the message says


def test_a_machine_that_does_not_know_the_name_is_told_what_to_do(
    workspace: Workspace, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(advertise="localhost")

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    found = status_of(workspace, None)
    assert "host name not known. This machine does not know that name. On host " in found.problem
    assert found.problem.endswith("xpm server start --advertise ADDRESS")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_user_who_may_not_read_the_password_is_told_who_can_change_that(workspace: Workspace, start: Start) -> None:
    start()
    os.seteuid(65534)
    try:
        with pytest.raises(SettingsError) as caught:
            locate(workspace.path)
    finally:
        os.seteuid(0)
    assert "cannot be read: Permission denied. Let its owner open it" in str(caught.value)
    assert str(caught.value).endswith("xpm server start --group")


def test_an_embedded_server_of_another_machine_is_in_the_way(workspace: Workspace, start: Start) -> None:
    own = EmbeddedServer.attach(workspace)
    file = workspace.path / ".xpm" / "redis" / "server.json"
    content = file.read_text()
    elsewhere(file)
    with pytest.raises(SharedServerError, match="its embedded server runs on host head"):
        start()
    file.write_text(content)
    own.close()


def test_a_server_that_somebody_has_named_is_not_replaced(workspace: Workspace, start: Start) -> None:
    programs_file(workspace.path).write_text('redis = "redis://:word@head:1"\n')
    with pytest.raises(SharedServerError, match=r"settings.toml names another server, redis://\*\*\*@head:1"):
        start()
    assert status_of(workspace, None).kind == NAMED


def test_the_port_is_the_one_that_was_named(workspace: Workspace, start: Start) -> None:
    port = free_port()
    taken = pytest.raises(SharedServerError, match=f"port {port}: cannot listen there: address already in use")
    with socket.create_server(("127.0.0.1", port)), taken:
        start(port=port)
    assert start(port=port).notice.listening.port == port
    assert start(port=port).url.endswith(f"@127.0.0.1:{port}/0")


def test_an_address_that_leads_elsewhere_is_refused_and_nothing_is_left(workspace: Workspace, start: Start) -> None:
    with pytest.raises(SharedServerError, match=r"cannot be reached as nowhere\.invalid:") as caught:
        start(advertise="nowhere.invalid")
    assert str(caught.value).endswith("xpm server start --advertise HOST")
    assert not programs_file(workspace.path).exists()
    assert not notice_file(workspace.path).exists()
    assert status_of(workspace, None).kind == EMBEDDED


def test_the_group_may_read_the_password_if_its_owner_says_so(workspace: Workspace, start: Start) -> None:
    file = programs_file(workspace.path)
    start()
    assert mode(file) == 0o600
    assert not start(group=True).new
    assert mode(file) == 0o640
    start()
    assert mode(file) == 0o640


def test_other_lines_of_the_settings_stay_and_so_does_who_may_read_them(workspace: Workspace, start: Start) -> None:
    file = programs_file(workspace.path)
    start(group=True)
    file.write_text(f"{file.read_text()}# a note\n")
    with SharedServer(workspace) as server:
        server.stop()
    assert (file.read_text(), mode(file)) == ("# a note\n", 0o640)


def test_a_link_of_somebody_else_leads_no_permission_and_no_content_to_another_file(
    workspace: Workspace, start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file, private = programs_file(workspace.path), tmp_path / "private"
    private.write_text("mine\n")
    private.chmod(0o600)
    rename = os.rename

    def replaced(source: str, target: str) -> None:
        rename(source, target)
        if os.fspath(target) == str(file):  # as somebody can who writes in the workspace
            file.unlink()
            file.symlink_to(private)

    monkeypatch.setattr(os, "rename", replaced)
    start(group=True)
    assert file.is_symlink()
    assert (private.read_text(), mode(private)) == ("mine\n", 0o600)
    file.unlink()


def test_a_server_that_was_named_meanwhile_stays_named(workspace: Workspace, start: Start) -> None:
    start()
    file = programs_file(workspace.path)
    for named in ("redis://:word@head:1", "redis://:word@head:none"):
        file.write_text(f'redis = "{named}"\n')
        with pytest.raises(SharedServerError, match=r"names another server, redis://\*\*\*@head:"):
            start()
    daemon = process_of(workspace)
    with SharedServer(workspace) as server:
        assert server.stop()
    assert gone(daemon.pid)
    assert file.read_text() == f'redis = "{named}"\n'


def test_status_knows_the_kinds_of_servers(workspace: Workspace, start: Start, redis_url: str) -> None:
    assert status_of(workspace, redis_url).kind == NAMED
    assert status_of(workspace, redis_url).reachable
    with EmbeddedServer.attach(workspace) as own:
        found = status_of(workspace, None)
        assert (found.kind, found.info["process_id"]) == (EMBEDDED, own.pid)
    start()
    found = status_of(workspace, None)
    assert (found.kind, found.reachable, found.persists) == (SHARED, True, True)
    assert found.info["process_id"] == process_of(workspace).pid
    process_of(workspace).kill()
    found = status_of(workspace, None)
    assert (found.kind, found.reachable) == (SHARED, False)
    assert found.problem.endswith(f"Start it again: xpm server start -w {workspace.path}")


def test_a_certificate_makes_it_speak_tls_and_all_machines_know_its_authority(
    workspace: Workspace, with_tls: None, start: Start, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    certificate = authority.sign("head")
    files = {"tls_cert": certificate.certificate, "tls_key": certificate.key, "tls_ca": authority.certificate}
    wish = {name: str(path) for name, path in files.items()}
    link, private = workspace.path / ".xpm" / "redis-ca.crt", tmp_path / "private"
    private.write_text("mine\n")
    private.chmod(0o600)
    link.symlink_to(private)  # as somebody can who writes in the workspace
    started = start(**wish)
    assert (private.read_text(), mode(private), mode(link)) == ("mine\n", 0o600, 0o644)
    assert started.url.startswith("rediss://")
    written = programs_file(workspace.path).read_text()
    assert "?ssl_ca_certs=redis-ca.crt" in written
    moved = workspace.path.with_name("mounted elsewhere")
    workspace.path.rename(moved)
    url = locate(moved).url
    assert url is not None
    assert "mounted%20elsewhere/.xpm/redis-ca.crt" in url
    with connection.open(url) as client:
        assert client.ping()
    moved.rename(workspace.path)
    daemon = process_of(workspace)
    daemon.kill()
    wait_until(lambda: gone(daemon.pid))  # else a client that is just greeting it leaves its socket open
    assert not status_of(workspace, None).reachable
    assert start(bind="").url == started.url, "it has the same certificate as before"
    with SharedServer(workspace) as server:
        server.stop()
    assert not (workspace.path / ".xpm" / "redis-ca.crt").exists()


def test_certificates_that_cannot_be_used_are_refused(
    workspace: Workspace, with_tls: None, start: Start, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    good, other = authority.sign("head"), authority.sign("other", names="DNS:other")
    both = tmp_path / "both.pem"
    both.write_text(authority.certificate.read_text() + good.key.read_text())
    files = {"tls_cert": str(good.certificate), "tls_key": str(good.key)}
    for wish, said in [
        ({"tls_cert": files["tls_cert"]}, "--tls-cert: its key is missing. Add --tls-key FILE."),
        ({"tls_key": files["tls_key"]}, "none is given. Add --tls-cert FILE."),
        (files | {"tls_key": str(other.key)}, "--tls-cert: .*head.crt cannot be used with its key"),
        (files | {"tls_ca": str(good.key)}, "--tls-ca: .*holds no certificate"),
        (files | {"tls_ca": str(both)}, "--tls-ca: .*both.pem also holds a private key"),
        (files, "signed by no authority known here"),
        (
            {"tls_cert": str(other.certificate), "tls_key": str(other.key), "tls_ca": str(authority.certificate)},
            "its certificate is not valid for '127.0.0.1'",
        ),
    ]:
        with pytest.raises(SharedServerError, match=said):
            start(**wish)
    assert status_of(workspace, None).kind == EMBEDDED


def test_a_program_without_tls_is_one_clear_error(
    workspace: Workspace,
    server_program: ServerProgram,
    start: Start,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    certificate = Authority(tmp_path).sign("head")
    program = tmp_path / "redis-server"
    program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && exec "{server_program.path}" "$@"\necho "no such option"\n')
    program.chmod(0o755)
    (tmp_path / "valkey-server").symlink_to(program)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr("xpm_core.server.binary.WHEEL", "no_such_wheel")
    words = r"version 7 or later that speaks TLS on PATH .*redis-server \S+ was built without TLS; .*Install one"
    with pytest.raises(ServerNotFoundError, match=words):
        start(tls_cert=str(certificate.certificate), tls_key=str(certificate.key))


def test_an_interrupted_start_leaves_no_server(
    workspace: Workspace, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = []

    def interrupt(*_: str) -> None:
        pids.append(int(wait_until(lambda: file.exists() and file.read_text())))
        raise KeyboardInterrupt

    file = workspace.path / ".xpm" / "redis" / "server.pid"
    monkeypatch.setattr(process, "process_at", interrupt)
    with pytest.raises(KeyboardInterrupt):
        start()
    assert gone(pids[0])
    assert not notice_file(workspace.path).exists()
    monkeypatch.undo()
    with EmbeddedServer.attach(workspace) as server:
        assert incr(server) == 1


def test_a_start_that_was_killed_half_way_is_done_again(workspace: Workspace, start: Start) -> None:
    first = start()
    programs_file(workspace.path).unlink()  # it is written last
    again = start()
    assert again.new
    assert again.url != first.url


def test_a_server_whose_workspace_was_removed_is_ended_by_the_next_start(
    workspace: Workspace, start: Start, tmp_path: Path
) -> None:
    start()
    daemon = process_of(workspace)
    shutil.rmtree(workspace.path)
    EmbeddedServer.attach(Workspace.open(tmp_path / "second")).close()
    wait_until(lambda: gone(daemon.pid))
