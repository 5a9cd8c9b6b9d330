"""docs/howto/redis.md: its certificates are good, and a server with its configuration keeps others out."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from helpers.documents import blocks, play
from helpers.ports import free_port
from helpers.private_server import PrivateServer
from helpers.project_files import ROOT, require
from helpers.tls import Certificate, TlsFront
from helpers.waiting import wait_until

from xpm_core.errors import RedisUnavailableError
from xpm_core.server import connection, fitness
from xpm_core.server.binary import ServerProgram

pytestmark = pytest.mark.redis

DOCUMENT = ROOT / "docs" / "howto" / "redis.md"


def configuration(part: str) -> dict[str, str]:
    """The lines of the page's configuration file that hold a word."""
    (text,) = (block.text for block in blocks(DOCUMENT) if block.kind == "text" and part in block.text)
    return dict(line.split(maxsplit=1) for line in text.splitlines() if not line.startswith("#"))


def accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("localhost", port)):
        return True
    return False


def check(url: str) -> None:
    """What scripts and workers do with a server before they use it."""
    with connection.open(url) as client:
        fitness.check(client, url)


def test_server_with_the_page_s_configuration_wants_the_password(server_program: ServerProgram) -> None:
    port = free_port()
    options = {**configuration("requirepass"), "port": str(port)}
    server = PrivateServer(server_program, aof=True, options=options)
    server.start(wait=False)  # it would ask without the password
    try:
        wait_until(lambda: accepts(port), show=lambda: server.log)
        check(f"redis://:PASSWORD@localhost:{port}/0")
        with pytest.raises(RedisUnavailableError, match="it refuses the user name or password"):
            check(f"redis://:other@localhost:{port}/0")
    finally:
        server.remove()


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A folder with the certificates that the page's commands make."""
    require(shutil.which("openssl"), "openssl")
    play(DOCUMENT, tmp_path, {})
    return tmp_path


def test_certificates_of_the_page_are_good_for_its_server(certificates: Path, redis_server: PrivateServer) -> None:
    front = TlsFront(redis_server.socket, Certificate(certificates / "head.crt", certificates / "head.key"))
    try:
        check(f"rediss://localhost:{front.port}/0?ssl_ca_certs={certificates}/ca.crt")
        with pytest.raises(RedisUnavailableError, match="signed by no authority known here"):
            check(f"rediss://localhost:{front.port}/0")
    finally:
        front.close()


def test_certificates_of_the_page_pass_the_strict_check_of_newer_pythons(certificates: Path) -> None:
    command = ["openssl", "verify", "-x509_strict", "-CAfile", "ca.crt", "head.crt"]
    assert subprocess.run(command, cwd=certificates, capture_output=True, text=True).stdout == "head.crt: OK\n"


def test_lines_for_tls_start_a_server_that_has_it(certificates: Path, server_program: ServerProgram) -> None:
    files = {name: str(certificates / name) for name in ("head.crt", "head.key", "ca.crt")}
    lines = {name: files.get(value, value) for name, value in configuration("tls-port").items()}
    port = free_port()
    server = PrivateServer(server_program, options={**lines, "tls-port": str(port)})
    server.start(wait=False)
    try:
        wait_until(lambda: server.answers() or not server.lives())
        if not server.lives():
            pytest.skip(f"{server_program.path} was built without TLS")
        check(f"rediss://localhost:{port}/0?ssl_ca_certs={certificates}/ca.crt")
    finally:
        server.remove()
