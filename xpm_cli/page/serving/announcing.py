"""What is printed when a page is served: where it is, and how to get there.

Owns: that the token is on no line that others can read. An output that goes to a file, as that of a batch job does, is
often readable for all users of a cluster.
"""

from __future__ import annotations

import os
import shlex
import socket
from contextlib import suppress

from xpm_cli.page.serving.listening import FORWARDED, Listening
from xpm_cli.page.serving.private_folder import private_folder


def announcement(listening: Listening, token: str, scheme: str = "http", *, hidden: bool = False) -> list[str]:
    """The lines that say where a page is.

    Args:
        listening: Where it listens.
        token: Its token.
        scheme: http or https.
        hidden: Whether others may read the lines. Then the address stands in a file that only this user can read, and
            which is removed when the page ends.
    """
    address, bare = listening.url(token, scheme), listening.url("", scheme)
    lines = [f"port {listening.taken} is taken, the page has port {listening.port}"] if listening.taken else []
    if listening.path:
        words = ["ssh", "-L", f"{FORWARDED}:{listening.path}", socket.gethostname()]
        lines += ["on your own computer, where a browser is:", f"    {shlex.join(words)}", "then open there:"]
    if hidden:
        path = _written(listening.name, address)
        listening.files.append(path)
        told = f"others may read this output, so the address with its token is in {path} on {socket.gethostname()}"
        return [*lines, f"page {bare}", told]
    return [*lines, f"    {address}" if listening.path else f"page {address}"]


def _written(name: str, address: str) -> str:
    """Write an address into a file that only this user can read. Returns its path."""
    path = f"{private_folder()}/{name}.url"
    with suppress(FileNotFoundError):
        os.unlink(path)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w") as file:
        file.write(f"{address}\n")
    return path
