"""Certificates that are made for a test, and TLS in front of a private server that may have been built without TLS.

`from helpers.tls import Authority, TlsFront`; the fixtures around them are in core/server/test_tls.py.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import socket
import ssl
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates, by the program openssl."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._own = self._paths(name)
        self._openssl("req", "-x509", *self._new_key(name), "-days", "2", "-out", self._own.certificate)

    @property
    def certificate(self) -> Path:
        """Its own certificate: what a client is given to trust it."""
        return self._own.certificate

    def sign(self, name: str, *, names: str = "DNS:localhost,IP:127.0.0.1", days: int = 2) -> Certificate:
        """A certificate that is good for so many days, which may be negative; `names` are those of its server."""
        made, request = self._paths(name), self._folder / f"{name}.csr"
        self._openssl("req", *self._new_key(name), "-out", request)
        extensions = self._folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\n")
        signer = ["-CA", self._own.certificate, "-CAkey", self._own.key, "-CAcreateserial", "-days", str(days)]
        self._openssl("x509", "-req", "-in", request, *signer, "-extfile", extensions, "-out", made.certificate)
        return made

    def _paths(self, name: str) -> Certificate:
        return Certificate(self._folder / f"{name}.crt", self._folder / f"{name}.key")

    def _new_key(self, name: str) -> list[str | Path]:
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        return [*curve, "-keyout", self._paths(name).key, "-subj", f"/CN={name}"]

    def _openssl(self, *words: str | Path) -> None:
        program = shutil.which("openssl")
        if program is None:
            if os.environ.get("CI") == "true":
                pytest.fail("openssl is not installed")
            pytest.skip("openssl is not installed")
        result = subprocess.run([program, *map(str, words)], capture_output=True, text=True)
        assert result.returncode == 0, result.stderr


class TlsFront:
    """Speaks TLS on a port of this machine, and passes on what is said to a server's socket.

    Args:
        socket_path: Of the server.
        certificate: What it shows.
        clients: The certificate of the authority whose clients alone are let in; None for all.
    """

    def __init__(self, socket_path: Path, certificate: Certificate, clients: Path | None = None) -> None:
        self._behind = str(socket_path)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate.certificate, certificate.key)
        if clients is not None:
            self._context.load_verify_locations(clients)
            self._context.verify_mode = ssl.CERT_REQUIRED
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._open: list[socket.socket] = []
        self._threads[0].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                visitor, _ = self._listener.accept()
                self._open.append(visitor)
                self._threads.append(threading.Thread(target=self._serve, args=[visitor]))
                self._threads[-1].start()

    def _serve(self, visitor: socket.socket) -> None:
        # ValueError: it was closed meanwhile
        with contextlib.suppress(OSError, ValueError), socket.socket(socket.AF_UNIX) as server:
            server.connect(self._behind)
            self._open.append(server)
            with self._context.wrap_socket(visitor, server_side=True) as client:
                self._open.append(client)
                self._relay(client, server)

    @staticmethod
    def _relay(client: ssl.SSLSocket, server: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in selector.select():
                    source, target = key.fileobj, key.data
                    data = source.recv(65536)  # type: ignore[union-attr]
                    if not data:
                        return
                    while source is client and client.pending():
                        data += client.recv(65536)
                    target.sendall(data)

    def close(self) -> None:
        """Let nobody in any more, and hang up."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            while thread.is_alive():  # it may be about to open one more connection
                for each in list(self._open):
                    with contextlib.suppress(OSError):
                        each.shutdown(socket.SHUT_RDWR)
                thread.join(0.05)
        for each in self._open:
            each.close()
