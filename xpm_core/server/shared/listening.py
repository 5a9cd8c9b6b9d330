"""Where a server for several machines listens: what is chosen where the user names nothing, and its address.

Owns: free ports, the certificate's checks before the start, the options of the server program, and the URL.
"""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from xpm_core.errors import SharedServerError
from xpm_core.server import tls
from xpm_core.server.notice import ALL, Listening

CA_FILE = "redis-ca.crt"
"""The copy of the authority's certificate, in the folder of the settings, where all machines find it."""

_WILDCARDS = {ALL, "0.0.0.0", "::"}
_TLS_OPTIONS = {"ssl_certfile": "--tls-cert", "ssl_keyfile": "--tls-key", "ssl_ca_certs": "--tls-ca"}
_LOOPBACK = ("127.", "::1", "localhost")


def chosen(wish: Listening, former: Listening | None) -> Listening:
    """How a server listens: as the user wishes, else as it did before, else what is chosen for it.

    Args:
        wish: What the user has named.
        former: How the server listened before; None for a new one.

    Raises:
        SharedServerError: The address is none of this machine, the port is taken, or the certificate cannot be used.
    """
    if wish.tls_cert and former is not None:  # a certificate comes with its key and its authority
        former = replace(former, tls_cert="", tls_key="", tls_ca="")
    before = former or Listening()
    merged = Listening(**{name: value or getattr(before, name) for name, value in vars(wish).items()})
    if wish.bind and not wish.advertise:
        merged = replace(merged, advertise="")
    bind = merged.bind or ALL
    advertise = merged.advertise or (socket.gethostname() if bind in _WILDCARDS else bind)
    _check_certificate(merged)
    return replace(merged, bind=bind, advertise=advertise, port=_free_port(bind, merged.port))


def options_of(listening: Listening) -> list[str]:
    """The options of the server program."""
    addresses = [ALL, "-::*"] if listening.bind == ALL else [listening.bind]
    port = str(listening.port)
    if not listening.tls_cert:
        return ["--bind", *addresses, "--port", port]
    files = ["--tls-cert-file", listening.tls_cert, "--tls-key-file", listening.tls_key, "--tls-auth-clients", "no"]
    return ["--bind", *addresses, "--port", "0", "--tls-port", port, *files]


def url_of(listening: Listening, password: str, ca: str) -> str:
    """The address by which all machines reach a server.

    Args:
        listening: How it listens.
        password: Its password.
        ca: The file of the authority that has signed its certificate; empty for one that machines know.
    """
    if not listening.tls_cert:
        return f"redis://:{password}@{listening}/0"
    options = f"?ssl_ca_certs={quote(ca, safe='/')}" if ca else ""
    return f"rediss://:{password}@{listening}/0{options}"


def is_private(listening: Listening) -> bool:
    """Whether nobody on the network can read along: it speaks TLS, or listens only to its own machine."""
    return bool(listening.tls_cert) or listening.bind.startswith(_LOOPBACK)


def _free_port(bind: str, port: int) -> int:
    """The port itself, or a free one if it is 0; it must be possible to listen there."""
    host = None if bind == ALL else bind
    where = f"Address {bind}, port {port}" if port else f"Address {bind}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            return int(listener.getsockname()[1])
    except socket.gaierror:
        raise SharedServerError(where, "no such host", "Name an address of this machine: --bind ADDRESS.") from None
    except OSError as error:
        problem = f"cannot listen there: {os.strerror(error.errno or 0).lower()}"
        other = "Name another port: --port N." if port else "Name an address of this machine: --bind ADDRESS."
        raise SharedServerError(where, problem, other) from error


def _check_certificate(listening: Listening) -> None:
    """Refuse files that the server or its clients could not use."""
    if not listening.tls_cert:
        if listening.tls_key or listening.tls_ca:
            problem = "they belong to a certificate, and none is given"
            raise SharedServerError("--tls-key, --tls-ca", problem, "Add --tls-cert FILE.")
        return
    if not listening.tls_key:
        raise SharedServerError("--tls-cert", "its key is missing", "Add --tls-key FILE.")
    options = {"ssl_certfile": listening.tls_cert, "ssl_keyfile": listening.tls_key}
    if listening.tls_ca:
        options["ssl_ca_certs"] = listening.tls_ca
    fault = tls.problem_of(options)
    if fault is None and listening.tls_ca and b"PRIVATE KEY" in Path(listening.tls_ca).read_bytes():
        problem = f"{listening.tls_ca} also holds a private key, and all users of the workspace get this file"
        raise SharedServerError("--tls-ca", problem, "Name a file that holds the certificate alone.")
    if fault is not None:
        for option, name in _TLS_OPTIONS.items():
            fault = fault.replace(option, name)
        raise SharedServerError("TLS", fault, "Name files that belong together, and that you can read.")
