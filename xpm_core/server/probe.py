"""What listens at an address, found out with plain sockets.

The client's library hides what a server sends before it hangs up. Owns: distinguishing a TLS port from a plain one, and
reading what the server sends. No password is sent, because we do not know yet what listens there.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import redis

from xpm_core.server import faults, tls
from xpm_core.server.faults import Fault

CONNECT_S = 2.0
ANSWER_S = 2.0
"""How long to wait for an answer that a server gives at once, in seconds."""
GREETING_S = 0.5
"""How long to wait for something that a server sends before any command, in seconds."""

_GREETINGS = {b"-DENIED": faults.PROTECTED, b"-ERR max number of clients": faults.FULL}


def plain_port(client: redis.Redis) -> Fault | None:
    """Find out whether a port that should speak TLS does not. A client that speaks TLS to it may never get an answer.

    Returns:
        The fault; None if the port speaks TLS, or nothing is known.
    """
    try:
        return _plain_port(client.connection_pool.connection_kwargs)
    except OSError:
        return None


def cause_of(error: redis.RedisError, client: redis.Redis) -> Fault:
    """What an error of a client means. Where the error does not say it, the server is asked by plain sockets."""
    fault, options = faults.fault_of(error, client), client.connection_pool.connection_kwargs
    if fault is faults.NO_DATABASE:
        return _without_database(options, client)
    if fault.lasting or fault is faults.FULL:
        return fault
    try:
        return _hung_up(options, issubclass(client.connection_pool.connection_class, redis.SSLConnection)) or fault
    except OSError:
        return fault


def _hung_up(options: Mapping[str, Any], wants_tls: bool) -> Fault | None:
    """Why a server hangs up, or does not answer; None if that stays unknown."""
    if (greeting := _greeting(options)) is not None:
        return greeting
    if not wants_tls:
        return faults.TLS_PORT if "path" not in options and _speaks_tls(options) else None
    return _plain_port(options) or _objection(options)


def _plain_port(options: Mapping[str, Any]) -> Fault | None:
    if _speaks_tls(options):
        return None
    with _connected(options) as connection:
        connection.sendall(b"PING\r\n")
        return faults.NO_TLS if connection.recv(1) in (b"+", b"-") else None


def _greeting(options: Mapping[str, Any]) -> Fault | None:
    """What a server sends to a client that merely listens.

    It sends the same to a client that sends a command, but then resets the connection, and the client cannot read it.
    """
    with _connected(options, GREETING_S) as connection, contextlib.suppress(TimeoutError):
        said = connection.recv(200)
        return next((fault for beginning, fault in _GREETINGS.items() if said.startswith(beginning)), None)
    return None


def _speaks_tls(options: Mapping[str, Any]) -> bool:
    """Whether the port answers a handshake of TLS, by a handshake or by an alert."""
    with _connected(options) as connection:
        try:
            tls.unverified(options).wrap_socket(connection).close()
        except TimeoutError:
            return False
        except ssl.SSLError as error:
            return "ALERT" in (error.reason or "")
    return True


def _objection(options: Mapping[str, Any]) -> Fault | None:
    """Why a server that speaks TLS refuses the client; with TLS 1.3 it says so only after the handshake."""
    with _connected(options) as connection:
        try:
            with tls.unverified(options).wrap_socket(connection) as wrapped:
                wrapped.settimeout(GREETING_S)
                wrapped.recv(1)
        except ssl.SSLError as error:
            return faults.fault_of_tls(error, options) if "ALERT" in (error.reason or "") else None
    return None


def _connected(options: Mapping[str, Any], answer_s: float = ANSWER_S) -> socket.socket:
    if "path" in options:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(CONNECT_S)
        try:
            connection.connect(options["path"])
        except OSError:
            connection.close()
            raise
    else:
        connection = socket.create_connection((options.get("host", "localhost"), options.get("port", 6379)), CONNECT_S)
    connection.settimeout(answer_s)
    return connection


def _without_database(options: Mapping[str, Any], client: redis.Redis) -> Fault:
    """The fault of a missing database, with the number of databases, if the user may ask for that."""
    pool = redis.ConnectionPool(client.connection_pool.connection_class, **{**options, "db": 0})
    with redis.Redis(connection_pool=pool) as first, contextlib.suppress(redis.RedisError, KeyError):
        count = int(first.config_get("databases")["databases"])
        problem = f"the server has {count} databases, the URL asks for number {options['db']}"
        return replace(faults.NO_DATABASE, problem=problem, remedy=f"Use 0 to {count - 1}.")
    return faults.NO_DATABASE
