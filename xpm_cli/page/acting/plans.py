"""What people were shown before they act: which jobs, and which of them then ran. A form names its plan.

Owns: that an act is about the jobs that were shown, whatever has happened since. The jobs stay on the server, because
100,000 identities are no form.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

KEPT = 50
"""How many plans, and how many acts, are remembered: the latest ones."""
LASTS_S = 3600.0
"""How long a plan can be acted on, seconds. What was shown earlier says little of what is so now."""


@dataclass(frozen=True)
class Plan:
    """What was shown.

    Attributes:
        verb: "cancel" or "retry".
        filter: The filter whose matches these are; None if the jobs were chosen one by one.
        identities: The jobs, in the order of the list.
        losing: Those that ran, so that the act takes away what they have done.
        made_s: When it was shown, by the monotonic clock.
    """

    verb: str
    filter: str | None
    identities: tuple[str, ...]
    losing: frozenset[str] = frozenset()
    made_s: float = field(default_factory=time.monotonic)

    @property
    def digest(self) -> str:
        """Says which jobs these are, and what is to become of them. A form sends it back."""
        return hashlib.sha256("\n".join([self.verb, *self.identities, *sorted(self.losing)]).encode()).hexdigest()

    @property
    def stale(self) -> bool:
        """Whether it was shown too long ago."""
        return time.monotonic() - self.made_s > LASTS_S


class Shelf(Generic[T]):
    """The latest things of a kind, each by a name that nobody can guess. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, T] = OrderedDict()

    def put(self, thing: T, key: str = "") -> str:
        """Keep a thing, and return its name.

        Args:
            thing: The thing.
            key: Its name; empty for a new one.
        """
        key = key or secrets.token_urlsafe(16)
        with self._lock:
            self._kept[key] = thing
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return key

    def get(self, key: str) -> T | None:
        """The thing of a name; None if it is not kept any more."""
        with self._lock:
            return self._kept.get(key)

    def take(self, key: str) -> T | None:
        """The same, and let it go. Of several threads that ask for it, one gets it."""
        with self._lock:
            return self._kept.pop(key, None)
