"""TLS as a URL asks for it: the files that the URL names, and a context made of them.

Owns: messages about files that cannot be used. The client's library makes its own context of the same options.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from typing import Any

OPTIONS = frozenset(
    f"ssl_{name}"
    for name in (
        "ca_certs",
        "ca_data",
        "ca_path",
        "cert_reqs",
        "certfile",
        "check_hostname",
        "ciphers",
        "keyfile",
        "min_version",
        "password",
    )
)
"""Options of TLS that a `rediss://` URL may have after the `?`."""

FILES = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile")
"""The options that name a file or a folder."""

_AUTHORITIES = {"ssl_ca_certs": "cafile", "ssl_ca_path": "capath", "ssl_ca_data": "cadata"}


def problem_of(options: Mapping[str, Any]) -> str | None:
    """Why TLS is not possible with these options, such as a file that does not exist; None if it is possible."""
    for name in FILES:
        path = options.get(name)
        if path is not None and not os.access(path, os.R_OK):
            return f"{name}: {path}: {'permission denied' if os.path.exists(path) else 'no such file or directory'}"
    if options.get("ssl_keyfile") and not options.get("ssl_certfile"):
        return "ssl_keyfile: needs ssl_certfile, the certificate that belongs to the key"
    authorities = {name: options[name] for name in _AUTHORITIES if options.get(name)}
    try:
        if authorities:
            trusted = {_AUTHORITIES[name]: value for name, value in authorities.items()}
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(**trusted)
    except (OSError, ValueError):  # SSLError is an OSError
        return f"{', '.join(f'{name}: {value}' for name, value in authorities.items())}: holds no certificate"
    try:
        unverified(options)
    except (OSError, ValueError) as error:
        said = getattr(error, "reason", None) or str(error)
        return f"ssl_certfile: {options.get('ssl_certfile')} cannot be used with its key: {said}"
    return None


def unverified(options: Mapping[str, Any]) -> ssl.SSLContext:
    """A context that accepts any server, to find out how the server answers. Send nothing secret through it.

    It shows the client's certificate, if the options name one.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if options.get("ssl_certfile"):
        # Always pass a password: without one, OpenSSL asks for it on the terminal.
        password = options.get("ssl_password") or ""
        context.load_cert_chain(options["ssl_certfile"], options.get("ssl_keyfile"), password)
    return context
