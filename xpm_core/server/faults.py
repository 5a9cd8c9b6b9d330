"""Why a server cannot be used: an error of the client's library, in words that say what to do.

Owns: the words for each fault, and which faults last until somebody mends them. Nothing is sent to the server here; for
that, see probe.py.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import redis
from redis.exceptions import AuthenticationError, InvalidResponse

from xpm_core.server.url import URL_VARIABLE

if TYPE_CHECKING:
    from redis import Redis


START = f"Start it, or set {URL_VARIABLE}."
"""What to do about a server that is away, as far as its address alone says it."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with a server or its address, and what to do."""

    problem: str
    remedy: str = START
    lasting: bool = True
    """Whether it lasts until somebody mends it. Otherwise, trying again may help."""


TLS_PORT = Fault("it is a TLS port", "Write rediss:// in the URL.")
NO_TLS = Fault("it does not speak TLS", "Write redis:// in the URL, or name its TLS port.")
FULL = Fault(
    "it takes no more clients (its maxclients is reached)", "Raise maxclients there, or end some of its clients.", False
)
PROTECTED = Fault(
    "it is in protected mode: without a password it serves its own machine only",
    "Set one there (requirepass, or users), and put it into the URL.",
)
NOT_REDIS = Fault("what answers there is not Redis", "Correct host and port in the URL.")
NO_HOST = Fault("host name not known", "Correct it in the URL.")
NO_DATABASE = Fault("the server has no database of that number", "Use a smaller one in the URL.")

_BY_REPLY = {
    "max number of clients reached": FULL,
    "DENIED": PROTECTED,
    "DB index is out of range": NO_DATABASE,
    "invalid DB index": NO_DATABASE,
}
"""Faults by the first words of a server's error reply."""

_NO_TLS_REASONS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL"}
"""OpenSSL's names for an answer that is not TLS."""

_HANG_UPS = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)

_EXPIRED, _NOT_YET = 10, 9
_UNKNOWN_AUTHORITY = {18, 19, 20, 21, 2, 27}
_OTHER_NAME = {62, 63, 64}
"""OpenSSL's numbers for faults of a certificate (X509_V_ERR_..., see x509_vfy.h)."""


def fault_of(error: BaseException, client: Redis) -> Fault:
    """What an error of a client means.

    Args:
        error: The error that the client has raised.
        client: The client; what its URL gives and lacks helps to explain the error.

    Example:
        >>> fault_of(redis.ConnectionError("max number of clients reached"), client).problem
        'it takes no more clients (its maxclients is reached)'
    """
    options: Mapping[str, Any] = client.connection_pool.connection_kwargs
    if isinstance(error, AuthenticationError):
        return _refusal(str(error), options)
    for beginning, meant in _BY_REPLY.items():
        if str(error).startswith(beginning):
            return meant
    if isinstance(error, InvalidResponse):
        return NOT_REDIS
    cause: BaseException | None = error
    while cause is not None:
        if (fault := _fault_of_network(cause, options)) is not None:
            return fault
        cause = cause.__cause__ or cause.__context__
    return Fault(str(error).rstrip("."), lasting=False)


def _refusal(said: str, options: Mapping[str, Any]) -> Fault:
    """Why a server refuses a user or a password."""
    if "without any password" in said:
        return Fault("it has no password, and the URL gives one", "Take it out of the URL.")
    problem = "it refuses the user name or password"
    if options.get("password"):
        return Fault(problem, f"Correct them in the URL ({URL_VARIABLE}).")
    remedy = f"Write redis://USER:PASSWORD@HOST:PORT/DB into {URL_VARIABLE}, or into a settings file of mode 600."
    return Fault(f"{problem}: the URL has none", remedy)


def _fault_of_network(cause: BaseException, options: Mapping[str, Any]) -> Fault | None:
    """What an error of sockets means; None for any other error."""
    if isinstance(cause, _HANG_UPS):
        return Fault("it hangs up", lasting=False)
    if isinstance(cause, ssl.SSLError):
        return fault_of_tls(cause, options)
    if isinstance(cause, socket.gaierror):
        return NO_HOST if cause.errno != socket.EAI_AGAIN else Fault(NO_HOST.problem, NO_HOST.remedy, lasting=False)
    if isinstance(cause, (TimeoutError, redis.TimeoutError)):
        return Fault("no answer", lasting=False)
    if isinstance(cause, OSError) and cause.errno:
        return Fault(os.strerror(cause.errno).lower(), lasting=False)
    return None


def fault_of_tls(error: ssl.SSLError, options: Mapping[str, Any]) -> Fault:
    """What an error of TLS means, unless the server has hung up."""
    reason = error.reason or str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return _fault_of_certificate(error, options)
    if reason in _NO_TLS_REASONS:
        return NO_TLS
    if reason == "TLSV13_ALERT_CERTIFICATE_REQUIRED":
        more = _more("ssl_certfile=/path/me.crt&ssl_keyfile=/path/me.key", options)
        return Fault("it demands a client certificate", f"Add {more} to the URL.")
    if "ALERT" in reason and options.get("ssl_certfile"):
        said = reason.partition("_ALERT_")[2].replace("_", " ").lower()
        remedy = "In ssl_certfile, name a certificate that an authority of the server has signed."
        return Fault(f"it refuses the client certificate ({said})", remedy)
    return Fault(f"TLS failed ({reason})", "Compare the URL's TLS options with the server's.")


def _fault_of_certificate(error: ssl.SSLCertVerificationError, options: Mapping[str, Any]) -> Fault:
    """What is wrong with the server's certificate."""
    code = error.verify_code
    if code == _EXPIRED:
        return Fault("its certificate has expired", "Renew it on the server (or set the clock of this machine).")
    if code == _NOT_YET:
        return Fault("its certificate is not valid yet", "Set the clock of this machine, or of the server.")
    if code in _OTHER_NAME:
        remedy = "Write a name in the URL that it is valid for, or give the server one for this name."
        return Fault(f"its certificate is not valid for {options.get('host', '')!r}", remedy)
    if code not in _UNKNOWN_AUTHORITY:
        return Fault(f"its certificate is refused ({error.verify_message})", "Give the server another one.")
    if options.get("ssl_ca_certs") or options.get("ssl_ca_path"):
        problem = "its certificate is signed by no authority in ssl_ca_certs"
        return Fault(problem, "Name the certificate of the authority that has signed it.")
    problem = "its certificate is signed by no authority known here"
    return Fault(problem, f"Add {_more('ssl_ca_certs=/path/ca.crt', options)} to the URL.")


def _more(words: str, options: Mapping[str, Any]) -> str:
    """Options to add to a URL, with the character that comes before them."""
    return f"{'&' if any(name.startswith('ssl_') for name in options) else '?'}{words}"
