"""The files of TLS: checked before the page starts, so that the error names the file."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NamedTuple

from xpm_core.errors import PageError


class Tls(NamedTuple):
    """The files of TLS.

    Attributes:
        cert: The certificate, with those between it and the authority.
        key: Its private key, without a password.
    """

    cert: Path
    key: Path


def checked(cert: Path, key: Path) -> Tls:
    """The files, if they belong together and can be read.

    Raises:
        PageError: They cannot be used.
    """
    try:
        # with a password, the key could be opened only by somebody who sits at the terminal
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=lambda: "")
    except OSError as error:  # ssl.SSLError is one
        wrong = error.strerror or str(error)
        remedy = "Give a certificate and its key, both as PEM, and the key without a password."
        raise PageError(f"{cert}, {key}", f"cannot be used for TLS: {wrong}", remedy) from error
    return Tls(cert, key)
