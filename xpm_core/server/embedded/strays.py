"""Servers that outlived their workspace: its folder was removed after all that used the server had been killed.

Nobody is left to stop such a server, so whoever starts another one looks for them. Linux only: elsewhere it is not told
which process serves a socket.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
import sys

import redis

from xpm_core.server.embedded.process import client_of

log = logging.getLogger(__name__)

_PEER = struct.Struct("3i")


def end_strays(folder: str) -> None:
    """End the servers that listen in a folder of sockets, whose own folder was removed, and that nobody uses."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder) if sys.platform == "linux" else ():
            if entry.name.endswith(".sock") and _is_homeless(entry.path):
                _end_unused(entry.path)


def _is_homeless(address: str) -> bool:
    """Whether the process that listens there works in a folder that was removed."""
    with socket.socket(socket.AF_UNIX) as client:
        client.setblocking(False)
        try:
            client.connect(address)
            pid, _, _ = _PEER.unpack(client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
            return os.stat(f"/proc/{pid}/cwd").st_nlink == 0
        except OSError:  # nobody listens, or it is not known who
            return False


def _end_unused(address: str) -> None:
    with client_of(address) as client, contextlib.suppress(redis.RedisError):
        if client.info("clients")["connected_clients"] == 1:
            log.info("the server at %s is ended: its folder was removed, and nobody uses it", address)
            client.shutdown(nosave=True)
