"""Network namespaces: each is like a machine for one worker, and its cable can be pulled. Only root can make one.

`from helpers.network_namespaces import Island`; the fixture around it is in faults/conftest.py.
"""

from __future__ import annotations

import os
import subprocess


class Island:
    """A network namespace, joined to this machine by a pair of virtual interfaces.

    Example:
        >>> island.prefix       # in front of a command that is to run there
        ['ip', 'netns', 'exec', 'xpm-1f3a']
        >>> island.cut(); island.mend()
    """

    def __init__(self) -> None:
        number = os.urandom(2)
        name = number.hex()
        self.name, self._here, self._there = f"xpm-{name}", f"xpm{name}h", f"xpm{name}t"
        subnet = f"10.{200 + number[0] % 50}.{number[1]}"
        self.host = f"{subnet}.1"
        """This machine's address, as it is seen from there."""
        self.prefix = ["ip", "netns", "exec", self.name]
        try:
            ip("netns", "add", self.name)
            ip("link", "add", self._here, "type", "veth", "peer", "name", self._there, "netns", self.name)
            ip("addr", "add", f"{self.host}/24", "dev", self._here)
            ip("link", "set", self._here, "up")
            ip("-n", self.name, "addr", "add", f"{subnet}.2/24", "dev", self._there)
            ip("-n", self.name, "link", "set", self._there, "up")
            ip("-n", self.name, "link", "set", "lo", "up")
            ip("-n", self.name, "route", "add", "default", "via", self.host)  # other islands' addresses of this machine
        except BaseException:
            self.sink()
            raise

    def cut(self) -> None:
        """Let no packet through any more, and tell nobody."""
        ip("link", "set", self._here, "down")

    def mend(self) -> None:
        """Let packets through again."""
        ip("link", "set", self._here, "up")

    def sink(self) -> None:
        """Remove it."""
        for command in (["netns", "delete", self.name], ["link", "delete", self._here]):
            subprocess.run(["ip", *command], capture_output=True)  # whichever is there


def ip(*arguments: str) -> None:
    """Call `ip`.

    Raises:
        RuntimeError: It refuses; with what it says.
    """
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
