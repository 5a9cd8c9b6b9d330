"""Servers that speak TLS, reached in a wrong way: one clear error, soon, and never "start it"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.ports import free_port
from helpers.private_server import PrivateServer
from helpers.tls import Authority, Certificate, TlsFront
from helpers.waiting import wait_until

from xpm_core.errors import RedisUnavailableError, RedisUrlError
from xpm_core.server import connection, fitness
from xpm_core.server.binary import ServerProgram

pytestmark = pytest.mark.redis

Listen = Callable[..., int]
"""Starts something that speaks TLS; returns its port."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def good(authority: Authority) -> Certificate:
    """A server's certificate with which nothing is wrong."""
    return authority.sign("good")


@pytest.fixture(scope="module")
def client_certificate(authority: Authority) -> Certificate:
    return authority.sign("client")


@pytest.fixture(params=["front", "own"])
def listen(
    request: pytest.FixtureRequest,
    redis_server: PrivateServer,
    server_program: ServerProgram,
    authority: Authority,
) -> Iterator[Listen]:
    """A port that speaks TLS: of a proxy in front of the server, and of the server itself where it can."""
    made: list[TlsFront | PrivateServer] = []

    def front(certificate: Certificate, clients: Path | None = None) -> int:
        made.append(front := TlsFront(redis_server.socket, certificate, clients))
        return front.port

    def own(certificate: Certificate, clients: Path | None = None) -> int:
        port = free_port()
        options = {
            "tls-port": str(port),
            "tls-cert-file": str(certificate.certificate),
            "tls-key-file": str(certificate.key),
            "tls-ca-cert-file": str(clients or authority.certificate),
            "tls-auth-clients": "yes" if clients else "no",
        }
        made.append(server := PrivateServer(server_program, options=options))
        server.start(wait=False)
        wait_until(lambda: server.answers() or not server.lives())
        if not server.lives():
            pytest.skip(f"{server_program.path} was built without TLS")
        return port

    yield front if request.param == "front" else own
    for each in made:
        each.close() if isinstance(each, TlsFront) else each.remove()


def error_of(url: str) -> RedisUnavailableError:
    """What `check` says of an address, as scripts, xpm and xpm-worker ask: with the usual time-outs."""
    with connection.open(url) as client, pytest.raises(RedisUnavailableError) as caught:
        fitness.check(client, url)
    return caught.value


def test_a_good_server_passes(listen: Listen, good: Certificate, authority: Authority) -> None:
    url = f"rediss://localhost:{listen(good)}?ssl_ca_certs={authority.certificate}"
    with connection.open(url) as client:
        fitness.check(client, url)
        assert client.ping()


def test_a_client_certificate_is_shown(
    listen: Listen, good: Certificate, authority: Authority, client_certificate: Certificate
) -> None:
    trust = f"ssl_ca_certs={authority.certificate}"
    own = f"ssl_certfile={client_certificate.certificate}&ssl_keyfile={client_certificate.key}"
    url = f"rediss://localhost:{listen(good, authority.certificate)}?{trust}&{own}"
    with connection.open(url) as client:
        fitness.check(client, url)


def test_a_tls_port_reached_without_tls_is_named(listen: Listen, good: Certificate) -> None:
    port = listen(good)
    error = error_of(f"redis://localhost:{port}/0")
    assert str(error) == f"Redis at redis://localhost:{port}/0: it is a TLS port. Write rediss:// in the URL."


def test_a_port_without_tls_is_told_before_a_client_waits_for_it(fresh_server: Callable[..., PrivateServer]) -> None:
    """The server waits for the end of a line that never comes, and a client waits for the server."""
    port = free_port()
    server = fresh_server(options={"port": str(port)})
    with server.client() as client:
        before = int(client.info("stats")["total_connections_received"])
        error = error_of(f"rediss://localhost:{port}/0")
        came = int(client.info("stats")["total_connections_received"]) - before
    said = "it does not speak TLS. Write redis:// in the URL, or name its TLS port."
    assert str(error) == f"Redis at rediss://localhost:{port}/0: {said}"
    assert came == 2, "a handshake, then a PING in plain text; each waits for 2 s at most"


def test_an_unknown_authority_is_told_with_the_option(listen: Listen, good: Certificate) -> None:
    error = error_of(f"rediss://localhost:{listen(good)}/0")
    assert str(error).endswith(
        ": its certificate is signed by no authority known here. Add ?ssl_ca_certs=/path/ca.crt to the URL."
    )
    assert "tries" not in str(error), "trying again cannot help"


def test_a_wrong_authority_is_told(listen: Listen, good: Certificate, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other").certificate
    error = error_of(f"rediss://localhost:{listen(good)}?ssl_ca_certs={other}")
    assert error.problem == "its certificate is signed by no authority in ssl_ca_certs"
    assert "the authority that has signed it" in str(error)


def test_an_expired_certificate_is_told(listen: Listen, authority: Authority) -> None:
    port = listen(authority.sign("old", days=-1))
    error = error_of(f"rediss://localhost:{port}?ssl_ca_certs={authority.certificate}")
    assert "its certificate has expired. Renew it on the server" in str(error)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_of_another_host_is_told(listen: Listen, authority: Authority, host: str) -> None:
    port = listen(authority.sign("elsewhere", names="DNS:head.cluster"))
    error = error_of(f"rediss://{host}:{port}?ssl_ca_certs={authority.certificate}")
    assert f"its certificate is not valid for '{host}'. Write a name in the URL that it is valid for" in str(error)


def test_a_demand_for_a_client_certificate_is_told(listen: Listen, good: Certificate, authority: Authority) -> None:
    port = listen(good, authority.certificate)
    error = error_of(f"rediss://localhost:{port}?ssl_ca_certs={authority.certificate}")
    assert str(error).endswith(
        "it demands a client certificate. Add &ssl_certfile=/path/me.crt&ssl_keyfile=/path/me.key to the URL."
    )


def test_a_client_certificate_that_is_not_trusted_is_told(
    listen: Listen, good: Certificate, authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "other").sign("stranger")
    own = f"ssl_certfile={stranger.certificate}&ssl_keyfile={stranger.key}"
    port = listen(good, authority.certificate)
    error = error_of(f"rediss://localhost:{port}?ssl_ca_certs={authority.certificate}&{own}")
    assert "it refuses the client certificate" in str(error)


def test_files_that_cannot_be_used_are_named(authority: Authority, good: Certificate, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    trust = f"ssl_ca_certs={authority.certificate}"
    for options, said in [
        (f"ssl_ca_certs={tmp_path}/none.crt", f"ssl_ca_certs: {tmp_path}/none.crt: no such file or directory"),
        (f"ssl_ca_certs={tmp_path}/empty", f"ssl_ca_certs: {tmp_path}/empty: holds no certificate"),
        (f"{trust}&ssl_certfile={tmp_path}/none.crt", f"ssl_certfile: {tmp_path}/none.crt: no such file"),
        (f"{trust}&ssl_certfile={good.certificate}&ssl_keyfile={tmp_path}/no.key", f"{tmp_path}/no.key: no such file"),
        (f"{trust}&ssl_certfile={good.certificate}", f"{good.certificate} cannot be used with its key"),
        (f"{trust}&ssl_keyfile={good.key}", "ssl_keyfile: needs ssl_certfile"),
    ]:
        with pytest.raises(RedisUrlError) as caught:
            connection.open(f"rediss://localhost:1?{options}")
        assert said in str(caught.value), options
