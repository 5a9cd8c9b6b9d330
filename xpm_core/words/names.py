"""The alphabet of names that people give. These names become folders, keys and arguments.

A name has 1 to 100 ASCII letters, digits, `.`, `_` and `-`, with a letter or digit first.
"""

from __future__ import annotations

import re

from xpm_core.errors import InvalidNameError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)


def check_experiment_name(name: str) -> str:
    """Return the name of an experiment as it is, if it is allowed.

    Raises:
        InvalidNameError: It is empty or too long, or has a character that is not allowed.
    """
    return _check("experiment", name)


def check_queue_name(name: str) -> str:
    """Return the name of a queue as it is, if it is allowed.

    Raises:
        InvalidNameError: It is empty or too long, or has a character that is not allowed.
    """
    return _check("queue", name)


def check_worker_name(name: str) -> str:
    """Return the name of a worker as it is, if it is allowed.

    Raises:
        InvalidNameError: It is empty or too long, or has a character that is not allowed.
    """
    return _check("worker", name)


def check_import_name(name: str) -> str:
    """Return the name of foreign rows as it is, if it is allowed.

    Raises:
        InvalidNameError: It is empty or too long, or has a character that is not allowed.
    """
    return _check("import", name)


def _check(kind: str, name: str) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidNameError(kind, name)
    return name
