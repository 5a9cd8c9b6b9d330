"""URLs of Redis servers: which ones are accepted, and how they are shown without their passwords."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from xpm_core.errors import RedisUrlError
from xpm_core.server import tls

URL_VARIABLE = "XPM_REDIS_URL"
"""Environment variable with the URL of the server."""

SCHEMES = ("redis", "rediss", "unix")

OPTIONS = frozenset({"db", "username", "password", "client_name"})
"""Options that may follow the `?`; for rediss:// also those of TLS. Time-outs and retries are set by xpm alone."""

_VALUES = {
    "db": re.compile("[0-9]+"),
    "ssl_cert_reqs": re.compile("none|optional|required"),
    "ssl_check_hostname": re.compile("true|false"),
    "ssl_min_version": re.compile("771|772"),
}
"""Options that take certain values only. 771 and 772 are the numbers of TLS 1.2 and 1.3 (ssl.TLSVersion)."""

_SECRET_OPTION = re.compile(r"([?&][^=&]*pass[^=&]*=)[^&]*", re.IGNORECASE)
_CREDENTIALS = re.compile(r"^([a-z+.-]*:/*)(?:([^:@/]*):)?.*@", re.IGNORECASE | re.DOTALL)
_HIDDEN = "***"


def safe_url(url: str) -> str:
    """The URL as it may be shown and logged: passwords are hidden, even if the URL is malformed.

    Example:
        >>> safe_url("redis://alice:secret@head:6379/0")
        'redis://alice:***@head:6379/0'
    """
    shown = _SECRET_OPTION.sub(rf"\1{_HIDDEN}", url)
    return _CREDENTIALS.sub(lambda match: f"{match[1]}{match[2] + ':' if match[2] else ''}{_HIDDEN}@", shown)


def has_password(url: str) -> bool:
    """Whether a valid URL holds a password, of a user or of a TLS key."""
    parts = urlsplit(url)
    return bool(parts.password) or any("pass" in name.lower() for name, _ in parse_qsl(parts.query))


def with_files_in(url: str, folder: Path) -> str:
    """The URL with whole paths of the files for TLS that it names. It names them from the folder.

    Example:
        >>> with_files_in("rediss://head?ssl_ca_certs=ca.crt", Path("/data/xpm/.xpm"))
        'rediss://head?ssl_ca_certs=/data/xpm/.xpm/ca.crt'
    """
    parts = urlsplit(url)
    options = parse_qsl(parts.query)
    if not any(name in tls.FILES for name, _ in options):
        return url
    named = [(name, str(folder / value) if name in tls.FILES else value) for name, value in options]
    return urlunsplit(parts._replace(query=urlencode(named, safe="/:", quote_via=quote)))


def check_url(url: str) -> str:
    """Check a URL, and return it unchanged: `redis://`, `rediss://` (TLS) or `unix://`.

    Raises:
        RedisUrlError: The URL cannot be understood; the error says which part is wrong.
    """
    if not isinstance(url, str):
        raise RedisUrlError("Redis URL", f"expected str, got {type(url).__name__}", "Pass redis://HOST:PORT/DB.")
    fault = _fault(url)
    if fault is not None:
        raise RedisUrlError(f"Redis URL {safe_url(url)!r}", *fault)
    return url


def _fault(url: str) -> tuple[str, str] | None:
    """What is wrong with a URL, and what to do; None if nothing is."""
    encode = "Write redis://[USER:PASSWORD@]HOST:PORT/DB, with '/', '@', '#', '?' in a password percent-encoded."
    if not re.fullmatch(r"[^\s\x00-\x1f#]*", url):
        return "has a space, a '#' or a control character", encode
    scheme, colon, _ = url.partition("://")
    if not colon or scheme not in SCHEMES:
        return "expected redis://, rediss:// or unix:// at its start", encode
    try:
        parts = urlsplit(url)
        port_is_good = parts.port is None or parts.port > 0
    except ValueError:
        port_is_good = False
    if not port_is_good:
        return "its host or port cannot be read", encode
    if "@" in parts.path + parts.query:
        return "has an '@' after its host", encode
    if (fault := _fault_of_options(scheme, parse_qsl(parts.query))) is not None:
        return fault
    if scheme == "unix":
        if not parts.path or (parts.netloc and not parts.netloc.endswith("@")):
            return "expected a path after unix://", "Write unix:///path/to/redis.sock, with three slashes."
    elif not re.fullmatch(r"/?|/\d+", parts.path):
        return "expected a database number after the host", encode
    return None


def _fault_of_options(scheme: str, options: list[tuple[str, str]]) -> tuple[str, str] | None:
    """What is wrong with the options of a URL, and what to do; None if nothing is."""
    for name, value in options:
        if name in tls.OPTIONS and scheme != "rediss":
            return f"{name} is an option of TLS, which {scheme}:// does not speak", "Write rediss://, or leave it out."
        known = OPTIONS | tls.OPTIONS if scheme == "rediss" else OPTIONS
        if name not in known:
            return f"unknown option {name!r}", f"Known are {', '.join(sorted(known))}."
        if name in _VALUES and not _VALUES[name].fullmatch(value):
            return f"{name}={value}: expected {_VALUES[name].pattern}", "Correct it in the URL."
    return None
