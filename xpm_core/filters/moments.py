"""Dates and durations, as people type them in filters and as `params.json` has them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

_UNITS = {"ms": 0.001, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_PART = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)\s*(ms|sec|s|min|m|h|d|w)", re.ASCII)
_DURATION = re.compile(rf"(?:{_PART.pattern}\s*)+", re.ASCII)
_DATE = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(:\d\d)?(\.\d{1,6})?\s*([Zz]|[+-]\d\d:?\d\d)?)?", re.ASCII
)  # fmt: skip

DURATION = "a duration, such as 30s, 10m, 2h or 3d"
DATE = "a date, such as 2026-11-27 or 2026-11-27T14:30"


def read_duration(text: str) -> float | None:
    """Seconds of a duration such as `30s`, `10m`, `2h`, `3d` or `1h30m`; None if it is none.

    Example:
        >>> read_duration("1h30m"), read_duration("soon")
        (5400.0, None)
    """
    if not _DURATION.fullmatch(text.strip()):
        return None
    return float(sum(float(count) * _UNITS[unit] for count, unit in _PART.findall(text)))


def read_date(text: str) -> tuple[float, float] | None:
    """The first moment of a date, and the first moment after it, in epoch seconds; None if it is no date.

    `2026-11-27` is a whole day, `2026-11-27T14:30` a minute, `2026-11-27T14:30:05` a second. Without a zone, the zone
    is that of this machine.
    """
    if not (found := _DATE.fullmatch(text.strip())):
        return None
    day, minute, second, fraction, zone = found.groups()
    if fraction is not None and second is None:
        return None
    zone = (zone or "").upper().replace("Z", "+00:00")
    if zone and ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    fraction = (fraction or ".").ljust(7, "0")
    length = timedelta(seconds=1) if second else timedelta(minutes=1) if minute else timedelta(days=1)
    try:
        start = datetime.fromisoformat(f"{day}T{minute or '00:00'}{second or ':00'}{fraction}{zone}")
        moment = start.timestamp()
        return moment, moment + 1e-6 if fraction.strip(".0") else (start + length).timestamp()
    except (ValueError, OverflowError, OSError):  # such as 30 February, and years that the machine's clock lacks
        return None


def read_since(text: str, now_s: float) -> float | None:
    """The moment, in epoch seconds, that a duration before now or a date means; None if the text is neither.

    Example:
        >>> read_since("2h", 10_000.0)
        2800.0
    """
    if (duration := read_duration(text)) is not None:
        return now_s - duration
    found = read_date(text)
    return found[0] if found else None


def stored_moment(text: str) -> float | None:
    """The moment of a date or datetime in `params.json`, in epoch seconds; None if it is none."""
    found = read_date(text)
    return found[0] if found else None


def span_test(sign: str, span: tuple[float, float]) -> Callable[[float], bool]:
    """A test of moments by a date: its first moment, and the first one after it."""
    start, end = span
    tests: dict[str, Callable[[float], bool]] = {
        "=": lambda moment: start <= moment < end,
        "<": lambda moment: moment < start,
        "<=": lambda moment: moment < end,
        ">": lambda moment: moment >= end,
        ">=": lambda moment: moment >= start,
    }
    return tests[sign]
