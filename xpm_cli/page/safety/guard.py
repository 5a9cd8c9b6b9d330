"""The guard of one page: its secrets, and the layers that each request passes before a view sees it.

Example:
    guard = Guard(cookie="xpm-12346-1f00ab", acts=True)
    app = Starlette(routes=…, middleware=guard.middleware())
    print(f"page http://127.0.0.1:12346/?token={guard.token}")
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from starlette.middleware import Middleware
from starlette.requests import Request

from xpm_cli.page.safety.headers import SafeHeaders
from xpm_cli.page.safety.hosts import KnownHosts
from xpm_cli.page.safety.posts import Posts, posted
from xpm_cli.page.safety.session import Session


def new_token() -> str:
    """A new token: 128 random bits as 32 characters that no terminal breaks a link at."""
    return secrets.token_hex(16)


@dataclass(frozen=True)
class Guard:
    """What protects one page, from its start to its end.

    Attributes:
        cookie: The name of its cookie. Each page has another one, because browsers do not keep the cookies of two ports
            apart.
        hosts: Names of hosts that requests may name, besides localhost, 127.0.0.1 and [::1]. Without a port.
        acts: Whether the page may act: cancel, retry, drain, pause. Otherwise each POST is refused.
        token: What the address that is printed ends with. Whoever has it gets a session, while the page lives.
    """

    cookie: str = "xpm-page"
    hosts: frozenset[str] = frozenset()
    acts: bool = False
    token: str = field(default_factory=new_token, repr=False)
    _session: str = field(default_factory=new_token, init=False, repr=False)
    _form_value: str = field(default_factory=new_token, init=False, repr=False)

    def middleware(self) -> list[Middleware]:
        """The layers of the application, the outermost first."""
        return [
            Middleware(SafeHeaders),
            Middleware(KnownHosts, hosts=self.hosts),
            Middleware(Session, token=self.token, cookie=self.cookie, value=self._session),
            Middleware(Posts, acts=self.acts, form_value=self._form_value),
        ]

    def form_value(self, request: Request) -> str:
        """The value of the field `csrf`, which each form that acts has to send."""
        return self._form_value

    def posted(self, request: Request) -> dict[str, list[str]]:
        """The fields of a form that was posted, each with its values; empty for a request that is no POST.

        Starlette's own `request.form()` needs a further package and an event loop, which a view's thread has not.
        """
        return posted(request)
