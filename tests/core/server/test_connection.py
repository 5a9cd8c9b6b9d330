"""Connections: the error for a server that is away, silent, strange or unfit."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from helpers.private_server import PrivateServer
from helpers.waiting import wait_until

from xpm_core.defaults import DEFAULT_LEASE_S
from xpm_core.errors import RedisUnavailableError, RedisUnfitError
from xpm_core.server import connection, fitness
from xpm_core.store import rights
from xpm_core.store.scripts import Line

pytestmark = pytest.mark.redis

Reply = Callable[[bytes], bytes]


class Impostor:
    """Listens on a TCP port, and answers as told; it counts who comes."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.url = f"redis://alice:S3CRET@127.0.0.1:{self._listener.getsockname()[1]}/0"
        self._start(self._accept)

    @property
    def visitors(self) -> int:
        return len(self._open)

    def _start(self, target: Callable[..., None], *arguments: Any) -> None:
        self._threads.append(threading.Thread(target=target, args=arguments))
        self._threads[-1].start()

    def _accept(self) -> None:
        while True:
            try:
                visitor, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(visitor)
            self._start(self._serve, visitor)

    def _serve(self, visitor: socket.socket) -> None:
        try:
            while request := visitor.recv(65536):
                visitor.sendall(self._reply(request))
        except OSError:
            return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for visitor in self._open:
            visitor.close()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def impostor() -> Iterator[Callable[[Reply], Impostor]]:
    made: list[Impostor] = []

    def start(reply: Reply) -> Impostor:
        made.append(Impostor(reply))
        return made[-1]

    yield start
    for each in made:
        each.close()


def commands(request: bytes) -> list[bytes]:
    """The commands in a request, without their arguments."""
    return re.findall(rb"\*\d+\r\n\$\d+\r\n(\w+)\r\n", request)


def telling(info: str) -> Reply:
    """Answers INFO with `info`, and everything else with OK."""
    answer = b"$%d\r\n%b\r\n" % (len(info), info.encode())
    return lambda request: b"".join(answer if command == b"INFO" else b"+OK\r\n" for command in commands(request))


def greeting(request: bytes) -> bytes:
    """Lets everybody in, and then falls silent."""
    return b"".join(b"" if command in (b"PING", b"EVAL") else b"+OK\r\n" for command in commands(request))


def check(url: str, *, tries: int = 2) -> None:
    with connection.open(url, lease_s=2.5) as client:
        fitness.check(client, url, tries=tries, pause_s=0.01)
        rights.check(client, url)


def test_a_fit_server_passes(redis_url: str) -> None:
    check(redis_url)


def test_replies_are_bytes(redis_url: str) -> None:
    with connection.open(redis_url) as client:
        client.set("key", "value")
        assert client.get("key") == b"value"


def test_a_server_that_is_away_is_named_with_the_tries_made() -> None:
    with socket.socket() as taken:  # and nobody listens
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(RedisUnavailableError) as caught:
            check(f"redis://127.0.0.1:{port}/0", tries=3)
    assert re.fullmatch(
        rf"Redis at redis://127.0.0.1:{port}/0: connection refused, 3 tries in \d+ s. Start it, or set XPM_REDIS_URL.",
        str(caught.value),
    )


def test_a_missing_socket_is_said_to_be_missing(tmp_path) -> None:
    with pytest.raises(RedisUnavailableError, match="no such file or directory, 2 tries"):
        check(f"unix://{tmp_path}/redis.sock")


def test_an_unknown_host_is_said_to_be_unknown() -> None:
    with pytest.raises(RedisUnavailableError, match="host name not known"):
        check("redis://no-such-host.invalid:6379/0")


def test_a_silent_server_is_given_up(impostor) -> None:
    silent = impostor(lambda request: b"")
    with pytest.raises(RedisUnavailableError, match=r"alice:\*\*\*@127.*no answer"):
        check(silent.url, tries=1)


def test_something_else_that_listens_is_not_redis(impostor) -> None:
    web = impostor(lambda request: b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(RedisUnavailableError, match="what answers there is not Redis") as caught:
        check(web.url)
    assert "S3CRET" not in str(caught.value)


def test_a_server_without_tls_is_told_from_one_that_is_away(impostor) -> None:
    plain = impostor(lambda request: b"-ERR unknown command\r\n")
    with pytest.raises(RedisUnavailableError, match="it does not speak TLS"):
        check(plain.url.replace("redis://", "rediss://"))


@pytest.mark.parametrize(("blocking", "visits"), [(False, 2), (True, 1)])
def test_a_call_is_tried_once_more_but_a_blocking_one_is_not(
    impostor, monkeypatch: pytest.MonkeyPatch, blocking: bool, visits: int
) -> None:
    monkeypatch.setattr(connection, "LONGEST_BLOCK_S", 0.0)
    silent = impostor(greeting)
    with connection.open(silent.url, lease_s=0.5, blocking=blocking) as client, pytest.raises(redis.TimeoutError):
        client.ping()
    wait_until(lambda: silent.visitors >= visits)
    assert silent.visitors == visits


def test_a_script_on_a_line_is_tried_once_more_too(impostor) -> None:
    silent = impostor(greeting)
    with connection.open(silent.url, lease_s=0.5) as client, pytest.raises(redis.TimeoutError):
        Line(client).eval("return 1", 0)
    wait_until(lambda: silent.visitors >= 2)
    assert silent.visitors == 2


def test_a_line_keeps_its_connection_and_connects_anew_when_it_is_lost(
    redis_url: str, redis_client: redis.Redis
) -> None:
    def clients() -> set[str]:
        return {client["id"] for client in redis_client.client_list()}

    with connection.open(redis_url) as client:
        line, others = Line(client), clients()
        assert [line.eval("return ARGV[1]", 0, word) for word in ("a", "b")] == [b"a", b"b"]
        [kept] = clients() - others
        redis_client.client_kill_filter(_id=kept)
        assert line.eval("return ARGV[1]", 0, "c") == b"c"
        assert len(clients() - others) == 1


def test_a_call_that_was_broken_off_leaves_no_reply_to_the_next(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_off(*_: object) -> None:
        raise KeyboardInterrupt

    with connection.open(redis_url) as client:
        line = Line(client)
        assert line.eval("return ARGV[1]", 0, "a") == b"a"
        with monkeypatch.context() as patch:
            patch.setattr(client.connection_pool.connection_class, "read_response", broken_off)
            with pytest.raises(KeyboardInterrupt):
                line.eval("return ARGV[1]", 0, "b")
        assert line.eval("return ARGV[1]", 0, "c") == b"c"


def test_a_blocking_client_outlasts_the_longest_block() -> None:
    options = connection.open("redis://head", blocking=True).connection_pool.connection_kwargs
    assert options["socket_timeout"] > connection.LONGEST_BLOCK_S
    assert connection.open("redis://head").connection_pool.connection_kwargs["socket_timeout"] < DEFAULT_LEASE_S / 3


@pytest.mark.parametrize(
    ("info", "problem"),
    [
        ("redis_version:6.2.14\r\n", "its version is 6.2.14, 7.0 or later is needed"),
        ("redis_version:garbage\r\n", "its version is garbage"),
        ("uptime:3\r\n", "its version is unknown"),
        ("redis_version:7.2.4\r\ncluster_enabled:1\r\n", "is a Redis Cluster"),
    ],
)
def test_an_unfit_server_is_refused(impostor, info: str, problem: str) -> None:
    with pytest.raises(RedisUnfitError, match=problem) as caught:
        check(impostor(telling(info)).url)
    assert "S3CRET" not in str(caught.value)


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_an_evicting_server_is_refused(fresh_server, policy: str) -> None:
    server: PrivateServer = fresh_server(options={"maxmemory-policy": policy})
    with pytest.raises(RedisUnfitError, match=f"maxmemory-policy '{policy}' may delete jobs. Set it to 'noeviction'"):
        check(server.url)


def test_a_replica_is_refused_with_its_primarys_name(fresh_server) -> None:
    server: PrivateServer = fresh_server(options={"replicaof": "127.0.0.1 1"})
    with pytest.raises(RedisUnfitError, match=r"it is a replica.*Name the primary: 127\.0\.0\.1:1"):
        check(server.url)


@pytest.mark.parametrize("credentials", ["", ":wr0ng@", "bob:wr0ng@"])
def test_wrong_credentials_are_refused_without_being_shown(fresh_server, credentials: str) -> None:
    server: PrivateServer = fresh_server()
    with server.client() as client:
        client.acl_setuser("default", enabled=True, passwords=["+S3CRET"], keys="*", commands=["+@all"])
    url = server.url.replace("unix://", f"unix://{credentials}")
    with pytest.raises(RedisUnavailableError, match="refuses the user name or password") as caught:
        check(url)
    assert "wr0ng" not in str(caught.value)


def test_a_user_who_may_not_ask_is_told_what_to_allow(fresh_server) -> None:
    server: PrivateServer = fresh_server()
    with server.client() as client:
        rights = {"keys": "*", "channels": "*", "commands": ["+@all", "-info"]}
        client.acl_setuser("bob", enabled=True, passwords=["+word"], **rights)
    with pytest.raises(RedisUnfitError, match=r"may not call INFO\. Allow it"):
        check(server.url.replace("unix://", "unix://bob:word@"))


def test_a_server_that_reads_its_data_is_waited_for(
    fresh_server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitness, "REPORT_EVERY_S", 0.1)
    server: PrivateServer = fresh_server(aof=True)
    with server.client() as client:
        client.mset({f"key{number}": "value" for number in range(100)})
        for _ in range(6):
            client.eval("for i = 1, 1000 do redis.call('incr', 'key:' .. i) end", 0)
    server.stop()
    server.options["key-load-delay"] = "100"  # microseconds for each command
    server.start(wait=False)
    check(server.url, tries=3000)
    assert "is reading its data" in caplog.text


def test_waiting_for_a_server_that_reads_has_an_end(impostor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitness, "LOADING_S", 0.0)
    loading = impostor(telling("redis_version:7.2.4\r\nloading:1\r\nloading_loaded_perc:12.50\r\n"))
    with pytest.raises(RedisUnavailableError, match=r"still reading its data \(12 %"):
        check(loading.url)
