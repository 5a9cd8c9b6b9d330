"""What a check finds, and how it can be mended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from xpm_core.labels import short
from xpm_core.words.text import line

REPAIR = "xpm doctor --repair"
"""The remedy of what the doctor itself can mend."""
NAMED = 5
"""How many jobs a finding names."""
LONGEST = 500
"""How many characters of a finding's text are kept. Parts of it come from outside."""


class Level(str, Enum):
    """How bad a finding is."""

    OK = "ok"
    MENDED = "mended"
    UNKNOWN = "unknown"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """What a check says about one thing.

    Attributes:
        level: How bad it is. What could not be checked is unknown.
        subject: What it is about, in a word or two: `redis`, `workspace`, `worker gpu-b`.
        text: What it is, without the subject.
        remedy: What to do; empty if all is well.
        mend: Mends it, and returns in words what was done; None if the doctor cannot.
    """

    level: Level
    subject: str
    text: str
    remedy: str = ""
    mend: Callable[[], str] | None = field(default=None, compare=False)


def ok(subject: str, text: str) -> Finding:
    """All is well."""
    return Finding(Level.OK, line(subject, LONGEST), line(text, LONGEST))


def warning(subject: str, text: str, remedy: str, mend: Callable[[], str] | None = None) -> Finding:
    """Nothing is lost, but somebody should look at it."""
    return Finding(Level.WARNING, line(subject, LONGEST), line(text, LONGEST), line(remedy, LONGEST), mend)


def error(subject: str, text: str, remedy: str, mend: Callable[[], str] | None = None) -> Finding:
    """Jobs do not run as they should, results can be lost, or what is shown is wrong."""
    return Finding(Level.ERROR, line(subject, LONGEST), line(text, LONGEST), line(remedy, LONGEST), mend)


def unknown(subject: str, text: str, remedy: str = "") -> Finding:
    """It could not be checked."""
    return Finding(Level.UNKNOWN, line(subject, LONGEST), line(text, LONGEST), line(remedy, LONGEST))


def named(identities: list[str]) -> str:
    """The first of some jobs, as a text names them: `3f2a91c, 9bc04e1, …`."""
    return ", ".join(map(short, identities[:NAMED])) + (", …" if len(identities) > NAMED else "")
