"""Stray servers: their workspace's folder was removed after all their users had been killed.

Nobody is left to stop such a server, so the next process that starts a server looks for them. Linux only: other systems
do not say which process serves a socket.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import struct
import sys

import redis

from xpm_core.server.embedded.record import client_of

log = logging.getLogger(__name__)

_PEER = struct.Struct("3i")
"""What SO_PEERCRED returns: process id, user id, group id."""


def end_strays(folder: str) -> None:
    """End the servers that listen in a folder of sockets, work in a removed folder, and have no clients."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder) if sys.platform == "linux" else ():
            if entry.name.endswith(".sock") and (pid := _homeless(entry.path)) is not None:
                _end_unused(entry.path, pid)


def _homeless(address: str) -> int | None:
    """The process that listens there, if it works in a removed folder."""
    with socket.socket(socket.AF_UNIX) as client:
        client.setblocking(False)
        try:
            client.connect(address)
            pid, _, _ = _PEER.unpack(client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
            return pid if os.stat(f"/proc/{pid}/cwd").st_nlink == 0 else None
        except OSError:  # nobody listens, or the system does not say who
            return None


def _end_unused(address: str, pid: int) -> None:
    with client_of(address) as client, contextlib.suppress(redis.RedisError, ProcessLookupError):
        try:
            used = client.info("clients")["connected_clients"] > 1
        except redis.AuthenticationError:  # it is for several machines: it had no other end than its folder
            os.kill(pid, signal.SIGTERM)
        else:
            if not used:
                log.info("the server at %s is ended: its folder was removed, and nobody uses it", address)
                client.shutdown(nosave=True)
