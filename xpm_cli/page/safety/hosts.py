"""Under which names the page is served.

A page of somebody else can give its own name the address 127.0.0.1 and then read what it finds there ("DNS
rebinding"). The browser still sends that name, as the header Host. So the page answers to names that it knows.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from xpm_cli.page.safety.refusal import refuse

OWN = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""The names of this machine for itself. Any port may follow, because `ssh -L` gives the page another one."""


def host_of(header: str) -> str:
    """The name in a header Host, in lower case and without its port. What is no such header stays unknown: "".

    Example:
        >>> host_of("LocalHost:8080"), host_of("[::1]:8080"), host_of("localhost:8080@evil")
        ('localhost', '[::1]', '')
    """
    name, end, port = header.rpartition(":")
    if not end or header.endswith("]"):  # no port; the colons of [::1] are none of a port
        name, port = header, "0"
    return name.lower() if port.isascii() and port.isdigit() and name else ""


def host_allowed(name: str) -> str:
    """A name that a user allows, as `host_of` returns it. A port or brackets that are too many or too few do no harm.

    Example:
        >>> host_allowed("Head.cluster.org:8443"), host_allowed("fd00::1")
        ('head.cluster.org', '[fd00::1]')
    """
    is_address = name.count(":") > 1 and not name.startswith("[")
    return f"[{name.lower()}]" if is_address else host_of(name)


class KnownHosts:
    """The layer that refuses requests for other names.

    Args:
        app: What answers.
        hosts: Names that are known besides `OWN`, without a port.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = (OWN | {host.lower() for host in hosts}) - {""}  # "" is every name that cannot be read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        named = Headers(scope=scope).getlist("host")
        if len(named) == 1 and host_of(named[0]) in self._hosts:
            await self._app(scope, receive, send)
            return
        told = "This page is served as localhost. Open it by that name, or start it with --allow-host NAME."
        await refuse(scope, receive, send, 403, told)
