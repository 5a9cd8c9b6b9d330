"""A program that sends one text with apprise: a process of its own, because what apprise logs may hold addresses.

It reads JSON from its standard input: `path` (where Python looks for packages), `addresses`, `title` and `text`. It
prints JSON: "absent" if apprise is not installed, else for each address an empty text, or what went wrong, without the
address. Imports nothing of xpm.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def main() -> None:
    """Send what standard input says."""
    given = json.load(sys.stdin)
    sys.path[:] = given["path"]
    out, sys.stdout = sys.stdout, sys.stderr  # a plugin of apprise may print
    try:
        import apprise  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        json.dump("absent", out)
        return
    json.dump([_sent(apprise, each, given["title"], given["text"]) for each in given["addresses"]], out)


def _sent(apprise: Any, address: str, title: str, text: str) -> str:
    """Send to one address: so we know which one fails."""
    one = apprise.Apprise()
    try:
        if not one.add(address):
            return "apprise does not understand it"
        return "" if one.notify(title=title, body=text) else "apprise could not send the message"
    except Exception as error:  # a plugin may raise anything, and its text may hold the address
        return type(error).__name__


if __name__ == "__main__":
    main()
