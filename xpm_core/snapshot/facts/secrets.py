"""Secrets in arguments and in the environment: what is hidden before something is written down.

A name is secret if it has a word in it such as KEY, TOKEN, SECRET or PASSWORD. More may be hidden than is secret, as
the value of `--tokenizer`. Nothing that is given under a secret name is written.

Owns: which names are secret, and what of a text is hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

HIDDEN = "***"
"""Stands for what is hidden."""

_WORDS = r"key|token|secret|passw|passphrase|passcode|credential|auth|bearer|signature|cookie"
_WHOLE = r"(?<![^\W_])(?:pwd|pass|pat)(?![^\W_])"
"""Words that are too short to be looked for within others: `DB_PASS` is secret, `--bypass` and `--path` are not."""

_SECRET = re.compile(f"{_WORDS}|{_WHOLE}", re.IGNORECASE)
_GIVEN = re.compile(rf"(?:{_WORDS}|{_WHOLE})[^\s=:,;&|]*[\s=:,;&|]+", re.IGNORECASE)
"""Finds a secret name and what separates it from its value: `PASSWORD=x`, `"api_key": "x"`, `?token=x`."""

_KNOWN = re.compile(r"(?<![A-Za-z0-9])(?:gh[a-z]_|github_pat_|glpat-|hf_|sk-|xox[a-z]-|AKIA|eyJ)[\w.-]{12,}")
"""Finds what is a token by its form: those of GitHub, GitLab, Hugging Face, OpenAI, Slack, Amazon, and web tokens."""


def is_secret(name: str) -> bool:
    """Whether a value under this name may not be shown.

    Example:
        >>> is_secret("WANDB_API_KEY"), is_secret("OMP_NUM_THREADS")
        (True, False)
    """
    return _SECRET.search(name) is not None


def variable(name: str, value: str) -> str:
    """The value of a variable of the environment, as it may be written.

    Example:
        >>> variable("XPM_REDIS_URL", "redis://alice:secret@head:6379/0")
        'redis://***@head:6379/0'
    """
    return HIDDEN if is_secret(name) else _shown(value)


def arguments(given: Iterable[str]) -> list[str]:
    """The arguments of a program, as they may be written.

    Example:
        >>> arguments(["--lr", "0.1", "--api-key", "x", "--epochs", "3", "PASSWORD=y"])
        ['--lr', '0.1', '--api-key', '***', '--epochs', '3', 'PASSWORD=***']
    """
    return list(_arguments(given))


def _arguments(given: Iterable[str]) -> Iterator[str]:
    """Each argument. After a secret name, the arguments up to the next option are hidden, and at least one."""
    hides = named = False
    for each in given:
        hides = named or (hides and not each.startswith("-"))
        named = _names_next(each) and (not hides or each.startswith("-"))
        yield HIDDEN if hides else text(each)


def _names_next(argument: str) -> bool:
    """Whether an argument is a secret name, whose value follows in the next argument."""
    found = _GIVEN.search(argument)
    is_name = argument.startswith("-") or "/" not in argument
    return is_name and is_secret(argument) and (found is None or found.end() == len(argument))


def text(given: str) -> str:
    """A text without the secrets in it: what stands after a secret name, and passwords in URLs.

    Example:
        >>> text("https://alice:secret@host/?token=x&page=2")
        'https://***@host/?token=***'
    """
    found = _GIVEN.search(given)
    return _shown(given, found.end() if found else len(given))


def _shown(given: str, until: int | None = None) -> str:
    """A text without passwords, and without all that stands after a position."""
    until = len(given) if until is None else until
    begin, end = _password_in(given)
    last = f"{HIDDEN}" if until < len(given) else ""
    if begin == end or begin >= until:
        shown = given[:until] + last
    elif end >= until:
        shown = given[:begin] + HIDDEN
    else:
        shown = given[:begin] + HIDDEN + given[end:until] + last
    return _KNOWN.sub(HIDDEN, shown)


def _password_in(given: str) -> tuple[int, int]:
    """Where the user and the password of a URL stand: up to the last `@`, so that a malformed URL hides more.

    Without a scheme, as in `alice:secret@host`, it is what stands between `:` and `@`.
    """
    end = given.rfind("@")
    scheme = given.find("://", 0, max(end, 0))
    if scheme >= 0:
        begin = scheme + len("://")
        is_user = not re.search(r"[/?#\s]", given[begin:end])
        return (begin, end) if is_user or ":" in given[begin:end] else (0, 0)
    colon = given.find(":", 0, max(end, 0))
    return (0, 0) if colon < 0 else (colon + 1, end)
